"""Chats, their members and messages."""

import uuid
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
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


class WhoMay(StrEnum):
    """Who of a group may do something."""

    OWNER = "OWNER"
    ADMINS = "ADMINS"
    EVERYONE = "EVERYONE"


class MessageKind(StrEnum):
    """Written by a person, or by the chat itself."""

    TEXT = "TEXT"
    SYSTEM = "SYSTEM"


class Chat(Row):
    """A conversation. Its row is locked by every write to it, which puts the writes and their numbers in one order.

    `last_seq` numbers the events, `message_count` the messages: unread messages are a subtraction, not a scan.
    `last_activity_at` is when the newest message was sent or the newest member came; it never goes back. A newcomer
    sees the last `history_for_newcomers` messages, null for all. Of a direct chat the first of the two is left when
    the other one is erased.
    """

    __tablename__ = "chats"
    __table_args__ = (
        Index("uq_chats_pair", "first_account_id", "second_account_id", unique=True),
        Index("uq_chats_creator_id_client_id", "creator_id", "client_id", unique=True),
        Index("ix_chats_avatar_id", "avatar_id", postgresql_where=text("avatar_id IS NOT NULL")),
        Index(
            "ix_chats_second_account_id",
            "second_account_id",
            postgresql_where=text("second_account_id IS NOT NULL"),
        ),
        CheckConstraint("(kind = 'DIRECT') = (first_account_id IS NOT NULL)", name="pair_is_direct"),
        CheckConstraint("first_account_id < second_account_id", name="pair_order"),
    )

    id: Mapped[Id] = mapped_column(default_factory=new_id)
    kind: Mapped[ChatKind]
    title: Mapped[str | None] = mapped_column(default=None)
    avatar_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("uploads.id"), default=None)
    first_account_id: Mapped[uuid.UUID | None] = mapped_column(account_id_column(), default=None)
    second_account_id: Mapped[uuid.UUID | None] = mapped_column(account_id_column(), default=None)
    creator_id: Mapped[uuid.UUID | None] = mapped_column(account_id_column(on_delete="SET NULL"), default=None)
    client_id: Mapped[uuid.UUID | None] = mapped_column(default=None)
    client_digest: Mapped[bytes | None] = mapped_column(LargeBinary, default=None)  # what client_id was sent with
    last_seq: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    message_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    member_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    who_may_invite: Mapped[WhoMay] = mapped_column(default=WhoMay.EVERYONE, server_default=WhoMay.EVERYONE)
    who_may_pin: Mapped[WhoMay] = mapped_column(default=WhoMay.ADMINS, server_default=WhoMay.ADMINS)
    who_may_edit_info: Mapped[WhoMay] = mapped_column(default=WhoMay.ADMINS, server_default=WhoMay.ADMINS)
    who_may_write: Mapped[WhoMay] = mapped_column(default=WhoMay.EVERYONE, server_default=WhoMay.EVERYONE)
    history_for_newcomers: Mapped[int | None] = mapped_column(default=None)
    slow_mode_seconds: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    last_activity_at: Mapped[CreatedAt] = mapped_column(init=False)
    created_at: Mapped[CreatedAt] = mapped_column(init=False)


