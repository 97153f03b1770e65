"""Asks PostgreSQL for the best: the tables of a question, multiplied by their weights, as arguments of one function.

How `search_best` gets by without looking at everybody is told in docs/decisions/0017-streams-with-bounds.md. Values of
enumerations are numbered as in db/search.py: 0 for what is not told, then in their order. What a limit leaves out is a
null.
"""

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Row,
    Text,
    cast,
    column,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import BIT, UUID, BitString
from sqlalchemy.types import TypeEngine

from gamebuddy import db
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import ReadSession
from gamebuddy.resolvers.matching import FULL, FURTHEST, Question, Signal, Term, tables
from gamebuddy.resolvers.matching.tables import NEUTRAL
from gamebuddy.resolvers.search.filtering import DECLINED_FOR, Filter

# The largest distance of two ratings that is worth at least so much, 0 to 1000; a value of 0 is worth any distance.
DISTANCE_BY_VALUE = (
    3_000,
    *(max(d for d, worth in enumerate(tables.RATING_BY_DISTANCE) if worth >= value) for value in range(1, FULL + 1)),
)
# Stands in the place of the games where there are none: entries under no game have the number 0.
NO_GAME = Term(
    game_id=uuid.UUID(int=0),
    rating=db.UNKNOWN_RATING,
    role_bits=0,
    importance=0,
    breadth=0,
    is_cross_play=True,
    is_own=False,
)
INTS = ARRAY(Integer)

type Found = Sequence[Row[tuple[uuid.UUID, int]]]


async def best(
    session: ReadSession,
    viewer: Viewer,
    question: Question,
    filter: Filter,
    numbers: Mapping[uuid.UUID, int],
    *,
    limit: int,
    after: tuple[int, uuid.UUID] | None = None,
    changed_before: datetime | None = None,
    are_few: bool = False,
) -> Found:
    """Give `account_id` and `score` of the best whom the viewer's search may list, in the order of score and id.

    `numbers` are those of the games. `after` is score and id of the last one of the page before; whoever has changed
    his profile since `changed_before` is left out. Of `are_few` players all are scored.
    """
    arguments = [
        (viewer.account_id, UUID(as_uuid=True)),
        (limit, Integer),
        (after[0] if after else None, Integer),
        (after[1] if after else None, UUID(as_uuid=True)),
        (are_few, Boolean),
        *_terms(question, filter, numbers),
        *_languages(question),
        *_facts(question, filter),
        *_week_and_genres(question, filter),
        *_platforms(question, filter),
        (question.least_rating, Integer),
        (question.most_rating, Integer),
        (list(filter.languages) or None, ARRAY(Text)),
        (changed_before, DateTime(timezone=True)),
        (_excluded(viewer), ARRAY(UUID(as_uuid=True))),
    ]
    found = func.search_best(*(_argument(*argument) for argument in arguments)).table_valued(
        column("account_id", UUID(as_uuid=True)), column("score", Integer)
    )
    rows: Found = (await session.execute(select(found.c.account_id, found.c.score))).all()
    return rows


def _argument(value: Any, kind: TypeEngine[Any] | type[TypeEngine[Any]]) -> ColumnElement[Any]:
    if isinstance(value, ColumnElement):
        return value
    return cast(literal(value, kind), kind)


def _terms(question: Question, filter: Filter, numbers: Mapping[uuid.UUID, int]) -> list[tuple[Any, Any]]:
    weights, terms = question.weights, question.terms or (NO_GAME,)
    is_rated = filter.min_rating is not None or filter.max_rating is not None
    constant = 0 if question.viewer.games else weights[Signal.GAMES] * NEUTRAL[Signal.GAMES]
    if not question.terms:
        constant += sum(weights[signal] * NEUTRAL[signal] for signal in (Signal.RATING, Signal.ROLES))
    return [
        ([term.game_id for term in terms], ARRAY(UUID(as_uuid=True))),
        ([numbers.get(term.game_id, 0) for term in terms], INTS),
        ([term.rating for term in terms], INTS),
        ([term.role_bits for term in terms], INTS),
        ([term.importance for term in terms], INTS),
        ([term.breadth for term in terms], INTS),
        ([term.is_cross_play for term in terms], ARRAY(Boolean)),
        ([term.is_wanted for term in terms], ARRAY(Boolean)),
        ([term.asked_roles for term in terms], INTS),
        (not question.terms, Boolean),
        (is_rated, Boolean),
        (constant, Integer),
        (weights[Signal.RATING], Integer),
        (weights[Signal.ROLES], Integer),
        (weights[Signal.GAMES] if question.viewer.games else 0, Integer),
        (list(tables.RATING_BY_DISTANCE), INTS),
        (list(DISTANCE_BY_VALUE), INTS),
    ]


def _languages(question: Question) -> list[tuple[Any, Any]]:
    """Give the viewer's languages and what each is worth; one who has told none speaks with everybody."""
    weight, mine = question.weights[Signal.LANGUAGE], question.viewer.languages
    worth = [tables.FIRST_LANGUAGE, *[tables.OTHER_LANGUAGE] * (len(mine) - 1)] if mine else []
    return [
        (list(mine) or None, ARRAY(Text)),
        ([weight * value for value in worth], INTS),
        (weight * NEUTRAL[Signal.LANGUAGE], Integer),
    ]


