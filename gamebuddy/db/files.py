"""Files that players have sent."""

import uuid
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from gamebuddy.db.base import CreatedAt, Id, Moment, Row, account_id_column, new_id


class UploadPurpose(StrEnum):
    """What a file is sent for."""

    AVATAR = "AVATAR"
    ATTACHMENT = "ATTACHMENT"


class Upload(Row):
    """A file: announced, then sent to the store under this id, then checked, then used, once.

    `byte_size` is what was announced, and what is kept once it is checked; `width` and `height` are a picture's, in
    pixels. `idle_since` is null while something shows the file; a day later housekeeping deletes it, file first. The
    row is there before the file, so that no file is ever left without one.
    """

    __tablename__ = "uploads"
    __table_args__ = (
        Index("ix_uploads_account_id", "account_id"),
        Index("ix_uploads_idle_since", "idle_since", postgresql_where=text("idle_since IS NOT NULL")),
    )

    id: Mapped[Id] = mapped_column(default_factory=new_id)
    account_id: Mapped[uuid.UUID | None] = mapped_column(account_id_column(on_delete="SET NULL"))
    purpose: Mapped[UploadPurpose]
    file_name: Mapped[str]
    media_type: Mapped[str]
    byte_size: Mapped[int]
    width: Mapped[int | None] = mapped_column(default=None)
    height: Mapped[int | None] = mapped_column(default=None)
    checked_at: Mapped[Moment | None] = mapped_column(default=None)
    used_at: Mapped[Moment | None] = mapped_column(default=None)
    created_at: Mapped[CreatedAt] = mapped_column(init=False)
    idle_since: Mapped[Moment | None] = mapped_column(server_default=text("now()"), init=False)


class Attachment(Row):
    """A file under a message; a forwarded message shows the same file again."""

    __tablename__ = "attachments"
    __table_args__ = (
        Index("uq_attachments_message_id_position", "message_id", "position", unique=True),
        Index("ix_attachments_upload_id", "upload_id"),
    )

    id: Mapped[Id] = mapped_column(default_factory=new_id)
    message_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"))
    upload_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("uploads.id"))
    position: Mapped[int]
