"""How people go out of groups: leaving, being removed, and who follows an owner."""

import uuid
from collections.abc import Sequence

from sqlalchemy import Row, Text, case, cast, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB

from gamebuddy import db
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import ChatKind, MemberRole, WriteSession
from gamebuddy.errors import Code, reject
from gamebuddy.events import log
from gamebuddy.events.types import Event, MemberLeft, MemberRoleChanged
from gamebuddy.resolvers import uploads
from gamebuddy.resolvers.chat.access import advance, lock_chat, move_members
from gamebuddy.resolvers.chat.inviting import revoke_all_of
from gamebuddy.resolvers.chat.news import News, NewsKind, tell
from gamebuddy.resolvers.chat.rights import ChatAction, outranks, require

NOBODY = uuid.UUID(int=0)  # whom the news of a chat name when that one is erased


async def leave_chat(session: WriteSession, viewer: Viewer, *, chat_id: uuid.UUID) -> db.Chat:
    """Leave a group. Its owner is followed by the longest-standing admin, else by the longest-standing member.

    A group that nobody is in any more stays closed: nobody can come in.

    Raises:
        Rejected: NOT_FOUND for the chat, NOT_ALLOWED for a direct chat.
    """
    chat, member = await lock_chat(session, viewer, chat_id)
    if chat.kind is ChatKind.DIRECT:
        raise reject(Code.NOT_ALLOWED, "A direct chat cannot be left.", "chat_id")
    return await _go(session, viewer, member, NewsKind.LEFT)


async def remove_member(session: WriteSession, viewer: Viewer, *, chat_id: uuid.UUID, user_id: uuid.UUID) -> db.Chat:
    """Put somebody out of a group: the owner anybody, admins those who are none. His links die with it.

    Raises:
        Rejected: NOT_FOUND for the chat and for whoever is not in it; NOT_ALLOWED; INVALID for oneself, who leaves.
    """
    chat, member = await lock_chat(session, viewer, chat_id)
    require(chat, member, ChatAction.MANAGE_MEMBERS)
    if user_id == viewer.account_id:
        raise reject(Code.INVALID, "Leave the group instead.", "user_id")
    other = await session.get(db.ChatMember, (chat_id, user_id))
    if other is None:
        raise no_such_member()
    if not outranks(member, other):
        raise reject(Code.NOT_ALLOWED, "Only the owner removes admins.", "user_id")
    return await _go(session, viewer, other, NewsKind.REMOVED)


async def leave_all(session: WriteSession, viewer: Viewer) -> None:
    """Leave every group; the direct chats are locked, so that whoever is writing there finishes first."""
    for kind, member in await lock_all(session, viewer):
        if kind is ChatKind.GROUP:
            await _go(session, viewer, member, NewsKind.LEFT)


async def lock_all(session: WriteSession, viewer: Viewer) -> Sequence[Row[ChatKind, db.ChatMember]]:
    """Lock all chats of the viewer. Whoever locks his account too does so after this: writers hold a chat first."""
    memberships = await session.execute(
        select(db.Chat.kind, db.ChatMember)
        .join(db.ChatMember, db.ChatMember.chat_id == db.Chat.id)
        .where(db.ChatMember.account_id == viewer.account_id)
        .order_by(db.Chat.id)
        .with_for_update(key_share=True, of=db.Chat)
    )
    locked: Sequence[Row[ChatKind, db.ChatMember]] = memberships.all()
    return locked


async def forget(session: WriteSession, account_id: uuid.UUID) -> None:
    """Take an account that goes out of what chats keep; the words stay, but for a chat that nobody is left in."""
    chat, message = db.Chat, db.Message
    is_pair = or_(chat.first_account_id == account_id, chat.second_account_id == account_id)
    alone = (await session.scalars(select(chat.id).where(is_pair, chat.second_account_id.is_(None)))).all()
    await uploads.leave_attachments(session, select(message.id).where(message.chat_id.in_(alone)))
    other = case((chat.first_account_id == account_id, chat.second_account_id), else_=chat.first_account_id)
    named = message.news.contains({"actor": str(account_id)}) | message.news.contains({"accounts": [str(account_id)]})
    nameless = func.replace(cast(message.news, Text), str(account_id), str(NOBODY))
    for statement in (
        delete(chat).where(chat.id.in_(alone)),
        update(chat).where(is_pair).values(first_account_id=other, second_account_id=None),
        update(message).where(message.news.is_not(None), named).values(news=cast(nameless, JSONB)),
    ):
        await session.execute(statement.execution_options(synchronize_session=False))


def no_such_member() -> Exception:
    """Make the one rejection for people who are not in the chat, and for those who do not exist."""
    return reject(Code.NOT_FOUND, "There is no such member.", "user_id")


async def _go(session: WriteSession, viewer: Viewer, member: db.ChatMember, kind: NewsKind) -> db.Chat:
    """Take a member out of a group that is locked, crown who follows, and say so in the group."""
    chat_id, gone_id = member.chat_id, member.account_id
    was_owner = member.role is MemberRole.OWNER
    await session.execute(
        delete(db.ChatMember)
        .where(db.ChatMember.chat_id == chat_id, db.ChatMember.account_id == gone_id)
        .execution_options(synchronize_session=False)
    )
    await revoke_all_of(session, chat_id, gone_id)
    successor_id = await _crown_successor(session, chat_id) if was_owner else None
    chat = await advance(session, chat_id, events=3 if successor_id else 2, messages=1, members=-1)
    await move_members(session, viewer, chat)
    first = chat.last_seq - (2 if successor_id else 1)
    events: list[Event] = [MemberLeft(chat_id=chat_id, seq=first, actor_id=viewer.account_id, account_id=gone_id)]
    if successor_id is not None:
        events.append(
            MemberRoleChanged(
                chat_id=chat_id,
                seq=first + 1,
                actor_id=viewer.account_id,
                account_id=successor_id,
                role=MemberRole.OWNER,
            )
        )
    await log.append(session, *events)
    people = () if gone_id == viewer.account_id else (gone_id,)
    await tell(session, chat, News(kind=kind, actor_id=viewer.account_id, account_ids=people))
    return chat


async def _crown_successor(session: WriteSession, chat_id: uuid.UUID) -> uuid.UUID | None:
    """Make the next one the owner, if anybody is left; the lock on the chat keeps him from leaving meanwhile."""
    successor = (
        select(db.ChatMember.account_id)
        .where(db.ChatMember.chat_id == chat_id)
        .order_by(
            case((db.ChatMember.role == MemberRole.ADMIN, 0), else_=1),
            db.ChatMember.joined_at,
            db.ChatMember.account_id,
        )
        .limit(1)
    )
    crowned: uuid.UUID | None = await session.scalar(
        update(db.ChatMember)
        .where(db.ChatMember.chat_id == chat_id, db.ChatMember.account_id == successor.scalar_subquery())
        .values(role=MemberRole.OWNER)
        .returning(db.ChatMember.account_id)
        .execution_options(synchronize_session=False)
    )
    return crowned
