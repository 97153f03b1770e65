"""Sending messages."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from gamebuddy import db, text
from gamebuddy.auth.throttle import Hit, Limit, Throttle
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import ChatKind, MessageKind, UploadPurpose, WriteSession
from gamebuddy.errors import Code, reject
from gamebuddy.events import log
from gamebuddy.events.types import MessageSent
from gamebuddy.files import Files
from gamebuddy.resolvers import uploads
from gamebuddy.resolvers.chat.access import (
    access_message,
    advance,
    is_open_to,
    is_shown,
    lock_chat,
    move_members,
    other_of,
)
from gamebuddy.resolvers.chat.mentioning import add_named, find_named
from gamebuddy.resolvers.chat.rights import ChatAction, require, require_turn

LONGEST_TEXT = 4_000
MOST_FILES = 10
UPLOADS = "attachment_upload_ids"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is to be sent: a text of one's own, files that were sent before, or somebody's message again."""

    chat_id: uuid.UUID
    client_id: uuid.UUID
    text: str | None
    reply_to_id: uuid.UUID | None = None
    forward_id: uuid.UUID | None = None
    upload_ids: tuple[uuid.UUID, ...] = ()


async def send_message(
    session: WriteSession, viewer: Viewer, *, throttle: Throttle, files: Files, draft: Draft
) -> db.Message:
    """Write to a chat. The same `client_id` gives the first message back, for ever and on every node.

    The text is stored as it is typed. The author has read everything up to his own message.

    Raises:
        Rejected: for the text; NOT_FOUND for the chat, for a reply to what is not in it, and for what the viewer cannot
            see to forward; NOT_ALLOWED where the chat does not let the viewer write, where the other one of a direct
            chat cannot be written to, and for what nobody has written; INVALID for text or files beside a forwarded
            message; LIMIT_REACHED above 10 files, and for each file what `uploads.check` and `use` say;
            IDEMPOTENCY_MISMATCH when the `client_id` came with something else; RETRY_LATER after a burst and in slow
            mode.
        Unavailable: when too many files wait.
    """
    _check_draft(draft)
    # Counted in a transaction of its own: a burst that waited for one another here would hold every connection.
    await session.let_go()
    await throttle.take(session, Hit(Limit.SEND_MESSAGE, str(viewer.account_id)))
    if draft.upload_ids:
        await uploads.check(session, viewer, files, draft.upload_ids, UploadPurpose.ATTACHMENT, UPLOADS)
    chat, member = await lock_chat(session, viewer, draft.chat_id)
    # The lock makes repeats in one chat take turns: the second finds the first before it takes a number.
    sent_before = await _sent_before(session, viewer, draft.client_id)
    if sent_before is not None:
        return await _same(session, sent_before, draft)
    await require_writing(session, viewer, chat, member)
    require_turn(chat, member, datetime.now(UTC))
    if draft.reply_to_id is not None:
        await _require_in_chat(session, viewer, draft.chat_id, draft.reply_to_id)
    content, origin_id = await _content(session, viewer, draft)
    named = await find_named(session, viewer, chat, member, content if origin_id is None else "")
    chat = await advance(session, draft.chat_id, events=1, messages=1)
    message: db.Message | None = await session.scalar(
        insert(db.Message)
        .values(
            id=db.new_id(),
            chat_id=draft.chat_id,
            seq=chat.last_seq,
            number=chat.message_count,
            author_id=viewer.account_id,
            client_id=draft.client_id,
            text=content,
            reply_to_id=draft.reply_to_id,
            forwarded_from_id=origin_id,
            calls_everyone=named.calls_everyone,
            created_at=chat.last_activity_at,
        )
        .on_conflict_do_nothing(index_elements=["author_id", "client_id"])
        .returning(db.Message)
    )
    if message is None:  # the same id was used in another chat at the same moment
        raise _mismatch()
    await add_named(session, message, named)
    await _attach(session, viewer, message, draft)
    await move_members(session, viewer, chat, wrote_at=chat.last_activity_at)
    await log.append(
        session, MessageSent(chat_id=chat.id, seq=message.seq, actor_id=viewer.account_id, message_id=message.id)
    )
    return message


