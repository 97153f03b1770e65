import re

import pytest

from gamebuddy import catalogue, db
from gamebuddy.catalogue import Game

DATA = catalogue.load()


def test_there_are_enough_games_in_the_order_of_slugs() -> None:
    slugs = [game.slug for game in DATA.games]
    assert len(slugs) >= 60
    assert slugs == sorted(set(slugs))


def test_every_genre_is_used_and_declared_once() -> None:
    declared = [genre.slug for genre in DATA.genres]
    assert len(set(declared)) == len(declared) <= 63  # a genre is a bit of a 64-bit number
    assert {slug for game in DATA.games for slug in game.genres} == set(declared)
    assert all(genre.name_en and genre.name_ru for genre in DATA.genres)


@pytest.mark.parametrize("game", DATA.games, ids=lambda game: game.slug)
def test_a_game_is_well_formed(game: Game) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", game.slug)
    assert game.title
    assert 1 <= len(game.genres) <= 4
    assert game.platforms
    assert set(game.platforms) <= set(db.Platform)
    assert len(game.platforms) > 1 or not game.cross_play
    assert len(set(game.ranks)) == len(game.ranks) <= 60
    assert len({role.slug for role in game.roles}) == len(game.roles) <= 31  # a role is a bit of a 32-bit number
    assert 1 <= game.popularity <= 1000
