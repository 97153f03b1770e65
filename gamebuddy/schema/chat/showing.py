"""Chats, their members and messages, as those who are in them see them."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Annotated, cast

import strawberry

from gamebuddy import db
from gamebuddy.auth import policy
from gamebuddy.auth.policy import Decision, Right
from gamebuddy.auth.viewer import Viewer
from gamebuddy.errors import BadInput
from gamebuddy.resolvers import chat
from gamebuddy.resolvers.chat import ChatPlace, History, MemberPlace, Members
from gamebuddy.resolvers.paging import Page
from gamebuddy.schema import ids
from gamebuddy.schema.context import Info
from gamebuddy.schema.describe import describe_enum, field
from gamebuddy.schema.ids import Kind
from gamebuddy.schema.node import Node
from gamebuddy.schema.paging import PageInfo, page_size
from gamebuddy.schema.permissions import Permission
from gamebuddy.schema.players import User, user
from gamebuddy.schema.scalars import Cursor, Moment

MOST_MESSAGES = 100
USUAL_MESSAGES = 50
GONE = "Deleted account"  # what a direct chat is called when the other one cannot be seen, for whatever reason


class ChatAction(StrEnum):
    """Something a member may do in one chat."""

    WRITE = "WRITE"
    INVITE = "INVITE"
    PIN = "PIN"
    EDIT_INFO = "EDIT_INFO"
    MANAGE_MEMBERS = "MANAGE_MEMBERS"
    LEAVE = "LEAVE"
    DELETE = "DELETE"


describe_enum(
    db.ChatKind,
    "What kind of chat it is.",
    DIRECT="Between two, for ever.",
    GROUP="Up to 200 members with a title.",
)
describe_enum(
    db.MemberRole,
    "What a member may do in a group, whatever the account's role.",
    OWNER="The one who made it, or who followed.",
    ADMIN="Helps the owner.",
    MEMBER="Everybody else; both sides of a direct chat.",
)
describe_enum(
    db.MessageKind,
    "Who wrote a message.",
    TEXT="A person.",
    SYSTEM="The chat itself.",
)
describe_enum(
    ChatAction,
    "Something a member may do in one chat.",
    WRITE="Send messages.",
    INVITE="Bring in teammates.",
    PIN="Pin messages.",
    EDIT_INFO="Change title and picture.",
    MANAGE_MEMBERS="Remove members and change their roles.",
    LEAVE="Go.",
    DELETE="Delete what others wrote.",
)


@strawberry.type(description="Somebody in a chat. Seen by those who are in it.")
class ChatMember:
    """See the description."""

    role: db.MemberRole = strawberry.field(description="What the member may do in the group.")
    joined_at: Moment = strawberry.field(description="Since when.")
    last_read_seq: int = strawberry.field(description="Everything up to this message number has been read.")
    row: strawberry.Private[db.ChatMember]

    @classmethod
    def of(cls, row: db.ChatMember) -> "ChatMember":
        """Show a row."""
        return cls(role=row.role, joined_at=Moment(row.joined_at), last_read_seq=row.last_read_seq, row=row)

    @field
    async def user(self, info: Info) -> User:
        """Who it is."""
        return cast("User", await user(info, self.row.account_id))

    @field
    async def invited_by(self, info: Info) -> User | None:
        """Who brought the member in; null for who made the chat, and where that one cannot be seen."""
        return await user(info, self.row.invited_by_id)


@strawberry.type(description="A member and the place in a list.")
class ChatMemberEdge:
    """See the description."""

    node: ChatMember = strawberry.field(description="The member.")
    cursor: Cursor = strawberry.field(description="The place.")


@strawberry.type(description="A page of members in the order they joined.")
class ChatMemberConnection:
    """See the description."""

    edges: list[ChatMemberEdge] = strawberry.field(description="Members with their places.")
    nodes: list[ChatMember] = strawberry.field(description="The members alone.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")


@strawberry.type(description="One message. Seen by those who are in its chat.")
class Message(Node):
    """See the description."""

    seq: int = strawberry.field(
        description="Number of the event that sent it: grows by at least one with each event of its chat, never reused."
    )
    client_id: uuid.UUID | None = strawberry.field(description="The id that its author's device gave it.")
    kind: db.MessageKind = strawberry.field(description="Written by a person, or by the chat itself.")
    text: str = strawberry.field(
        description="What was written, as it was typed; at most 4,000 characters. Empty once deleted."
    )
    created_at: Moment = strawberry.field(description="When it was sent; never earlier than the one before it.")
    deleted_at: Moment | None = strawberry.field(description="When it was deleted; null while it is there.")
    row: strawberry.Private[db.Message]

    @classmethod
    def of(cls, row: db.Message) -> "Message":
        """Show a row."""
        return cls(
            id=ids.write(Kind.MESSAGE, row.id),
            seq=row.seq,
            client_id=row.client_id,
            kind=row.kind,
            text=row.text,
            created_at=Moment(row.created_at),
            deleted_at=Moment(row.deleted_at) if row.deleted_at else None,
            row=row,
        )

    @field
    async def chat(self, info: Info) -> "Chat":
        """Where it was sent."""
        row = await info.context.loaders.chats.load(self.row.chat_id)
        if row is None:  # whoever sees the message here has left between the two statements: the bare chat will do
            row = (await chat.left_by_ids(info.context.snapshot, [self.row.chat_id]))[self.row.chat_id]
        return Chat.of(row)

    @field
    async def author(self, info: Info) -> User | None:
        """Who wrote it; null for the chat itself, and for whom you cannot see. A deleted account names nobody."""
        return await user(info, self.row.author_id)

    @field
    async def reply_to(self, info: Info) -> "Message | None":
        """What it answers, in the same chat."""
        row = await info.context.loaders.messages.load(self.row.reply_to_id) if self.row.reply_to_id else None
        return Message.of(row) if row else None


@strawberry.type(description="A message and its place in a list.")
class MessageEdge:
    """See the description."""

    node: Message = strawberry.field(description="The message.")
    cursor: Cursor = strawberry.field(description="Its place.")


@strawberry.type(description="A page of messages, oldest first.")
class MessageConnection:
    """See the description."""

    edges: list[MessageEdge] = strawberry.field(description="Messages with their places.")
    nodes: list[Message] = strawberry.field(description="The messages alone.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")


@strawberry.type(description="A conversation. Seen by those who are in it and by nobody else.")
class Chat(Node):
    """See the description."""

    kind: db.ChatKind = strawberry.field(description="Direct or group.")
    member_count: int = strawberry.field(description="How many are in it.")
    last_seq: int = strawberry.field(description="Number of the newest event in this chat.")
    created_at: Moment = strawberry.field(description="When it was made.")
    row: strawberry.Private[db.Chat]

    @classmethod
    def of(cls, row: db.Chat) -> "Chat":
        """Show a row."""
        return cls(
            id=ids.write(Kind.CHAT, row.id),
            kind=row.kind,
            member_count=row.member_count,
            last_seq=row.last_seq,
            created_at=Moment(row.created_at),
            row=row,
        )

    @field
    async def title(self, info: Info) -> str:
        """The group's title; for a direct chat the other person's display name."""
        if self.row.title is not None:
            return self.row.title
        viewer = info.context.viewer
        other_id = chat.other_of(self.row, viewer) if viewer else None
        other = await info.context.loaders.signers.load(other_id) if other_id else None
        return other.display_name if other else GONE

    @field
    async def members(
        self,
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="How many, 1 to 50.")] = 50,
        after: Annotated[Cursor | None, strawberry.argument(description="Continue behind this place.")] = None,
    ) -> ChatMemberConnection:
        """Who is in it, in the order they joined. People whom you cannot see are left out."""
        cursors, scope = info.context.services.cursors, self._scope(info, "members")
        place = cursors.read(scope, after) if after is not None else None
        stretch = Members(
            limit=page_size(first, default=50),
            after=MemberPlace(datetime.fromisoformat(place[0]), uuid.UUID(place[1])) if place else None,
        )
        page = await info.context.loaders.members.load((self.row.id, stretch)) or Page(
            (), has_next=False, has_previous=False
        )
        edges = [
            ChatMemberEdge(
                node=ChatMember.of(row), cursor=cursors.write(scope, row.joined_at.isoformat(), str(row.account_id))
            )
            for row in page.items
        ]
        return ChatMemberConnection(
            edges=edges,
            nodes=[edge.node for edge in edges],
            page_info=PageInfo.over(
                [edge.cursor for edge in edges], has_next=page.has_next, has_previous=page.has_previous
            ),
        )

    @field
    async def messages(
        self,
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="The oldest so many, 1 to 100.")] = None,
        after: Annotated[Cursor | None, strawberry.argument(description="Only what is newer than this place.")] = None,
        last: Annotated[
            int | None,
            strawberry.argument(description="The newest so many, 1 to 100; 50 where `first` is not given either."),
        ] = None,
        before: Annotated[Cursor | None, strawberry.argument(description="Only what is older than this place.")] = None,
    ) -> MessageConnection:
        """What was written, oldest first inside a page. `last` with `before` reads history backwards."""
        cursors, scope = info.context.services.cursors, self._scope(info, "messages")
        if first is not None and last is not None:
            raise BadInput("Give `first` or `last`, not both.")
        stretch = History(
            limit=_messages(first, "first") if first is not None else _messages(last, "last"),
            from_start=first is not None or (last is None and after is not None),
            after=cursors.read(scope, after)[0] if after is not None else None,
            before=cursors.read(scope, before)[0] if before is not None else None,
        )
        page = await info.context.loaders.histories.load((self.row.id, stretch)) or Page(
            (), has_next=False, has_previous=False
        )
        edges = [MessageEdge(node=Message.of(row), cursor=cursors.write(scope, row.seq)) for row in page.items]
        return MessageConnection(
            edges=edges,
            nodes=[edge.node for edge in edges],
            page_info=PageInfo.over(
                [edge.cursor for edge in edges], has_next=page.has_next, has_previous=page.has_previous
            ),
        )

    @field
    async def last_message(self, info: Info) -> Message | None:
        """The newest message; null while nothing was written."""
        row = await info.context.loaders.last_messages.load(self.row.id)
        return Message.of(row) if row else None

    @field
    async def viewer_membership(self, info: Info) -> ChatMember | None:
        """The viewer's own place in it; null after leaving."""
        row = await info.context.loaders.memberships.load(self.row.id)
        return ChatMember.of(row) if row else None

    @field
    async def viewer_unread_count(self, info: Info) -> int:
        """How many messages the viewer has not read."""
        row = await info.context.loaders.memberships.load(self.row.id)
        return max(0, self.row.message_count - row.read_count) if row else 0

    @field
    async def viewer_can(
        self, info: Info, action: Annotated[ChatAction, strawberry.argument(description="What to do.")]
    ) -> Permission:
        """Whether the viewer may do something here, at this moment."""
        return Permission.of(await self._decide(info, action))

    async def _decide(self, info: Info, action: ChatAction) -> Decision:
        viewer = info.context.viewer
        if viewer is None or await info.context.loaders.memberships.load(self.row.id) is None:
            return Decision(is_allowed=False, reason="You are not in this chat.")
        match action:
            case ChatAction.WRITE:
                return await self._decide_write(info, viewer)
            case ChatAction.INVITE | ChatAction.LEAVE:
                if self.row.kind is db.ChatKind.DIRECT:
                    return Decision(is_allowed=False, reason="A direct chat stays between two.")
                return policy.decide(viewer, Right.OPEN_CHAT if action is ChatAction.INVITE else Right.READ_CHAT)
            case _:
                return Decision(is_allowed=False, reason="This server has no such thing yet.")

    async def _decide_write(self, info: Info, viewer: Viewer) -> Decision:
        decision = policy.decide(viewer, Right.SEND_MESSAGE)
        if not decision.is_allowed or self.row.kind is db.ChatKind.GROUP:
            return decision
        other_id = chat.other_of(self.row, viewer)
        if other_id is not None and await info.context.loaders.open_doors.load(other_id):
            return decision
        return Decision(is_allowed=False, reason="You cannot write to this person.")

    def _scope(self, info: Info, name: str) -> str:
        viewer = info.context.viewer
        return f"chat.{name}:{self.row.id}:{viewer.account_id if viewer else None}"


