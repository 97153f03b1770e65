"""The tables of the score: the ranking's weights, and the value of every fact, 0 to 1000."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from typing import Self

from gamebuddy import db
from gamebuddy.db import AgeBand, PlayStyle, Region, VoiceChat

FULL = 1000  # the best value of a signal, and the sum of the weights
FURTHEST = 60  # days without a visit after which nobody is listed
HIGHEST_MULTIPLIER = 10


class Signal(StrEnum):
    """What two players are compared by."""

    GAMES = "GAMES"
    RATING = "RATING"
    ROLES = "ROLES"
    GENRES = "GENRES"
    SCHEDULE = "SCHEDULE"
    LANGUAGE = "LANGUAGE"
    REGION = "REGION"
    PLATFORM = "PLATFORM"
    PLAY_STYLE = "PLAY_STYLE"
    VOICE_CHAT = "VOICE_CHAT"
    AGE = "AGE"
    REPUTATION = "REPUTATION"
    ACTIVITY = "ACTIVITY"


UNASKED = frozenset({Signal.PLATFORM})  # counts only when a query weighs it


@dataclass(frozen=True, slots=True)
class Ranking:
    """What the signals count when a query says nothing, 0 to 1000; without the `UNASKED` they sum to 1000."""

    version: str
    weights: Mapping[Signal, int]

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a ranking from TOML, as in ranking.toml.

        Raises:
            ValueError: for what is no TOML, a signal too few or too many, a weight that is no such number, another sum.
        """
        given = tomllib.loads(text)
        weights = given.get("weights", {})
        if given.keys() != {"version", "weights"} or weights.keys() != set(Signal):
            raise ValueError("a ranking has a version and the weight of every signal")
        if not all(type(weight) is int and 0 <= weight <= FULL for weight in weights.values()):
            raise ValueError(f"a weight is a whole number, 0 to {FULL}")
        asked = sum(weight for signal, weight in weights.items() if signal not in UNASKED)
        if asked != FULL:
            raise ValueError(f"the weights sum to {FULL} without {', '.join(sorted(UNASKED))}; these to {asked}")
        return cls(str(given["version"]), {signal: weights[signal] for signal in Signal})


