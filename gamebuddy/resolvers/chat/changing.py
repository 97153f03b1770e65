"""What happens to messages after they were sent: editing, deleting, signs under them, pins."""

import uuid
from datetime import UTC, datetime, timedelta

import emoji as known_emoji
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from gamebuddy import db
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import ChatKind, MessageKind, WriteSession
from gamebuddy.errors import Code, reject
from gamebuddy.events import log
from gamebuddy.events.types import MessageDeleted, MessageEdited, MessageHidden, MessagePinned, ReactionChanged
from gamebuddy.resolvers import uploads
from gamebuddy.resolvers.chat.access import (
    access_message,
    advance,
    is_open_to,
    lock_chat,
    lock_chat_from_outside,
    other_of,
)
from gamebuddy.resolvers.chat.drafts import checked_text
from gamebuddy.resolvers.chat.mentioning import find_named, keep_named
from gamebuddy.resolvers.chat.rights import ChatAction, is_allowed, require
from gamebuddy.resolvers.chat.writing import require_writing
from gamebuddy.resolvers.wording import WordFilter

CHANGEABLE = timedelta(hours=24)  # how long authors may change or take back what they wrote
MOST_PINS = 50
MOST_SIGNS = 20  # different ones under a message
MOST_OWN_SIGNS = 3
LONGEST_EMOJI = 64


async def edit_message(
    session: WriteSession, viewer: Viewer, *, words: WordFilter, message_id: uuid.UUID, content: str
) -> db.Message:
    """Change the text of one's own message; what it said before is kept for moderators.

    Raises:
        Rejected: for the text and its words; NOT_FOUND; NOT_ALLOWED for messages of others, forwarded and deleted ones,
            after 24 hours, and where the viewer may not write.
    """
    content = words.clean(checked_text(content), "text")
    chat, member, message = await _locked(session, viewer, message_id)
    is_own = message.author_id == viewer.account_id and message.kind is MessageKind.TEXT
    if not is_own or message.forwarded_from_id is not None or message.deleted_at is not None:
        raise reject(Code.NOT_ALLOWED, "Only what you have written yourself can be edited.", "message_id")
    if is_too_late(message):
        raise reject(Code.NOT_ALLOWED, "A message can be edited for 24 hours.", "message_id")
    await require_writing(session, viewer, chat, member)
    if message.text == content:
        return message
    named = await find_named(session, viewer, chat, member, content)
    await _keep_version(session, message)
    message.text, message.edited_at, message.calls_everyone = content, datetime.now(UTC), named.calls_everyone
    await session.flush()
    await keep_named(session, message, named)
    await words.flag(session, viewer, content, message=message)
    chat = await advance(session, chat.id, events=1)
    await log.append(
        session,
        MessageEdited(chat_id=chat.id, seq=chat.last_seq, actor_id=viewer.account_id, message_id=message.id),
    )
    return message


async def delete_for_everyone(session: WriteSession, viewer: Viewer, *, message_id: uuid.UUID) -> db.Message:
    """Take a message back: its text, files, signs and pin are gone for everybody. Once more changes nothing.

    Its author may for 24 hours; the owner and admins of a group may at any time.

    Raises:
        Rejected: NOT_FOUND; NOT_ALLOWED for messages of others and of the chat itself, and after 24 hours.
    """
    chat, member, message = await _locked(session, viewer, message_id)
    if message.deleted_at is not None:
        return message
    if message.kind is MessageKind.SYSTEM:
        raise reject(Code.NOT_ALLOWED, "What the chat itself says stays.", "message_id")
    if not is_allowed(chat, member, ChatAction.DELETE):
        if message.author_id != viewer.account_id:
            raise reject(Code.NOT_ALLOWED, "Only the owner and admins delete what others wrote.", "message_id")
        if is_too_late(message):
            raise reject(Code.NOT_ALLOWED, "A message can be deleted for everyone for 24 hours.", "message_id")
    await _empty(session, message, actor_id=viewer.account_id)
    return message


async def take_away(session: WriteSession, message_id: uuid.UUID) -> bool:
    """Take a message back as its author could, in nobody's name; tells whether it was there still.

    Whether the viewer may is decided by the caller.
    """
    chat_id = await session.scalar(select(db.Message.chat_id).where(db.Message.id == message_id))
    if chat_id is None:
        return False
    await lock_chat_from_outside(session, chat_id)
    message: db.Message = await session.get_one(db.Message, message_id, populate_existing=True)
    if message.deleted_at is not None:
        return False
    await _empty(session, message, actor_id=None)
    return True


async def delete_for_oneself(session: WriteSession, viewer: Viewer, *, message_id: uuid.UUID) -> db.Message:
    """Show a message to the viewer no more; everybody else goes on seeing it, and his own devices alone are told.

    Once more changes nothing.

    Raises:
        Rejected: NOT_FOUND.
    """
    message = await access_message(session, viewer, message_id, "message_id", with_hidden=True)
    hidden = await session.scalar(
        insert(db.HiddenMessage)
        .values(account_id=viewer.account_id, message_id=message.id)
        .on_conflict_do_nothing()
        .returning(db.HiddenMessage.message_id)
    )
    if hidden is not None:
        await log.append(
            session,
            MessageHidden(actor_id=viewer.account_id, account_id=viewer.account_id, message_id=message.id),
        )
    return message


