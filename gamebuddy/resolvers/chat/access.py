"""The ways from a client's id to a chat, and the numbers that its events and messages get."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, TableValuedAlias, and_, case, func, or_, select, update
from sqlalchemy.orm import aliased

from gamebuddy import db
from gamebuddy.auth.viewer import Each, Onlooker, Viewer
from gamebuddy.db import Audience, ReadSession, WriteSession
from gamebuddy.errors import Code, Rejected, reject
from gamebuddy.resolvers import teammates

type Seat = tuple[uuid.UUID, uuid.UUID]  # a chat, and somebody who may be in it


class Advanced(NamedTuple):
    """The last numbers that a chat has given out, and when it last moved on."""

    last_seq: int
    message_count: int
    active_at: datetime


async def access_chat(session: ReadSession, viewer: Viewer, chat_id: uuid.UUID) -> tuple[db.Chat, db.ChatMember]:
    """Give a chat and the viewer's membership of it.

    Raises:
        Rejected: NOT_FOUND when there is no such chat, or the viewer is no member.
    """
    seat = (chat_id, viewer.account_id)
    found = (await access_chats(session, [seat])).get(seat)
    if found is None:
        raise no_such_chat()
    return found


async def access_chats(session: ReadSession, seats: Collection[Seat]) -> dict[Seat, tuple[db.Chat, db.ChatMember]]:
    """Give chats and memberships of them, without those that `access_chat` rejects."""
    seat = _given_seats(seats)
    rows = await session.execute(
        select(db.Chat, db.ChatMember)
        .join(db.ChatMember, db.ChatMember.chat_id == db.Chat.id)
        .join(db.Account, db.Account.id == db.ChatMember.account_id)
        .join(seat, _is_taken_by_member(seat))
        .where(db.Account.status == db.AccountStatus.ACTIVE)  # it may have ended since the operation began
        .execution_options(populate_existing=True)
    )
    return {(chat.id, member.account_id): (chat, member) for chat, member in rows}


async def lock_chat(session: WriteSession, viewer: Viewer, chat_id: uuid.UUID) -> tuple[db.Chat, db.ChatMember]:
    """Give a chat and the viewer's membership of it, with the chat's row locked until the transaction ends.

    Every write to a chat takes this lock before any other row of the chat: so its writes stand in one order, and the
    numbers they take have no hole. Who is no member never gets to hold it.

    Raises:
        Rejected: NOT_FOUND when there is no such chat, or the viewer is no member.
    """
    if chat_id not in await lock_chats(session, [(chat_id, viewer.account_id)]):
        raise no_such_chat()
    # Whoever held the lock before may have put the viewer out: only a second statement sees what he committed.
    return await access_chat(session, viewer, chat_id)


async def lock_chats(session: WriteSession, seats: Collection[Seat], *, waits: bool = True) -> set[uuid.UUID]:
    """Lock many chats as `lock_chat` does, in the order of their ids; gives those that are locked now.

    Where it does not wait, chats that somebody else holds are passed over.
    """
    seat = _given_seats(seats)
    with_member = select(db.ChatMember.chat_id).join(seat, _is_taken_by_member(seat))
    rows = await session.scalars(
        select(db.Chat.id)
        .where(db.Chat.id.in_(with_member))
        .order_by(db.Chat.id)
        .with_for_update(key_share=True, skip_locked=not waits)
    )
    return set(rows)


def _given_seats(seats: Collection[Seat]) -> TableValuedAlias:
    return db.given(
        "seat",
        chat_id=(db.ChatMember.chat_id, [chat_id for chat_id, _ in seats]),
        account_id=(db.ChatMember.account_id, [account_id for _, account_id in seats]),
    )


def _is_taken_by_member(seat: TableValuedAlias) -> ColumnElement[bool]:
    return and_(db.ChatMember.chat_id == seat.c.chat_id, db.ChatMember.account_id == seat.c.account_id)


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


def is_shown(viewer: Onlooker) -> ColumnElement[bool]:
    """Tell of the message in the statement whether the viewer sees it: he may, and has not deleted it for himself."""
    hidden = aliased(db.HiddenMessage)
    is_hidden = (
        select(hidden.message_id)
        .where(hidden.message_id == db.Message.id, hidden.account_id == viewer.account_id)
        .exists()
    )
    return and_(is_for(viewer), ~is_hidden)


def is_for(viewer: Onlooker) -> ColumnElement[bool]:
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


async def advance_by_messages(session: WriteSession, counts: Mapping[uuid.UUID, int]) -> dict[uuid.UUID, Advanced]:
    """Take the next numbers of many chats, which are locked already, for so many new messages each."""
    count = db.given("count", chat_id=(db.Chat.id, list(counts)), messages=(db.Chat.message_count, [*counts.values()]))
    rows = await session.execute(
        update(db.Chat)
        .where(db.Chat.id == count.c.chat_id)
        .values(
            last_seq=db.Chat.last_seq + count.c.messages,
            message_count=db.Chat.message_count + count.c.messages,
            last_activity_at=func.greatest(db.Chat.last_activity_at, func.clock_timestamp()),
        )
        .returning(db.Chat.id, db.Chat.last_seq, db.Chat.message_count, db.Chat.last_activity_at)
        .execution_options(synchronize_session=False)
    )
    return {chat_id: Advanced(*numbers) for chat_id, *numbers in rows}


async def bring_up(session: WriteSession, active_at: Mapping[uuid.UUID, datetime]) -> None:
    """Put chats that have just moved on at the head of their members' lists."""
    moved = db.given(
        "moved",
        chat_id=(db.ChatMember.chat_id, list(active_at)),
        active_on=(db.ChatMember.active_on, [day_of(at) for at in active_at.values()]),
    )
    await session.execute(
        update(db.ChatMember)
        .where(db.ChatMember.chat_id == moved.c.chat_id, db.ChatMember.active_on < moved.c.active_on)
        .values(active_on=moved.c.active_on)
        .execution_options(synchronize_session=False)
    )


