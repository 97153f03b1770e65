"""Finds players by their names: by what they begin with, and by likeness."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Integer, Select, String, case, cast, func, literal, or_, select, text, union

from gamebuddy import db
from gamebuddy import text as texts
from gamebuddy.auth import policy
from gamebuddy.auth.policy import Right
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import ReadSession
from gamebuddy.errors import BadInput
from gamebuddy.resolvers.paging import Page
from gamebuddy.resolvers.teammates import is_of_same_side_of_age, is_within_reach

LONGEST_SEARCH = 100
SHORTEST_LIKENESS = 3  # characters; what is shorter is like too much
MOST_OF_EACH = 100  # whoever is not among so many that begin with it, or are like it, is found by more letters
EXACT, BEGINS = 2_000_000, 1_000_000  # what a likeness of 0 to 1,000,000 is added to
NAME: ColumnElement[str] = db.Account.__table__.c.username
SHOWN: ColumnElement[str] = func.lower(db.Account.display_name)


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody in a list of names, and how well his name fits: 0 to 3,000,000, the best first, then by id."""

    rank: int
    account_id: uuid.UUID


async def find_players(
    session: ReadSession, viewer: Viewer, *, search: str, limit: int, after: Found | None
) -> Page[Found]:
    """List players whose user name or shown name is the text, begins with it, or is like it, in this order.

    Cases do not matter. Likeness is that of trigrams (pg_trgm): at least 0.3 with a whole name, or 0.6 with words of
    the shown one; it is looked for where the others do not fill the page. Whoever the viewer cannot reach is not
    listed, nor are minors to adults and adults to minors.

    Raises:
        Forbidden: for a guest who wants more than the first page.
        BadInput: for over 100 characters, NUL and lone surrogates.
    """
    if after is not None:
        policy.require(viewer, Right.SEARCH_FURTHER)
    texts.require_text(search)
    if len(search) > LONGEST_SEARCH:
        raise BadInput(f"`search` has at most {LONGEST_SEARCH} characters.")
    sought = search.strip().lower()
    found: list[Found] = []
    if not texts.is_blank(sought):
        found += await _best(session, _beginning(viewer, sought), sought, limit + 1, after)
    if len(found) <= limit and len(sought) >= SHORTEST_LIKENESS:
        found += await _best(session, _like(viewer, sought), sought, limit + 1 - len(found), after)
    return Page.of(found, limit, has_previous=after is not None)


def _beginning(viewer: Viewer, sought: str) -> Select[uuid.UUID]:
    """List whose names begin with the text, each kind in the order of its index: what is exact comes first."""
    by_name = _reachable(viewer).where(_begins(NAME, sought)).order_by(text("accounts.username USING ~<~"))
    by_shown = _reachable(viewer).where(_begins(SHOWN, sought)).order_by(text("lower(accounts.display_name) USING ~<~"))
    either = union(*(select(way.limit(MOST_OF_EACH).subquery()) for way in (by_name, by_shown))).subquery()
    return select(either.c.id)


def _like(viewer: Viewer, sought: str) -> Select[uuid.UUID]:
    is_like = or_(NAME.op("%")(sought), SHOWN.op("%")(sought), literal(sought, String).op("<%")(SHOWN))
    begins = or_(_begins(NAME, sought), _begins(SHOWN, sought))
    best_first = (_likeness(sought).desc(), db.Account.id)
    return _reachable(viewer).where(is_like, ~begins).order_by(*best_first).limit(MOST_OF_EACH)


async def _best(
    session: ReadSession, candidates: Select[uuid.UUID], sought: str, limit: int, after: Found | None
) -> Sequence[Found]:
    ranked = select(_rank(sought).label("rank"), db.Account.id).where(db.Account.id.in_(candidates)).subquery()
    statement = select(ranked.c.rank, ranked.c.id).order_by(ranked.c.rank.desc(), ranked.c.id).limit(limit)
    if after is not None:
        is_equal_and_later = (ranked.c.rank == after.rank) & (ranked.c.id > after.account_id)
        statement = statement.where(or_(ranked.c.rank < after.rank, is_equal_and_later))
    return [Found(*row) for row in await session.execute(statement)]


def _reachable(viewer: Viewer) -> Select[uuid.UUID]:
    return select(db.Account.id).where(is_within_reach(viewer), is_of_same_side_of_age(viewer))


def _begins(name: ColumnElement[str], sought: str) -> ColumnElement[bool]:
    return name.startswith(sought, autoescape=True)


def _rank(sought: str) -> ColumnElement[int]:
    degree = case(
        (literal(sought, String).in_([NAME, SHOWN]), EXACT),
        (or_(_begins(NAME, sought), _begins(SHOWN, sought)), BEGINS),
        else_=0,
    )
    return degree + cast(_likeness(sought) * BEGINS, Integer)


def _likeness(sought: str) -> ColumnElement[float]:
    term = literal(sought, String)
    return func.greatest(func.similarity(NAME, term), func.similarity(SHOWN, term), func.word_similarity(term, SHOWN))