class ChatMember(Row):
    """Who is in a chat, and how far he has read: up to event `last_read_seq`, which is `read_count` messages.

    The first `hidden_count` messages of the chat are not shown to him. `wrote_at` is when he last wrote, for slow mode.
    `active_on` is the day (UTC) of the chat's `last_activity_at`, so that the chat list reads few chats and a message
    writes to the rows of all members only once a day: docs/decisions/0010-chat-list-order.md.
    """

    __tablename__ = "chat_members"
    __table_args__ = (
        Index("ix_chat_members_list", "account_id", "is_archived", text("active_on DESC")),
        Index("ix_chat_members_chat_id_joined_at", "chat_id", "joined_at", "account_id"),
        Index("ix_chat_members_invited_by_id", "invited_by_id", postgresql_where=text("invited_by_id IS NOT NULL")),
    )

    chat_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("chats.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[uuid.UUID] = mapped_column(account_id_column(), primary_key=True)
    role: Mapped[MemberRole] = mapped_column(default=MemberRole.MEMBER)
    invited_by_id: Mapped[uuid.UUID | None] = mapped_column(account_id_column(on_delete="SET NULL"), default=None)
    joined_at: Mapped[CreatedAt] = mapped_column(init=False)
    last_read_seq: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    read_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    hidden_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    wrote_at: Mapped[Moment | None] = mapped_column(default=None)
    active_on: Mapped[date] = mapped_column(Date, server_default=text("(now() AT TIME ZONE 'UTC')::date"), init=False)
    muted_until: Mapped[Moment | None] = mapped_column(default=None)
    is_archived: Mapped[bool] = mapped_column(default=False, server_default=text("false"))


class Message(Row):
    """One message. `seq` is the number of the event that sent it, `number` its place among the chat's messages, from 1.

    `(author_id, client_id)` is unique for ever: a repeated send finds the first message. A message of the chat itself
    has no text: `news` says what happened, and readers are told in their own language.
    """

    __tablename__ = "messages"
    __table_args__ = (
        Index("uq_messages_chat_id_seq", "chat_id", "seq", unique=True),
        Index("uq_messages_author_id_client_id", "author_id", "client_id", unique=True),
        Index("ix_messages_pinned", "chat_id", "pinned_at", "id", postgresql_where=text("pinned_at IS NOT NULL")),
        # Found by the words of both languages, within a chat: needs the extension btree_gin.
        Index("ix_messages_words", "chat_id", text("message_words(text)"), postgresql_using="gin"),
        Index("ix_messages_calls", "chat_id", "seq", postgresql_where=text("calls_everyone")),
        Index(
            "ix_messages_forwarded_from_id",
            "forwarded_from_id",
            postgresql_where=text("forwarded_from_id IS NOT NULL"),
        ),
        Index(
            "ix_messages_news",
            "news",
            postgresql_using="gin",
            postgresql_ops={"news": "jsonb_path_ops"},
            postgresql_where=text("news IS NOT NULL"),
        ),
    )

    id: Mapped[Id] = mapped_column(default_factory=new_id)
    chat_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("chats.id", ondelete="CASCADE"))
    seq: Mapped[int]
    number: Mapped[int]
    kind: Mapped[MessageKind] = mapped_column(default=MessageKind.TEXT)
    author_id: Mapped[uuid.UUID | None] = mapped_column(account_id_column(on_delete="SET NULL"), default=None)
    client_id: Mapped[uuid.UUID | None] = mapped_column(default=None)
    calls_everyone: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    text: Mapped[str]
    reply_to_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("messages.id", ondelete="SET NULL"), default=None)
    created_at: Mapped[CreatedAt] = mapped_column(init=False)
    deleted_at: Mapped[Moment | None] = mapped_column(default=None)  # the text is gone with it
    edited_at: Mapped[Moment | None] = mapped_column(default=None)
    pinned_at: Mapped[Moment | None] = mapped_column(default=None)
    forwarded_from_id: Mapped[uuid.UUID | None] = mapped_column(account_id_column(on_delete="SET NULL"), default=None)
    news: Mapped[dict[str, Any] | None] = mapped_column(JSONB, default=None)


class MessageVersion(Row):
    """What a message said before it was changed or deleted, until `replaced_at`; for moderators."""

    __tablename__ = "message_versions"

    message_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)  # from 1
    text: Mapped[str]
    replaced_at: Mapped[CreatedAt] = mapped_column(init=False)


class Mention(Row):
    """A message names a member. `chat_id` and `seq` are the message's, so that unread mentions are a range."""

    __tablename__ = "mentions"
    __table_args__ = (Index("ix_mentions_account_id_chat_id_seq", "account_id", "chat_id", "seq"),)

    message_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[uuid.UUID] = mapped_column(account_id_column(), primary_key=True)
    chat_id: Mapped[uuid.UUID]
    seq: Mapped[int]


class Reaction(Row):
    """A member's sign under a message."""

    __tablename__ = "reactions"
    __table_args__ = (Index("ix_reactions_account_id", "account_id"),)

    message_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True)
    emoji: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[uuid.UUID] = mapped_column(account_id_column(), primary_key=True)
    created_at: Mapped[CreatedAt] = mapped_column(init=False)


class HiddenMessage(Row):
    """A message that one member has deleted for himself alone."""

    __tablename__ = "hidden_messages"
    __table_args__ = (Index("ix_hidden_messages_message_id", "message_id"),)

    account_id: Mapped[uuid.UUID] = mapped_column(account_id_column(), primary_key=True)
    message_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True)


class InviteLink(Row):
    """A way into a group for whoever has its code, until it expires, is used up or revoked."""

    __tablename__ = "invite_links"
    __table_args__ = (
        Index("ix_invite_links_chat_id", "chat_id", "id"),
        Index("ix_invite_links_created_by_id", "created_by_id"),
        CheckConstraint("max_uses IS NULL OR use_count <= max_uses", name="uses"),
    )

    id: Mapped[Id] = mapped_column(default_factory=new_id)
    chat_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("chats.id", ondelete="CASCADE"))
    created_by_id: Mapped[uuid.UUID] = mapped_column(account_id_column())
    code: Mapped[str] = mapped_column(unique=True)
    expires_at: Mapped[Moment | None] = mapped_column(default=None)
    max_uses: Mapped[int | None] = mapped_column(default=None)
    use_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    revoked_at: Mapped[Moment | None] = mapped_column(default=None)
    created_at: Mapped[CreatedAt] = mapped_column(init=False)