async def move_members(session: WriteSession, viewer: Viewer, chat: db.Chat) -> None:
    """Move the viewer's read mark to what he has just done; the first of a day brings the chat up in all lists."""
    today, is_actor = day_of(chat.last_activity_at), db.ChatMember.account_id == viewer.account_id
    await session.execute(
        update(db.ChatMember)
        .where(db.ChatMember.chat_id == chat.id, or_(is_actor, db.ChatMember.active_on < today))
        .values(
            active_on=today,
            last_read_seq=case((is_actor, chat.last_seq), else_=db.ChatMember.last_read_seq),
            read_count=case((is_actor, chat.message_count), else_=db.ChatMember.read_count),
        )
        .execution_options(synchronize_session=False)
    )


async def move_authors(session: WriteSession, messages: Sequence[db.Message]) -> None:
    """Move the read marks of those who have just written, each one message, to what they wrote."""
    wrote = db.given(
        "wrote",
        chat_id=(db.Message.chat_id, [message.chat_id for message in messages]),
        account_id=(db.Message.author_id, [message.author_id for message in messages]),
        seq=(db.Message.seq, [message.seq for message in messages]),
        number=(db.Message.number, [message.number for message in messages]),
        at=(db.Message.created_at, [message.created_at for message in messages]),
    )
    await session.execute(
        update(db.ChatMember)
        .where(db.ChatMember.chat_id == wrote.c.chat_id, db.ChatMember.account_id == wrote.c.account_id)
        .values(last_read_seq=wrote.c.seq, read_count=wrote.c.number, wrote_at=wrote.c.at)
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
        select(db.Account.id).where(
            db.is_one_of(db.Account.id, ids), teammates.is_within_reach(viewer), _lets_write(viewer)
        )
    )
    return dict.fromkeys(found, True)


async def is_open_to(session: ReadSession, viewer: Viewer, other_id: uuid.UUID | None) -> bool:
    """Tell whether the viewer may write directly to somebody; to an account that is gone he may not."""
    return other_id is not None and bool(await open_doors_by_ids(session, viewer, [other_id]))


async def open_doors(
    session: ReadSession, pairs: Collection[tuple[uuid.UUID, uuid.UUID]]
) -> set[tuple[uuid.UUID, uuid.UUID]]:
    """Give those of many pairs (account, other) of which the account may write directly to the other."""
    if not pairs:
        return set()
    asked = db.given(
        "asked",
        account_id=(db.Account.id, [account_id for account_id, _ in pairs]),
        other_id=(db.Account.id, [other_id for _, other_id in pairs]),
    )
    viewer = Each(account_id=asked.c.account_id)
    rows = await session.execute(
        select(asked.c.account_id, asked.c.other_id)
        .join(db.Account, db.Account.id == asked.c.other_id)
        .where(teammates.is_within_reach(viewer), _lets_write(viewer))
    )
    return {(account_id, other_id) for account_id, other_id in rows}


def _lets_write(viewer: Onlooker) -> ColumnElement[bool]:
    allows = db.Account.who_may_write_to_me
    return or_(allows == Audience.EVERYONE, (allows == Audience.TEAMMATES) & teammates.is_teammate_of(viewer))
