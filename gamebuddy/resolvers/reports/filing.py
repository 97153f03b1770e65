"""Reporting somebody, or what he wrote."""

import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from gamebuddy import db, text
from gamebuddy.auth.throttle import Hit, Limit, Throttle
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import MessageKind, ReportReason, ReportSubject, WriteSession
from gamebuddy.errors import Code, reject
from gamebuddy.resolvers import accounts
from gamebuddy.resolvers.chat.access import access_message
from gamebuddy.resolvers.reports.evidence import freeze_messages, profile_of

LONGEST_COMMENT = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is reported: a player or a message, by its id."""

    user_id: uuid.UUID | None = None
    message_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class _Meant:
    """What a subject turned out to be."""

    author_id: uuid.UUID | None
    message: db.Message | None = None


async def file_report(
    session: WriteSession,
    viewer: Viewer,
    *,
    throttle: Throttle,
    subject: Subject,
    reason: ReportReason,
    comment: str | None,
) -> db.Report:
    """Tell the staff of a player or a message, with what the viewer sees at this moment.

    While a report of the same is open, a repeat gives that one and changes nothing in it.

    Raises:
        Rejected: NOT_FOUND for what the viewer cannot see; INVALID for oneself; NOT_ALLOWED for what the chat itself
            says; as `text.checked` for the comment; RETRY_LATER after 20, then one in five minutes.
    """
    if comment is not None:
        comment = text.checked(comment, "comment", longest=LONGEST_COMMENT)
    await throttle.take(session, Hit(Limit.REPORT, str(viewer.account_id)))
    meant = await _find_meant(session, viewer, subject)
    row, kind = db.Report, ReportSubject.USER if meant.message is None else ReportSubject.MESSAGE
    same = (
        row.reporter_id == viewer.account_id,
        row.subject == kind,
        row.message_id == meant.message.id if meant.message else row.reported_id == meant.author_id,
    )
    filed: db.Report | None = await session.scalar(
        insert(row)
        .values(
            id=db.new_id(),
            subject=kind,
            reporter_id=viewer.account_id,
            reported_id=meant.author_id,
            message_id=meant.message.id if meant.message else None,
            reason=reason,
            comment=comment,
            profile=await profile_of(session, meant.author_id),
        )
        .on_conflict_do_nothing()  # an index allows one open report of a reporter about the same
        .returning(row)
    )
    if filed is None:
        filed = (await session.scalars(select(row).where(*same).order_by(row.id.desc()).limit(1))).one()
    elif meant.message is not None:
        await freeze_messages(session, viewer, filed, meant.message)
    return filed


async def _find_meant(session: WriteSession, viewer: Viewer, subject: Subject) -> _Meant:
    if subject.message_id is not None:
        message = await access_message(session, viewer, subject.message_id, "subject", "message_id")
        if message.kind is MessageKind.SYSTEM:
            raise reject(Code.NOT_ALLOWED, "Nobody wrote this.", "subject", "message_id")
        meant = _Meant(message.author_id, message)
    else:
        account = await accounts.find(session, viewer, account_id=subject.user_id)
        if account is None:
            raise reject(Code.NOT_FOUND, "There is no such player.", "subject", "user_id")
        meant = _Meant(account.id)
    if meant.author_id == viewer.account_id:
        raise reject(Code.INVALID, "You cannot report yourself.", "subject")
    return meant
