"""Sanctions: a mute takes writing from somebody, a ban everything, for a while or for ever."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import select, true

from gamebuddy import db, text
from gamebuddy.auth import policy
from gamebuddy.auth.policy import Right
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import AccountStatus, AuditAction, ReadSession, ReportStatus, SanctionKind, WriteSession
from gamebuddy.errors import Code, Forbidden, reject
from gamebuddy.events import log
from gamebuddy.resolvers import audit, reports, standing
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
    report_id: uuid.UUID | None = None,
) -> db.Sanction:
    """Mute or ban somebody; a sanction of the same kind that is in force is replaced. A ban ends all sessions at once.

    A report that it rests on is decided with it, if it still waits.

    Raises:
        Rejected: NOT_FOUND; INVALID for an end that is past; NOT_ALLOWED for a ban over 30 days by a moderator; as
            `text.checked` for the reason, and as `reports.require_about` for the report.
        Forbidden: for oneself, and for one of the same or a higher role; it is written down.
    """
    reason = text.checked(reason, "reason", longest=LONGEST_REASON)
    now = datetime.now(UTC)
    if until is not None and until <= now:
        raise reject(Code.INVALID, "The end is past already.", "until")
    account = await lock_target(session, viewer, user_id, AuditAction.SANCTION)
    is_long = until is None or until > now + LONGEST_BAN_BY_MODERATOR
    if kind is SanctionKind.BAN and is_long and not policy.may_ban_for_ever(viewer):
        raise reject(Code.NOT_ALLOWED, "A moderator bans for at most 30 days.", "until")
    report = None
    if report_id is not None:
        report = await reports.require_about(session, viewer, report_id=report_id, user_id=account.id)
    await standing.end_in_force(session, account, kind)
    sanction = db.Sanction(
        account_id=account.id, kind=kind, reason=reason, by_id=viewer.account_id, until=until, report_id=report_id
    )
    session.add(sanction)
    if kind is SanctionKind.BAN:
        account.status, account.banned_until = AccountStatus.BANNED, until
        await end_sessions(session, account.id)
    else:
        account.muted_until = until or policy.NEVER
    await session.flush()
    if report is not None and report.closed_at is None:
        await reports.settle(session, viewer, report, ReportStatus.ACTIONED, reason)
    await audit.record(
        session,
        AuditAction.SANCTION,
        actor_id=viewer.account_id,
        target_id=account.id,
        reason=reason,
        kind=kind.value,
        until=until.isoformat() if until else None,
        report=str(report_id) if report_id else None,
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
    account = await lock_target(session, viewer, user_id, AuditAction.LIFT_SANCTION)
    return await end(session, viewer, account, kind, reason)


async def end(
    session: WriteSession, viewer: Viewer, account: db.Account, kind: SanctionKind, reason: str
) -> db.Sanction:
    """Let a sanction of an account end, whose row is locked, and write down who did it and why.

    Raises:
        Rejected: NOT_FOUND when there is none in force.
    """
    sanction = await standing.end_in_force(session, account, kind)
    if sanction is None:
        raise reject(Code.NOT_FOUND, "There is no such sanction in force.", "user_id")
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


async def by_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, db.Sanction]:
    """Load sanctions, all for the staff and their own for everybody else."""
    if viewer is None:
        return {}
    is_staff = policy.decide(viewer, Right.MODERATE).is_allowed
    is_seen = true() if is_staff else db.Sanction.account_id == viewer.account_id
    rows = await session.scalars(select(db.Sanction).where(db.is_one_of(db.Sanction.id, ids), is_seen))
    return {row.id: row for row in rows}


async def by_account_ids(
    session: ReadSession, _: Viewer | None, ids: Collection[uuid.UUID]
) -> Mapping[uuid.UUID, Sequence[db.Sanction]]:
    """List the sanctions of accounts, the newest first. Who may look is decided by the caller."""
    found: defaultdict[uuid.UUID, list[db.Sanction]] = defaultdict(list)
    rows = await session.scalars(
        select(db.Sanction).where(db.is_one_of(db.Sanction.account_id, ids)).order_by(db.Sanction.id.desc())
    )
    for row in rows:
        found[row.account_id].append(row)
    return found


async def find_own(session: ReadSession, viewer: Viewer) -> Sequence[db.Sanction]:
    """List what is taken from the viewer at this moment, the newest first."""
    rows = await session.scalars(
        select(db.Sanction)
        .where(db.Sanction.account_id == viewer.account_id, standing.is_in_force())
        .order_by(db.Sanction.id.desc())
    )
    found: Sequence[db.Sanction] = rows.all()
    return found


async def lock_target(session: WriteSession, viewer: Viewer, user_id: uuid.UUID, action: AuditAction) -> db.Account:
    """Lock an account that the viewer may act on.

    Raises:
        Rejected: NOT_FOUND.
        Forbidden: for oneself, and for one of the same or a higher role; it is written down.
    """
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
