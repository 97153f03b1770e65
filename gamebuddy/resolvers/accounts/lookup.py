"""Finds accounts for whoever looks: by id, by name."""

import uuid
from collections.abc import Collection

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select

from gamebuddy import db
from gamebuddy.auth import policy
from gamebuddy.auth.policy import Right
from gamebuddy.auth.viewer import ME, Each, Onlooker, Viewer, asked
from gamebuddy.db import ReadSession


async def by_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, db.Account]:
    """Load accounts. Deleted accounts, claims that nobody has proved, and blockers of the viewer are left out."""
    rows = await session.rows(_seen_by(ME if viewer else None), asked(viewer, ids))
    return {row.id: row for row in rows}


async def with_deleted_by_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, db.Account]:
    """Load accounts as `by_ids`, and the nameless rows of deleted ones: what they did before is still told."""
    rows = await session.rows(_seen_by(ME if viewer else None, with_deleted=True), asked(viewer, ids))
    return {row.id: row for row in rows}


async def known_by_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, db.Account]:
    """Load accounts as `by_ids`, and for the staff all of them: nobody hides from it by blocking it."""
    if not policy.decide(viewer, Right.MODERATE).is_allowed:
        return await by_ids(session, viewer, ids)
    rows = await session.rows(_all(), {"ids": list(ids)})
    return {row.id: row for row in rows}


async def find(
    session: ReadSession,
    viewer: Viewer | None,
    *,
    account_id: uuid.UUID | None = None,
    username: str | None = None,
) -> db.Account | None:
    """Find one account by its id, or by its user name in any case; None where `by_ids` leaves it out."""
    named = db.Account.id == account_id if account_id is not None else db.Account.username == (username or "").lower()
    row: db.Account | None = await session.scalar(select(db.Account).where(named, is_visible(viewer)))
    return row


@db.written_once
def _all() -> Select[db.Account]:
    return db.plain(db.Account).where(db.is_asked_for(db.Account.id))


@db.written_once
def _seen_by(onlooker: Each | None, *, with_deleted: bool = False) -> Select[db.Account]:
    return _all().where(is_visible(onlooker, with_deleted=with_deleted))


def is_visible(viewer: Onlooker | None, *, with_deleted: bool = False) -> ColumnElement[bool]:
    """Tell of the account in the statement whether the viewer may see it; blockers do not exist for the blocked."""
    is_somebody = or_(db.Account.email.is_(None), db.Account.email_verified_at.is_not(None))
    if not with_deleted:
        is_somebody = and_(is_somebody, db.Account.status != db.AccountStatus.DELETED)
    if viewer is None:
        return is_somebody
    block = db.Block.__table__.alias()  # the statement around it may read blocks too
    has_blocked = exists().where(block.c.account_id == db.Account.id, block.c.blocked_id == viewer.account_id)
    return or_(and_(is_somebody, ~has_blocked), db.Account.id == viewer.account_id)
