"""Chats, their members and messages."""

from gamebuddy.schema.chat.roots import ChatMutations, ChatQueries
from gamebuddy.schema.chat.showing import (
    Chat,
    ChatConnection,
    ChatMember,
    InviteLink,
    Message,
    MessageConnection,
    chats_of,
)

__all__ = [
    "Chat",
    "ChatConnection",
    "ChatMember",
    "ChatMutations",
    "ChatQueries",
    "InviteLink",
    "Message",
    "MessageConnection",
    "chats_of",
]
