"""The event log: every lasting change, in the transaction that made it."""

import uuid
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gamebuddy.db.base import CreatedAt, Moment, Row, account_id_column


class Event(Row):
    """One thing that happened in a chat (`chat_id` and `seq` are set), to an account (`account_id` is set), or both.

    `xid` is the writing transaction. A reader's place is a transaction below which all have ended, not an id: a plain
    "id > last" would lose rows whose transaction took its id early and committed late.
    """

    __tablename__ = "events"
    __table_args__ = (
        Index("uq_events_chat_id_seq", "chat_id", "seq", unique=True, postgresql_where=text("chat_id IS NOT NULL")),
        Index("ix_events_xid_id", "xid", "id"),
        Index("ix_events_chat_id_xid", "chat_id", "xid", "id"),
        Index("ix_events_account_id_xid", "account_id", "xid", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True, init=False)
    xid: Mapped[int] = mapped_column(BigInteger, server_default=text("pg_current_xact_id()::text::bigint"), init=False)
    kind: Mapped[str]
    chat_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("chats.id", ondelete="CASCADE"), default=None)
    seq: Mapped[int | None] = mapped_column(default=None)
    account_id: Mapped[uuid.UUID | None] = mapped_column(account_id_column(), default=None)
    actor_id: Mapped[uuid.UUID | None] = mapped_column(account_id_column(on_delete="SET NULL"), default=None)
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB, default_factory=dict)
    created_at: Mapped[CreatedAt] = mapped_column(init=False)


class EventLog(Row):
    """One row. The epoch changes when history is rewritten: cursors of another epoch are no place.

    `trimmed_xid` is the last transaction of which events were trimmed by age; whoever has not seen all before has lost
    some.
    """

    __tablename__ = "event_log"

    epoch: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    trimmed_xid: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))


class Lease(Row):
    """A process (`node`) holds sockets of an account until `until`, unless it says so again; unlogged: never kept.

    `active_at` is when the account last did something there, `game_id` what it says it is playing. No foreign keys:
    what is left of an account that has gone ends by itself.
    """

    __tablename__ = "leases"
    __table_args__ = (Index("ix_leases_until", "until"), {"prefixes": ["UNLOGGED"]})

    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    node: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    until: Mapped[Moment]
    active_at: Mapped[Moment]
    game_id: Mapped[uuid.UUID | None] = mapped_column(default=None)
