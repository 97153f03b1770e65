"""The root fields about chats."""

import hashlib
import uuid
from typing import Annotated

import strawberry

from gamebuddy.auth.policy import Right
from gamebuddy.resolvers import chat
from gamebuddy.resolvers.chat import Draft, Match
from gamebuddy.schema import ids
from gamebuddy.schema.chat.inputs import (
    AddMembersInput,
    ChatPayload,
    CreateGroupInput,
    CreateInviteLinkInput,
    DeleteMessageInput,
    EditMessageInput,
    InviteLinkPayload,
    JoinByInviteInput,
    LeaveChatInput,
    MarkReadInput,
    MessagePayload,
    OpenDirectChatInput,
    PinMessageInput,
    RemoveMemberInput,
    RevokeInviteLinkInput,
    SendMessageInput,
    SetChatNotificationsInput,
    SetMemberRoleInput,
    SetReactionInput,
    SetTypingInput,
    UpdateChatInput,
)
from gamebuddy.schema.chat.showing import (
    MOST_MESSAGES,
    Chat,
    InviteLink,
    InvitePreview,
    Message,
    MessageConnection,
    MessageEdge,
)
from gamebuddy.schema.errors import DonePayload
from gamebuddy.schema.fields import Door, Reading, Writing, mutation, query, shared_mutation
from gamebuddy.schema.ids import Kind
from gamebuddy.schema.paging import PageInfo, page_size
from gamebuddy.schema.scalars import Cursor


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

    @query(Right.READ_CHAT)
    async def search_messages(
        self,
        door: Reading,
        text: Annotated[str, strawberry.argument(description="Words, at most 200 characters in all.")],
        chat_id: Annotated[strawberry.ID | None, strawberry.argument(description="In this chat alone.")] = None,
        author_id: Annotated[strawberry.ID | None, strawberry.argument(description="By this one alone.")] = None,
        first: Annotated[int | None, strawberry.argument(description="How many, 1 to 100.")] = 20,
        after: Annotated[Cursor | None, strawberry.argument(description="Continue behind this place.")] = None,
    ) -> MessageConnection:
        """Messages in the viewer's own chats that have all of the words in any of their forms, Russian and English.

        The best first, then the newest. "Words in quotes" stand together, `or` lets one of two do, and a minus keeps a
        word out. Of the messages that fit, the thousand newest are ranked.
        """
        digest = hashlib.blake2b(f"{text}\0{chat_id}\0{author_id}".encode(errors="replace"), digest_size=16).hexdigest()
        scope, cursors = f"searchMessages:{door.viewer.account_id}:{digest}", door.services.cursors
        place = None
        if after is not None:
            rank, message_id = cursors.read(scope, after)
            place = Match(rank, uuid.UUID(message_id))
        page = await chat.search_messages(
            door.session,
            door.viewer,
            text=text,
            chat_id=ids.read(Kind.CHAT, chat_id) if chat_id is not None else None,
            author_id=ids.read(Kind.USER, author_id) if author_id is not None else None,
            limit=page_size(first, most=MOST_MESSAGES),
            after=place,
        )
        rows = await door.context.loaders.messages.load_many([match.message_id for match in page.items])
        edges = [
            MessageEdge(node=Message.of(row), cursor=cursors.write(scope, match.rank, str(match.message_id)))
            for match, row in zip(page.items, rows, strict=True)
            if row
        ]
        return MessageConnection(
            edges=edges,
            nodes=[edge.node for edge in edges],
            page_info=PageInfo.over(
                [edge.cursor for edge in edges], has_next=page.has_next, has_previous=page.has_previous
            ),
        )

    @query(Right.READ_CHAT)
    async def invite(
        self, door: Reading, code: Annotated[str, strawberry.argument(description="The code of a link.")]
    ) -> InvitePreview | None:
        """The group behind an invite link; null where the link does not work."""
        found = await chat.preview(door.session, door.viewer, code=code)
        return (
            InvitePreview(title=found.title, member_count=found.member_count, is_member=found.is_member)
            if found
            else None
        )


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
            words=door.services.words,
            title=input.title,
            member_ids=[ids.read(Kind.USER, value) for value in input.member_ids],
            client_id=input.client_id,
        )
        return ChatPayload(chat=Chat.of(row))

    @mutation(Right.OPEN_CHAT)
    async def add_members(self, door: Writing, input: AddMembersInput) -> ChatPayload:
        """Bring teammates into a group that lets you invite. None of what was said before is unread to them.

        How much of it they see is up to the group: see `historyForNewcomers`.
        """
        row = await chat.add_members(
            door.session,
            door.viewer,
            chat_id=ids.read(Kind.CHAT, input.chat_id),
            user_ids=[ids.read(Kind.USER, value) for value in input.user_ids],
            visible_message_count=input.visible_message_count,
        )
        return ChatPayload(chat=Chat.of(row))

    @mutation(Right.CREATE_GROUP)
    async def update_chat(self, door: Writing, input: UpdateChatInput) -> ChatPayload:
        """Change what a group is called and what it lets whom do."""
        row = await chat.update_chat(
            door.session,
            door.viewer,
            files=door.services.files,
            words=door.services.words,
            chat_id=ids.read(Kind.CHAT, input.chat_id),
            changes=input.changes(),
        )
        return ChatPayload(chat=Chat.of(row))

    @mutation(Right.OPEN_CHAT)
    async def remove_member(self, door: Writing, input: RemoveMemberInput) -> ChatPayload:
        """Put a member out of a group; his invite links work no more."""
        row = await chat.remove_member(
            door.session,
            door.viewer,
            chat_id=ids.read(Kind.CHAT, input.chat_id),
            user_id=ids.read(Kind.USER, input.user_id),
        )
        return ChatPayload(chat=Chat.of(row))

    @mutation(Right.OPEN_CHAT)
    async def set_member_role(self, door: Writing, input: SetMemberRoleInput) -> ChatPayload:
        """Make an admin of a member, or a member of an admin, or hand the group over. The owner alone may."""
        row = await chat.set_member_role(
            door.session,
            door.viewer,
            chat_id=ids.read(Kind.CHAT, input.chat_id),
            user_id=ids.read(Kind.USER, input.user_id),
            role=input.role,
        )
        return ChatPayload(chat=Chat.of(row))

    @mutation(Right.OPEN_CHAT)
    async def create_invite_link(self, door: Writing, input: CreateInviteLinkInput) -> InviteLinkPayload:
        """Make a link into a group that lets you invite. It dies when you go or may not invite any more."""
        row = await chat.create_link(
            door.session,
            door.viewer,
            chat_id=ids.read(Kind.CHAT, input.chat_id),
            expires_at=input.expires_at,
            max_uses=input.max_uses,
        )
        return InviteLinkPayload(invite_link=InviteLink.of(row))

    @mutation(Right.OPEN_CHAT)
    async def revoke_invite_link(self, door: Writing, input: RevokeInviteLinkInput) -> InviteLinkPayload:
        """Let a link work no more; once more changes nothing."""
        row = await chat.revoke_link(
            door.session, door.viewer, link_id=ids.read(Kind.INVITE_LINK, input.invite_link_id)
        )
        return InviteLinkPayload(invite_link=InviteLink.of(row))

    @mutation(Right.OPEN_CHAT)
    async def join_by_invite(self, door: Writing, input: JoinByInviteInput) -> ChatPayload:
        """Come into a group through a link; who is in it already just gets the chat."""
        return ChatPayload(chat=Chat.of(await chat.join_by_invite(door.session, door.viewer, code=input.code)))

    @mutation(Right.READ_CHAT)
    async def leave_chat(self, door: Writing, input: LeaveChatInput) -> ChatPayload:
        """Leave a group. If its owner leaves, the longest-standing admin follows, else the longest-standing member."""
        row = await chat.leave_chat(door.session, door.viewer, chat_id=ids.read(Kind.CHAT, input.chat_id))
        return ChatPayload(chat=Chat.of(row))

    @shared_mutation(Right.SEND_MESSAGE)
    async def send_message(self, door: Door, input: SendMessageInput) -> MessagePayload:
        """Write to a chat. 60 messages at once, then 5 a second; what is more gets RETRY_LATER."""
        row = await door.services.outbox.send(
            door.viewer,
            Draft(
                chat_id=ids.read(Kind.CHAT, input.chat_id),
                client_id=input.client_id,
                text=input.text,
                reply_to_id=_message_id(input.reply_to_id),
                forward_id=_message_id(input.forward_message_id),
                upload_ids=tuple(ids.read_all(Kind.UPLOAD, input.attachment_upload_ids or [])),
            ),
        )
        return MessagePayload(message=Message.of(row))

    @mutation(Right.SEND_MESSAGE)
    async def edit_message(self, door: Writing, input: EditMessageInput) -> MessagePayload:
        """Change what you have written within 24 hours. What it said before is kept for moderators."""
        row = await chat.edit_message(
            door.session,
            door.viewer,
            words=door.services.words,
            message_id=ids.read(Kind.MESSAGE, input.message_id),
            content=input.text,
        )
        return MessagePayload(message=Message.of(row))

    @mutation(Right.READ_CHAT)
    async def delete_message(self, door: Writing, input: DeleteMessageInput) -> MessagePayload:
        """Delete a message for everybody or for yourself; once more changes nothing.

        What is deleted for everybody stays in its place without a text, and is kept for moderators.
        """
        delete = chat.delete_for_everyone if input.for_everyone else chat.delete_for_oneself
        row = await delete(door.session, door.viewer, message_id=ids.read(Kind.MESSAGE, input.message_id))
        return MessagePayload(message=Message.of(row))

    @mutation(Right.SEND_MESSAGE)
    async def set_reaction(self, door: Writing, input: SetReactionInput) -> MessagePayload:
        """Put a sign under a message, or take yours away; once more changes nothing."""
        row = await chat.set_reaction(
            door.session,
            door.viewer,
            message_id=ids.read(Kind.MESSAGE, input.message_id),
            emoji=input.emoji,
            is_on=input.is_on,
        )
        return MessagePayload(message=Message.of(row))

    @mutation(Right.OPEN_CHAT)
    async def pin_message(self, door: Writing, input: PinMessageInput) -> MessagePayload:
        """Pin a message to the head of its chat, or take it down; once more changes nothing. At most 50 in a chat."""
        row = await chat.pin_message(
            door.session,
            door.viewer,
            message_id=ids.read(Kind.MESSAGE, input.message_id),
            is_pinned=input.is_pinned,
        )
        return MessagePayload(message=Message.of(row))

    @mutation(Right.READ_CHAT)
    async def set_chat_notifications(self, door: Writing, input: SetChatNotificationsInput) -> ChatPayload:
        """Mute a chat for yourself, or put it among the archived ones."""
        row = await chat.set_notifications(
            door.session, door.viewer, chat_id=ids.read(Kind.CHAT, input.chat_id), changes=input.changes()
        )
        return ChatPayload(chat=Chat.of(row))

    @mutation(Right.SEND_MESSAGE)
    async def set_typing(self, door: Writing, input: SetTypingInput) -> DonePayload:
        """Tell the others of a chat that you type, or have stopped. It lasts for six seconds: say it again."""
        await chat.set_typing(
            door.session,
            door.viewer,
            grapevine=door.services.hub.grapevine,
            chat_id=ids.read(Kind.CHAT, input.chat_id),
            is_typing=input.is_typing,
        )
        return DonePayload(is_done=True)

    @mutation(Right.READ_CHAT)
    async def mark_read(self, door: Writing, input: MarkReadInput) -> ChatPayload:
        """Say how far you have read. The mark never goes back."""
        row = await chat.mark_read(
            door.session, door.viewer, chat_id=ids.read(Kind.CHAT, input.chat_id), up_to_seq=input.up_to_seq
        )
        return ChatPayload(chat=Chat.of(row))


def _message_id(value: strawberry.ID | None) -> uuid.UUID | None:
    return ids.read(Kind.MESSAGE, value) if value is not None else None
