"""Who sees which reports: those who filed them, and those of the staff who handle them."""

import uuid
from collections.abc import Collection

from sqlalchemy import ColumnElement, and_, exists, false, or_, select

from gamebuddy import db
from gamebuddy.auth import policy
from gamebuddy.auth.policy import Right
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import ReadSession, ReportStatus, Role
from gamebuddy.resolvers.paging import Page

WAITING = frozenset({ReportStatus.OPEN, ReportStatus.IN_REVIEW})


def is_handled_by(viewer: Viewer) -> ColumnElement[bool]:
    """Tell of the report in the statement whether the viewer handles it, as one of the staff.

    Nobody handles what he has filed himself or what is about him, and a moderator nothing about the staff: who is
    reported never learns of it in this way.
    """
    if not policy.decide(viewer, Right.MODERATE).is_allowed:
        return false()
    report, account = db.Report, db.Account
    beyond = [role for role in Role if not policy.may_judge(viewer, role)]
    is_about_one_beyond = exists().where(account.id == report.reported_id, account.role.in_(beyond))
    return and_(
        report.reporter_id.is_distinct_from(viewer.account_id),
        report.reported_id.is_distinct_from(viewer.account_id),
        ~is_about_one_beyond,
    )


async def by_ids(session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, db.Report]:
    """Load reports that the viewer handles, and his own."""
    if viewer is None:
        return {}
    is_seen = or_(db.Report.reporter_id == viewer.account_id, is_handled_by(viewer))
    rows = await session.scalars(select(db.Report).where(db.is_one_of(db.Report.id, ids), is_seen))
    return {row.id: row for row in rows}


async def find_own(session: ReadSession, viewer: Viewer, *, after: uuid.UUID | None, limit: int) -> Page[db.Report]:
    """List what the viewer has reported, the newest first."""
    report = db.Report
    statement = (
        select(report).where(report.reporter_id == viewer.account_id).order_by(report.id.desc()).limit(limit + 1)
    )
    if after is not None:
        statement = statement.where(report.id < after)
    return Page.of((await session.scalars(statement)).all(), limit, has_previous=after is not None)


async def find(
    session: ReadSession, viewer: Viewer, *, status: ReportStatus | None, after: uuid.UUID | None, limit: int
) -> Page[db.Report]:
    """List reports that the viewer handles; those that wait, by their status, the oldest first, others the newest.

    `after` is the last one of the page before.

    Raises:
        Unauthenticated, Forbidden: for whoever is not of the staff.
    """
    policy.require(viewer, Right.MODERATE)
    report, is_queue = db.Report, status in WAITING
    statement = select(report).where(is_handled_by(viewer)).limit(limit + 1)
    statement = statement.order_by(report.id if is_queue else report.id.desc())
    if status is not None:
        statement = statement.where(report.status == status)
    if after is not None:
        statement = statement.where(report.id > after if is_queue else report.id < after)
    return Page.of((await session.scalars(statement)).all(), limit, has_previous=after is not None)
