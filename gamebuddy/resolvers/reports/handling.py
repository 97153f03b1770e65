"""What the staff does with reports: claim, let go, decide, and hide what was reported."""

import uuid
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from gamebuddy import db, text
from gamebuddy.auth import policy
from gamebuddy.auth.policy import Right
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import AuditAction, ReportStatus, WriteSession
from gamebuddy.errors import Code, Rejected, reject
from gamebuddy.resolvers import audit, chat
from gamebuddy.resolvers.reports.reading import WAITING, is_handled_by

LONGEST_RESOLUTION = 1_000
CLAIM_HOLDS = timedelta(days=1)


async def claim(session: WriteSession, viewer: Viewer, *, report_id: uuid.UUID) -> db.Report:
    """Take a report on: for a day, nobody else decides on it. Once more begins the day anew.

    Raises:
        Rejected: NOT_FOUND for what the viewer does not handle; CONFLICT when somebody else has it, or it is decided.
    """
    report = await _lock(session, viewer, report_id)
    _require_waiting(report)
    _require_free(viewer, report)
    report.status, report.assignee_id, report.claimed_at = ReportStatus.IN_REVIEW, viewer.account_id, datetime.now(UTC)
    await _record(session, viewer, AuditAction.CLAIM_REPORT, report)
    return report


async def release(session: WriteSession, viewer: Viewer, *, report_id: uuid.UUID) -> db.Report:
    """Put a report back into the queue, in its old place; an administrator does it for everybody.

    Raises:
        Rejected: NOT_FOUND for what the viewer does not handle; CONFLICT when somebody else has it, or it is decided.
    """
    report = await _lock(session, viewer, report_id)
    _require_waiting(report)
    if report.status is ReportStatus.OPEN:
        return report
    if not policy.decide(viewer, Right.ADMINISTER).is_allowed:
        _require_free(viewer, report)
    report.status, report.assignee_id, report.claimed_at = ReportStatus.OPEN, None, None
    await _record(session, viewer, AuditAction.RELEASE_REPORT, report)
    return report


async def resolve(
    session: WriteSession, viewer: Viewer, *, report_id: uuid.UUID, status: ReportStatus, resolution: str
) -> db.Report:
    """Decide on a report, claimed by oneself or by nobody. The same decision again changes nothing.

    Raises:
        Rejected: NOT_FOUND for what the viewer does not handle; INVALID for a status that decides nothing; CONFLICT
            when somebody else has it, or it was decided otherwise; as `text.checked` for the resolution.
    """
    resolution = text.checked(resolution, "resolution", longest=LONGEST_RESOLUTION)
    report = await _lock(session, viewer, report_id)
    if status in WAITING:
        raise reject(Code.INVALID, "Decide: ACTIONED or DISMISSED.", "status")
    if (report.status, report.resolution, report.assignee_id) == (status, resolution, viewer.account_id):
        return report
    _require_waiting(report)
    _require_free(viewer, report)
    await settle(session, viewer, report, status, resolution)
    return report


async def settle(
    session: WriteSession, viewer: Viewer, report: db.Report, status: ReportStatus, resolution: str
) -> None:
    """Close a report that is locked and waits, and write down who did it and why."""
    report.status, report.resolution = status, resolution
    report.assignee_id, report.closed_at = viewer.account_id, datetime.now(UTC)
    await _record(session, viewer, AuditAction.RESOLVE_REPORT, report, reason=resolution, status=status.value)


async def require_about(
    session: WriteSession, viewer: Viewer, *, report_id: uuid.UUID, user_id: uuid.UUID
) -> db.Report:
    """Lock a report that an act against somebody rests on: about him, and in nobody else's hands.

    Raises:
        Rejected: NOT_FOUND for what the viewer does not handle; INVALID for a report about somebody else; CONFLICT when
            somebody else has it.
    """
    report = await _lock(session, viewer, report_id)
    if report.reported_id != user_id:
        raise reject(Code.INVALID, "This report is about somebody else.", "report_id")
    _require_free(viewer, report)
    return report


async def hide_message(session: WriteSession, viewer: Viewer, *, report_id: uuid.UUID, reason: str) -> db.Report:
    """Take a reported message away from its chat, as its author could; what was kept of it stays. Once more is nothing.

    Raises:
        Rejected: NOT_FOUND for what the viewer does not handle; NOT_ALLOWED for a report of no message; CONFLICT when
            somebody else has it; as `text.checked` for the reason.
    """
    reason = text.checked(reason, "reason", longest=LONGEST_RESOLUTION)
    report = await _lock(session, viewer, report_id)
    if report.message_id is None:
        raise reject(Code.NOT_ALLOWED, "This report is about no message.", "report_id")
    _require_free(viewer, report)
    if await chat.take_away(session, report.message_id):
        await _record(session, viewer, AuditAction.HIDE_MESSAGE, report, reason=reason)
    return report


async def _lock(session: WriteSession, viewer: Viewer, report_id: uuid.UUID) -> db.Report:
    report: db.Report | None = await session.scalar(
        select(db.Report)
        .where(db.Report.id == report_id, is_handled_by(viewer))
        .with_for_update(of=db.Report)
        .execution_options(populate_existing=True)
    )
    if report is None:
        raise _no_such_report()
    return report


def _require_waiting(report: db.Report) -> None:
    if report.status not in WAITING:
        raise reject(Code.CONFLICT, "This report is decided already.", "report_id")


def _require_free(viewer: Viewer, report: db.Report) -> None:
    """Let those through who have claimed a report, or whom nobody keeps from it."""
    is_held = (
        report.status is ReportStatus.IN_REVIEW
        and report.assignee_id is not None
        and report.claimed_at is not None
        and report.claimed_at > datetime.now(UTC) - CLAIM_HOLDS
    )
    if is_held and report.assignee_id != viewer.account_id:
        raise reject(Code.CONFLICT, "Somebody else is at it.", "report_id")


def _no_such_report() -> Rejected:
    return reject(Code.NOT_FOUND, "There is no such report.", "report_id")


async def _record(
    session: WriteSession,
    viewer: Viewer,
    action: AuditAction,
    report: db.Report,
    *,
    reason: str | None = None,
    **detail: str,
) -> None:
    await session.flush()
    await audit.record(
        session,
        action,
        actor_id=viewer.account_id,
        target_id=report.reported_id,
        reason=reason,
        report=str(report.id),
        **detail,
    )