RANKING = Ranking.read(resources.files("gamebuddy.resolvers.matching").joinpath("ranking.toml").read_text("utf-8"))
# The value where one side or the other has not told: about what a stranger gets, so that silence neither wins nor
# buries. A rating that is not known is 1500 in the profile itself. ACTIVITY is always known.
NEUTRAL: Mapping[Signal, int] = {
    Signal.GAMES: 500,
    Signal.RATING: 500,
    Signal.ROLES: 750,
    Signal.GENRES: 333,
    Signal.SCHEDULE: 333,
    Signal.LANGUAGE: 300,
    Signal.REGION: 400,
    Signal.PLATFORM: 500,
    Signal.PLAY_STYLE: 500,
    Signal.VOICE_CHAT: 700,
    Signal.AGE: 500,
    Signal.REPUTATION: 500,
}
IMPORTANCE_OF_MAIN, IMPORTANCE_OF_OTHER = 1000, 850
RATING_NOISE, RATING_SPREAD, RATING_REACH = 50, 350, 1500
# Value by the distance of two ratings in points: a normal curve whose middle is flat, for ratings are never that exact.
RATING_BY_DISTANCE = tuple(
    round(FULL * math.exp(-0.5 * (max(0, distance - RATING_NOISE) / RATING_SPREAD) ** 2))
    for distance in range(RATING_REACH + 1)
)
ROLES_COMPLEMENT, ROLES_DUPLICATE = 1000, 500
ENOUGH_GENRES = 3
ENOUGH_HOURS = 12  # a week
SCHEDULE_BY_HOURS = tuple(min(FULL, FULL * hours // ENOUGH_HOURS) for hours in range(db.HOURS_A_WEEK + 1))
FIRST_LANGUAGE, OTHER_LANGUAGE, NO_LANGUAGE = 1000, 600, 0
HALF_LIFE = 7  # days
ACTIVITY_BY_DAYS = (*(round(FULL * 2 ** (-days / HALF_LIFE)) for days in range(FURTHEST + 1)), 0)
LEAST_REPUTATION, REPUTATION_RANGE = 500, 300  # thousandths: 0.50 is worth nothing, 0.80 everything
STYLE_BY_DISTANCE = (1000, 500, 0)
BAND_BY_DISTANCE = (1000, 600, 200, 0)
SAME_REGION, NEIGHBOUR, TOLERABLE, FAR = 1000, 700, 300, 0
# Ways along which people play well, and barely: typical round trips below 90 ms, and below 150 ms.
NEIGHBOURS = frozenset(
    map(
        frozenset,
        (
            (Region.EUROPE, Region.CIS),
            (Region.EUROPE, Region.MIDDLE_EAST),
            (Region.MIDDLE_EAST, Region.SOUTH_ASIA),
            (Region.SOUTH_ASIA, Region.SOUTHEAST_ASIA),
            (Region.EAST_ASIA, Region.SOUTHEAST_ASIA),
        ),
    )
)
TOLERABLES = frozenset(
    map(
        frozenset,
        (
            (Region.EUROPE, Region.NORTH_AMERICA),
            (Region.EUROPE, Region.AFRICA),
            (Region.EUROPE, Region.SOUTH_ASIA),
            (Region.CIS, Region.MIDDLE_EAST),
            (Region.CIS, Region.EAST_ASIA),
            (Region.MIDDLE_EAST, Region.AFRICA),
            (Region.NORTH_AMERICA, Region.SOUTH_AMERICA),
            (Region.NORTH_AMERICA, Region.EAST_ASIA),
            (Region.SOUTH_ASIA, Region.EAST_ASIA),
            (Region.EAST_ASIA, Region.OCEANIA),
            (Region.SOUTHEAST_ASIA, Region.OCEANIA),
        ),
    )
)
GOOD_VOICE = 700
VOICES: Mapping[frozenset[VoiceChat], int] = {
    frozenset({VoiceChat.REQUIRED, VoiceChat.PREFERRED}): 900,
    frozenset({VoiceChat.REQUIRED, VoiceChat.TEXT_ONLY}): 0,
    frozenset({VoiceChat.REQUIRED, VoiceChat.ANY}): 700,
    frozenset({VoiceChat.PREFERRED, VoiceChat.TEXT_ONLY}): 300,
    frozenset({VoiceChat.PREFERRED, VoiceChat.ANY}): 800,
    frozenset({VoiceChat.TEXT_ONLY, VoiceChat.ANY}): 800,
}


class Roles(StrEnum):
    """How the roles of two in one game stand to each other."""

    COMPLEMENT = "COMPLEMENT"
    DUPLICATE = "DUPLICATE"
    UNKNOWN = "UNKNOWN"


ROLES_VALUES: Mapping[Roles, int] = {
    Roles.COMPLEMENT: ROLES_COMPLEMENT,
    Roles.DUPLICATE: ROLES_DUPLICATE,
    Roles.UNKNOWN: NEUTRAL[Signal.ROLES],
}


AGE_BANDS = tuple(AgeBand)  # the youngest first


def region_value(mine: Region, other: Region) -> int:
    """Tell how well people of two regions play together, 0 to 1000."""
    if mine is other:
        return SAME_REGION
    way = frozenset({mine, other})
    return NEIGHBOUR if way in NEIGHBOURS else TOLERABLE if way in TOLERABLES else FAR


def style_value(mine: PlayStyle, other: PlayStyle) -> int:
    """Tell how well two play styles go together, 0 to 1000."""
    styles = tuple(PlayStyle)
    return STYLE_BY_DISTANCE[abs(styles.index(mine) - styles.index(other))]


def voice_value(mine: VoiceChat, other: VoiceChat) -> int:
    """Tell how well two wishes for voice chat go together, 0 to 1000."""
    return FULL if mine is other else VOICES[frozenset({mine, other})]


def band_value(mine: AgeBand, other: AgeBand) -> int:
    """Tell how close two age bands are, 0 to 1000; minors and adults are kept apart before."""
    return BAND_BY_DISTANCE[abs(AGE_BANDS.index(mine) - AGE_BANDS.index(other))]


def reputation_value(reputation: int | None) -> int:
    """Give 0 at a lower bound of 0.50 and below, 1000 at 0.80 and above, in between in proportion."""
    if reputation is None:
        return NEUTRAL[Signal.REPUTATION]
    return min(FULL, max(0, reputation - LEAST_REPUTATION) * FULL // REPUTATION_RANGE)


def activity_value(as_of: date, active_on: date) -> int:
    """Give 1000 x 2^(-days / 7) for the days since the last visit, 0 after 60."""
    return ACTIVITY_BY_DAYS[min(FURTHEST + 1, max(0, (as_of - active_on).days))]


@lru_cache(8)  # of a day, for every candidate and every text about him
def band_starts(as_of: date) -> tuple[date, date, date]:
    """Give the days 18, 25 and 35 years ago: who was born later has not reached these ages."""
    return _years_before(as_of, 18), _years_before(as_of, 25), _years_before(as_of, 35)


def age_band(birth_date: date | None, starts: tuple[date, date, date]) -> AgeBand | None:
    """Give the age band by the days of `band_starts`."""
    if birth_date is None:
        return None
    return AGE_BANDS[sum(birth_date <= start for start in starts)]


def is_minor(birth_date: date | None, starts: tuple[date, date, date]) -> bool:
    """Tell whether somebody is known to be below 18; who has told no birth date counts as an adult."""
    return birth_date is not None and birth_date > starts[0]


def _years_before(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # on 29 February; those born on the 1 March have not had their birthday
        return day.replace(year=day.year - years, day=28)
