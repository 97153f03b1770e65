"""Asks PostgreSQL for the best: the tables of a question, multiplied by their weights, as arguments of one function.

How `search_best` gets by without looking at everybody is told in docs/decisions/0017-streams-with-bounds.md. Values of
enumerations are numbered as in db/search.py: 0 for what is not told, then in their order. What a limit leaves out is a
null.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from itertools import accumulate
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    Integer,
    LargeBinary,
    Select,
    Text,
    any_,
    bindparam,
    case,
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
from gamebuddy.db.search import SIGNATURE_BITS
from gamebuddy.resolvers.matching import FULL, FURTHEST, Question, Signal, Term, spoken, tables
from gamebuddy.resolvers.matching.tables import NEUTRAL
from gamebuddy.resolvers.search.filtering import DECLINED_FOR, Filter

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
MARK_BYTES = 5  # the last ones of an id, which are random: two of a thousand players share them once in 2,000,000 times
INTS = ARRAY(Integer)
IDS = ARRAY(UUID(as_uuid=True))
TEXTS = ARRAY(Text)
# The arguments of search_best in their order; `excluded` is the last one. In the place of asked_genres stand their ids.
KINDS: Mapping[str, TypeEngine[Any]] = {
    "viewer_id": UUID(as_uuid=True), "how_many": Integer(), "hint": Integer(), "are_few": Boolean(),
    "t_game": IDS, "t_number": INTS, "t_rating": INTS, "t_roles": INTS, "t_importance": INTS, "t_breadth": INTS,
    "t_cross": ARRAY(Boolean), "t_wanted": ARRAY(Boolean), "t_asked": INTS,
    "is_without_games": Boolean(), "must_be_rated": Boolean(), "constant": Integer(),
    "w_rating": Integer(), "w_roles": Integer(), "w_games": Integer(), "own_games": BigInteger(), "most_breadths": INTS,
    "l_tag": TEXTS, "l_value": INTS, "l_untold": Integer(),
    "region_value": INTS, "style_value": INTS, "voice_value": INTS, "band_value": INTS, "band_starts": ARRAY(Date),
    "activity_value": INTS, "as_of": Date(), "oldest": Date(),
    "w_reputation": Integer(), "reputation_untold": Integer(), "least_reputation": Integer(),
    "own_schedule": BIT(db.HOURS_A_WEEK), "schedule_value": INTS, "schedule_untold": Integer(),
    "own_genres": BigInteger(), "genre_value": INTS, "genre_untold": Integer(), "asked_genre_ids": IDS,
    "own_platforms": Integer(), "platform_value": INTS, "asked_platforms": Integer(),
    "least_rating": Integer(), "most_rating": Integer(), "asked_languages": TEXTS,
    "must_be_here": Boolean(), "seen": ARRAY(LargeBinary),
}  # fmt: skip

type Found = Sequence[Any]  # rows, see `best`
type Arguments = dict[str, Any]


async def best(
    session: ReadSession,
    viewer: Viewer,
    question: Question,
    filter: Filter,
    numbers: Mapping[uuid.UUID, int],
    *,
    limit: int,
    seen: Collection[bytes] = (),
    hint: int | None = None,
    are_few: bool = False,
    with_rows: bool = False,
) -> Found:
    """Give `account_id` and `score` of the best whom the viewer's search may list, in the order of score and id.

    `with_rows` adds the columns of their accounts and profiles: such a row reads like either of them.

    `numbers` are those of the games. Whoever has the mark of one of the `seen` is passed over. A `hint` is a score that
    as many as wanted are expected to reach: a good one saves time, and a wrong one costs some. Of `are_few` players all
    are scored.
    """
    arguments = {
        "viewer_id": viewer.account_id,
        "how_many": limit,
        "hint": hint,
        "are_few": are_few,
        **_terms(question, filter, numbers),
        **_breadths(question, numbers),
        **_languages(question),
        **_facts(question, filter),
        **_week_and_genres(question, filter),
        **_platforms(question, filter),
        "least_rating": question.least_rating,
        "most_rating": question.most_rating,
        "asked_languages": list(spoken(filter.languages)) or None,
        "must_be_here": filter.is_online,
        "seen": list(seen),
    }
    return await session.rows(_statement(with_rows=with_rows), arguments)


def _terms(question: Question, filter: Filter, numbers: Mapping[uuid.UUID, int]) -> Arguments:
    weights, terms = question.weights, question.terms or (NO_GAME,)
    is_rated = filter.min_rating is not None or filter.max_rating is not None
    constant = 0 if question.viewer.games else weights[Signal.GAMES] * NEUTRAL[Signal.GAMES]
    if not question.terms:
        constant += sum(weights[signal] * NEUTRAL[signal] for signal in (Signal.RATING, Signal.ROLES))
    return {
        "t_game": [term.game_id for term in terms],
        "t_number": [numbers.get(term.game_id, 0) for term in terms],
        "t_rating": [term.rating for term in terms],
        "t_roles": [term.role_bits for term in terms],
        "t_importance": [term.importance for term in terms],
        "t_breadth": [term.breadth for term in terms],
        "t_cross": [term.is_cross_play for term in terms],
        "t_wanted": [term.is_wanted for term in terms],
        "t_asked": [term.asked_roles for term in terms],
        "is_without_games": not question.terms,
        "must_be_rated": is_rated,
        "constant": constant,
        "w_rating": weights[Signal.RATING],
        "w_roles": weights[Signal.ROLES],
        "w_games": weights[Signal.GAMES] if question.viewer.games else 0,
    }


def _breadths(question: Question, numbers: Mapping[uuid.UUID, int]) -> Arguments:
    """Give the signature of the viewer's games, and the most that games in common are worth by how many bits are."""
    by_bit: Counter[int] = Counter()
    for term in question.terms:
        if term.is_own:
            by_bit[numbers[term.game_id] % SIGNATURE_BITS] += term.breadth
    weight = question.weights[Signal.GAMES] if question.viewer.games else 0
    most = accumulate((weight * breadth for _, breadth in by_bit.most_common()), initial=0)
    return {"own_games": sum(1 << bit for bit in by_bit), "most_breadths": list(most)}


