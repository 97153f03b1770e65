"""Sending messages."""

import uuid

from sqlalchemy import case, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from gamebuddy import db, text
from gamebuddy.auth.throttle import Hit, Limit, Throttle
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import ChatKind, WriteSession
from gamebuddy.errors import Code, reject
from gamebuddy.events import log
from gamebuddy.events.types import MessageSent
from gamebuddy.resolvers.chat.access import advance, day_of, is_open_to, lock_chat, other_of

LONGEST_TEXT = 4_000


async def send_message(
    session: WriteSession,
    viewer: Viewer,
    *,
    throttle: Throttle,
    chat_id: uuid.UUID,
    client_id: uuid.UUID,
    text: str | None,
    reply_to_id: uuid.UUID | None,
) -> db.Message:
    """Write to a chat. The same `client_id` gives the first message back, for ever and on every node.

    The text is stored as it is typed. The author has read everything up to his own message.

    Raises:
        Rejected: for the text; NOT_FOUND for the chat and for a reply to what is not in it; NOT_ALLOWED where the other
            one of a direct chat cannot be written to; IDEMPOTENCY_MISMATCH when the `client_id` came with something
            else; RETRY_LATER after a burst.
    """
    content = _checked(text)
    # Counted in a transaction of its own: a burst that waited for one another here would hold every connection.
    await session.let_go()
    await throttle.take(session, Hit(Limit.SEND_MESSAGE, str(viewer.account_id)))
    chat, _ = await lock_chat(session, viewer, chat_id)
    # The lock makes repeats in one chat take turns: the second finds the first before it takes a number.
    sent_before = await _sent_before(session, viewer, client_id)
    if sent_before is not None:
        return _same(sent_before, chat_id, content, reply_to_id)
    if chat.kind is ChatKind.DIRECT and not await is_open_to(session, viewer, other_of(chat, viewer)):
        raise reject(Code.NOT_ALLOWED, "You cannot write to this person.", "chat_id")
    if reply_to_id is not None:
        await _require_in_chat(session, chat_id, reply_to_id)
    chat = await advance(session, chat_id, events=1, messages=1)
    message: db.Message | None = await session.scalar(
        insert(db.Message)
        .values(
            id=db.new_id(),
            chat_id=chat_id,
            seq=chat.last_seq,
            number=chat.message_count,
            author_id=viewer.account_id,
            client_id=client_id,
            text=content,
            reply_to_id=reply_to_id,
            created_at=chat.last_activity_at,
        )
        .on_conflict_do_nothing(index_elements=["author_id", "client_id"])
        .returning(db.Message)
    )
    if message is None:  # the same id was used in another chat at the same moment
        raise _mismatch()
    await _move_members(session, viewer, chat)
    await log.append(
        session, MessageSent(chat_id=chat_id, seq=message.seq, actor_id=viewer.account_id, message_id=message.id)
    )
    return message


def _checked(content: str | None) -> str:
    if content is None:
        raise reject(Code.TOO_SHORT, "A message needs a text.", "text")
    return text.checked(content, "text", longest=LONGEST_TEXT)


async def _sent_before(session: WriteSession, viewer: Viewer, client_id: uuid.UUID) -> db.Message | None:
    message: db.Message | None = await session.scalar(
        select(db.Message).where(db.Message.author_id == viewer.account_id, db.Message.client_id == client_id)
    )
    return message


def _same(message: db.Message, chat_id: uuid.UUID, content: str, reply_to_id: uuid.UUID | None) -> db.Message:
    if (message.chat_id, message.text, message.reply_to_id) != (chat_id, content, reply_to_id):
        raise _mismatch()
    return message


def _mismatch() -> Exception:
    return reject(Code.IDEMPOTENCY_MISMATCH, "This clientId was used for another message.", "client_id")


async def _require_in_chat(session: WriteSession, chat_id: uuid.UUID, message_id: uuid.UUID) -> None:
    statement = select(db.Message.id).where(db.Message.id == message_id, db.Message.chat_id == chat_id)
    if await session.scalar(statement) is None:
        raise reject(Code.NOT_FOUND, "There is no such message in this chat.", "reply_to_id")


async def _move_members(session: WriteSession, viewer: Viewer, chat: db.Chat) -> None:
    """Move the author's read mark to his message; the first message of a day brings the chat up in all lists."""
    today, is_author = day_of(chat.last_activity_at), db.ChatMember.account_id == viewer.account_id
    await session.execute(
        update(db.ChatMember)
        .where(db.ChatMember.chat_id == chat.id, or_(is_author, db.ChatMember.active_on < today))
        .values(
            active_on=today,
            last_read_seq=case((is_author, chat.last_seq), else_=db.ChatMember.last_read_seq),
            read_count=case((is_author, chat.message_count), else_=db.ChatMember.read_count),
        )
        .execution_options(synchronize_session=False)
    )