@strawberry.type(description="A chat and its place in a list.")
class ChatEdge:
    """See the description."""

    node: Chat = strawberry.field(description="The chat.")
    cursor: Cursor = strawberry.field(description="Its place.")


@strawberry.type(description="A page of chats, the most recently active first.")
class ChatConnection:
    """See the description."""

    edges: list[ChatEdge] = strawberry.field(description="Chats with their places.")
    nodes: list[Chat] = strawberry.field(description="The chats alone.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")


async def chats_of(
    info: Info, viewer: Viewer, *, is_archived: bool, first: int | None, after: Cursor | None
) -> ChatConnection:
    """List the viewer's chats, the most recently active first."""
    cursors, scope = info.context.services.cursors, f"viewer.chats:{is_archived}:{viewer.account_id}"
    place = cursors.read(scope, after) if after is not None else None
    page = await chat.find_chats(
        info.context.snapshot,
        viewer,
        is_archived=is_archived,
        limit=page_size(first),
        after=ChatPlace(datetime.fromisoformat(place[0]), uuid.UUID(place[1])) if place else None,
    )
    edges = [
        ChatEdge(node=Chat.of(row), cursor=cursors.write(scope, row.last_activity_at.isoformat(), str(row.id)))
        for row in page.items
    ]
    return ChatConnection(
        edges=edges,
        nodes=[edge.node for edge in edges],
        page_info=PageInfo.over(
            [edge.cursor for edge in edges], has_next=page.has_next, has_previous=page.has_previous
        ),
    )


def _messages(size: int | None, name: str) -> int:
    if size is None:
        return USUAL_MESSAGES
    if not 1 <= size <= MOST_MESSAGES:
        raise BadInput(f"`{name}` is 1 to {MOST_MESSAGES}.")
    return size
