"""Sanctions: a mute takes writing from somebody, a ban everything, for a while or for ever."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, update

from gamebuddy import db, text
from gamebuddy.auth import policy
from gamebuddy.auth.policy import Right
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import AccountStatus, AuditAction, ReadSession, SanctionKind, WriteSession
from gamebuddy.errors import Code, Forbidden, Problem, Rejected, reject
from gamebuddy.events import log
from gamebuddy.resolvers import audit
from gamebuddy.resolvers.accounts.sessions import end_sessions, lock_account

LONGEST_REASON = 500
LONGEST_BAN_BY_MODERATOR = timedelta(days=30)


async def impose(
    session: WriteSession,
    viewer: Viewer,
    *,
    user_id: uuid.UUID,
    kind: SanctionKind,
    reason: str,
    until: datetime | None,
) -> db.Sanction:
    """Mute or ban somebody; a sanction of the same kind that is in force is replaced. A ban ends all sessions at once.

    Raises:
        Rejected: NOT_FOUND; INVALID for an end that is past; NOT_ALLOWED for a ban over 30 days by a moderator; as
            `text.checked` for the reason.
        Forbidden: for oneself, and for one of the same or a higher role; it is written down.
    """
    reason = text.checked(reason, "reason", longest=LONGEST_REASON)
    now = datetime.now(UTC)
    if until is not None and until <= now:
        raise reject(Code.INVALID, "The end is past already.", "until")
    account = await _lock_target(session, viewer, user_id, AuditAction.SANCTION)
    is_long = until is None or until > now + LONGEST_BAN_BY_MODERATOR
    if kind is SanctionKind.BAN and is_long and not policy.may_ban_for_ever(viewer):
        raise reject(Code.NOT_ALLOWED, "A moderator bans for at most 30 days.", "until")
    await _end_in_force(session, account.id, kind)
    sanction = db.Sanction(account_id=account.id, kind=kind, reason=reason, by_id=viewer.account_id, until=until)
    session.add(sanction)
    if kind is SanctionKind.BAN:
        account.status, account.banned_until = AccountStatus.BANNED, until
        await end_sessions(session, account.id)
    else:
        account.muted_until = until or policy.NEVER
    await session.flush()
    await audit.record(
        session,
        AuditAction.SANCTION,
        actor_id=viewer.account_id,
        target_id=account.id,
        reason=reason,
        kind=kind.value,
        until=until.isoformat() if until else None,
    )
    await log.look_again(session, account.id)
    return sanction


async def lift(
    session: WriteSession, viewer: Viewer, *, user_id: uuid.UUID, kind: SanctionKind, reason: str
) -> db.Sanction:
    """Take a sanction back.

    Raises:
        Rejected: NOT_FOUND when there is none in force; as `text.checked` for the reason.
        Forbidden: for oneself, and for one of the same or a higher role; it is written down.
    """
    reason = text.checked(reason, "reason", longest=LONGEST_REASON)
    account = await _lock_target(session, viewer, user_id, AuditAction.LIFT_SANCTION)
    sanction = await _end_in_force(session, account.id, kind)
    if sanction is None:
        raise reject(Code.NOT_FOUND, "There is no such sanction in force.", "user_id")
    _give_back(account, kind)
    await session.flush()
    await audit.record(
        session,
        AuditAction.LIFT_SANCTION,
        actor_id=viewer.account_id,
        target_id=account.id,
        reason=reason,
        kind=kind.value,
    )
    await log.look_again(session, account.id)
    return sanction


async def lift_what_is_over(session: WriteSession, account: db.Account) -> None:
    """Let a ban end that was until now; the account's row is locked."""
    is_over = account.banned_until is not None and account.banned_until <= datetime.now(UTC)
    if account.status is AccountStatus.BANNED and is_over:
        await _end_in_force(session, account.id, SanctionKind.BAN)
        _give_back(account, SanctionKind.BAN)
        await session.flush()


async def banned(session: ReadSession, account: db.Account) -> Rejected:
    """Make the rejection that tells a banned one why and until when. Only after the right password."""
    sanction: db.Sanction | None = await session.scalar(
        select(db.Sanction).where(
            db.Sanction.account_id == account.id,
            db.Sanction.kind == SanctionKind.BAN,
            db.Sanction.lifted_at.is_(None),
        )
    )
    reason = sanction.reason if sanction else None
    return Rejected(
        Problem(
            code=Code.ACCOUNT_BANNED,
            message=f"This account is banned. {reason or ''}".strip(),
            reason=reason,
            until=account.banned_until,
        )
    )


async def by_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, db.Sanction]:
    """Load sanctions, for the staff alone."""
    if not policy.decide(viewer, Right.MODERATE).is_allowed:
        return {}
    rows = await session.scalars(select(db.Sanction).where(db.Sanction.id.in_(ids)))
    return {row.id: row for row in rows}


async def by_account_ids(
    session: ReadSession, _: Viewer | None, ids: Collection[uuid.UUID]
) -> Mapping[uuid.UUID, Sequence[db.Sanction]]:
    """List the sanctions of accounts, the newest first. Who may look is decided by the caller."""
    found: defaultdict[uuid.UUID, list[db.Sanction]] = defaultdict(list)
    rows = await session.scalars(
        select(db.Sanction).where(db.Sanction.account_id.in_(ids)).order_by(db.Sanction.id.desc())
    )
    for row in rows:
        found[row.account_id].append(row)
    return found


async def _lock_target(session: WriteSession, viewer: Viewer, user_id: uuid.UUID, action: AuditAction) -> db.Account:
    account = await lock_account(session, user_id)
    if account is None:
        raise reject(Code.NOT_FOUND, "There is no such player.", "user_id")
    if account.id == viewer.account_id or not policy.outranks(viewer, account.role):
        await refuse(session, viewer, action, account.id)
    return account


async def refuse(session: WriteSession, viewer: Viewer, action: AuditAction, target_id: uuid.UUID) -> None:
    """Write down, whatever becomes of this transaction, that somebody tried what he may not.

    Raises:
        Forbidden: always.
    """
    await session.rollback()
    async with session.apart() as own:
        await audit.record(
            own, AuditAction.REFUSED, actor_id=viewer.account_id, target_id=target_id, tried=action.value
        )
    raise Forbidden("You may not do this to this account.")


async def _end_in_force(session: WriteSession, account_id: uuid.UUID, kind: SanctionKind) -> db.Sanction | None:
    ended: db.Sanction | None = await session.scalar(
        update(db.Sanction)
        .where(db.Sanction.account_id == account_id, db.Sanction.kind == kind, db.Sanction.lifted_at.is_(None))
        .values(lifted_at=func.now())
        .returning(db.Sanction)
    )
    return ended


def _give_back(account: db.Account, kind: SanctionKind) -> None:
    if kind is SanctionKind.BAN:
        account.status, account.banned_until = AccountStatus.ACTIVE, None
    else:
        account.muted_until = None
