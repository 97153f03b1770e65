"""The score as SQL: the same lookups as in resolvers/matching, part by part, on profiles and their games."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Date,
    Integer,
    String,
    TableValuedAlias,
    and_,
    any_,
    case,
    cast,
    column,
    func,
    literal,
    or_,
)
from sqlalchemy.dialects.postgresql import BIT, UUID, BitString
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.elements import Grouping

from gamebuddy import db
from gamebuddy.resolvers.matching import FULL, FURTHEST, Question, Roles, Signal, tables
from gamebuddy.resolvers.matching.tables import NEUTRAL

BITS_OF_BIGINT = 64
COLUMNS: Mapping[str, Any] = {
    "game_id": UUID(as_uuid=True),
    "rating": Integer(),
    "role_bits": Integer(),
    "importance": Integer(),
    "breadth": Integer(),
    "is_cross_play": Boolean(),
    "is_wanted": Boolean(),
    "asked_roles": Integer(),
}


def terms(question: Question) -> TableValuedAlias:
    """Make a table of the question's terms."""
    arrays = [literal([getattr(term, name) for term in question.terms], ARRAY(kind)) for name, kind in COLUMNS.items()]
    columns = [column(name, kind) for name, kind in COLUMNS.items()]
    return func.unnest(*arrays).table_valued(*columns).render_derived("term")


def shares(question: Question, term: TableValuedAlias) -> ColumnElement[bool]:
    """Tell of a term, a game and a profile whether the game can be played together."""
    return or_(term.c.is_cross_play, can_play_together(question))


def can_play_together(question: Question) -> ColumnElement[bool]:
    """Tell whether there is a platform in common, as far as both have told."""
    mine = question.viewer.platforms
    if not mine:
        return literal(True)
    theirs = db.Profile.platforms
    return or_(func.cardinality(theirs) == 0, theirs.overlap(sorted(mine)))


def comparison(question: Question, term: TableValuedAlias) -> ColumnElement[int]:
    """Give the best of RATING and ROLES over the games of a profile, 0 to 1,000,000; null without a wanted game."""
    game = db.PlayerGame
    suits = and_(
        term.c.is_wanted,
        game.rating.between(question.least_rating, question.most_rating),
        or_(term.c.asked_roles == 0, game.role_bits.bitwise_and(term.c.asked_roles) != 0),
    )
    distance = func.least(tables.RATING_REACH, func.abs(game.rating - term.c.rating))
    rating = term.c.importance * _at(tables.RATING_BY_DISTANCE, distance) // FULL
    roles = term.c.importance * _roles(term.c.role_bits) // FULL
    weights = question.weights
    return func.max(case((suits, weights[Signal.RATING] * rating + weights[Signal.ROLES] * roles)))


def score(question: Question, comparison: ColumnElement[int] | None, breadth: ColumnElement[int]) -> ColumnElement[int]:
    """Add the contributions, 0 to 1,000,000; `comparison` is None where the question has no terms."""
    weights = question.weights
    if comparison is None:
        comparison = literal(
            weights[Signal.RATING] * NEUTRAL[Signal.RATING] + weights[Signal.ROLES] * NEUTRAL[Signal.ROLES], Integer
        )
    parts = {
        Signal.GAMES: breadth if question.viewer.games else _neutral(Signal.GAMES),
        Signal.GENRES: genres(question),
        Signal.SCHEDULE: schedule(question),
        Signal.LANGUAGE: language(question),
        Signal.REGION: _by_value(db.Profile.region, question.regions),
        Signal.PLATFORM: platform(question),
        Signal.PLAY_STYLE: _by_value(db.Profile.play_style, question.styles),
        Signal.VOICE_CHAT: _by_value(db.Profile.voice_chat, question.voices),
        Signal.AGE: age(question),
        Signal.REPUTATION: reputation(),
        Signal.ACTIVITY: activity(question),
    }
    whole: ColumnElement[int] = comparison
    for signal, value in parts.items():
        if weights[signal]:
            whole = whole + weights[signal] * value
    return cast(whole, Integer)


def genres(question: Question) -> ColumnElement[int]:
    """Look up the number of shared genres, 0 to 1000."""
    mine, theirs = question.viewer.genre_bits, db.Profile.genre_bits
    if not mine:
        return _neutral(Signal.GENRES)
    shared = func.bit_count(cast(theirs.bitwise_and(mine), BIT(BITS_OF_BIGINT)), type_=Integer)
    return case((theirs == 0, NEUTRAL[Signal.GENRES]), else_=_at(question.genres, shared))


