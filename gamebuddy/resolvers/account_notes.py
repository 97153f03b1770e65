"""What the staff writes down about accounts. Whom it is about never sees it."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import func, select

from gamebuddy import db, text
from gamebuddy.auth import policy
from gamebuddy.auth.policy import Right
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import AuditAction, ReadSession, Role, WriteSession
from gamebuddy.resolvers import audit, sanctions

LONGEST_NOTE = 1_000
MOST_SHOWN = 50


async def add(session: WriteSession, viewer: Viewer, *, user_id: uuid.UUID, content: str) -> db.AccountNote:
    """Write down something about an account; each call is a note of its own.

    Raises:
        Rejected: as `text.checked` for the text, and as `sanctions.lock_target`.
        Forbidden: for oneself, and for one of the same or a higher role; it is written down.
    """
    content = text.checked(content, "text", longest=LONGEST_NOTE)
    account = await sanctions.lock_target(session, viewer, user_id, AuditAction.ADD_ACCOUNT_NOTE)
    note = db.AccountNote(account_id=account.id, author_id=viewer.account_id, text=content)
    session.add(note)
    await session.flush()
    await audit.record(
        session, AuditAction.ADD_ACCOUNT_NOTE, actor_id=viewer.account_id, target_id=account.id, note=str(note.id)
    )
    return note


async def by_account_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]
) -> Mapping[uuid.UUID, Sequence[db.AccountNote]]:
    """Give the newest 50 notes about each account, the newest first: to the staff, about those whom it may judge."""
    if viewer is None or not policy.decide(viewer, Right.MODERATE).is_allowed:
        return {}
    note, account = db.AccountNote, db.Account
    place = func.row_number().over(partition_by=note.account_id, order_by=note.id.desc())
    placed = (
        select(note.id, place.label("place"))
        .join(account, account.id == note.account_id)
        .where(
            db.is_one_of(note.account_id, ids),
            account.id != viewer.account_id,
            account.role.in_([role for role in Role if policy.may_judge(viewer, role)]),
        )
        .subquery()
    )
    rows = await session.scalars(
        select(note).join(placed, placed.c.id == note.id).where(placed.c.place <= MOST_SHOWN).order_by(note.id.desc())
    )
    found: defaultdict[uuid.UUID, list[db.AccountNote]] = defaultdict(list)
    for row in rows:
        found[row.account_id].append(row)
    return found