def _facts(question: Question, filter: Filter) -> list[tuple[Any, Any]]:
    weights, as_of = question.weights, question.as_of
    days = FURTHEST if filter.active_within_days is None else min(FURTHEST, filter.active_within_days)
    activity = [weights[Signal.ACTIVITY] * value for value in tables.ACTIVITY_BY_DAYS]
    return [
        (_by_place(question.regions, db.Region, weights[Signal.REGION], _kept(filter.regions)), INTS),
        (_by_place(question.styles, db.PlayStyle, weights[Signal.PLAY_STYLE], _kept(filter.play_styles)), INTS),
        (_by_place(question.voices, db.VoiceChat, weights[Signal.VOICE_CHAT], _kept(filter.voice_chats)), INTS),
        (_by_place(question.bands, db.AgeBand, weights[Signal.AGE], _is_of_age(question, filter)), INTS),
        (list(question.band_starts), ARRAY(Date)),
        (activity, INTS),
        (as_of, Date),
        (_days_before(as_of, days), Date),
        (_reputation(question, filter), INTS),
    ]


def _reputation(question: Question, filter: Filter) -> list[int | None]:
    """Give what each reputation is worth: first none, then 0 to 1000."""
    weight = question.weights[Signal.REPUTATION]
    told: list[int | None] = [None, *range(FULL + 1)]
    if filter.min_reputation is None:
        return [weight * tables.reputation_value(one) for one in told]
    # Through the decimal digits: 0.57 x 1000 as a float is a little less than 570.
    least = int((Decimal(str(filter.min_reputation)) * FULL).to_integral_value(ROUND_CEILING))
    return [None if one is None or one < least else weight * tables.reputation_value(one) for one in told]


def _week_and_genres(question: Question, filter: Filter) -> list[tuple[Any, Any]]:
    me, weights = question.viewer, question.weights
    least = filter.min_overlap_hours or 0
    hours = [
        None if count < least else weights[Signal.SCHEDULE] * value
        for count, value in enumerate(tables.SCHEDULE_BY_HOURS)
    ]
    own_week = None if me.schedule is None else BitString.from_int(me.schedule, db.HOURS_A_WEEK)
    return [
        (own_week, BIT(db.HOURS_A_WEEK)),
        (hours, INTS),
        (None if least else weights[Signal.SCHEDULE] * NEUTRAL[Signal.SCHEDULE], Integer),
        (me.genre_bits, BigInteger),
        ([weights[Signal.GENRES] * value for value in question.genres], INTS),
        (weights[Signal.GENRES] * NEUTRAL[Signal.GENRES], Integer),
        (_genre_bits(filter.genre_ids), BigInteger),
    ]


def _platforms(question: Question, filter: Filter) -> list[tuple[Any, Any]]:
    weight = question.weights[Signal.PLATFORM]
    return [
        (_platform_bits(question.viewer.platforms), Integer),
        ([weight * NEUTRAL[Signal.PLATFORM], weight * FULL, 0], INTS),
        (_platform_bits(filter.platforms), Integer),
    ]


def _by_place[E: StrEnum](
    worth: Mapping[E | None, int], kind: type[E], weight: int, is_kept: Callable[[E | None], bool]
) -> list[int | None]:
    places: list[E | None] = [None, *kind]
    return [weight * worth[value] if is_kept(value) else None for value in places]


def _kept[E](wanted: Collection[E]) -> Callable[[E | None], bool]:
    return lambda value: not wanted or value in wanted


def _is_of_age(question: Question, filter: Filter) -> Callable[[db.AgeBand | None], bool]:
    """Minors meet minors and adults adults; who has told no birth date counts as an adult."""
    is_minor = tables.is_minor(question.viewer.birth_date, question.band_starts)
    is_wanted = _kept(filter.age_bands)
    return lambda band: (band is db.AgeBand.UNDER_18) == is_minor and is_wanted(band)


def _platform_bits(platforms: Collection[db.Platform]) -> int:
    return sum(1 << place for place, platform in enumerate(db.Platform) if platform in platforms)


def _genre_bits(genre_ids: Collection[uuid.UUID]) -> ColumnElement[int] | None:
    if not genre_ids:
        return None
    bit = literal(1, BigInteger).bitwise_lshift(db.Genre.number)
    bits = select(func.coalesce(func.bit_or(bit), 0)).where(db.Genre.id.in_(genre_ids))
    return bits.scalar_subquery()


def _excluded(viewer: Viewer) -> ColumnElement[Any]:
    """Give those who are never listed to this viewer: blocked either way, teammates, and who declined lately."""
    block, mate, asked, me = db.Block, db.Teammate, db.TeammateRequest, viewer.account_id
    lately = (asked.status == db.RequestStatus.DECLINED) & (asked.answered_at > func.now() - DECLINED_FOR)
    others = union_all(
        select(block.blocked_id.label("id")).where(block.account_id == me),
        select(block.account_id).where(block.blocked_id == me),
        select(mate.teammate_id).where(mate.account_id == me),
        select(asked.receiver_id).where(lately, asked.sender_id == me),
        select(asked.sender_id).where(lately, asked.receiver_id == me),
    ).subquery()
    kind = ARRAY(UUID(as_uuid=True))
    return select(func.coalesce(func.array_agg(others.c.id), cast(literal([], kind), kind))).scalar_subquery()


def _days_before(day: date, days: int) -> date:
    return day - timedelta(days=days)
