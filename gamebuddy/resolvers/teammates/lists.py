"""How people stand to each other: lists of teammates and of the blocked, and the relation of one to another."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnExpressionArgument,
    CompoundSelect,
    Select,
    literal,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute

from gamebuddy import db
from gamebuddy.auth.viewer import ME, Viewer, asked
from gamebuddy.db import ReadSession, RequestStatus
from gamebuddy.resolvers.accounts.lookup import is_visible
from gamebuddy.resolvers.paging import Page


class Relation(StrEnum):
    """How the viewer stands to another account."""

    NONE = "NONE"
    SELF = "SELF"
    REQUEST_SENT = "REQUEST_SENT"
    REQUEST_RECEIVED = "REQUEST_RECEIVED"
    TEAMMATES = "TEAMMATES"


@dataclass(frozen=True, slots=True)
class Listed:
    """Somebody in a list of people, and since when he is in it: his place in the list, newest first."""

    since: datetime
    account_id: uuid.UUID


async def find_teammates(session: ReadSession, viewer: Viewer, *, limit: int, after: Listed | None) -> Page[Listed]:
    """List the viewer's teammates, newest first."""
    return await _people(
        session,
        viewer,
        (db.Teammate.account_id, db.Teammate.since, db.Teammate.teammate_id),
        limit=limit,
        after=after,
    )


async def find_blocked(session: ReadSession, viewer: Viewer, *, limit: int, after: Listed | None) -> Page[Listed]:
    """List whom the viewer has blocked, newest first."""
    return await _people(
        session, viewer, (db.Block.account_id, db.Block.created_at, db.Block.blocked_id), limit=limit, after=after
    )


async def relations_by_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, Relation]:
    """Tell how the viewer stands to accounts; strangers are left out."""
    if viewer is None:
        return {}
    rows = await session.execute(_relations(), asked(viewer, ids))
    relations = {account_id: Relation(relation) for account_id, relation in rows}
    if viewer.account_id in ids:
        relations[viewer.account_id] = Relation.SELF
    return relations


@db.written_once
def _relations() -> CompoundSelect[uuid.UUID, str]:
    me, mate, request = ME.account_id, db.Teammate, db.TeammateRequest
    pending = request.status == RequestStatus.PENDING
    return union_all(
        select(mate.teammate_id, literal(Relation.TEAMMATES.value)).where(
            mate.account_id == me, db.is_asked_for(mate.teammate_id)
        ),
        select(request.receiver_id, literal(Relation.REQUEST_SENT.value)).where(
            pending, request.sender_id == me, db.is_asked_for(request.receiver_id)
        ),
        select(request.sender_id, literal(Relation.REQUEST_RECEIVED.value)).where(
            pending, request.receiver_id == me, db.is_asked_for(request.sender_id)
        ),
    )


async def blocks_by_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, bool]:
    """Tell whom of these the viewer has blocked; the others are left out."""
    if viewer is None:
        return {}
    return {row.blocked_id: True for row in await session.rows(_blocks(), asked(viewer, ids))}


@db.written_once
def _blocks() -> Select[*tuple[Any, ...]]:
    return select(db.Block.blocked_id).where(db.Block.account_id == ME.account_id, db.is_asked_for(db.Block.blocked_id))


async def _people(
    session: ReadSession,
    viewer: Viewer,
    columns: tuple[InstrumentedAttribute[uuid.UUID], InstrumentedAttribute[datetime], InstrumentedAttribute[uuid.UUID]],
    *,
    limit: int,
    after: Listed | None,
) -> Page[Listed]:
    """List people by the columns owner, since and person, newest first; those who cannot be seen are left out."""
    owner, since, person = columns
    statement = (
        select(since, person)
        .join(db.Account, db.Account.id == person)
        .where(owner == viewer.account_id, is_visible(viewer))
        .order_by(since.desc(), person.desc())
        .limit(limit + 1)
    )
    if after is not None:
        place: ColumnExpressionArgument[bool] = tuple_(since, person) < tuple_(after.since, after.account_id)
        statement = statement.where(place)
    rows = [Listed(*row) for row in await session.execute(statement)]
    return Page.of(rows, limit, has_previous=after is not None)
