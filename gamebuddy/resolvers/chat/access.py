"""The ways from a client's id to a chat, and the numbers that its events and messages get."""

import uuid
from collections.abc import Collection
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select, update
from sqlalchemy.orm import aliased

from gamebuddy import db
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import Audience, ReadSession, WriteSession
from gamebuddy.errors import Code, Rejected, reject
from gamebuddy.resolvers import teammates


async def access_chat(session: ReadSession, viewer: Viewer, chat_id: uuid.UUID) -> tuple[db.Chat, db.ChatMember]:
    """Give a chat and the viewer's membership of it.

    Raises:
        Rejected: NOT_FOUND when there is no such chat, or the viewer is no member.
    """
    row = (
        await session.execute(
            select(db.Chat, db.ChatMember)
            .join(db.ChatMember, db.ChatMember.chat_id == db.Chat.id)
            .join(db.Account, db.Account.id == db.ChatMember.account_id)
            .where(
                db.Chat.id == chat_id,
                db.ChatMember.account_id == viewer.account_id,
                db.Account.status == db.AccountStatus.ACTIVE,  # it may have ended since the operation began
            )
            .execution_options(populate_existing=True)
        )
    ).one_or_none()
    if row is None:
        raise no_such_chat()
    return row[0], row[1]


async def lock_chat(session: WriteSession, viewer: Viewer, chat_id: uuid.UUID) -> tuple[db.Chat, db.ChatMember]:
    """Give a chat and the viewer's membership of it, with the chat's row locked until the transaction ends.

    Every write to a chat takes this lock before any other row of the chat: so its writes stand in one order, and the
    numbers they take have no hole. Who is no member never gets to hold it.

    Raises:
        Rejected: NOT_FOUND when there is no such chat, or the viewer is no member.
    """
    locked = await session.scalar(
        select(db.Chat.id)
        .join(db.ChatMember, db.ChatMember.chat_id == db.Chat.id)
        .where(db.Chat.id == chat_id, db.ChatMember.account_id == viewer.account_id)
        .with_for_update(key_share=True, of=db.Chat)
    )
    if locked is None:
        raise no_such_chat()
    # Whoever held the lock before may have put the viewer out: only a second statement sees what he committed.
    return await access_chat(session, viewer, chat_id)


