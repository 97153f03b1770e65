"""Where somebody is signed in."""

import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, and_, func, select

from gamebuddy import db
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import ReadSession

MOST_SESSIONS = 100


async def find_sessions(session: ReadSession, viewer: Viewer) -> Sequence[db.Session]:
    """List the viewer's live sessions, the most recently used first, at most 100."""
    found: Sequence[db.Session] = (
        await session.scalars(
            select(db.Session)
            .where(_is_live_and_of(viewer))
            .order_by(db.Session.last_used_at.desc(), db.Session.id.desc())
            .limit(MOST_SESSIONS)
        )
    ).all()
    return found


async def by_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, db.Session]:
    """Load live sessions of the viewer's own."""
    if viewer is None:
        return {}
    rows = await session.scalars(select(db.Session).where(db.Session.id.in_(ids), _is_live_and_of(viewer)))
    return {row.id: row for row in rows}


def _is_live_and_of(viewer: Viewer) -> ColumnElement[bool]:
    return and_(
        db.Session.account_id == viewer.account_id,
        db.Session.revoked_at.is_(None),
        db.Session.expires_at > func.now(),
    )
