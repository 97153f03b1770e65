"""Reading: chats, members and messages as those who are in the chat may see them, and how far they have read."""

import uuid
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, TypedDict, cast

from sqlalchemy import BigInteger, ColumnElement, Integer, Select, bindparam, func, select, true, tuple_, update
from sqlalchemy.orm import InstrumentedAttribute, aliased

from gamebuddy import db
from gamebuddy.auth.viewer import ME, Each, Onlooker, Viewer, asked
from gamebuddy.db import ReadSession, WriteSession
from gamebuddy.errors import Code, reject
from gamebuddy.events import log
from gamebuddy.events.types import MessagesRead
from gamebuddy.resolvers.accounts.lookup import is_visible
from gamebuddy.resolvers.chat.access import access_chat, advance, day_of, is_shown, lock_chat
from gamebuddy.resolvers.paging import Page


@dataclass(frozen=True, slots=True)
class ChatPlace:
    """Where a page of chats ends: when the last of them was active, newest first, then its id."""

    at: datetime
    chat_id: uuid.UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A stretch of a chat's messages: the `limit` newest, or with `from_start` the oldest, between two numbers."""

    limit: int
    from_start: bool
    after: int | None = None
    before: int | None = None


class NotificationChanges(TypedDict, total=False):
    """What a member wants of a chat for himself."""

    muted_until: datetime | None
    is_archived: bool


@dataclass(frozen=True, slots=True)
class MemberPlace:
    """Where a page of members ends: when the last of them joined, oldest first, then the account."""

    joined_at: datetime
    account_id: uuid.UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """A stretch of a chat's members."""

    limit: int
    after: MemberPlace | None = None


async def mark_read(session: WriteSession, viewer: Viewer, *, chat_id: uuid.UUID, up_to_seq: int) -> db.Chat:
    """Move the viewer's read mark forward; it never goes back, and of several at once the furthest stays.

    The others hear of it only when it has passed a message.

    Raises:
        Rejected: NOT_FOUND for the chat, INVALID below 0 and beyond the chat's last number.
    """
    chat, member = await access_chat(session, viewer, chat_id)
    if not 0 <= up_to_seq <= chat.last_seq:
        raise reject(Code.INVALID, f"Numbers in this chat go from 0 to {chat.last_seq}.", "up_to_seq")
    if up_to_seq <= member.last_read_seq:
        return chat
    read_count = await _messages_up_to(session, chat_id, up_to_seq)
    if read_count <= member.read_count:
        await _move_mark(session, viewer, chat_id, up_to_seq, read_count)
        return chat
    await lock_chat(session, viewer, chat_id)  # before the member's row, as everywhere
    if not await _move_mark(session, viewer, chat_id, up_to_seq, read_count):
        return chat
    chat = await advance(session, chat_id, events=1)
    await log.append(
        session,
        MessagesRead(chat_id=chat_id, seq=chat.last_seq, actor_id=viewer.account_id, up_to_seq=up_to_seq),
    )
    return chat


async def find_chats(
    session: ReadSession, viewer: Viewer, *, is_archived: bool, limit: int, after: ChatPlace | None
) -> Page[db.Chat]:
    """List the viewer's chats, the most recently active first.

    The day stands on the member's row and in its index, so chats are looked up day by day until the page is full.
    """
    parameters: dict[str, Any] = {
        "viewer_id": viewer.account_id,
        "is_archived": is_archived,
        "limit": limit + 1,
    }
    if after is not None:
        parameters |= {"day": day_of(after.at), "at": after.at, "chat_id": after.chat_id}
    rows = await session.rows(_list_of_chats(with_place=after is not None), parameters)
    return Page.of(rows, limit, has_previous=after is not None)


@db.written_once
def _list_of_chats(*, with_place: bool) -> Select[db.Chat]:
    chat, member = db.Chat, db.ChatMember
    statement = (
        db.plain(chat)
        .join(member, member.chat_id == chat.id)
        .where(member.account_id == ME.account_id, member.is_archived == bindparam("is_archived"))
        .order_by(member.active_on.desc(), chat.last_activity_at.desc(), chat.id.desc())
        .limit(bindparam("limit", type_=Integer))
    )
    if not with_place:
        return statement
    place = bindparam("at", type_=chat.last_activity_at.type), bindparam("chat_id", type_=chat.id.type)
    return statement.where(
        member.active_on <= bindparam("day", type_=member.active_on.type),
        tuple_(chat.last_activity_at, chat.id) < tuple_(*place),
    )


