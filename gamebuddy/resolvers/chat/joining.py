"""How people come into chats: direct chats, groups, new members."""

import hashlib
import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy import insert, or_, select
from sqlalchemy.dialects.postgresql import insert as insert_or_keep

from gamebuddy import db, text
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import ChatKind, MemberRole, WhoMay, WriteSession
from gamebuddy.errors import Code, Problem, Rejected, reject
from gamebuddy.events import log
from gamebuddy.events.types import MemberJoined
from gamebuddy.resolvers import accounts, teammates
from gamebuddy.resolvers.chat.access import advance, bring_up, is_open_to, lock_chat, move_members
from gamebuddy.resolvers.chat.news import News, NewsKind, tell
from gamebuddy.resolvers.chat.rights import HOLDERS, ChatAction, require
from gamebuddy.resolvers.wording import WordFilter

LONGEST_TITLE = 80
MOST_MEMBERS = 200


async def open_direct_chat(session: WriteSession, viewer: Viewer, *, user_id: uuid.UUID) -> db.Chat:
    """Give the one direct chat of the two, from whichever side it is asked for; the first time it is made.

    It does not open for who is blocked, as it does not where the other one is gone: he finds it in his list.

    Raises:
        Rejected: INVALID for oneself, NOT_FOUND for whoever is not there, not to be reached, or lets nobody write.
    """
    if user_id == viewer.account_id:
        raise reject(Code.INVALID, "You cannot write to yourself.", "user_id")
    first, second = sorted((viewer.account_id, user_id))
    of_the_two = select(db.Chat).where(db.Chat.first_account_id == first, db.Chat.second_account_id == second)
    if not await accounts.by_ids(session, viewer, [user_id]):
        raise teammates.no_such_player("user_id")
    existing: db.Chat | None = await session.scalar(of_the_two)
    if existing is not None:
        return existing
    await teammates.lock_pair(session, viewer.account_id, user_id)
    if not await is_open_to(session, viewer, user_id) or not await _may_meet(session, viewer, user_id):
        raise teammates.no_such_player("user_id")
    chat: db.Chat | None = await session.scalar(
        insert_or_keep(db.Chat)
        .values(
            id=db.new_id(),
            kind=ChatKind.DIRECT,
            first_account_id=first,
            second_account_id=second,
            creator_id=viewer.account_id,
        )
        .on_conflict_do_nothing(index_elements=["first_account_id", "second_account_id"])
        .returning(db.Chat)
    )
    if chat is None:  # the other side was faster
        made: db.Chat = (await session.scalars(of_the_two)).one()
        return made
    both = {viewer.account_id: MemberRole.MEMBER, user_id: MemberRole.MEMBER}
    return await _join(session, viewer, chat, both, invited_by_id=viewer.account_id)


async def create_group(
    session: WriteSession,
    viewer: Viewer,
    *,
    words: WordFilter,
    title: str,
    member_ids: Sequence[uuid.UUID],
    client_id: uuid.UUID,
) -> db.Chat:
    """Make a group of the viewer, who owns it, and teammates. The same `client_id` gives the same group for ever.

    Raises:
        Rejected: for the title and its words; NOT_FOUND for each who is no teammate; LIMIT_REACHED above 200 members;
            IDEMPOTENCY_MISMATCH when the `client_id` was used with another title or other members.
    """
    title = text.checked(title, "title", longest=LONGEST_TITLE)
    others = _others(viewer, member_ids)
    digest = _digest(title, others)  # of what was asked for: rules may be others when it is asked again
    title = words.clean(title, "title")
    chat: db.Chat | None = await session.scalar(
        insert_or_keep(db.Chat)
        .values(
            id=db.new_id(),
            kind=ChatKind.GROUP,
            title=title,
            creator_id=viewer.account_id,
            client_id=client_id,
            client_digest=digest,
        )
        .on_conflict_do_nothing(index_elements=["creator_id", "client_id"])
        .returning(db.Chat)
    )
    if chat is None:
        return await _made_before(session, viewer, client_id, digest)
    await _require_teammates(session, viewer, others, "member_ids")
    if 1 + len(others) > MOST_MEMBERS:
        raise _group_is_full("member_ids")
    await words.flag(session, viewer, title)
    roles = {viewer.account_id: MemberRole.OWNER} | dict.fromkeys(others, MemberRole.MEMBER)
    return await _join(session, viewer, chat, roles, invited_by_id=viewer.account_id)


async def add_members(
    session: WriteSession,
    viewer: Viewer,
    *,
    chat_id: uuid.UUID,
    user_ids: Sequence[uuid.UUID],
    visible_message_count: int | None,
) -> db.Chat:
    """Bring teammates of the viewer into a group; those who are in it already stay as they are.

    They see `visible_message_count` of the messages before, else as many as the group says; never more than the viewer
    himself, and more than the group says only when its owner or an admin brings them.

    Raises:
        Rejected: NOT_FOUND for the chat and for each who is no teammate, NOT_ALLOWED for a direct chat and where the
            group does not let the viewer invite, INVALID for a negative count, LIMIT_REACHED above 200 members.
    """
    if visible_message_count is not None and visible_message_count < 0:
        raise reject(Code.INVALID, "This is 0 or more.", "visible_message_count")
    others = _others(viewer, user_ids)
    chat, member = await lock_chat(session, viewer, chat_id)
    require(chat, member, ChatAction.INVITE)
    await _require_teammates(session, viewer, others, "user_ids")
    members = select(db.ChatMember.account_id).where(
        db.ChatMember.chat_id == chat_id, db.ChatMember.account_id.in_(others)
    )
    present = set(await session.scalars(members))
    newcomers = dict.fromkeys((account_id for account_id in others if account_id not in present), MemberRole.MEMBER)
    if not newcomers:
        return chat
    return await join_group(
        session,
        viewer,
        chat,
        newcomers,
        inviter=member,
        kind=NewsKind.ADDED,
        field="user_ids",
        visible_message_count=visible_message_count,
    )