def _languages(question: Question) -> Arguments:
    """Give the viewer's languages and what each is worth; one who has told none speaks with everybody."""
    weight, mine = question.weights[Signal.LANGUAGE], question.viewer.languages
    worth = [tables.FIRST_LANGUAGE, *[tables.OTHER_LANGUAGE] * (len(mine) - 1)] if mine else []
    return {
        "l_tag": list(mine) or None,
        "l_value": [weight * value for value in worth],
        "l_untold": weight * NEUTRAL[Signal.LANGUAGE],
    }


def _facts(question: Question, filter: Filter) -> Arguments:
    weights, as_of = question.weights, question.as_of
    days = FURTHEST if filter.active_within_days is None else min(FURTHEST, filter.active_within_days)
    styles = _kept(filter.play_styles)
    return {
        "region_value": _by_place(question.regions, db.Region, weights[Signal.REGION], _kept(filter.regions)),
        "style_value": _by_place(question.styles, db.PlayStyle, weights[Signal.PLAY_STYLE], styles),
        "voice_value": _by_place(question.voices, db.VoiceChat, weights[Signal.VOICE_CHAT], _kept(filter.voice_chats)),
        "band_value": _by_place(question.bands, db.AgeBand, weights[Signal.AGE], _is_of_age(question, filter)),
        "band_starts": list(question.band_starts),
        "activity_value": [weights[Signal.ACTIVITY] * value for value in tables.ACTIVITY_BY_DAYS],
        "as_of": as_of,
        "oldest": as_of - timedelta(days=days),
        **_reputation(question, filter),
    }


