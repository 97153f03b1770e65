"""What changes chats is told with, and what comes back."""

import uuid

import strawberry

from gamebuddy.schema.chat.showing import Chat, Message
from gamebuddy.schema.errors import UserError


@strawberry.input(
    description="Gives the one direct chat of the two, however often and from whichever side it is asked for."
)
class OpenDirectChatInput:
    """See the description."""

    user_id: strawberry.ID = strawberry.field(description="With whom.")


@strawberry.input(description="Members are the viewer's teammates; everybody else joins by an invite link.")
class CreateGroupInput:
    """See the description."""

    title: str = strawberry.field(description="1 to 80 characters.")
    member_ids: list[strawberry.ID] = strawberry.field(description="Teammates; at most 199 beside yourself.")
    client_id: uuid.UUID = strawberry.field(description="Makes a repeat harmless: the same id gives the same group.")


@strawberry.input(description="Whom to bring into a group.")
class AddMembersInput:
    """See the description."""

    chat_id: strawberry.ID = strawberry.field(description="A group that you are in.")
    user_ids: list[strawberry.ID] = strawberry.field(description="Your teammates; who is in it already stays.")


@strawberry.input(description="Which group to leave.")
class LeaveChatInput:
    """See the description."""

    chat_id: strawberry.ID = strawberry.field(description="A group that you are in.")


@strawberry.input(
    description="`clientId` makes a repeat harmless, for ever and on every node: the same id from the same sender "
    "gives the first message back."
)
class SendMessageInput:
    """See the description."""

    chat_id: strawberry.ID = strawberry.field(description="A chat that you are in.")
    client_id: uuid.UUID = strawberry.field(description="A new id for each message.")
    text: str | None = strawberry.field(description="1 to 4,000 characters that can be seen.", default=None)
    reply_to_id: strawberry.ID | None = strawberry.field(description="A message of this chat.", default=None)


@strawberry.input(description="How far the viewer has read.")
class MarkReadInput:
    """See the description."""

    chat_id: strawberry.ID = strawberry.field(description="A chat that you are in.")
    up_to_seq: int = strawberry.field(
        description="0 to the chat's `lastSeq`. Less than before changes nothing; of several at once the furthest wins."
    )


@strawberry.type(description="The chat after the change.")
class ChatPayload:
    """See the description."""

    chat: Chat | None = strawberry.field(description="The chat; null when nothing was changed.", default=None)
    user_errors: list[UserError] = strawberry.field(
        description="What to mend; empty exactly on success.", default_factory=list
    )


@strawberry.type(description="The message that was sent.")
class MessagePayload:
    """See the description."""

    message: Message | None = strawberry.field(description="The message; null when nothing was sent.", default=None)
    user_errors: list[UserError] = strawberry.field(
        description="What to mend; empty exactly on success.", default_factory=list
    )