async def count_unread_chats(session: ReadSession, viewer: Viewer) -> int:
    """Count the viewer's chats, archived ones left out, that have messages he has not read."""
    count: int = await session.scalar(
        select(func.count())
        .select_from(db.ChatMember)
        .join(db.Chat, db.Chat.id == db.ChatMember.chat_id)
        .where(
            db.ChatMember.account_id == viewer.account_id,
            db.ChatMember.is_archived.is_(False),
            db.Chat.message_count > db.ChatMember.read_count,
        )
    )
    return count


async def by_ids(session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, db.Chat]:
    """Load chats that the viewer is in."""
    if viewer is None:
        return {}
    return {chat.id: chat for chat in await session.rows(_chats(of=ME), asked(viewer, ids))}


async def left_by_ids(session: ReadSession, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, db.Chat]:
    """Load chats for somebody who has just left them; what is in them stays with their members."""
    return {chat.id: chat for chat in await session.rows(_chats(of=None), {"ids": list(ids)})}


@db.written_once
def _chats(*, of: Each | None) -> Select[db.Chat]:
    statement = db.plain(db.Chat).where(db.is_asked_for(db.Chat.id))
    return statement.where(is_in(of, db.Chat.id)) if of else statement


async def memberships_by_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, db.ChatMember]:
    """Load the viewer's own memberships by the ids of the chats."""
    if viewer is None:
        return {}
    return {member.chat_id: member for member in await session.rows(_memberships(), asked(viewer, ids))}


@db.written_once
def _memberships() -> Select[db.ChatMember]:
    member = db.ChatMember
    return db.plain(member).where(db.is_asked_for(member.chat_id), member.account_id == ME.account_id)


async def messages_by_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, db.Message]:
    """Load messages that the viewer may see."""
    if viewer is None:
        return {}
    return {message.id: message for message in await session.rows(_messages(), asked(viewer, ids))}


@db.written_once
def _messages() -> Select[db.Message]:
    return db.plain(db.Message).where(db.is_asked_for(db.Message.id), is_shown(ME))


async def last_messages_by_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, db.Message]:
    """Load the newest message that the viewer may see of each of these chats; silent chats are left out."""
    pages = await histories_by_ids(session, viewer, ids, History(limit=1, from_start=False))
    return {chat_id: page.items[0] for chat_id, page in pages.items() if page.items}


async def histories_by_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID], history: History
) -> dict[uuid.UUID, Page[db.Message]]:
    """Load the same stretch of the messages of chats that the viewer is in, oldest first, in one statement.

    What was before the viewer's time, and what he has deleted for himself, is not there. Messages are numbered without
    holes, so what is before and behind a page follows from the numbers at its ends.
    """
    if viewer is None:
        return {}
    ends: dict[uuid.UUID, tuple[int, int]] = {}
    found: dict[uuid.UUID, list[db.Message]] = defaultdict(list)
    statement = _histories(
        from_start=history.from_start, has_start=history.after is not None, has_end=history.before is not None
    )
    stretch = {"limit": history.limit, "after": history.after, "before": history.before}
    for row in await session.rows(statement, asked(viewer, ids) | stretch):
        ends[row.of_chat] = row.hidden_count + 1, row.message_count
        if row.id is not None:
            found[row.of_chat].append(row)
    return {chat_id: _page(found[chat_id], first, last, history) for chat_id, (first, last) in ends.items()}


@db.written_once
def _histories(*, from_start: bool, has_start: bool, has_end: bool) -> Select[*tuple[Any, ...]]:
    """Write it for one direction: a row is of the chat, and reads like a message if there is one."""
    member, hidden = db.ChatMember, aliased(db.HiddenMessage)
    is_hidden = (
        select(hidden.message_id).where(hidden.message_id == db.Message.id, hidden.account_id == ME.account_id).exists()
    )
    stretch = (
        db.plain(db.Message)
        .where(db.Message.chat_id == member.chat_id, db.Message.number > member.hidden_count, ~is_hidden)
        .order_by(db.Message.seq if from_start else db.Message.seq.desc())
        .limit(bindparam("limit", type_=Integer))
    )
    if has_start:
        stretch = stretch.where(db.Message.seq > bindparam("after", type_=BigInteger))
    if has_end:
        stretch = stretch.where(db.Message.seq < bindparam("before", type_=BigInteger))
    message = stretch.lateral("message")
    return (
        select(member.chat_id.label("of_chat"), member.hidden_count, db.Chat.message_count, message)
        .join(db.Chat, db.Chat.id == member.chat_id)
        .join(message, true(), isouter=True)
        .where(member.account_id == ME.account_id, db.is_asked_for(member.chat_id))
        .order_by(member.chat_id, message.c.seq)
    )


