"""How a group is run: its title and settings, and the roles of its members."""

import uuid
from typing import Any, TypedDict

from sqlalchemy import update

from gamebuddy import db, text
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import ChatKind, MemberRole, UploadPurpose, WhoMay, WriteSession
from gamebuddy.errors import Code, Rejected, reject
from gamebuddy.events import log
from gamebuddy.events.types import ChatUpdated, MemberRoleChanged
from gamebuddy.files import Files
from gamebuddy.resolvers import uploads
from gamebuddy.resolvers.chat.access import advance, lock_chat, move_members
from gamebuddy.resolvers.chat.joining import LONGEST_TITLE
from gamebuddy.resolvers.chat.leaving import no_such_member
from gamebuddy.resolvers.chat.news import News, NewsKind, tell
from gamebuddy.resolvers.chat.rights import ChatAction, refusal, require
from gamebuddy.resolvers.wording import WordFilter

LONGEST_HISTORY = 1_000_000
SLOWEST = 6 * 3_600  # seconds


class ChatChanges(TypedDict, total=False):
    """What is to be changed; what is not named stays. Title and picture take EDIT_INFO, the rest is the owner's."""

    title: str | None
    avatar_id: uuid.UUID | None
    who_may_invite: WhoMay | None
    who_may_pin: WhoMay | None
    who_may_edit_info: WhoMay | None
    who_may_write: WhoMay | None
    history_for_newcomers: int | None
    slow_mode_seconds: int | None


INFO = frozenset({"title", "avatar_id"})
MAY_BE_NULL = frozenset({"avatar_id", "history_for_newcomers"})
UPLOAD = "avatar_upload_id"
RANGES = {"history_for_newcomers": LONGEST_HISTORY, "slow_mode_seconds": SLOWEST}


async def update_chat(
    session: WriteSession, viewer: Viewer, *, files: Files, words: WordFilter, chat_id: uuid.UUID, changes: ChatChanges
) -> db.Chat:
    """Change title, picture and settings of a group; what is as it was tells nobody anything.

    Raises:
        Rejected: NOT_FOUND for the chat; NOT_ALLOWED for a direct chat, for a title where the group does not let the
            viewer, and for settings by anybody but the owner; what is wrong with a value (words, too) or with the
            picture's upload.
        Unavailable: when too many pictures wait.
    """
    checked = {name: _checked(name, value) for name, value in changes.items()}
    if "title" in checked:
        checked["title"] = words.clean(checked["title"], "title")
    picture_id = checked.get("avatar_id")
    if picture_id is not None:
        await uploads.check(session, viewer, files, [picture_id], UploadPurpose.AVATAR, UPLOAD)
    chat, member = await lock_chat(session, viewer, chat_id)
    if chat.kind is ChatKind.DIRECT:
        raise reject(Code.NOT_ALLOWED, refusal(chat), "chat_id")
    if checked.keys() & INFO:
        require(chat, member, ChatAction.EDIT_INFO)
    if checked.keys() - INFO and member.role is not MemberRole.OWNER:
        raise reject(Code.NOT_ALLOWED, "Only the owner changes settings.", "chat_id")
    changed = {name: value for name, value in checked.items() if getattr(chat, name) != value}
    if not changed:
        return chat
    if "avatar_id" in changed:
        if picture_id is not None:
            await uploads.use(session, viewer, [picture_id], UploadPurpose.AVATAR, UPLOAD)
        await uploads.leave(session, [chat.avatar_id] if chat.avatar_id else [])
    await session.execute(
        update(db.Chat).where(db.Chat.id == chat_id).values(changed).execution_options(synchronize_session=False)
    )
    is_news = "title" in changed
    await words.flag(session, viewer, changed.get("title"))
    chat = await advance(session, chat_id, events=2 if is_news else 1, messages=int(is_news))
    await log.append(
        session, ChatUpdated(chat_id=chat_id, seq=chat.last_seq - int(is_news), actor_id=viewer.account_id)
    )
    if is_news:
        await move_members(session, viewer, chat)
        await tell(session, chat, News(kind=NewsKind.RETITLED, actor_id=viewer.account_id, title=chat.title))
    return chat


async def set_member_role(
    session: WriteSession, viewer: Viewer, *, chat_id: uuid.UUID, user_id: uuid.UUID, role: MemberRole
) -> db.Chat:
    """Give a member another role. Only the owner may; who makes another one the owner becomes an admin himself.

    Raises:
        Rejected: NOT_FOUND for the chat and for whoever is not in it, NOT_ALLOWED for everybody but the owner, INVALID
            for the owner's own role, which goes to somebody else or stays.
    """
    chat, member = await lock_chat(session, viewer, chat_id)
    if chat.kind is ChatKind.DIRECT:
        raise reject(Code.NOT_ALLOWED, refusal(chat), "chat_id")
    if member.role is not MemberRole.OWNER:
        raise reject(Code.NOT_ALLOWED, "Only the owner gives roles.", "chat_id")
    if user_id == viewer.account_id:
        raise reject(Code.INVALID, "Make somebody else the owner instead.", "user_id")
    other = await session.get(db.ChatMember, (chat_id, user_id))
    if other is None:
        raise no_such_member()
    if other.role is role:
        return chat
    given = [(other, role)]
    if role is MemberRole.OWNER:
        given.append((member, MemberRole.ADMIN))
    for who, new_role in given:
        who.role = new_role
    await session.flush()
    chat = await advance(session, chat_id, events=len(given))
    first = chat.last_seq - len(given) + 1
    await log.append(
        session,
        *(
            MemberRoleChanged(
                chat_id=chat_id, seq=seq, actor_id=viewer.account_id, account_id=who.account_id, role=new_role
            )
            for seq, (who, new_role) in enumerate(given, start=first)
        ),
    )
    return chat


def _checked(name: str, value: Any) -> Any:
    if value is None and name not in MAY_BE_NULL:
        raise reject(Code.INVALID, "This cannot be empty.", name)
    if name == "title":
        return text.checked(value, name, longest=LONGEST_TITLE)
    if name in RANGES and value is not None and not 0 <= value <= RANGES[name]:
        raise _out_of_range(name)
    return value


def _out_of_range(name: str) -> Rejected:
    return reject(Code.INVALID, f"0 to {RANGES[name]:,}.", name)
