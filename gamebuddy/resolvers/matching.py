"""How well two players fit: the score, in integers only, once.

Every signal has a value of 0 to 1000 and a weight; the weights are integers that sum to 1000; the score is the sum of
weight times value, 0 to 1,000,000. A viewer's search is compiled into a `Question` of small lookup tables. The
functions here score with them in plain Python; resolvers/search builds SQL from the same tables, so both agree to the
last bit.
"""

import math
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Self

from gamebuddy import db
from gamebuddy.db import AgeBand, PlayStyle, Region, VoiceChat
from gamebuddy.errors import BadInput

RANKING_VERSION = "2026-11-1"

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


# What a multiplier of 1 stands for. PLATFORM counts only when a query weighs it: without that a game without cross-play
# asks for a platform in common, and the others do not ask at all. The rest sum to 1000.
USUAL_WEIGHTS: Mapping[Signal, int] = {
    Signal.GAMES: 80,
    Signal.RATING: 210,
    Signal.ROLES: 90,
    Signal.GENRES: 60,
    Signal.SCHEDULE: 130,
    Signal.LANGUAGE: 60,
    Signal.REGION: 120,
    Signal.PLATFORM: 50,
    Signal.PLAY_STYLE: 80,
    Signal.VOICE_CHAT: 40,
    Signal.AGE: 30,
    Signal.REPUTATION: 50,
    Signal.ACTIVITY: 50,
}
UNASKED = frozenset({Signal.PLATFORM})

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