async def lock_chat_from_outside(session: WriteSession, chat_id: uuid.UUID) -> db.Chat:
    """Lock a chat for somebody who is not in it, as `lock_chat` does for members: he joins, or is of the staff."""
    chat: db.Chat = (
        await session.scalars(
            select(db.Chat)
            .where(db.Chat.id == chat_id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
    ).one()
    return chat


async def access_message(
    session: ReadSession, viewer: Viewer, message_id: uuid.UUID, *field: str, with_hidden: bool = False
) -> db.Message:
    """Give a message that the viewer may see; `with_hidden` also one that he has deleted for himself.

    Raises:
        Rejected: NOT_FOUND when there is no such message, or the viewer may not see it.
    """
    message: db.Message | None = await session.scalar(
        select(db.Message)
        .where(db.Message.id == message_id, is_for(viewer) if with_hidden else is_shown(viewer))
        .execution_options(populate_existing=True)
    )
    if message is None:
        raise reject(Code.NOT_FOUND, "There is no such message, or you may not see it.", *field)
    return message


def is_shown(viewer: Viewer) -> ColumnElement[bool]:
    """Tell of the message in the statement whether the viewer sees it: he may, and has not deleted it for himself."""
    hidden = aliased(db.HiddenMessage)
    is_hidden = (
        select(hidden.message_id)
        .where(hidden.message_id == db.Message.id, hidden.account_id == viewer.account_id)
        .exists()
    )
    return and_(is_for(viewer), ~is_hidden)


def is_for(viewer: Viewer) -> ColumnElement[bool]:
    """Tell of the message in the statement whether the viewer is in its chat, and it is none from before his time."""
    member = aliased(db.ChatMember)
    return (
        select(member.chat_id)
        .where(
            member.chat_id == db.Message.chat_id,
            member.account_id == viewer.account_id,
            db.Message.number > member.hidden_count,
        )
        .exists()
    )


def no_such_chat() -> Rejected:
    """Make the one rejection for chats that do not exist and chats of others."""
    return reject(Code.NOT_FOUND, "There is no such chat, or you are not in it.", "chat_id")


async def advance(
    session: WriteSession, chat_id: uuid.UUID, *, events: int, messages: int = 0, members: int = 0
) -> db.Chat:
    """Take the next numbers of a chat; its `last_seq` and `message_count` are the last of those taken.

    What adds a message or a member is activity: `last_activity_at` becomes now, and never goes back, even if the clock
    does. Locks the chat's row.
    """
    values: dict[str, ColumnElement[Any]] = {
        "last_seq": db.Chat.last_seq + events,
        "message_count": db.Chat.message_count + messages,
        "member_count": db.Chat.member_count + members,
    }
    if messages > 0 or members > 0:
        values["last_activity_at"] = func.greatest(db.Chat.last_activity_at, func.clock_timestamp())
    chat: db.Chat = (
        await session.scalars(
            update(db.Chat)
            .where(db.Chat.id == chat_id)
            .values(values)
            .returning(db.Chat)
            .execution_options(synchronize_session=False, populate_existing=True)
        )
    ).one()
    return chat


async def bring_up(session: WriteSession, chat: db.Chat) -> None:
    """Put a chat that has just moved on at the head of its members' lists."""
    today = day_of(chat.last_activity_at)
    await session.execute(
        update(db.ChatMember)
        .where(db.ChatMember.chat_id == chat.id, db.ChatMember.active_on < today)
        .values(active_on=today)
        .execution_options(synchronize_session=False)
    )


async def move_members(
    session: WriteSession, viewer: Viewer, chat: db.Chat, *, wrote_at: datetime | None = None
) -> None:
    """Move the viewer's read mark to what he has just done; the first of a day brings the chat up in all lists.

    `wrote_at` is when he wrote, if that is what he did.
    """
    today, is_author = day_of(chat.last_activity_at), db.ChatMember.account_id == viewer.account_id
    await session.execute(
        update(db.ChatMember)
        .where(db.ChatMember.chat_id == chat.id, or_(is_author, db.ChatMember.active_on < today))
        .values(
            active_on=today,
            wrote_at=case((is_author, func.coalesce(wrote_at, db.ChatMember.wrote_at)), else_=db.ChatMember.wrote_at),
            last_read_seq=case((is_author, chat.last_seq), else_=db.ChatMember.last_read_seq),
            read_count=case((is_author, chat.message_count), else_=db.ChatMember.read_count),
        )
        .execution_options(synchronize_session=False)
    )


def day_of(at: datetime) -> date:
    """Give the day in UTC that a moment belongs to, as `active_on` has it."""
    return at.astimezone(UTC).date()


def other_of(chat: db.Chat, viewer: Viewer) -> uuid.UUID | None:
    """Give the other one of a direct chat; None for a group."""
    if chat.kind is db.ChatKind.GROUP:
        return None
    return chat.second_account_id if chat.first_account_id == viewer.account_id else chat.first_account_id


async def open_doors_by_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, bool]:
    """Tell to whom of these accounts the viewer may write directly; the others are left out.

    Blocks, what the other one allows, and whether he is there at all decide; nobody learns which of them it was.
    """
    if viewer is None:
        return {}
    found = await session.scalars(
        select(db.Account.id).where(db.Account.id.in_(ids), teammates.is_within_reach(viewer), _lets_write(viewer))
    )
    return dict.fromkeys(found, True)


async def is_open_to(session: ReadSession, viewer: Viewer, other_id: uuid.UUID | None) -> bool:
    """Tell whether the viewer may write directly to somebody; to an account that is gone he may not."""
    return other_id is not None and bool(await open_doors_by_ids(session, viewer, [other_id]))


def _lets_write(viewer: Viewer) -> ColumnElement[bool]:
    allows = db.Account.who_may_write_to_me
    return or_(allows == Audience.EVERYONE, (allows == Audience.TEAMMATES) & teammates.is_teammate_of(viewer))
