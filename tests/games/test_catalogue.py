import re

import pytest

from gamebuddy import catalogue, db
from gamebuddy.catalogue import Game

DATA = catalogue.load()
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)


def is_a_name(text: str) -> bool:
    return bool(text) and text == " ".join(text.split())


def test_there_are_enough_games_in_the_order_of_slugs() -> None:
    slugs = [game.slug for game in DATA.games]
    assert len(slugs) >= 60
    assert slugs == sorted(set(slugs))
    assert len({game.title.casefold() for game in DATA.games}) == len(slugs)


def test_every_genre_is_used_and_declared_once() -> None:
    declared = [genre.slug for genre in DATA.genres]
    assert len(set(declared)) == len(declared) <= 63  # a genre is a bit of a 64-bit number
    assert {slug for game in DATA.games for slug in game.genres} == set(declared)
    for genre in DATA.genres:
        assert SLUG.fullmatch(genre.slug)
        assert is_a_name(genre.name_en)
        assert is_a_name(genre.name_ru)


def test_no_two_genres_have_the_same_name() -> None:
    assert len({genre.name_en for genre in DATA.genres}) == len(DATA.genres)
    assert len({genre.name_ru for genre in DATA.genres}) == len(DATA.genres)


@pytest.mark.parametrize("game", DATA.games, ids=lambda game: game.slug)
def test_a_game_is_well_formed(game: Game) -> None:
    assert SLUG.fullmatch(game.slug)
    assert is_a_name(game.title)
    assert 1 <= len(set(game.genres)) == len(game.genres) <= 4
    assert 1 <= len(set(game.platforms)) == len(game.platforms)
    assert 1 <= game.popularity <= 1000


@pytest.mark.parametrize("game", DATA.games, ids=lambda game: game.slug)
def test_platforms_are_known_and_in_their_order(game: Game) -> None:
    assert list(game.platforms) == [platform for platform in db.Platform if platform in game.platforms]
    assert isinstance(game.cross_play, bool)
    assert len(game.platforms) > 1 or not game.cross_play


@pytest.mark.parametrize("game", DATA.games, ids=lambda game: game.slug)
def test_a_ladder_names_each_step_once(game: Game) -> None:
    assert len({rank.casefold() for rank in game.ranks}) == len(game.ranks) <= 60
    assert len(game.ranks) != 1
    assert all(is_a_name(rank) for rank in game.ranks)


@pytest.mark.parametrize("game", DATA.games, ids=lambda game: game.slug)
def test_the_divisions_of_a_tier_stand_together(game: Game) -> None:
    tiers = [re.sub(r" ([1-6]|I|II|III|IV|V|VI)$", "", rank) for rank in game.ranks]
    starts = [tier for place, tier in enumerate(tiers) if place == 0 or tiers[place - 1] != tier]
    assert len(set(starts)) == len(starts)


@pytest.mark.parametrize("game", DATA.games, ids=lambda game: game.slug)
def test_roles_are_few_and_named_once(game: Game) -> None:
    assert len({role.slug for role in game.roles}) == len(game.roles) <= 12  # below the 31 bits that a profile has
    assert len({role.name for role in game.roles}) == len(game.roles)
    for role in game.roles:
        assert SLUG.fullmatch(role.slug)
        assert is_a_name(role.name)
