"""The catalogue of games as data: what ships with a release and is loaded into the database."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Genre:
    """A kind of game."""

    slug: str
    name_en: str
    name_ru: str


@dataclass(frozen=True, slots=True)
class Role:
    """What one can play in a game."""

    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Game:
    """A game: genres by slug, the main one first; ranks from the lowest to the highest."""

    slug: str
    title: str
    genres: tuple[str, ...]
    platforms: tuple[str, ...]
    cross_play: bool
    ranks: tuple[str, ...]
    roles: tuple[Role, ...]
    popularity: int


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Genres in the order that numbers them for ever, games in the order of slugs."""

    genres: tuple[Genre, ...]
    games: tuple[Game, ...]


@cache
def load() -> Catalogue:
    """Read the catalogue."""
    return Catalogue(
        genres=tuple(Genre(**entry) for entry in _read("genres")),
        games=tuple(
            Game(
                slug=entry["slug"],
                title=entry["title"],
                genres=tuple(entry["genres"]),
                platforms=tuple(entry["platforms"]),
                cross_play=entry["cross_play"],
                ranks=tuple(entry["ranks"]),
                roles=tuple(Role(**role) for role in entry["roles"]),
                popularity=entry["popularity"],
            )
            for entry in _read("games")
        ),
    )


def _read(name: str) -> list[dict[str, Any]]:
    text = resources.files("gamebuddy.catalogue").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    entries: list[dict[str, Any]] = tomllib.loads(text)[name]
    return entries
