"""Chats, their members and messages."""

from gamebuddy.schema.chat.roots import ChatMutations, ChatQueries
from gamebuddy.schema.chat.showing import Chat, ChatConnection, ChatMember, Message, MessageConnection, chats_of

__all__ = [
    "Chat",
    "ChatConnection",
    "ChatMember",
    "ChatMutations",
    "ChatQueries",
    "Message",
    "MessageConnection",
    "chats_of",
]
