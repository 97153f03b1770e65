"""What a member may do in a chat: its settings and his place in it decide, in one table."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from gamebuddy import db
from gamebuddy.db import ChatKind, MemberRole, WhoMay
from gamebuddy.errors import Code, Problem, Rejected, reject


class ChatAction(StrEnum):
    """Something a member may do in one chat."""

    WRITE = "WRITE"
    INVITE = "INVITE"
    PIN = "PIN"
    EDIT_INFO = "EDIT_INFO"
    MANAGE_MEMBERS = "MANAGE_MEMBERS"
    LEAVE = "LEAVE"
    DELETE = "DELETE"


HOLDERS: Mapping[WhoMay, frozenset[MemberRole]] = {
    WhoMay.OWNER: frozenset({MemberRole.OWNER}),
    WhoMay.ADMINS: frozenset({MemberRole.OWNER, MemberRole.ADMIN}),
    WhoMay.EVERYONE: frozenset(MemberRole),
}
# Whom a group lets do what; its settings say so, or it is the same in every group.
IN_GROUPS: Mapping[ChatAction, Callable[[db.Chat], WhoMay]] = {
    ChatAction.WRITE: lambda chat: chat.who_may_write,
    ChatAction.INVITE: lambda chat: chat.who_may_invite,
    ChatAction.PIN: lambda chat: chat.who_may_pin,
    ChatAction.EDIT_INFO: lambda chat: chat.who_may_edit_info,
    ChatAction.MANAGE_MEMBERS: lambda _: WhoMay.ADMINS,
    ChatAction.DELETE: lambda _: WhoMay.ADMINS,
    ChatAction.LEAVE: lambda _: WhoMay.EVERYONE,
}
IN_DIRECT_CHATS = frozenset({ChatAction.WRITE, ChatAction.PIN})
RANKS: Mapping[MemberRole, int] = {MemberRole.MEMBER: 0, MemberRole.ADMIN: 1, MemberRole.OWNER: 2}


def is_allowed(chat: db.Chat, member: db.ChatMember, action: ChatAction) -> bool:
    """Tell whether a member's place in the chat lets him do something."""
    if chat.kind is ChatKind.DIRECT:
        return action in IN_DIRECT_CHATS
    return member.role in HOLDERS[IN_GROUPS[action](chat)]


def require(chat: db.Chat, member: db.ChatMember, action: ChatAction) -> None:
    """Let those through whom the chat lets do something.

    Raises:
        Rejected: NOT_ALLOWED.
    """
    if not is_allowed(chat, member, action):
        raise reject(Code.NOT_ALLOWED, refusal(chat), "chat_id")


def refusal(chat: db.Chat) -> str:
    """Say why not."""
    if chat.kind is ChatKind.DIRECT:
        return "A direct chat stays between two."
    return "This group does not let you do this."


def outranks(member: db.ChatMember, other: db.ChatMember) -> bool:
    """Tell whether a member may remove another one: the owner everybody, admins those who are none."""
    return RANKS[member.role] > RANKS[other.role]


def next_turn(chat: db.Chat, member: db.ChatMember) -> datetime | None:
    """Tell when slow mode lets a member write again; None where it does not hold him, as owner and admins never."""
    if not chat.slow_mode_seconds or member.wrote_at is None or member.role in HOLDERS[WhoMay.ADMINS]:
        return None
    return member.wrote_at + timedelta(seconds=chat.slow_mode_seconds)


def require_turn(chat: db.Chat, member: db.ChatMember, now: datetime) -> None:
    """Hold members as slow mode says.

    Raises:
        Rejected: RETRY_LATER with the moment of the next turn.
    """
    turn = next_turn(chat, member)
    if turn is not None and turn > now:
        message = f"Slow mode: one message in {chat.slow_mode_seconds} seconds."
        raise Rejected(Problem(code=Code.RETRY_LATER, message=message, field=("chat_id",), retry_at=turn))
