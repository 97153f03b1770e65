"""Copies of their own data that people have asked for."""

import uuid

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from gamebuddy.db.base import CreatedAt, Id, Moment, Row, account_id_column, new_id


class Export(Row):
    """One archive an account; it lies in the store of files under this id, and goes before its row does.

    A process that makes it says so in `begun_at`, and whoever finds that long ago makes it anew: only the last one to
    begin sets `ready_at`. Nobody is shown it after `expires_at`, nor when its account is gone.
    """

    __tablename__ = "exports"
    __table_args__ = (
        Index("ix_exports_pending", "requested_at", postgresql_where=text("ready_at IS NULL")),
        Index("ix_exports_expires_at", "expires_at"),
    )

    id: Mapped[Id] = mapped_column(default_factory=new_id)
    account_id: Mapped[uuid.UUID | None] = mapped_column(account_id_column(on_delete="SET NULL"), unique=True)
    requested_at: Mapped[CreatedAt] = mapped_column(init=False)
    begun_at: Mapped[Moment | None] = mapped_column(default=None)
    ready_at: Mapped[Moment | None] = mapped_column(default=None)
    byte_size: Mapped[int | None] = mapped_column(default=None)
    expires_at: Mapped[Moment]