def schedule(question: Question) -> ColumnElement[int]:
    """Look up the common hours of the week, 0 to 1000."""
    hours = overlap_hours(question)
    if hours is None:
        return _neutral(Signal.SCHEDULE)
    return case((db.Profile.schedule.is_(None), NEUTRAL[Signal.SCHEDULE]), else_=_at(tables.SCHEDULE_BY_HOURS, hours))


def overlap_hours(question: Question) -> ColumnElement[int] | None:
    """Count the common hours, 0 to 168, null where the profile tells none; None where the viewer does."""
    if question.viewer.schedule is None:
        return None
    mine = literal(BitString.from_int(question.viewer.schedule, db.HOURS_A_WEEK), BIT(db.HOURS_A_WEEK))
    return cast(func.bit_count(db.Profile.schedule.bitwise_and(mine)), Integer)


def language(question: Question) -> ColumnElement[int]:
    """Tell the viewer's first language from another one and none, 0 to 1000."""
    mine, theirs = question.viewer.languages, db.Profile.languages
    if not mine:
        return _neutral(Signal.LANGUAGE)
    return case(
        (func.cardinality(theirs) == 0, NEUTRAL[Signal.LANGUAGE]),
        (literal(mine[0]) == any_(theirs), tables.FIRST_LANGUAGE),
        (theirs.overlap(mine), tables.OTHER_LANGUAGE),
        else_=tables.NO_LANGUAGE,
    )


def platform(question: Question) -> ColumnElement[int]:
    """Tell whether there is a platform in common, 0 to 1000."""
    mine, theirs = question.viewer.platforms, db.Profile.platforms
    if not mine:
        return _neutral(Signal.PLATFORM)
    return case(
        (func.cardinality(theirs) == 0, NEUTRAL[Signal.PLATFORM]),
        (theirs.overlap(sorted(mine)), FULL),
        else_=0,
    )


def age(question: Question) -> ColumnElement[int]:
    """Look up the age band, 0 to 1000."""
    born = db.Profile.birth_date
    younger = [
        (born > start, question.bands[band]) for band, start in zip(db.AgeBand, question.band_starts, strict=False)
    ]
    return case((born.is_(None), question.bands[None]), *younger, else_=question.bands[db.AgeBand.FROM_35])


def reputation() -> ColumnElement[int]:
    """Give 0 at a lower bound of 0.50 and below, 1000 at 0.80 and above."""
    above = func.greatest(0, db.Profile.reputation - tables.LEAST_REPUTATION)
    return case(
        (db.Profile.reputation.is_(None), NEUTRAL[Signal.REPUTATION]),
        else_=func.least(FULL, above * FULL // tables.REPUTATION_RANGE),
    )


def activity(question: Question) -> ColumnElement[int]:
    """Look up the days since the last visit, 0 to 1000."""
    days = cast(literal(question.as_of, Date) - db.Profile.active_on, Integer)
    return _at(tables.ACTIVITY_BY_DAYS, func.least(FURTHEST + 1, func.greatest(0, days)))


def _at(table: Sequence[int], place: ColumnElement[int]) -> ColumnElement[int]:
    """Read a table; its places begin at 0, those of PostgreSQL at 1."""
    array = Grouping(literal(list(table), ARRAY(Integer)))  # PostgreSQL reads no subscript behind a bare cast
    found: ColumnElement[int] = array[place + 1]
    return found


def _by_value(told: InstrumentedAttribute[Any], table: Mapping[Any, int]) -> ColumnElement[int]:
    """Read a table of an enumeration."""
    whens = {value.value: worth for value, worth in table.items() if isinstance(value, StrEnum)}
    return case(whens, value=cast(told, String), else_=table[None])


def _roles(mine: ColumnElement[int]) -> ColumnElement[int]:
    theirs = db.PlayerGame.role_bits
    values = tables.ROLES_VALUES
    return case(
        (or_(mine == 0, theirs == 0), values[Roles.UNKNOWN]),
        (theirs.bitwise_and(mine.bitwise_not()) != 0, values[Roles.COMPLEMENT]),
        else_=values[Roles.DUPLICATE],
    )


def _neutral(signal: Signal) -> ColumnElement[int]:
    return literal(NEUTRAL[signal], Integer)
