"""What was seen when somebody reported: kept apart from chats and profiles, so that nothing takes it back."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update

from gamebuddy import db
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import AuditAction, MessageKind, ReadSession, WriteSession
from gamebuddy.resolvers import audit, chat, profiles
from gamebuddy.resolvers.chat.access import is_shown
from gamebuddy.resolvers.reports.reading import is_handled_by

AROUND = 15  # messages on either side


async def profile_of(session: ReadSession, account_id: uuid.UUID | None) -> dict[str, Any] | None:
    """Give how an account shows itself now, to be kept; None for one that is gone."""
    account, profile = db.Account, db.Profile
    row = (
        await session.execute(
            select(
                account.username, account.display_name, profile.bio, profile.country, profile.languages,
                profile.birth_date,
            )
            .join(profile, profile.account_id == account.id)
            .where(account.id == account_id, account.status != db.AccountStatus.DELETED)
        )
    ).one_or_none()  # fmt: skip
    if row is None:
        return None
    return {
        "username": row.username,
        "display_name": row.display_name,
        "bio": row.bio,
        "country": row.country,
        "languages": row.languages,
        "age_band": profiles.age_band(row.birth_date, datetime.now(UTC).date()),
    }


async def freeze_messages(session: WriteSession, viewer: Viewer, report: db.Report, message: db.Message) -> None:
    """Keep a message with those around it, as the viewer sees them, and what it said before it was changed."""
    shown = [
        *reversed(await _around(session, viewer, message, is_before=True)),
        message,
        *await _around(session, viewer, message, is_before=False),
    ]
    files = await chat.attachments_by_message_ids(session, viewer, [one.id for one in shown])
    version = db.MessageVersion
    earlier = await session.scalars(
        select(version.text).where(version.message_id == message.id).order_by(version.version)
    )
    earlier_texts = list(earlier)
    session.add_all(
        db.Evidence(
            report_id=report.id,
            position=position,
            author_id=one.author_id,
            text=one.text,
            is_reported=one is message,
            sent_at=one.created_at,
            earlier_texts=earlier_texts if one is message else [],
            file_names=[file.upload.file_name for file in files.get(one.id, ())],
        )
        for position, one in enumerate(shown)
    )
    await session.flush()


async def evidence_by_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, list[db.Evidence]]:
    """Load what was kept with reports that the viewer handles, the oldest message first."""
    if viewer is None:
        return {}
    rows = await session.scalars(
        select(db.Evidence)
        .join(db.Report, db.Report.id == db.Evidence.report_id)
        .where(db.is_one_of(db.Evidence.report_id, ids), is_handled_by(viewer))
        .order_by(db.Evidence.report_id, db.Evidence.position)
    )
    found: defaultdict[uuid.UUID, list[db.Evidence]] = defaultdict(list)
    for row in rows:
        found[row.report_id].append(row)
    return found


async def look(session: WriteSession, viewer: Viewer, report_ids: Sequence[uuid.UUID]) -> None:
    """Write down that somebody looks at what was kept with reports, before he does."""
    report = db.Report
    rows = await session.execute(
        select(report.id, report.reported_id).where(report.id.in_(report_ids), is_handled_by(viewer))
    )
    entries = [
        db.AuditEntry(
            action=AuditAction.LOOK_AT_REPORT,
            actor_id=viewer.account_id,
            target_id=row.reported_id,
            detail={"report": str(row.id)},
        )
        for row in rows.all()
    ]
    await audit.record_all(session, entries)


async def forget(session: WriteSession, account_ids: Collection[uuid.UUID]) -> None:
    """Take accounts that go out of reports and of what was kept with them; the words stay, signed by nobody."""
    report, evidence = db.Report, db.Evidence
    await session.execute(
        update(report)
        .where(db.is_one_of(report.reported_id, account_ids))
        .values(reported_id=None, profile=None)
        .execution_options(synchronize_session=False)
    )
    for row, column in (
        (report, report.reporter_id),
        (report, report.assignee_id),
        (evidence, evidence.author_id),
    ):
        await session.execute(
            update(row)
            .where(db.is_one_of(column, account_ids))
            .values({column: None})
            .execution_options(synchronize_session=False)
        )


async def _around(
    session: ReadSession, viewer: Viewer, message: db.Message, *, is_before: bool
) -> Sequence[db.Message]:
    """Give the nearest messages of people on one side, the nearest first."""
    other = db.Message
    rows = await session.scalars(
        select(other)
        .where(
            other.chat_id == message.chat_id,
            other.seq < message.seq if is_before else other.seq > message.seq,
            other.kind == MessageKind.TEXT,
            is_shown(viewer),
        )
        .order_by(other.seq.desc() if is_before else other.seq)
        .limit(AROUND)
    )
    found: Sequence[db.Message] = rows.all()
    return found
