"""What the staff does: sanctions, and the log of every privileged act."""

import uuid
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gamebuddy.db.base import CreatedAt, Id, Moment, Row, account_id_column, new_id


class SanctionKind(StrEnum):
    """What is taken from an account for a while, or for ever."""

    MUTE = "MUTE"
    BAN = "BAN"


class Sanction(Row):
    """One sanction with its reason. Those in force are counted together in the account's own row."""

    __tablename__ = "sanctions"
    __table_args__ = (
        Index("ix_sanctions_account_id_id", "account_id", "id"),
        Index(
            "uq_sanctions_in_force",
            "account_id",
            "kind",
            unique=True,
            postgresql_where=text("lifted_at IS NULL"),
        ),
        Index("ix_sanctions_report_id", "report_id", postgresql_where=text("report_id IS NOT NULL")),
    )

    id: Mapped[Id] = mapped_column(default_factory=new_id)
    account_id: Mapped[uuid.UUID] = mapped_column(account_id_column())
    kind: Mapped[SanctionKind]
    reason: Mapped[str]
    by_id: Mapped[uuid.UUID | None] = mapped_column(account_id_column(on_delete="SET NULL"), default=None)
    created_at: Mapped[CreatedAt] = mapped_column(init=False)
    until: Mapped[Moment | None] = mapped_column(default=None)  # null: for ever
    lifted_at: Mapped[Moment | None] = mapped_column(default=None)  # by somebody, by time, or by the next of its kind
    report_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("reports.id", ondelete="SET NULL"), default=None)


class AppealStatus(StrEnum):
    """What has become of an appeal."""

    OPEN = "OPEN"
    ACCEPTED = "ACCEPTED"
    DECLINED = "DECLINED"


class Appeal(Row):
    """Somebody asks for another look at his sanction; once for each."""

    __tablename__ = "appeals"
    __table_args__ = (Index("ix_appeals_status_id", "status", "id"),)

    id: Mapped[Id] = mapped_column(default_factory=new_id)
    sanction_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("sanctions.id", ondelete="CASCADE"), unique=True)
    text: Mapped[str]
    status: Mapped[AppealStatus] = mapped_column(default=AppealStatus.OPEN, server_default=AppealStatus.OPEN)
    answer: Mapped[str | None] = mapped_column(default=None)
    answered_by_id: Mapped[uuid.UUID | None] = mapped_column(account_id_column(on_delete="SET NULL"), default=None)
    created_at: Mapped[CreatedAt] = mapped_column(init=False)
    answered_at: Mapped[Moment | None] = mapped_column(default=None)


class AccountNote(Row):
    """What the staff has written down about an account, for the staff alone."""

    __tablename__ = "account_notes"
    __table_args__ = (
        Index("ix_account_notes_account_id_id", "account_id", "id"),
        Index("ix_account_notes_author_id", "author_id"),
    )

    id: Mapped[Id] = mapped_column(default_factory=new_id)
    account_id: Mapped[uuid.UUID] = mapped_column(account_id_column())
    author_id: Mapped[uuid.UUID | None] = mapped_column(account_id_column(on_delete="SET NULL"))
    text: Mapped[str]
    created_at: Mapped[CreatedAt] = mapped_column(init=False)


class AuditAction(StrEnum):
    """What is written down."""

    SET_ROLE = "SET_ROLE"
    CREATE_USER = "CREATE_USER"
    SANCTION = "SANCTION"
    LIFT_SANCTION = "LIFT_SANCTION"
    ANSWER_APPEAL = "ANSWER_APPEAL"
    LOOK_AT_ACCOUNTS = "LOOK_AT_ACCOUNTS"
    LOOK_AT_REPORT = "LOOK_AT_REPORT"
    CLAIM_REPORT = "CLAIM_REPORT"
    RELEASE_REPORT = "RELEASE_REPORT"
    RESOLVE_REPORT = "RESOLVE_REPORT"
    HIDE_MESSAGE = "HIDE_MESSAGE"
    REFUSED = "REFUSED"
    SESSION_STOLEN = "SESSION_STOLEN"
    CHANGE_PASSWORD = "CHANGE_PASSWORD"  # noqa: S105 - the name of an action
    RESET_PASSWORD = "RESET_PASSWORD"  # noqa: S105 - the name of an action
    CHANGE_EMAIL = "CHANGE_EMAIL"
    UNDO_EMAIL_CHANGE = "UNDO_EMAIL_CHANGE"
    ADD_SECOND_FACTOR = "ADD_SECOND_FACTOR"
    REMOVE_SECOND_FACTOR = "REMOVE_SECOND_FACTOR"
    DELETE_ACCOUNT = "DELETE_ACCOUNT"
    RESTORE_ACCOUNT = "RESTORE_ACCOUNT"
    SAVE_GAME = "SAVE_GAME"
    SAVE_GENRE = "SAVE_GENRE"
    MERGE_GAMES = "MERGE_GAMES"
    SAVE_WORD_RULE = "SAVE_WORD_RULE"
    DELETE_WORD_RULE = "DELETE_WORD_RULE"
    SET_LIMIT = "SET_LIMIT"
    ADD_ACCOUNT_NOTE = "ADD_ACCOUNT_NOTE"


class AuditEntry(Row):
    """One act, written in the transaction that did it. Triggers keep rows from being changed or taken away.

    All but one thing: of an account that is gone for good, `audit_forget` takes out the id and the words about it.
    """

    __tablename__ = "audit_log"
    __table_args__ = (
        Index("ix_audit_log_actor_id_number", "actor_id", "number"),
        Index("ix_audit_log_target_id_number", "target_id", "number"),
    )

    id: Mapped[Id] = mapped_column(default_factory=new_id)
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), unique=True, init=False)
    # No foreign keys: the log neither keeps an account from being erased nor changes when it is.
    actor_id: Mapped[uuid.UUID | None]
    action: Mapped[AuditAction]
    target_id: Mapped[uuid.UUID | None] = mapped_column(default=None)
    reason: Mapped[str | None] = mapped_column(default=None)
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, default_factory=dict)
    at: Mapped[CreatedAt] = mapped_column(init=False)


class AuditLink(Row):
    """The place of an entry in the chain, made by a trigger when its transaction commits: order and no gaps.

    `hash` covers the link before and what never changes of the entry. What may have to be forgotten it covers through
    seals: a salt of 16 bytes and the SHA-256 digest of salt and value. Who forgets drops the salt.
    """

    __tablename__ = "audit_chain"

    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("audit_log.id"), unique=True)
    actor: Mapped[bytes] = mapped_column(LargeBinary)
    target: Mapped[bytes] = mapped_column(LargeBinary)
    words: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