async def set_reaction(
    session: WriteSession, viewer: Viewer, *, message_id: uuid.UUID, emoji: str, is_on: bool
) -> db.Message:
    """Put a sign under a message, or take one's own away; once more changes nothing.

    Raises:
        Rejected: INVALID for what is no emoji; NOT_FOUND; NOT_ALLOWED for deleted messages and where the other one of a
            direct chat cannot be written to; LIMIT_REACHED above 3 of one's own and 20 different ones.
    """
    if len(emoji) > LONGEST_EMOJI or not known_emoji.is_emoji(emoji):
        raise reject(Code.INVALID, "This is no emoji.", "emoji")
    chat, _, message = await _locked(session, viewer, message_id)
    if message.deleted_at is not None:
        raise reject(Code.NOT_ALLOWED, "This message was deleted.", "message_id")
    if chat.kind is ChatKind.DIRECT and not await is_open_to(session, viewer, other_of(chat, viewer)):
        raise reject(Code.NOT_ALLOWED, "You cannot write to this person.", "message_id")
    own = (message.id, emoji, viewer.account_id)
    existing = await session.get(db.Reaction, own)
    if (existing is not None) is is_on:
        return message
    if existing is not None:
        await session.delete(existing)
    else:
        await _require_room(session, viewer, message, emoji)
        session.add(db.Reaction(message_id=message.id, emoji=emoji, account_id=viewer.account_id))
    await session.flush()
    chat = await advance(session, chat.id, events=1)
    await log.append(
        session,
        ReactionChanged(
            chat_id=chat.id,
            seq=chat.last_seq,
            actor_id=viewer.account_id,
            message_id=message.id,
            emoji=emoji,
            is_on=is_on,
        ),
    )
    return message


async def pin_message(session: WriteSession, viewer: Viewer, *, message_id: uuid.UUID, is_pinned: bool) -> db.Message:
    """Pin a message to the head of its chat, or take it down; once more changes nothing.

    Raises:
        Rejected: NOT_FOUND; NOT_ALLOWED where the chat does not let the viewer, and for deleted messages; LIMIT_REACHED
            above 50 pins.
    """
    chat, member, message = await _locked(session, viewer, message_id)
    if not is_allowed(chat, member, ChatAction.PIN):
        require(chat, member, ChatAction.PIN)
    if message.deleted_at is not None:
        raise reject(Code.NOT_ALLOWED, "This message was deleted.", "message_id")
    if (message.pinned_at is not None) is is_pinned:
        return message
    if is_pinned:
        pins = select(func.count()).where(db.Message.chat_id == chat.id, db.Message.pinned_at.is_not(None))
        if await session.scalar(pins) >= MOST_PINS:
            raise reject(Code.LIMIT_REACHED, f"A chat has at most {MOST_PINS} pins.", "message_id")
    await session.execute(
        update(db.Message)
        .where(db.Message.id == message.id)
        .values(pinned_at=func.clock_timestamp() if is_pinned else None)
        .execution_options(synchronize_session=False)
    )
    await session.refresh(message)
    chat = await advance(session, chat.id, events=1)
    await log.append(
        session,
        MessagePinned(
            chat_id=chat.id,
            seq=chat.last_seq,
            actor_id=viewer.account_id,
            message_id=message.id,
            is_pinned=is_pinned,
        ),
    )
    return message


def is_too_late(message: db.Message) -> bool:
    """Tell whether its author may change or take back a message no more."""
    return datetime.now(UTC) - message.created_at > CHANGEABLE


async def _locked(
    session: WriteSession, viewer: Viewer, message_id: uuid.UUID
) -> tuple[db.Chat, db.ChatMember, db.Message]:
    """Lock the chat of a message that the viewer may see, and give all three as they are then."""
    found = await access_message(session, viewer, message_id, "message_id")
    chat, member = await lock_chat(session, viewer, found.chat_id)
    return chat, member, await access_message(session, viewer, message_id, "message_id")


async def _empty(session: WriteSession, message: db.Message, *, actor_id: uuid.UUID | None) -> None:
    """Delete what a message said and all that hangs on it, and tell its chat, which is locked."""
    await _keep_version(session, message)
    for table in (db.Reaction, db.Mention):
        await session.execute(
            delete(table).where(table.message_id == message.id).execution_options(synchronize_session=False)
        )
    await uploads.leave_attachments(session, [message.id])
    message.text, message.deleted_at, message.pinned_at = "", datetime.now(UTC), None
    message.calls_everyone = False
    await session.flush()
    chat = await advance(session, message.chat_id, events=1)
    await log.append(
        session, MessageDeleted(chat_id=chat.id, seq=chat.last_seq, actor_id=actor_id, message_id=message.id)
    )


async def _keep_version(session: WriteSession, message: db.Message) -> None:
    """Keep what a message says now for moderators; the lock on the chat gives the versions one order."""
    kept = select(func.count()).where(db.MessageVersion.message_id == message.id)
    version = 1 + (await session.scalar(kept) or 0)
    session.add(db.MessageVersion(message_id=message.id, version=version, text=message.text))
    await session.flush()


async def _require_room(session: WriteSession, viewer: Viewer, message: db.Message, emoji: str) -> None:
    rows = (
        await session.execute(
            select(db.Reaction.emoji, db.Reaction.account_id).where(db.Reaction.message_id == message.id)
        )
    ).all()
    signs = {row.emoji for row in rows}
    if emoji not in signs and len(signs) >= MOST_SIGNS:
        raise reject(Code.LIMIT_REACHED, f"A message has at most {MOST_SIGNS} different signs.", "emoji")
    if sum(row.account_id == viewer.account_id for row in rows) >= MOST_OWN_SIGNS:
        raise reject(Code.LIMIT_REACHED, f"At most {MOST_OWN_SIGNS} signs of your own.", "emoji")