def _check_draft(draft: Draft) -> None:
    if draft.forward_id is not None:
        if draft.text is not None or draft.upload_ids:
            raise reject(Code.INVALID, "A forwarded message keeps its own text.", "text")
        return
    if len(draft.upload_ids) > MOST_FILES:
        raise reject(Code.LIMIT_REACHED, f"A message has at most {MOST_FILES} files.", UPLOADS)
    if draft.text or not draft.upload_ids:
        checked_text(draft.text)


def checked_text(content: str | None) -> str:
    """Let through what a message may say.

    Raises:
        Rejected: TOO_SHORT, TOO_LONG.
    """
    if content is None:
        raise reject(Code.TOO_SHORT, "A message needs a text.", "text")
    return text.checked(content, "text", longest=LONGEST_TEXT)


async def require_writing(session: WriteSession, viewer: Viewer, chat: db.Chat, member: db.ChatMember) -> None:
    """Let those through who may put words before the others of a chat at this moment.

    Raises:
        Rejected: NOT_ALLOWED; nobody learns what it is that keeps the other one of a direct chat out of reach.
    """
    require(chat, member, ChatAction.WRITE)
    if chat.kind is ChatKind.DIRECT and not await is_open_to(session, viewer, other_of(chat, viewer)):
        raise reject(Code.NOT_ALLOWED, "You cannot write to this person.", "chat_id")


async def _content(session: WriteSession, viewer: Viewer, draft: Draft) -> tuple[str, uuid.UUID | None]:
    """Give the text, and whose it was where it is forwarded."""
    if draft.forward_id is None:
        return draft.text or "", None
    origin = await access_message(session, viewer, draft.forward_id, "forward_message_id")
    if origin.kind is MessageKind.SYSTEM or origin.deleted_at is not None:
        raise reject(Code.NOT_ALLOWED, "There is nothing to forward in it.", "forward_message_id")
    return origin.text, origin.forwarded_from_id or origin.author_id


async def _sent_before(session: WriteSession, viewer: Viewer, client_id: uuid.UUID) -> db.Message | None:
    message: db.Message | None = await session.scalar(
        select(db.Message).where(db.Message.author_id == viewer.account_id, db.Message.client_id == client_id)
    )
    return message


async def _same(session: WriteSession, message: db.Message, draft: Draft) -> db.Message:
    """Give the message that was sent before, if it is the same; what was edited since then was the same once."""
    is_same = (message.chat_id, message.reply_to_id) == (draft.chat_id, draft.reply_to_id)
    if draft.forward_id is not None:
        is_same = is_same and message.forwarded_from_id is not None
    elif message.edited_at is None and message.deleted_at is None:
        is_same = is_same and message.forwarded_from_id is None and message.text == (draft.text or "")
    else:
        first = await session.get(db.MessageVersion, (message.id, 1))
        is_same = is_same and first is not None and first.text == (draft.text or "")
    if message.deleted_at is None and draft.forward_id is None:
        is_same = is_same and await _upload_ids(session, message.id) == list(draft.upload_ids)
    if not is_same:
        raise _mismatch()
    return message


async def _attach(session: WriteSession, viewer: Viewer, message: db.Message, draft: Draft) -> None:
    """Put the files under a message: those that were sent for it, or those of the message that is forwarded."""
    found: Sequence[uuid.UUID] = draft.upload_ids
    if draft.forward_id is not None:
        found = await _upload_ids(session, draft.forward_id)
    elif found:
        await uploads.use(session, viewer, found, UploadPurpose.ATTACHMENT, UPLOADS)
    session.add_all(
        db.Attachment(message_id=message.id, upload_id=upload_id, position=position)
        for position, upload_id in enumerate(found)
    )


async def _upload_ids(session: WriteSession, message_id: uuid.UUID) -> Sequence[uuid.UUID]:
    attachment = db.Attachment
    rows = await session.scalars(
        select(attachment.upload_id).where(attachment.message_id == message_id).order_by(attachment.position)
    )
    found: Sequence[uuid.UUID] = rows.all()
    return found


def _mismatch() -> Exception:
    return reject(Code.IDEMPOTENCY_MISMATCH, "This clientId was used for another message.", "client_id")


async def _require_in_chat(session: WriteSession, viewer: Viewer, chat_id: uuid.UUID, message_id: uuid.UUID) -> None:
    in_chat = select(db.Message.id).where(db.Message.id == message_id, db.Message.chat_id == chat_id, is_shown(viewer))
    if await session.scalar(in_chat) is None:
        raise reject(Code.NOT_FOUND, "There is no such message in this chat.", "reply_to_id")
