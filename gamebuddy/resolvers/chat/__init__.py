"""Chats: who is in them, what is written, how far it is read."""

from gamebuddy.resolvers.chat.access import access_chat, is_open_to, open_doors_by_ids, other_of
from gamebuddy.resolvers.chat.joining import add_members, create_group, leave_all, leave_chat, open_direct_chat
from gamebuddy.resolvers.chat.reading import (
    ChatPlace,
    History,
    MemberPlace,
    Members,
    by_ids,
    count_unread_chats,
    find_chats,
    histories_by_ids,
    last_messages_by_ids,
    left_by_ids,
    mark_read,
    members_by_ids,
    memberships_by_ids,
    messages_by_ids,
)
from gamebuddy.resolvers.chat.writing import send_message

__all__ = [
    "ChatPlace",
    "History",
    "MemberPlace",
    "Members",
    "access_chat",
    "add_members",
    "by_ids",
    "count_unread_chats",
    "create_group",
    "find_chats",
    "histories_by_ids",
    "is_open_to",
    "last_messages_by_ids",
    "leave_all",
    "leave_chat",
    "left_by_ids",
    "mark_read",
    "members_by_ids",
    "memberships_by_ids",
    "messages_by_ids",
    "open_direct_chat",
    "open_doors_by_ids",
    "other_of",
    "send_message",
]
