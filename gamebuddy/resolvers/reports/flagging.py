"""Reports by the word filter: nobody filed them, and the author learns of them from nobody."""

from datetime import UTC, datetime

from sqlalchemy.dialects.postgresql import insert

from gamebuddy import db
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import ReportReason, ReportSubject, WriteSession
from gamebuddy.resolvers.reports.evidence import freeze_messages, profile_of
from gamebuddy.resolvers.reports.filing import LONGEST_COMMENT
from gamebuddy.resolvers.wording import Flagged


async def file_flagged(session: WriteSession, viewer: Viewer, flagged: Flagged) -> None:
    """Tell the staff of what the viewer has written: of the message with those around it, else of himself.

    While a report of the same by the filter is open, there is no second one.
    """
    row, message = db.Report, flagged.message
    filed: db.Report | None = await session.scalar(
        insert(row)
        .values(
            id=db.new_id(),
            subject=ReportSubject.USER if message is None else ReportSubject.MESSAGE,
            reporter_id=None,
            reported_id=viewer.account_id,
            message_id=message.id if message else None,
            reason=ReportReason.OTHER,
            comment=("Flagged by the word filter: " + ", ".join(flagged.phrases))[:LONGEST_COMMENT],
            profile=await profile_of(session, viewer.account_id),
            is_by_filter=True,
        )
        .on_conflict_do_nothing()
        .returning(row)
    )
    if filed is None:
        return
    if message is not None:
        await freeze_messages(session, viewer, filed, message)
        return
    session.add(
        db.Evidence(
            report_id=filed.id,
            position=0,
            author_id=viewer.account_id,
            text=flagged.text,
            is_reported=True,
            sent_at=datetime.now(UTC),
        )
    )
    await session.flush()
