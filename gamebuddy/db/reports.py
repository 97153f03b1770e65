"""Reports of people and messages, and what was seen when they were made."""

import uuid
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, Text, false, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gamebuddy.db.base import CreatedAt, Id, Items, Moment, Row, account_id_column, new_id


class ReportReason(StrEnum):
    """What is wrong with it."""

    SPAM = "SPAM"
    HARASSMENT = "HARASSMENT"
    HATE = "HATE"
    CHEATING = "CHEATING"
    SEXUAL_CONTENT = "SEXUAL_CONTENT"
    UNDERAGE = "UNDERAGE"
    IMPERSONATION = "IMPERSONATION"
    OTHER = "OTHER"


class ReportStatus(StrEnum):
    """How far a report has come."""

    OPEN = "OPEN"
    IN_REVIEW = "IN_REVIEW"
    ACTIONED = "ACTIONED"
    DISMISSED = "DISMISSED"


class ReportSubject(StrEnum):
    """What a report is about."""

    USER = "USER"
    MESSAGE = "MESSAGE"


class Report(Row):
    """Somebody says that a player, or what he wrote, breaks the rules.

    The word filter says so, too (`is_by_filter`): then there is no reporter, as there is none once he is erased.
    `profile` is how the reported one showed himself then. When an account is erased the ids go and the words stay;
    `subject` keeps an open report of a message from becoming a second one of its author.
    """

    __tablename__ = "reports"
    __table_args__ = (
        Index(
            "uq_reports_open_about_user",
            "reporter_id",
            "reported_id",
            unique=True,
            postgresql_where=text("subject = 'USER' AND closed_at IS NULL"),
        ),
        Index(
            "uq_reports_open_about_message",
            "reporter_id",
            "message_id",
            unique=True,
            postgresql_where=text("subject = 'MESSAGE' AND closed_at IS NULL"),
        ),
        Index(
            "uq_reports_open_of_filter_about_user",
            "reported_id",
            unique=True,
            postgresql_where=text("is_by_filter AND subject = 'USER' AND closed_at IS NULL"),
        ),
        Index(
            "uq_reports_open_of_filter_about_message",
            "message_id",
            unique=True,
            postgresql_where=text("is_by_filter AND subject = 'MESSAGE' AND closed_at IS NULL"),
        ),
        Index("ix_reports_status_id", "status", "id"),
        Index("ix_reports_reporter_id_id", "reporter_id", "id"),
        Index("ix_reports_reported_id_id", "reported_id", "id"),
        Index("ix_reports_message_id", "message_id"),
        Index("ix_reports_assignee_id", "assignee_id"),
        CheckConstraint("(closed_at IS NULL) = (status IN ('OPEN', 'IN_REVIEW'))", name="closed"),
    )

    id: Mapped[Id] = mapped_column(default_factory=new_id)
    subject: Mapped[ReportSubject]
    reporter_id: Mapped[uuid.UUID | None] = mapped_column(account_id_column(on_delete="SET NULL"))
    reported_id: Mapped[uuid.UUID | None] = mapped_column(account_id_column(on_delete="SET NULL"))
    message_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("messages.id", ondelete="SET NULL"), default=None)
    reason: Mapped[ReportReason]
    comment: Mapped[str | None] = mapped_column(default=None)
    profile: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True), default=None)
    status: Mapped[ReportStatus] = mapped_column(default=ReportStatus.OPEN, server_default=ReportStatus.OPEN)
    assignee_id: Mapped[uuid.UUID | None] = mapped_column(account_id_column(on_delete="SET NULL"), default=None)
    claimed_at: Mapped[Moment | None] = mapped_column(default=None)
    resolution: Mapped[str | None] = mapped_column(default=None)
    is_by_filter: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[CreatedAt] = mapped_column(init=False)
    closed_at: Mapped[Moment | None] = mapped_column(default=None)


class Evidence(Row):
    """A message as the reporter saw it, or a text that was flagged; `earlier_texts` only the staff may see."""

    __tablename__ = "evidence"
    __table_args__ = (Index("ix_evidence_author_id", "author_id"),)

    report_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("reports.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    author_id: Mapped[uuid.UUID | None] = mapped_column(account_id_column(on_delete="SET NULL"))
    text: Mapped[str]
    is_reported: Mapped[bool]
    sent_at: Mapped[Moment]
    earlier_texts: Mapped[list[str]] = mapped_column(Items(Text), default_factory=list)
    file_names: Mapped[list[str]] = mapped_column(Items(Text), default_factory=list)
