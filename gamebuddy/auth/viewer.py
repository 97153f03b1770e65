"""Who acts: role and state as they stand in the database at this operation, never as a token remembers them."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from sqlalchemy import ARRAY, ColumnElement, any_, func, literal, select

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Each:
    """In a statement about many viewers: whoever stands in a column of its row."""

    account_id: ColumnElement[uuid.UUID]


type Onlooker = Viewer | Each  # from whose side a condition looks


async def by_session(session: db.ReadSession, session_id: uuid.UUID) -> Viewer | None:
    """Load who is behind a session; None once it is revoked or expired, or the account is not active."""
    return (await by_sessions(session, [session_id])).get(session_id)


async def by_sessions(session: db.ReadSession, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Viewer]:
    """Load who is behind sessions, without those that `by_session` gives None for."""
    account = db.Account
    rows = await session.execute(
        select(db.Session.id.label("session_id"), account.id, account.role, account.locale, account.muted_until)
        .join(account, db.Session.account_id == account.id)
        .where(
            db.Session.id == any_(literal(list(ids), ARRAY(db.Session.id.type))),
            db.Session.revoked_at.is_(None),
            db.Session.expires_at > func.now(),
            account.status == db.AccountStatus.ACTIVE,
        )
    )
    return {
        row.session_id: Viewer(
            account_id=row.id,
            session_id=row.session_id,
            role=row.role,
            locale=row.locale,
            muted_until=row.muted_until,
        )
        for row in rows
    }
