"""The audit log: one row for each privileged act, in the transaction that does it."""

import uuid
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, func, or_, select, true
from sqlalchemy.dialects.postgresql import array

from gamebuddy import db
from gamebuddy.auth import policy
from gamebuddy.auth.policy import Right
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import AuditAction, ReadSession, WriteSession
from gamebuddy.resolvers.paging import Page


async def record(
    session: WriteSession,
    action: AuditAction,
    *,
    actor_id: uuid.UUID | None,
    target_id: uuid.UUID | None = None,
    reason: str | None = None,
    **detail: Any,
) -> None:
    """Write down who did what to whom, and why; `detail` holds what changed, and never a secret."""
    entry = db.AuditEntry(actor_id=actor_id, action=action, target_id=target_id, reason=reason, detail=detail)
    await record_all(session, [entry])


async def record_all(session: WriteSession, entries: Sequence[db.AuditEntry]) -> None:
    """Write down several acts of one kind at once."""
    session.add_all(entries)
    await session.flush()


async def forget(session: WriteSession, account_id: uuid.UUID, names: Sequence[str]) -> None:
    """Take an account that is gone for good out of the log: its id, what was said of it, and looks for its names.

    That something was done stays, and by whom, and the chain still holds.
    """
    await session.execute(select(func.audit_forget(account_id, array(names, type_=Text))))


async def find(
    session: ReadSession,
    viewer: Viewer,
    *,
    actor_id: uuid.UUID | None,
    target_id: uuid.UUID | None,
    after: int | None,
    limit: int,
) -> Page[db.AuditEntry]:
    """List entries, the newest first: an administrator's are all, a moderator's his own acts, a user's what was his.

    `after` is the number of the last entry of the page before.
    """
    entry = db.AuditEntry
    statement = select(entry).order_by(entry.number.desc()).limit(limit + 1)
    statement = statement.where(_is_readable(viewer))
    if actor_id is not None:
        statement = statement.where(entry.actor_id == actor_id)
    if target_id is not None:
        statement = statement.where(entry.target_id == target_id)
    if after is not None:
        statement = statement.where(entry.number < after)
    found: Sequence[db.AuditEntry] = (await session.scalars(statement)).all()
    return Page.of(found, limit, has_previous=after is not None)


async def by_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, db.AuditEntry]:
    """Load entries, those that the viewer may read."""
    if viewer is None or not policy.decide(viewer, Right.READ_AUDIT_LOG).is_allowed:
        return {}
    rows = await session.scalars(select(db.AuditEntry).where(db.is_one_of(db.AuditEntry.id, ids), _is_readable(viewer)))
    return {row.id: row for row in rows}


def _is_readable(viewer: Viewer) -> ColumnElement[bool]:
    """Tell of the entry whether the viewer may read it: an administrator all, a moderator his acts, a user his own.

    What the staff did to somebody he learns from them; here he reads what was done in his own name.
    """
    entry = db.AuditEntry
    if policy.decide(viewer, Right.ADMINISTER).is_allowed:
        return true()
    mine = entry.actor_id == viewer.account_id
    return or_(mine, and_(entry.target_id == viewer.account_id, entry.actor_id.is_(None)))