def apportion(shares: Sequence[int], total: int) -> list[int]:
    """Divide `total` in proportion to the shares, in integers that sum to it exactly.

    By largest remainder (Hamilton's method); of equal remainders the first ones are rounded up. Shares are not
    negative and not all zero.
    """
    whole = sum(shares)
    parts = [share * total // whole for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda place: -(shares[place] * total % whole))
    for place in by_remainder[: total - sum(parts)]:
        parts[place] += 1
    return parts


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each signal counts, 0 to 1000; they sum to 1000."""

    by_signal: Mapping[Signal, int]

    @classmethod
    def of(cls, multipliers: Mapping[Signal, float] | None = None) -> Self:
        """Multiply the usual weights, 0 to 10 each, and bring them back to a sum of 1000.

        Multipliers count in thousandths. A signal without one keeps its usual weight.

        Raises:
            BadInput: when one is out of its range or all are zero.
        """
        given = multipliers or {}
        if any(not 0 <= multiplier <= HIGHEST_MULTIPLIER for multiplier in given.values()):
            raise BadInput(f"A weight is 0 to {HIGHEST_MULTIPLIER}.", reason="INVALID")
        shares = [
            usual * round(FULL * given.get(signal, 0 if signal in UNASKED else 1))
            for signal, usual in USUAL_WEIGHTS.items()
        ]
        if not any(shares):
            raise BadInput("At least one weight is above 0.", reason="INVALID")
        return cls(dict(zip(USUAL_WEIGHTS, apportion(shares, FULL), strict=True)))

    def __getitem__(self, signal: Signal) -> int:
        """Give the weight of a signal."""
        return self.by_signal[signal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A game in a profile: rating 0 to 3000, roles as bits."""

    game_id: uuid.UUID
    rating: int = db.UNKNOWN_RATING
    role_bits: int = 0
    is_favorite: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """What the score needs to know of somebody; empty and None stand for what was not told.

    `schedule` is the week in UTC, 168 bits as an integer. `reputation` is a lower confidence bound in thousandths.
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


class Roles(StrEnum):
    """How the roles of two in one game stand to each other."""

    COMPLEMENT = "COMPLEMENT"
    DUPLICATE = "DUPLICATE"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The shared game that speaks most for a candidate. `distance` of the ratings is in points."""

    game_id: uuid.UUID
    distance: int
    roles: Roles
    rating_value: int
    roles_value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """What one signal adds. `value` and `weight` are 0 to 1000, their product is the contribution."""

    signal: Signal
    value: int
    weight: int

    @property
    def contribution(self) -> int:
        """The part of the score, 0 to 1,000,000."""
        return self.value * self.weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
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


def compile_question(
    viewer: Player,
    weights: Weights,
    as_of: date,
    terms: Iterable[Term],
    *,
    least_rating: int = 0,
    most_rating: int = 3000,
) -> Question:
    """Make the tables of a search."""
    own_genres = viewer.genre_bits.bit_count()
    enough = min(ENOUGH_GENRES, max(1, own_genres))
    band = age_band(viewer.birth_date, band_starts(as_of))
    return Question(
        viewer=viewer,
        weights=weights,
        as_of=as_of,
        terms=tuple(terms),
        least_rating=least_rating,
        most_rating=most_rating,
        band_starts=band_starts(as_of),
        regions=_table(viewer.region, Region, Signal.REGION, region_value),
        styles=_table(viewer.play_style, PlayStyle, Signal.PLAY_STYLE, style_value),
        voices=_table(viewer.voice_chat, VoiceChat, Signal.VOICE_CHAT, voice_value),
        bands=_table(band, AgeBand, Signal.AGE, band_value),
        genres=tuple(min(FULL, FULL * shared // enough) for shared in range(own_genres + 1)),
    )


def breadths(player_counts: Sequence[int], most: int) -> list[int]:
    """Give each of the viewer's games its share of them all, in thousandths that sum to 1000.

    A game counts the more the fewer play it, as in inverse document frequency: 1, and 1 more each time that its players
    are half as many (in binary digits, so that no logarithm is rounded). `most` is the largest count of any game.
    """
    rarities = [max(1, 1 + most.bit_length() - count.bit_length()) for count in player_counts]
    return apportion(rarities, FULL) if rarities else []


def fit(question: Question, candidate: Player) -> Fit:
    """Score one candidate, listed or not."""
    comparison = compare(question, candidate)
    shared = [term for term in question.terms if term.is_own and _shares(question, term, candidate)]
    hours = overlap_hours(question.viewer, candidate)
    genres = shared_genres(question.viewer, candidate)
    values = {
        Signal.GAMES: sum(term.breadth for term in shared) if question.viewer.games else NEUTRAL[Signal.GAMES],
        Signal.RATING: comparison.rating_value if comparison else _without_comparison(question, Signal.RATING),
        Signal.ROLES: comparison.roles_value if comparison else _without_comparison(question, Signal.ROLES),
        Signal.GENRES: NEUTRAL[Signal.GENRES] if genres is None else question.genres[genres],
        Signal.SCHEDULE: NEUTRAL[Signal.SCHEDULE] if hours is None else SCHEDULE_BY_HOURS[hours],
        Signal.LANGUAGE: language_value(question.viewer, candidate),
        Signal.REGION: question.regions[candidate.region],
        Signal.PLATFORM: platform_value(question.viewer, candidate),
        Signal.PLAY_STYLE: question.styles[candidate.play_style],
        Signal.VOICE_CHAT: question.voices[candidate.voice_chat],
        Signal.AGE: question.bands[age_band(candidate.birth_date, question.band_starts)],
        Signal.REPUTATION: reputation_value(candidate.reputation),
        Signal.ACTIVITY: activity_value(question.as_of, candidate.active_on),
    }
    reasons = [
        Reason(signal=signal, value=value, weight=question.weights[signal])
        for signal, value in values.items()
        if question.weights[signal]
    ]
    return Fit(
        viewer=question.viewer,
        candidate=candidate,
        as_of=question.as_of,
        score=sum(reason.contribution for reason in reasons),
        reasons=tuple(sorted(reasons, key=lambda reason: -reason.contribution)),
        shared_game_ids=tuple(term.game_id for term in shared),
        comparison=comparison,
        overlap_hours=hours,
        shared_genres=genres,
        language=next((tag for tag in question.viewer.languages if tag in candidate.languages), None),
    )


def compare(question: Question, candidate: Player) -> Comparison | None:
    """Find the wanted game that adds most to the score, the viewer's first one of equals.

    By game: importance x exp(-(max(0, distance - 50) / 350)² / 2), and importance x 1 for roles of which some are not
    the viewer's, 0.5 for the same ones. None when they share no wanted game.
    """
    played = {game.game_id: game for game in candidate.games}
    found = [
        _compared(term, played[term.game_id])
        for term in question.terms
        if _shares(question, term, candidate) and _suits(question, term, played[term.game_id])
    ]
    rating, roles = question.weights[Signal.RATING], question.weights[Signal.ROLES]
    return max(found, key=lambda one: rating * one.rating_value + roles * one.roles_value, default=None)


def can_play_together(viewer: Player, candidate: Player) -> bool:
    """Tell whether they have a platform in common, as far as they have told."""
    return not viewer.platforms or not candidate.platforms or bool(viewer.platforms & candidate.platforms)


def overlap_hours(viewer: Player, candidate: Player) -> int | None:
    """Count the hours of a week in which both play; None where a side has told none."""
    if viewer.schedule is None or candidate.schedule is None:
        return None
    return (viewer.schedule & candidate.schedule).bit_count()


def shared_genres(viewer: Player, candidate: Player) -> int | None:
    """Count the genres that both like; None where a side has told none."""
    if not viewer.genre_bits or not candidate.genre_bits:
        return None
    return (viewer.genre_bits & candidate.genre_bits).bit_count()


def language_value(viewer: Player, candidate: Player) -> int:
    """Give 1000 when the candidate speaks the viewer's first language, 600 for another one, 0 for none."""
    if not viewer.languages or not candidate.languages:
        return NEUTRAL[Signal.LANGUAGE]
    if viewer.languages[0] in candidate.languages:
        return FIRST_LANGUAGE
    return NO_LANGUAGE if set(viewer.languages).isdisjoint(candidate.languages) else OTHER_LANGUAGE


def platform_value(viewer: Player, candidate: Player) -> int:
    """Give 1000 for a platform in common, 0 for none."""
    if not viewer.platforms or not candidate.platforms:
        return NEUTRAL[Signal.PLATFORM]
    return FULL if viewer.platforms & candidate.platforms else 0


def reputation_value(reputation: int | None) -> int:
    """Give 0 at a lower bound of 0.50 and below, 1000 at 0.80 and above, in between in proportion."""
    if reputation is None:
        return NEUTRAL[Signal.REPUTATION]
    return min(FULL, max(0, reputation - LEAST_REPUTATION) * FULL // REPUTATION_RANGE)


def activity_value(as_of: date, active_on: date) -> int:
    """Give 1000 x 2^(-days / 7) for the days since the last visit, 0 after 60."""
    return ACTIVITY_BY_DAYS[min(FURTHEST + 1, max(0, (as_of - active_on).days))]


def band_starts(as_of: date) -> tuple[date, date, date]:
    """Give the days 18, 25 and 35 years ago: who was born later has not reached these ages."""
    return _years_before(as_of, 18), _years_before(as_of, 25), _years_before(as_of, 35)


def age_band(birth_date: date | None, starts: tuple[date, date, date]) -> AgeBand | None:
    """Give the age band by the days of `band_starts`."""
    if birth_date is None:
        return None
    return next((band for band, start in zip(AgeBand, starts, strict=False) if birth_date > start), AgeBand.FROM_35)


def is_minor(birth_date: date | None, starts: tuple[date, date, date]) -> bool:
    """Tell whether somebody is known to be below 18; who has told no birth date counts as an adult."""
    return birth_date is not None and birth_date > starts[0]


def _years_before(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # on 29 February; those born on the 1 March have not had their birthday
        return day.replace(year=day.year - years, day=28)


def _shares(question: Question, term: Term, candidate: Player) -> bool:
    is_played = any(game.game_id == term.game_id for game in candidate.games)
    return is_played and (term.is_cross_play or can_play_together(question.viewer, candidate))


def _suits(question: Question, term: Term, game: Played) -> bool:
    return (
        term.is_wanted
        and question.least_rating <= game.rating <= question.most_rating
        and (not term.asked_roles or bool(term.asked_roles & game.role_bits))
    )


def _compared(term: Term, game: Played) -> Comparison:
    distance = abs(term.rating - game.rating)
    roles = _roles(term.role_bits, game.role_bits)
    return Comparison(
        game_id=term.game_id,
        distance=distance,
        roles=roles,
        rating_value=term.importance * RATING_BY_DISTANCE[min(RATING_REACH, distance)] // FULL,
        roles_value=term.importance * ROLES_VALUES[roles] // FULL,
    )


ROLES_VALUES: Mapping[Roles, int] = {
    Roles.COMPLEMENT: ROLES_COMPLEMENT,
    Roles.DUPLICATE: ROLES_DUPLICATE,
    Roles.UNKNOWN: NEUTRAL[Signal.ROLES],
}


def _roles(mine: int, theirs: int) -> Roles:
    if not mine or not theirs:
        return Roles.UNKNOWN
    return Roles.COMPLEMENT if theirs & ~mine else Roles.DUPLICATE


def _without_comparison(question: Question, signal: Signal) -> int:
    """Without a shared game nothing fits; without games of the viewer nobody can tell."""
    return 0 if question.terms else NEUTRAL[signal]


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
    bands = tuple(AgeBand)
    return BAND_BY_DISTANCE[abs(bands.index(mine) - bands.index(other))]


def _table[E: StrEnum](
    mine: E | None, kind: type[E], signal: Signal, value_of: Callable[[E, E], int]
) -> dict[E | None, int]:
    """Make the table of one enumeration for one viewer."""
    table: dict[E | None, int] = dict.fromkeys([None, *kind], NEUTRAL[signal])
    if mine is not None:
        table |= {other: value_of(mine, other) for other in kind}
    return table