async def join_group(
    session: WriteSession,
    viewer: Viewer,
    chat: db.Chat,
    roles: Mapping[uuid.UUID, MemberRole],
    *,
    inviter: db.ChatMember,
    kind: NewsKind,
    field: str,
    visible_message_count: int | None = None,
) -> db.Chat:
    """Put newcomers in a group that is locked, and say so in it.

    Raises:
        Rejected: LIMIT_REACHED above 200 members.
    """
    if chat.member_count + len(roles) > MOST_MEMBERS:
        raise _group_is_full(field)
    hidden_count = _hidden_count(chat, inviter, visible_message_count)
    chat = await _join(
        session, viewer, chat, roles, invited_by_id=inviter.account_id, hidden_count=hidden_count, is_news=True
    )
    await tell(session, chat, News(kind=kind, actor_id=viewer.account_id, account_ids=tuple(roles)))
    return chat


async def _join(
    session: WriteSession,
    viewer: Viewer,
    chat: db.Chat,
    roles: Mapping[uuid.UUID, MemberRole],
    *,
    invited_by_id: uuid.UUID,
    hidden_count: int = 0,
    is_news: bool = False,
) -> db.Chat:
    """Put people in a chat that the transaction made or has locked; nothing that was said before is unread to them.

    With `is_news` the chat's last event and message number are left for what is said about it.
    """
    news = int(is_news)
    chat = await advance(session, chat.id, events=len(roles) + news, messages=news, members=len(roles))
    await session.execute(
        insert(db.ChatMember),
        [
            {
                "chat_id": chat.id,
                "account_id": account_id,
                "role": role,
                "invited_by_id": None if account_id == invited_by_id else invited_by_id,
                "last_read_seq": chat.last_seq,
                "read_count": chat.message_count,
                "hidden_count": hidden_count,
            }
            for account_id, role in roles.items()
        ],
    )
    if is_news:
        await move_members(session, viewer, chat)
    else:
        await bring_up(session, {chat.id: chat.last_activity_at})
    first_seq = chat.last_seq - news - len(roles) + 1
    await log.append(
        session,
        *(
            MemberJoined(chat_id=chat.id, seq=seq, actor_id=viewer.account_id, account_id=account_id)
            for seq, account_id in enumerate(roles, start=first_seq)
        ),
    )
    return chat


def _hidden_count(chat: db.Chat, inviter: db.ChatMember, visible: int | None) -> int:
    """Tell how many of the first messages newcomers do not see."""
    by_setting = chat.history_for_newcomers
    if visible is None:
        visible = by_setting
    elif by_setting is not None and inviter.role not in HOLDERS[WhoMay.ADMINS]:
        visible = min(visible, by_setting)
    hidden = 0 if visible is None else max(0, chat.message_count - visible)
    return max(hidden, inviter.hidden_count)


async def _may_meet(session: WriteSession, viewer: Viewer, user_id: uuid.UUID) -> bool:
    """Strangers have to be both minors or both not; teammates have met."""
    found: uuid.UUID | None = await session.scalar(
        select(db.Account.id).where(
            db.Account.id == user_id,
            or_(teammates.is_teammate_of(viewer), teammates.is_of_same_side_of_age(viewer)),
        )
    )
    return found is not None


def _others(viewer: Viewer, account_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Fold repeats and leave oneself out; the values are the places in the input."""
    places: dict[uuid.UUID, int] = {}
    for place, account_id in enumerate(account_ids):
        if account_id != viewer.account_id:
            places.setdefault(account_id, place)
    return places


def _digest(title: str, others: Mapping[uuid.UUID, int]) -> bytes:
    digest = hashlib.sha256(title.encode())
    for account_id in sorted(others):
        digest.update(account_id.bytes)
    return digest.digest()


async def _made_before(session: WriteSession, viewer: Viewer, client_id: uuid.UUID, digest: bytes) -> db.Chat:
    statement = select(db.Chat).where(db.Chat.creator_id == viewer.account_id, db.Chat.client_id == client_id)
    chat: db.Chat = (await session.scalars(statement)).one()
    if chat.client_digest != digest:
        raise reject(
            Code.IDEMPOTENCY_MISMATCH, "This clientId made a group with another title or other members.", "client_id"
        )
    return chat


async def _require_teammates(
    session: WriteSession, viewer: Viewer, others: Mapping[uuid.UUID, int], field: str
) -> None:
    found = set(
        await session.scalars(
            select(db.Account.id)
            .where(
                db.Account.id.in_(others),
                db.Account.status == db.AccountStatus.ACTIVE,
                teammates.is_teammate_of(viewer),
            )
            # Whoever deletes his account meanwhile waits, and leaves this chat too.
            .order_by(db.Account.id)
            .with_for_update(read=True, key_share=True, of=db.Account)
        )
    )
    problems = [
        Problem(code=Code.NOT_FOUND, message="You have no such teammate.", field=(field, place))
        for account_id, place in others.items()
        if account_id not in found
    ]
    if problems:
        raise Rejected(*problems)


def _group_is_full(field: str) -> Rejected:
    return reject(Code.LIMIT_REACHED, f"A group has at most {MOST_MEMBERS} members.", field)
