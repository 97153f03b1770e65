"""Who acts: role and state as they stand in the database at this operation, never as a token remembers them."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from sqlalchemy import func, select

from gamebuddy import db


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """The account behind a live session."""

    account_id: uuid.UUID
    session_id: uuid.UUID
    role: db.Role
    locale: str
    muted_until: datetime | None = None

    @classmethod
    def of(cls, account: db.Account, session_id: uuid.UUID) -> Self:
        """Make the viewer of an account that has just signed in."""
        return cls(
            account_id=account.id,
            session_id=session_id,
            role=account.role,
            locale=account.locale,
            muted_until=account.muted_until,
        )


async def by_session(session: db.ReadSession, session_id: uuid.UUID) -> Viewer | None:
    """Load who is behind a session; None once it is revoked or expired, or the account is not active."""
    row = (
        await session.execute(
            select(db.Account.id, db.Account.role, db.Account.locale, db.Account.muted_until)
            .join(db.Session, db.Session.account_id == db.Account.id)
            .where(
                db.Session.id == session_id,
                db.Session.revoked_at.is_(None),
                db.Session.expires_at > func.now(),
                db.Account.status == db.AccountStatus.ACTIVE,
            )
        )
    ).one_or_none()
    if row is None:
        return None
    return Viewer(
        account_id=row.id, session_id=session_id, role=row.role, locale=row.locale, muted_until=row.muted_until
    )
