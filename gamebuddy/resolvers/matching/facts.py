"""What the score is made of: players, a compiled search, and what comes out."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from gamebuddy import db
from gamebuddy.db import AgeBand, PlayStyle, Region, VoiceChat
from gamebuddy.resolvers.matching.tables import Roles, Signal
from gamebuddy.resolvers.matching.weights import Weights


def spoken(tags: Iterable[str]) -> tuple[str, ...]:
    """Give the languages of BCP 47 tags in their order, each once: whoever speaks en-US understands en-GB."""
    return tuple(dict.fromkeys([tag.partition("-")[0] for tag in tags]))


# What a page has a score or a hundred of is a named tuple: a frozen dataclass takes eight times as long to make.
class Played(NamedTuple):
    """A game in a profile: rating 0 to 3000, roles as bits."""

    game_id: uuid.UUID
    rating: int = db.UNKNOWN_RATING
    role_bits: int = 0
    is_favorite: bool = False


class Player(NamedTuple):
    """What the score needs to know of somebody; empty and None stand for what was not told.

    `languages` are as `spoken` gives them. `schedule` is the week in UTC, 168 bits as an integer. `reputation` is a
    lower confidence bound in thousandths.
    """

    account_id: uuid.UUID
    active_on: date
    games: tuple[Played, ...] = ()
    platforms: frozenset[db.Platform] = frozenset()
    genre_bits: int = 0
    languages: tuple[str, ...] = ()
    region: Region | None = None
    play_style: PlayStyle | None = None
    voice_chat: VoiceChat | None = None
    birth_date: date | None = None
    schedule: int | None = None
    reputation: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One game of a search.

    A `is_wanted` game is compared, and whoever is listed plays one of them: with a rating from `least_rating` to
    `most_rating` and, where `asked_roles` is not 0, in one of these roles. `breadth` is its share of the viewer's own
    games in thousandths, 0 for a game that `is_own` not.
    """

    game_id: uuid.UUID
    rating: int
    role_bits: int
    importance: int
    breadth: int
    is_cross_play: bool
    is_own: bool = True
    is_wanted: bool = True
    asked_roles: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A search, compiled: the lookup tables of one viewer, his weights and a day. None stands for what is not told."""

    viewer: Player
    weights: Weights
    as_of: date
    terms: tuple[Term, ...]
    least_rating: int
    most_rating: int
    band_starts: tuple[date, date, date]  # who was born after these is below 18, 25, 35
    regions: Mapping[Region | None, int]
    styles: Mapping[PlayStyle | None, int]
    voices: Mapping[VoiceChat | None, int]
    bands: Mapping[AgeBand | None, int]
    genres: tuple[int, ...]  # by the number of shared ones


class Comparison(NamedTuple):
    """The shared game that speaks most for a candidate. `distance` of the ratings is in points."""

    game_id: uuid.UUID
    distance: int
    roles: Roles
    rating_value: int
    roles_value: int


class Reason(NamedTuple):
    """What one signal adds: `value` and `weight` are 0 to 1000, `contribution` is their product, 0 to 1,000,000."""

    signal: Signal
    value: int
    weight: int
    contribution: int


class Fit(NamedTuple):
    """How well a candidate fits a viewer.

    `score` is 0 to 1,000,000; the contributions of the `reasons`, largest first, add up to it; signals without weight
    have no reason. `overlap_hours` is None where a side has told no hours, `shared_genres` likewise.
    """

    viewer: Player
    candidate: Player
    as_of: date
    score: int
    reasons: tuple[Reason, ...]
    shared_game_ids: tuple[uuid.UUID, ...]
    comparison: Comparison | None
    overlap_hours: int | None
    shared_genres: int | None
    language: str | None

    @property
    def days_since_active(self) -> int:
        """How many days before `as_of` the last visit was."""
        return max(0, (self.as_of - self.candidate.active_on).days)
