"""Chats, their members and messages."""

import uuid
from datetime import date
from enum import StrEnum

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from gamebuddy.db.base import CreatedAt, Id, Moment, Row, account_id_column, new_id


class ChatKind(StrEnum):
    """Between two, or a group."""

    DIRECT = "DIRECT"
    GROUP = "GROUP"


class MemberRole(StrEnum):
    """What a member may do in a group, whatever the account's role."""

    OWNER = "OWNER"
    ADMIN = "ADMIN"
    MEMBER = "MEMBER"


class MessageKind(StrEnum):
    """Written by a person, or by the chat itself."""

    TEXT = "TEXT"
    SYSTEM = "SYSTEM"


class Chat(Row):
    """A conversation. Its row is locked by every write to it, which puts the writes and their numbers in one order.

    `last_seq` numbers the events, `message_count` the messages: unread messages are a subtraction, not a scan.
    `last_activity_at` is when the newest message was sent or the newest member came; it never goes back.
    """

    __tablename__ = "chats"
    __table_args__ = (
        Index("uq_chats_pair", "first_account_id", "second_account_id", unique=True),
        Index("uq_chats_creator_id_client_id", "creator_id", "client_id", unique=True),
        CheckConstraint("(kind = 'DIRECT') = (first_account_id IS NOT NULL)", name="pair_is_direct"),
        CheckConstraint("first_account_id < second_account_id", name="pair_order"),
    )

    id: Mapped[Id] = mapped_column(default_factory=new_id)
    kind: Mapped[ChatKind]
    title: Mapped[str | None] = mapped_column(default=None)
    first_account_id: Mapped[uuid.UUID | None] = mapped_column(account_id_column(), default=None)
    second_account_id: Mapped[uuid.UUID | None] = mapped_column(account_id_column(), default=None)
    creator_id: Mapped[uuid.UUID | None] = mapped_column(account_id_column(on_delete="SET NULL"), default=None)
    client_id: Mapped[uuid.UUID | None] = mapped_column(default=None)
    client_digest: Mapped[bytes | None] = mapped_column(LargeBinary, default=None)  # what client_id was sent with
    last_seq: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    message_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    member_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    last_activity_at: Mapped[CreatedAt] = mapped_column(init=False)
    created_at: Mapped[CreatedAt] = mapped_column(init=False)


class ChatMember(Row):
    """Who is in a chat, and how far he has read: up to event `last_read_seq`, which is `read_count` messages.

    `active_on` is the day (UTC) of the chat's `last_activity_at`, so that the chat list reads few chats and a message
    writes to the rows of all members only once a day: docs/decisions/0010-chat-list-order.md.
    """

    __tablename__ = "chat_members"
    __table_args__ = (
        Index("ix_chat_members_list", "account_id", "is_archived", text("active_on DESC")),
        Index("ix_chat_members_chat_id_joined_at", "chat_id", "joined_at", "account_id"),
    )

    chat_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("chats.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[uuid.UUID] = mapped_column(account_id_column(), primary_key=True)
    role: Mapped[MemberRole] = mapped_column(default=MemberRole.MEMBER)
    invited_by_id: Mapped[uuid.UUID | None] = mapped_column(account_id_column(on_delete="SET NULL"), default=None)
    joined_at: Mapped[CreatedAt] = mapped_column(init=False)
    last_read_seq: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    read_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    active_on: Mapped[date] = mapped_column(Date, server_default=text("(now() AT TIME ZONE 'UTC')::date"), init=False)
    muted_until: Mapped[Moment | None] = mapped_column(default=None)
    is_archived: Mapped[bool] = mapped_column(default=False, server_default=text("false"))


class Message(Row):
    """One message. `seq` is the number of the event that sent it, `number` its place among the chat's messages, from 1.

    `(author_id, client_id)` is unique for ever: a repeated send finds the first message.
    """

    __tablename__ = "messages"
    __table_args__ = (
        Index("uq_messages_chat_id_seq", "chat_id", "seq", unique=True),
        Index("uq_messages_author_id_client_id", "author_id", "client_id", unique=True),
    )

    id: Mapped[Id] = mapped_column(default_factory=new_id)
    chat_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("chats.id", ondelete="CASCADE"))
    seq: Mapped[int]
    number: Mapped[int]
    kind: Mapped[MessageKind] = mapped_column(default=MessageKind.TEXT)
    author_id: Mapped[uuid.UUID | None] = mapped_column(account_id_column(on_delete="SET NULL"), default=None)
    client_id: Mapped[uuid.UUID | None] = mapped_column(default=None)
    text: Mapped[str]
    reply_to_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("messages.id", ondelete="SET NULL"), default=None)
    created_at: Mapped[CreatedAt] = mapped_column(init=False)
    deleted_at: Mapped[Moment | None] = mapped_column(default=None)  # the text is gone with it
