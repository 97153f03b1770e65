"""Who acts: role and state as they stand in the database at this operation, never as a token remembers them."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sqlalchemy import ColumnElement, Select, bindparam, func, select

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

# In a statement that is written once: whoever it is executed for, see `asked`.
ME = Each(account_id=bindparam("viewer_id", type_=db.Account.id.type))


def asked(viewer: Viewer | None, ids: Collection[uuid.UUID]) -> dict[str, Any]:
    """Give the parameters of a statement that was written once: who looks, and at which ids."""
    return {"viewer_id": viewer.account_id if viewer else None, "ids": list(ids)}


async def by_session(session: db.ReadSession, session_id: uuid.UUID) -> Viewer | None:
    """Load who is behind a session; None once it is revoked or expired, or the account is not active."""
    return (await by_sessions(session, [session_id])).get(session_id)


async def by_sessions(session: db.ReadSession, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Viewer]:
    """Load who is behind sessions, without those that `by_session` gives None for."""
    rows = await session.rows(_living_sessions(), {"ids": list(ids)})
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


@db.written_once
def _living_sessions() -> Select[*tuple[Any, ...]]:
    account = db.Account
    return (
        select(db.Session.id.label("session_id"), account.id, account.role, account.locale, account.muted_until)
        .join(account, db.Session.account_id == account.id)
        .where(
            db.is_asked_for(db.Session.id),
            db.Session.revoked_at.is_(None),
            db.Session.expires_at > func.now(),
            account.status == db.AccountStatus.ACTIVE,
        )
    )
