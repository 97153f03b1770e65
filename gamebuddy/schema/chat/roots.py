"""The root fields about chats."""

from typing import Annotated

import strawberry

from gamebuddy.auth.policy import Right
from gamebuddy.resolvers import chat
from gamebuddy.schema import ids
from gamebuddy.schema.chat.inputs import (
    AddMembersInput,
    ChatPayload,
    CreateGroupInput,
    LeaveChatInput,
    MarkReadInput,
    MessagePayload,
    OpenDirectChatInput,
    SendMessageInput,
)
from gamebuddy.schema.chat.showing import Chat, Message
from gamebuddy.schema.fields import Reading, Writing, mutation, query
from gamebuddy.schema.ids import Kind


@strawberry.type
class ChatQueries:
    """Root fields that read chats."""

    @query(Right.READ_CHAT)
    async def chat(
        self, door: Reading, id: Annotated[strawberry.ID, strawberry.argument(description="The id of a chat.")]
    ) -> Chat | None:
        """One chat; null when there is none, or the viewer is not in it."""
        row = await door.context.loaders.chats.load(ids.read(Kind.CHAT, id))
        return Chat.of(row) if row else None

    @query(Right.READ_CHAT)
    async def message(
        self, door: Reading, id: Annotated[strawberry.ID, strawberry.argument(description="The id of a message.")]
    ) -> Message | None:
        """One message; null when there is none, or the viewer is not in its chat."""
        row = await door.context.loaders.messages.load(ids.read(Kind.MESSAGE, id))
        return Message.of(row) if row else None


@strawberry.type
class ChatMutations:
    """Root fields that make chats, join and leave them, write and read."""

    @mutation(Right.OPEN_CHAT)
    async def open_direct_chat(self, door: Writing, input: OpenDirectChatInput) -> ChatPayload:
        """Open the one direct chat with somebody; the first time it is made.

        Who may do so the first time is up to the other one: see `whoMayWriteToMe`.
        """
        row = await chat.open_direct_chat(door.session, door.viewer, user_id=ids.read(Kind.USER, input.user_id))
        return ChatPayload(chat=Chat.of(row))

    @mutation(Right.CREATE_GROUP)
    async def create_group(self, door: Writing, input: CreateGroupInput) -> ChatPayload:
        """Make a group of yourself, who owns it, and teammates."""
        row = await chat.create_group(
            door.session,
            door.viewer,
            title=input.title,
            member_ids=[ids.read(Kind.USER, value) for value in input.member_ids],
            client_id=input.client_id,
        )
        return ChatPayload(chat=Chat.of(row))

    @mutation(Right.OPEN_CHAT)
    async def add_members(self, door: Writing, input: AddMembersInput) -> ChatPayload:
        """Bring teammates into a group. They see all of its history; none of it is unread to them."""
        row = await chat.add_members(
            door.session,
            door.viewer,
            chat_id=ids.read(Kind.CHAT, input.chat_id),
            user_ids=[ids.read(Kind.USER, value) for value in input.user_ids],
        )
        return ChatPayload(chat=Chat.of(row))

    @mutation(Right.READ_CHAT)
    async def leave_chat(self, door: Writing, input: LeaveChatInput) -> ChatPayload:
        """Leave a group. If its owner leaves, the longest-standing admin follows, else the longest-standing member."""
        row = await chat.leave_chat(door.session, door.viewer, chat_id=ids.read(Kind.CHAT, input.chat_id))
        return ChatPayload(chat=Chat.of(row))

    @mutation(Right.SEND_MESSAGE)
    async def send_message(self, door: Writing, input: SendMessageInput) -> MessagePayload:
        """Write to a chat. 60 messages at once, then 5 a second; what is more gets RETRY_LATER."""
        row = await chat.send_message(
            door.session,
            door.viewer,
            throttle=door.services.gate.throttle,
            chat_id=ids.read(Kind.CHAT, input.chat_id),
            client_id=input.client_id,
            text=input.text,
            reply_to_id=ids.read(Kind.MESSAGE, input.reply_to_id) if input.reply_to_id is not None else None,
        )
        return MessagePayload(message=Message.of(row))

    @mutation(Right.READ_CHAT)
    async def mark_read(self, door: Writing, input: MarkReadInput) -> ChatPayload:
        """Say how far you have read. The mark never goes back."""
        row = await chat.mark_read(
            door.session, door.viewer, chat_id=ids.read(Kind.CHAT, input.chat_id), up_to_seq=input.up_to_seq
        )
        return ChatPayload(chat=Chat.of(row))
