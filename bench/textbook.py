"""The search as a textbook has it: join, score everybody, sort. The yardstick of the one that does not look at all.

The score in one statement, with the same lookups as in resolvers/matching, part by part, on profiles and their games.
"""

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Date,
    Integer,
    Row,
    String,
    TableValuedAlias,
    Text,
    and_,
    any_,
    case,
    cast,
    column,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, BIT, UUID, BitString
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.elements import Grouping

from gamebuddy import db
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import ReadSession
from gamebuddy.resolvers import presence, teammates
from gamebuddy.resolvers.matching import FULL, FURTHEST, Player, Question, Roles, Signal, spoken, tables
from gamebuddy.resolvers.matching.tables import NEUTRAL
from gamebuddy.resolvers.search import Filter, filtering

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


def _spoken() -> Any:
    return func.spoken_languages(db.Profile.languages, type_=ARRAY(Text))


def language(question: Question) -> ColumnElement[int]:
    """Tell the viewer's first language from another one and none, 0 to 1000."""
    mine, theirs = question.viewer.languages, _spoken()
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


async def textbook(
    session: ReadSession, viewer: Viewer, question: Question, filter: Filter, *, limit: int
) -> Sequence[Row[tuple[uuid.UUID, int]]]:
    """Score everybody who may be listed, in one statement, and give `account_id` and `score` of the best."""
    statement = select(db.Profile.account_id).join(db.Account, db.Account.id == db.Profile.account_id)
    if question.terms or question.viewer.games:
        term = terms(question)
        best = comparison(question, term)
        breadth: ColumnElement[int] = func.sum(term.c.breadth)
        statement = (
            statement.join(db.PlayerGame, db.PlayerGame.account_id == db.Profile.account_id)
            .join(term, term.c.game_id == db.PlayerGame.game_id)
            # The join alone says so too; this tells the planner how few or many they are.
            .where(shares(question, term), db.PlayerGame.game_id.in_([one.game_id for one in question.terms]))
            .group_by(db.Profile.account_id)
            .having(best.is_not(None))
            .add_columns(score(question, best, breadth).label("score"))
        )
    else:
        statement = statement.add_columns(score(question, None, literal(0, Integer)).label("score"))
    statement = statement.where(may_be_listed(viewer, question), *passes(question, filter))
    scored = statement.subquery("scored")
    points, account_id = scored.c.score, scored.c.account_id
    page = select(account_id, points).order_by(points.desc(), account_id).limit(limit)
    rows: Sequence[Row[tuple[uuid.UUID, int]]] = (await session.execute(page)).all()
    return rows


def may_be_listed(viewer: Viewer, question: Question) -> ColumnElement[bool]:
    """Tell of account and profile in the statement whether this viewer's searches list them at all.

    Looking, seen within 60 days, somebody else, active and verified, no block either way, of the same side of 18, with
    a common language where both have told theirs, no teammate yet, and nothing declined between them for 14 days.
    """
    me = question.viewer
    return and_(
        db.Profile.is_looking_for_teammates,
        db.Profile.active_on >= question.as_of - timedelta(days=FURTHEST),
        db.Profile.account_id != viewer.account_id,
        teammates.is_within_reach(viewer),
        _is_of_same_side_of_age(question),
        _has_common_language(me),
        ~teammates.is_teammate_of(viewer),
        db.Profile.account_id.not_in(_declined(viewer)),
    )


def passes(question: Question, filter: Filter) -> list[ColumnElement[bool]]:
    """Give the conditions on the profile in the statement. Games, ratings and roles are limited by the terms."""
    return [*_listed_facts(question, filter), *_measured_facts(question, filter)]


def _listed_facts(question: Question, filter: Filter) -> Iterator[ColumnElement[bool]]:
    profile = db.Profile
    if filter.genre_ids:
        yield profile.genre_ids.overlap(filter.genre_ids)
    if filter.regions:
        yield profile.region.in_(filter.regions)
    if filter.platforms:
        yield profile.platforms.overlap(filter.platforms)
    if filter.languages:
        yield _spoken().overlap(spoken(filter.languages))
    if filter.play_styles:
        yield profile.play_style.in_(filter.play_styles)
    if filter.voice_chats:
        yield profile.voice_chat.in_(filter.voice_chats)
    if filter.age_bands:
        yield _is_of_age(question, filter.age_bands)


def _measured_facts(question: Question, filter: Filter) -> Iterator[ColumnElement[bool]]:
    profile = db.Profile
    if filter.min_reputation is not None:
        # Through the decimal digits: 0.57 x 1000 as a float is a little less than 570.
        least = int((Decimal(str(filter.min_reputation)) * 1000).to_integral_value(ROUND_CEILING))
        yield profile.reputation >= least
    if filter.min_overlap_hours:
        hours = overlap_hours(question)
        yield hours >= filter.min_overlap_hours if hours is not None else false()
    if filter.is_online:
        yield db.Account.who_sees_my_presence == db.Audience.EVERYONE
        yield presence.is_here()
    if filter.active_within_days is not None:
        yield profile.active_on >= question.as_of - timedelta(days=min(FURTHEST, filter.active_within_days))
    if not question.terms and (filter.min_rating is not None or filter.max_rating is not None):
        yield exists().where(
            db.PlayerGame.account_id == profile.account_id,
            db.PlayerGame.rating.between(question.least_rating, question.most_rating),
        )


def _is_of_same_side_of_age(question: Question) -> ColumnElement[bool]:
    """Minors meet minors and adults adults; who has told no birth date counts as an adult, as in teammates.py."""
    born, adult_since = db.Profile.birth_date, question.band_starts[0]
    if tables.is_minor(question.viewer.birth_date, question.band_starts):
        return born > adult_since
    return or_(born.is_(None), born <= adult_since)


def _has_common_language(me: Player) -> ColumnElement[bool]:
    if not me.languages:
        return literal(True)
    languages = _spoken()
    return or_(func.cardinality(languages) == 0, languages.overlap(me.languages))


def _is_of_age(question: Question, bands: Collection[db.AgeBand]) -> ColumnElement[bool]:
    born = db.Profile.birth_date
    is_in = [(born > start, band in bands) for band, start in zip(db.AgeBand, question.band_starts, strict=False)]
    return and_(born.is_not(None), case(*is_in, else_=db.AgeBand.FROM_35 in bands))


def _declined(viewer: Viewer) -> ColumnElement[uuid.UUID]:
    asked = db.TeammateRequest
    lately = and_(asked.status == db.RequestStatus.DECLINED, asked.answered_at > func.now() - filtering.DECLINED_FOR)
    return union_all(  # type: ignore[return-value]
        select(asked.receiver_id).where(lately, asked.sender_id == viewer.account_id),
        select(asked.sender_id).where(lately, asked.receiver_id == viewer.account_id),
    )