async def pins_by_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, list[db.Message]]:
    """Load the pinned messages that the viewer may see of these chats, the last pinned first; at most 50 each."""
    if viewer is None:
        return {}
    rows = await session.rows(_pins(), asked(viewer, ids))
    return {chat_id: list(group) for chat_id, group in groupby(rows, key=lambda row: row.chat_id)}


@db.written_once
def _pins() -> Select[db.Message]:
    message = db.Message
    return (
        db.plain(message)
        .where(db.is_asked_for(message.chat_id), message.pinned_at.is_not(None), is_shown(ME))
        .order_by(message.chat_id, message.pinned_at.desc(), message.id.desc())
    )


async def set_notifications(
    session: WriteSession, viewer: Viewer, *, chat_id: uuid.UUID, changes: NotificationChanges
) -> db.Chat:
    """Mute a chat for oneself until a moment, or put it among the archived ones; what is not named stays.

    Raises:
        Rejected: NOT_FOUND for the chat.
    """
    chat, member = await access_chat(session, viewer, chat_id)
    for name, value in changes.items():
        setattr(member, name, value)
    await session.flush()
    return chat


async def members_by_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID], members: Members
) -> dict[uuid.UUID, Page[db.ChatMember]]:
    """Load the same stretch of the members of chats that the viewer is in, in the order they joined, in one statement.

    People whom the viewer cannot see are left out.
    """
    if viewer is None:
        return {}
    parameters = asked(viewer, ids) | {"limit": members.limit + 1}
    if members.after is not None:
        parameters |= {"joined_at": members.after.joined_at, "account_id": members.after.account_id}
    rows = await session.rows(_members(with_place=members.after is not None), parameters)
    found: dict[uuid.UUID, list[db.ChatMember]] = defaultdict(list)
    for row in rows:
        found[row.chat_id].append(row)
    return {
        chat_id: Page.of(items, members.limit, has_previous=members.after is not None)
        for chat_id, items in found.items()
    }


@db.written_once
def _members(*, with_place: bool) -> Select[db.ChatMember]:
    own, member = aliased(db.ChatMember), db.ChatMember
    stretch = (
        db.plain(member)
        .join(db.Account, db.Account.id == member.account_id)
        .where(member.chat_id == own.chat_id, is_visible(ME))
        .order_by(member.joined_at, member.account_id)
        .limit(bindparam("limit", type_=Integer))
    )
    if with_place:
        place = bindparam("joined_at", type_=member.joined_at.type), bindparam("account_id", type_=own.account_id.type)
        stretch = stretch.where(tuple_(member.joined_at, member.account_id) > tuple_(*place))
    found = stretch.lateral("found")
    statement = (
        select(found)
        .select_from(own)
        .join(found, true())
        .where(own.account_id == ME.account_id, db.is_asked_for(own.chat_id))
        .order_by(own.chat_id, found.c.joined_at, found.c.account_id)
    )
    return cast("Select[db.ChatMember]", statement)


def is_in(viewer: Onlooker, chat_id: InstrumentedAttribute[uuid.UUID]) -> ColumnElement[bool]:
    """Tell of a chat whether the viewer is in it."""
    return (
        select(db.ChatMember.chat_id)
        .where(db.ChatMember.chat_id == chat_id, db.ChatMember.account_id == viewer.account_id)
        .exists()
    )


def _page(messages: list[db.Message], first: int, last: int, history: History) -> Page[db.Message]:
    """Make a page of messages out of those with the numbers `first` to `last`."""
    if messages:
        return Page(messages, has_next=messages[-1].number < last, has_previous=messages[0].number > first)
    return Page(
        messages,
        has_next=history.before is not None and last >= first,
        has_previous=history.after is not None and last >= first,
    )


async def _messages_up_to(session: ReadSession, chat_id: uuid.UUID, seq: int) -> int:
    number: int | None = await session.scalar(
        select(db.Message.number)
        .where(db.Message.chat_id == chat_id, db.Message.seq <= seq)
        .order_by(db.Message.seq.desc())
        .limit(1)
    )
    return number or 0


async def _move_mark(session: WriteSession, viewer: Viewer, chat_id: uuid.UUID, seq: int, read_count: int) -> bool:
    """Move the mark unless it is there already; the WHERE decides between devices. Tells whether it has moved."""
    moved = await session.scalar(
        update(db.ChatMember)
        .where(
            db.ChatMember.chat_id == chat_id,
            db.ChatMember.account_id == viewer.account_id,
            db.ChatMember.last_read_seq < seq,
        )
        .values(last_read_seq=seq, read_count=func.greatest(db.ChatMember.read_count, read_count))
        .returning(db.ChatMember.last_read_seq)
        .execution_options(synchronize_session=False)
    )
    return moved is not None