def _reputation(question: Question, filter: Filter) -> Arguments:
    weight, least = question.weights[Signal.REPUTATION], filter.min_reputation
    return {
        "w_reputation": weight,
        "reputation_untold": weight * NEUTRAL[Signal.REPUTATION] if least is None else None,
        # Through the decimal digits: 0.57 x 1000 as a float is a little less than 570.
        "least_reputation": int((Decimal(str(least or 0)) * FULL).to_integral_value(ROUND_CEILING)),
    }


def _week_and_genres(question: Question, filter: Filter) -> Arguments:
    me, weights = question.viewer, question.weights
    least = filter.min_overlap_hours or 0
    return {
        "own_schedule": None if me.schedule is None else BitString.from_int(me.schedule, db.HOURS_A_WEEK),
        "schedule_value": [
            None if count < least else weights[Signal.SCHEDULE] * value
            for count, value in enumerate(tables.SCHEDULE_BY_HOURS)
        ],
        "schedule_untold": None if least else weights[Signal.SCHEDULE] * NEUTRAL[Signal.SCHEDULE],
        "own_genres": me.genre_bits,
        "genre_value": [weights[Signal.GENRES] * value for value in question.genres],
        "genre_untold": weights[Signal.GENRES] * NEUTRAL[Signal.GENRES],
        "asked_genre_ids": list(filter.genre_ids) or None,
    }


def _platforms(question: Question, filter: Filter) -> Arguments:
    weight = question.weights[Signal.PLATFORM]
    return {
        "own_platforms": _platform_bits(question.viewer.platforms),
        "platform_value": [weight * NEUTRAL[Signal.PLATFORM], weight * FULL, 0],
        "asked_platforms": _platform_bits(filter.platforms),
    }


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


@db.written_once
def _statement(*, with_rows: bool) -> Select[*tuple[Any, ...]]:
    """Write the call: what differs from search to search is passed by the names of the function's arguments."""
    arguments: dict[str, ColumnElement[Any]] = {
        name: cast(bindparam(name, type_=kind), kind) for name, kind in KINDS.items()
    }
    arguments["asked_genre_ids"] = _genre_bits(arguments["asked_genre_ids"])
    found = func.search_best(*arguments.values(), _excluded()).table_valued(
        column("account_id", UUID(as_uuid=True)), column("score", Integer)
    )
    if not with_rows:
        return select(found.c.account_id, found.c.score)
    account, profile = db.Account.__table__, db.Profile.__table__
    return (
        select(found.c.score, account, profile)
        .join(account, account.c.id == found.c.account_id)
        .join(profile, profile.c.account_id == found.c.account_id)
        .order_by(found.c.score.desc(), found.c.account_id)
    )


def _genre_bits(asked: ColumnElement[Any]) -> ColumnElement[Any]:
    """Give the genres that are asked for as bits; null when none are."""
    bit = literal(1, BigInteger).bitwise_lshift(db.Genre.number)
    bits = select(func.coalesce(func.bit_or(bit), 0)).where(db.Genre.id == any_(asked)).scalar_subquery()
    return case((asked.is_not(None), bits))


def _excluded() -> ColumnElement[Any]:
    """Give those who are never listed to the viewer: blocked either way, teammates, and who declined lately."""
    block, mate, asked = db.Block, db.Teammate, db.TeammateRequest
    me = bindparam("viewer_id", type_=UUID(as_uuid=True))
    lately = (asked.status == db.RequestStatus.DECLINED) & (asked.answered_at > func.now() - DECLINED_FOR)
    others = union_all(
        select(block.blocked_id.label("id")).where(block.account_id == me),
        select(block.account_id).where(block.blocked_id == me),
        select(mate.teammate_id).where(mate.account_id == me),
        select(asked.receiver_id).where(lately, asked.sender_id == me),
        select(asked.sender_id).where(lately, asked.receiver_id == me),
    ).subquery()
    return select(func.coalesce(func.array_agg(others.c.id), cast(literal([], IDS), IDS))).scalar_subquery()
