"""What changes chats is told with, and what comes back."""

import uuid
from typing import cast

import strawberry

from gamebuddy import db
from gamebuddy.resolvers.chat import ChatChanges, NotificationChanges
from gamebuddy.schema import ids
from gamebuddy.schema.chat.showing import Chat, InviteLink, Message
from gamebuddy.schema.errors import UserError
from gamebuddy.schema.ids import Kind
from gamebuddy.schema.scalars import Moment


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
    visible_message_count: int | None = strawberry.field(
        description="How many earlier messages these newcomers see, in the place of the group's setting; never more "
        "than you see yourself, and more than the setting only if you are the owner or an admin.",
        default=None,
    )


@strawberry.input(description="Whether the viewer is typing.")
class SetTypingInput:
    """See the description."""

    chat_id: strawberry.ID = strawberry.field(description="A chat that you are in.")
    is_typing: bool = strawberry.field(description="Whether you are typing now.")


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
    text: str | None = strawberry.field(
        description="1 to 4,000 characters that can be seen; may be absent beside files, and has to be for a "
        "forwarded message.",
        default=None,
    )
    attachment_upload_ids: list[strawberry.ID] | None = strawberry.field(
        description="Files from createUpload, at most 10, in this order; each is used once.", default=None
    )
    forward_message_id: strawberry.ID | None = strawberry.field(
        description="A message of any of your chats, to send again here.", default=None
    )
    reply_to_id: strawberry.ID | None = strawberry.field(description="A message of this chat.", default=None)


@strawberry.input(description="What to change about a group. An absent field stays as it is.")
class UpdateChatInput:
    """See the description."""

    chat_id: strawberry.ID = strawberry.field(description="A group that you are in.")
    title: strawberry.Maybe[str | None] = strawberry.field(
        description="1 to 80 characters; for those whom `whoMayEditInfo` names.", default=None
    )
    avatar_upload_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        description="A picture from createUpload, null for none; for those whom `whoMayEditInfo` names.", default=None
    )
    who_may_invite: strawberry.Maybe[db.WhoMay | None] = strawberry.field(description="For the owner.", default=None)
    who_may_pin: strawberry.Maybe[db.WhoMay | None] = strawberry.field(description="For the owner.", default=None)
    who_may_edit_info: strawberry.Maybe[db.WhoMay | None] = strawberry.field(description="For the owner.", default=None)
    who_may_write: strawberry.Maybe[db.WhoMay | None] = strawberry.field(description="For the owner.", default=None)
    history_for_newcomers: strawberry.Maybe[int | None] = strawberry.field(
        description="How many earlier messages a newcomer sees; null for all. For the owner.", default=None
    )
    slow_mode_seconds: strawberry.Maybe[int | None] = strawberry.field(
        description="0 to 21,600 seconds between two messages of a plain member. For the owner.", default=None
    )

    def changes(self) -> ChatChanges:
        """Tell what is named, in the terms of the domain."""
        given = {name: value.value for name, value in vars(self).items() if isinstance(value, strawberry.Some)}
        if "avatar_upload_id" in given:
            upload_id = given.pop("avatar_upload_id")
            given["avatar_id"] = ids.read(Kind.UPLOAD, upload_id) if upload_id is not None else None
        return cast("ChatChanges", given)


@strawberry.input(description="Whom to put out of a group.")
class RemoveMemberInput:
    """See the description."""

    chat_id: strawberry.ID = strawberry.field(description="A group whose owner or admin you are.")
    user_id: strawberry.ID = strawberry.field(description="A member; admins are removed by the owner alone.")


@strawberry.input(description="Which role to give a member.")
class SetMemberRoleInput:
    """See the description."""

    chat_id: strawberry.ID = strawberry.field(description="A group that you own.")
    user_id: strawberry.ID = strawberry.field(description="Another member.")
    role: db.MemberRole = strawberry.field(description="OWNER hands the group over: you become an admin.")


@strawberry.input(description="A way into a group.")
class CreateInviteLinkInput:
    """See the description."""

    chat_id: strawberry.ID = strawberry.field(description="A group that lets you invite.")
    expires_at: Moment | None = strawberry.field(description="Until when it works; absent: for ever.", default=None)
    max_uses: int | None = strawberry.field(description="1 to 1,000; absent: any number.", default=None)


@strawberry.input(description="Which link shall work no more.")
class RevokeInviteLinkInput:
    """See the description."""

    invite_link_id: strawberry.ID = strawberry.field(description="Your own, or any of a group that you help to run.")


@strawberry.input(description="The way into a group.")
class JoinByInviteInput:
    """See the description."""

    code: str = strawberry.field(description="The code of a link.")


@strawberry.input(description="What a message of yours shall say.")
class EditMessageInput:
    """See the description."""

    message_id: strawberry.ID = strawberry.field(description="What you have written within 24 hours.")
    text: str = strawberry.field(description="1 to 4,000 characters that can be seen.")


@strawberry.input(description="Which message to delete, and for whom.")
class DeleteMessageInput:
    """See the description."""

    message_id: strawberry.ID = strawberry.field(description="A message that you see.")
    for_everyone: bool = strawberry.field(
        description="True: for everybody; your own within 24 hours, or any in a group that you help to run. False: for "
        "yourself alone."
    )


@strawberry.input(description="A sign under a message.")
class SetReactionInput:
    """See the description."""

    message_id: strawberry.ID = strawberry.field(description="A message that you see.")
    emoji: str = strawberry.field(description="One emoji.")
    is_on: bool = strawberry.field(description="Whether it shall be there; at most 3 of yours under one message.")


@strawberry.input(description="What to pin.")
class PinMessageInput:
    """See the description."""

    message_id: strawberry.ID = strawberry.field(description="A message of a chat that lets you pin.")
    is_pinned: bool = strawberry.field(description="Whether it shall be pinned.")


@strawberry.input(description="What you want to hear of a chat. An absent field stays as it is.")
class SetChatNotificationsInput:
    """See the description."""

    chat_id: strawberry.ID = strawberry.field(description="A chat that you are in.")
    muted_until: strawberry.Maybe[Moment | None] = strawberry.field(
        description="Until when you want to hear nothing; null for no longer.", default=None
    )
    is_archived: strawberry.Maybe[bool] = strawberry.field(
        description="Whether it stands among the archived ones.", default=None
    )

    def changes(self) -> NotificationChanges:
        """Tell what is named, in the terms of the domain."""
        given = {name: value.value for name, value in vars(self).items() if isinstance(value, strawberry.Some)}
        return cast("NotificationChanges", given)


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


@strawberry.type(description="The link after the change.")
class InviteLinkPayload:
    """See the description."""

    invite_link: InviteLink | None = strawberry.field(
        description="The link; null when nothing was changed.", default=None
    )
    user_errors: list[UserError] = strawberry.field(
        description="What to mend; empty exactly on success.", default_factory=list
    )


@strawberry.type(description="The message after the change.")
class MessagePayload:
    """See the description."""

    message: Message | None = strawberry.field(description="The message; null when nothing was changed.", default=None)
    user_errors: list[UserError] = strawberry.field(
        description="What to mend; empty exactly on success.", default_factory=list
    )
