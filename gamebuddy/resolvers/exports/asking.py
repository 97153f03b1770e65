"""Asking for a copy, seeing how far it is, and giving it up."""

import uuid
from datetime import timedelta

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from gamebuddy import db
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import ReadSession, WriteSession

KEPT_FOR = timedelta(days=7)
OFTEN = timedelta(days=1)  # a request that follows sooner is answered with the same copy


async def ask(session: WriteSession, viewer: Viewer) -> db.Export:
    """Ask for a copy of the viewer's data; while one is being made, or is younger than a day, that is the one."""
    row = db.Export
    fresh = {"id": db.new_id(), "account_id": viewer.account_id, "expires_at": func.now() + KEPT_FOR}
    wanted = insert(row).values(fresh)
    is_over = or_(row.expires_at <= func.now(), and_(row.ready_at.is_not(None), row.requested_at < func.now() - OFTEN))
    await session.execute(
        wanted.on_conflict_do_update(
            index_elements=[row.account_id],
            set_={
                "requested_at": func.now(),
                "begun_at": None,
                "ready_at": None,
                "byte_size": None,
                "expires_at": wanted.excluded.expires_at,
            },
            where=is_over,
        )
    )
    found: db.Export = (await session.scalars(select(row).where(row.account_id == viewer.account_id))).one()
    return found


async def find(session: ReadSession, viewer: Viewer) -> db.Export | None:
    """Give the viewer's copy, made or not; None when there is none, or none any more."""
    row = db.Export
    found: db.Export | None = await session.scalar(
        select(row).where(row.account_id == viewer.account_id, row.expires_at > func.now())
    )
    return found


async def leave(session: WriteSession, account_id: uuid.UUID) -> None:
    """Let the copy of an account be over; the next sweep deletes it."""
    await session.execute(
        update(db.Export)
        .where(db.Export.account_id == account_id)
        .values(expires_at=func.now())
        .execution_options(synchronize_session=False)
    )
