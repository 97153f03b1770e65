"""Where an account stands: which sanctions are in force, and how they end."""

import uuid
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from gamebuddy import db
from gamebuddy.db import AccountStatus, ReadSession, SanctionKind, WriteSession
from gamebuddy.errors import Code, Problem, Rejected


def is_in_force() -> ColumnElement[bool]:
    """Tell of the sanction in the statement whether it holds at this moment."""
    sanction = db.Sanction
    return and_(sanction.lifted_at.is_(None), or_(sanction.until.is_(None), sanction.until > func.now()))


async def find_in_force(session: ReadSession, account_id: uuid.UUID, kind: SanctionKind) -> db.Sanction | None:
    """Find the sanction of a kind that holds; there is one at most."""
    found: db.Sanction | None = await session.scalar(
        select(db.Sanction).where(db.Sanction.account_id == account_id, db.Sanction.kind == kind, is_in_force())
    )
    return found


async def end_in_force(session: WriteSession, account: db.Account, kind: SanctionKind) -> db.Sanction | None:
    """Let a sanction of an account end, whose row is locked; None where there is none."""
    ended: db.Sanction | None = await session.scalar(
        update(db.Sanction)
        .where(db.Sanction.account_id == account.id, db.Sanction.kind == kind, db.Sanction.lifted_at.is_(None))
        .values(lifted_at=func.now())
        .returning(db.Sanction)
    )
    if kind is SanctionKind.MUTE:
        account.muted_until = None
    elif account.status is AccountStatus.BANNED:
        account.status, account.banned_until = AccountStatus.ACTIVE, None
    await session.flush()
    return ended


async def lift_what_is_over(session: WriteSession, account: db.Account) -> None:
    """Let a ban end that was until now; the account's row is locked."""
    is_over = account.banned_until is not None and account.banned_until <= datetime.now(UTC)
    if account.status is AccountStatus.BANNED and is_over:
        await end_in_force(session, account, SanctionKind.BAN)


async def banned(session: ReadSession, account: db.Account) -> Rejected:
    """Make the rejection that tells a banned one why and until when. Only after the right password."""
    sanction = await find_in_force(session, account.id, SanctionKind.BAN)
    reason = sanction.reason if sanction else None
    return Rejected(
        Problem(
            code=Code.ACCOUNT_BANNED,
            message=f"This account is banned. {reason or ''}".strip(),
            reason=reason,
            until=account.banned_until,
        )
    )
