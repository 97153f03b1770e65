"""Chats, their members and messages, as those who are in them see them."""

import uuid
from datetime import UTC, datetime
from typing import Annotated

import strawberry

from gamebuddy import db
from gamebuddy.auth import policy
from gamebuddy.auth.policy import Decision, Right
from gamebuddy.auth.viewer import Viewer
from gamebuddy.errors import BadInput
from gamebuddy.resolvers import chat, departure
from gamebuddy.resolvers.chat import ChatAction, ChatPlace, History, MemberPlace, Members
from gamebuddy.resolvers.paging import Page
from gamebuddy.schema import ids
from gamebuddy.schema.chat.saying import say
from gamebuddy.schema.context import Info
from gamebuddy.schema.describe import describe_enum, field
from gamebuddy.schema.files import USUAL, Attachment, Size, avatar_url
from gamebuddy.schema.games import is_russian
from gamebuddy.schema.ids import Kind
from gamebuddy.schema.node import Node
from gamebuddy.schema.paging import PageInfo, page_size
from gamebuddy.schema.permissions import Permission
from gamebuddy.schema.players import User, signer, user
from gamebuddy.schema.scalars import Cursor, Moment, WebAddress

MOST_MESSAGES = 100
USUAL_MESSAGES = 50
# What an account needs to try something in a chat at all.
RIGHTS = {
    ChatAction.WRITE: Right.SEND_MESSAGE,
    ChatAction.INVITE: Right.OPEN_CHAT,
    ChatAction.PIN: Right.OPEN_CHAT,
    ChatAction.EDIT_INFO: Right.CREATE_GROUP,
    ChatAction.MANAGE_MEMBERS: Right.OPEN_CHAT,
    ChatAction.LEAVE: Right.READ_CHAT,
    ChatAction.DELETE: Right.OPEN_CHAT,
}
GONE = departure.NAME  # what a direct chat is called when the other one cannot be seen, for whatever reason


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
    db.WhoMay,
    "Who of a group may do something.",
    OWNER="The owner alone.",
    ADMINS="The owner and admins.",
    EVERYONE="Every member.",
)
describe_enum(
    ChatAction,
    "Something a member may do in one chat.",
    WRITE="Send messages.",
    INVITE="Bring in teammates and make invite links.",
    PIN="Pin messages.",
    EDIT_INFO="Change the title.",
    MANAGE_MEMBERS="Remove members and change their roles.",
    LEAVE="Go.",
    DELETE="Delete what others wrote.",
)


@strawberry.type(
    description="A sign under a message, and how many have put it there. Seen by those who see the message."
)
class Reaction:
    """See the description."""

    emoji: str = strawberry.field(description="The sign.")
    count: int = strawberry.field(description="How many; people whom you cannot see are left out.")
    viewer_has_reacted: bool = strawberry.field(description="Whether one of them is the viewer's.")


@strawberry.type(
    description="What a group lets whom do. Its owner decides; in a direct chat both may write and pin. "
    "Seen by the members."
)
class ChatSettings:
    """See the description."""

    who_may_invite: db.WhoMay = strawberry.field(description="Who brings in teammates and makes invite links.")
    who_may_pin: db.WhoMay = strawberry.field(description="Who pins messages.")
    who_may_edit_info: db.WhoMay = strawberry.field(description="Who changes the title.")
    who_may_write: db.WhoMay = strawberry.field(description="Who sends messages.")
    history_for_newcomers: int | None = strawberry.field(
        description="How many earlier messages a newcomer sees; null for all."
    )
    slow_mode_seconds: int = strawberry.field(
        description="How long a plain member waits between two messages, in seconds; 0 for not at all."
    )

    @classmethod
    def of(cls, row: db.Chat) -> "ChatSettings":
        """Show what a chat's row says."""
        is_direct = row.kind is db.ChatKind.DIRECT
        return cls(
            who_may_invite=row.who_may_invite,
            who_may_pin=db.WhoMay.EVERYONE if is_direct else row.who_may_pin,
            who_may_edit_info=row.who_may_edit_info,
            who_may_write=row.who_may_write,
            history_for_newcomers=row.history_for_newcomers,
            slow_mode_seconds=row.slow_mode_seconds,
        )


@strawberry.type(
    description="A way into a group for whoever has it, until it expires, is used up or revoked, or its maker may not "
    "invite any more. Seen by the group's owner and admins, and by its maker."
)
class InviteLink(Node):
    """See the description."""

    code: str = strawberry.field(description="What joinByInvite takes.")
    expires_at: Moment | None = strawberry.field(description="Until when it works; null for ever.")
    max_uses: int | None = strawberry.field(description="How often it may be used; null for any number.")
    use_count: int = strawberry.field(description="How many have come in through it.")
    row: strawberry.Private[db.InviteLink]

    @classmethod
    def of(cls, row: db.InviteLink) -> "InviteLink":
        """Show a row."""
        return cls(
            id=ids.write(Kind.INVITE_LINK, row.id),
            code=row.code,
            expires_at=Moment(row.expires_at) if row.expires_at else None,
            max_uses=row.max_uses,
            use_count=row.use_count,
            row=row,
        )

    @field
    def url(self, info: Info) -> WebAddress:
        """The link to hand on; an app that knows the address of this server opens it itself."""
        return WebAddress(f"{info.context.services.settings.url}/invite/{self.code}")

    @field
    async def created_by(self, info: Info) -> User:
        """Who made it."""
        return await signer(info, self.row.created_by_id)


@strawberry.type(description="What a holder of a link sees of a group before joining.")
class InvitePreview:
    """See the description."""

    title: str = strawberry.field(description="What the group is called.")
    member_count: int = strawberry.field(description="How many are in it.")
    is_member: bool = strawberry.field(description="Whether the viewer is one of them.")


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
        return await signer(info, self.row.account_id)

    @field
    async def invited_by(self, info: Info) -> User | None:
        """Who brought the member in; null for who made the chat, and where that one cannot be seen."""
        return await user(info, self.row.invited_by_id)

    @field
    def muted_until(self, info: Info) -> Moment | None:
        """Until when the member wants to hear nothing of the chat. Only about oneself; null for others."""
        return Moment(self.row.muted_until) if self.row.muted_until and self._is_viewer(info) else None

    @field
    def is_archived(self, info: Info) -> bool:
        """Whether the member has put the chat away. Only about oneself; false for others."""
        return self.row.is_archived and self._is_viewer(info)

    def _is_viewer(self, info: Info) -> bool:
        return info.context.viewer is not None and info.context.viewer.account_id == self.row.account_id


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
    created_at: Moment = strawberry.field(description="When it was sent; never earlier than the one before it.")
    edited_at: Moment | None = strawberry.field(description="When its author last changed it; null if never.")
    deleted_at: Moment | None = strawberry.field(description="When it was deleted; null while it is there.")
    is_pinned: bool = strawberry.field(description="Whether it is pinned to the head of its chat.")
    row: strawberry.Private[db.Message]

    @classmethod
    def of(cls, row: db.Message) -> "Message":
        """Show a row."""
        return cls(
            id=ids.write(Kind.MESSAGE, row.id),
            seq=row.seq,
            client_id=row.client_id,
            kind=row.kind,
            created_at=Moment(row.created_at),
            edited_at=Moment(row.edited_at) if row.edited_at else None,
            deleted_at=Moment(row.deleted_at) if row.deleted_at else None,
            is_pinned=row.pinned_at is not None,
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
        """Who wrote it; null for the chat itself. A deleted account, and whoever you cannot see, is a nameless user."""
        return None if self.row.kind is db.MessageKind.SYSTEM else await signer(info, self.row.author_id)

    @field
    async def text(self, info: Info) -> str:
        """What was written, as it was typed; at most 4,000 characters. Empty once deleted.

        What the chat itself says is in the viewer's language, Russian or English.
        """
        if self.row.news is None:
            return self.row.text
        news = chat.News.read(self.row.news)
        people = await info.context.loaders.accounts.load_many(list(news.people()))
        return say(news, {row.id: row.display_name for row in people if row}, in_russian=is_russian(info, None))

    @field
    async def forwarded_from(self, info: Info) -> User | None:
        """Who wrote it first, where it is forwarded, nameless as an author may be; null otherwise."""
        return await signer(info, self.row.forwarded_from_id) if self.row.forwarded_from_id else None

    @field
    async def mentions(self, info: Info) -> list[User]:
        """Whom it names with @; people whom you cannot see are left out. @everyone names nobody by himself."""
        named = await info.context.loaders.mentions.load(self.row.id) or ()
        found = [await user(info, account_id) for account_id in named]
        return [one for one in found if one is not None]

    @field
    async def reactions(self, info: Info) -> list[Reaction]:
        """Signs under it, the first one first; at most 20 different ones."""
        signs = await info.context.loaders.reactions.load(self.row.id) or ()
        return [Reaction(emoji=sign.emoji, count=sign.count, viewer_has_reacted=sign.is_own) for sign in signs]

    @field
    async def attachments(self, info: Info) -> list[Attachment]:
        """Files that go with it, at most 10, in their order."""
        return [Attachment.of(file) for file in await info.context.loaders.attachments_of.load(self.row.id) or ()]

    @field
    async def reply_to(self, info: Info) -> "Message | None":
        """What it answers, in the same chat; null where you cannot see that."""
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
        other = await info.context.loaders.accounts.load(other_id) if other_id else None
        return other.display_name if other else GONE

    @field
    async def avatar_url(self, info: Info, size: Size = USUAL) -> WebAddress | None:
        """A square picture, WebP: the group's, or the other person's; null where there is none.

        The link works for an hour or two.
        """
        if self.row.kind is db.ChatKind.GROUP:
            return await avatar_url(info, self.row.avatar_id, size)
        viewer = info.context.viewer
        other = await user(info, chat.other_of(self.row, viewer)) if viewer else None
        return await other.show_avatar(info, size) if other else None

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
    async def pinned_messages(self, info: Info) -> list[Message]:
        """What is pinned, the last pinned first; at most 50."""
        return [Message.of(row) for row in await info.context.loaders.pins.load(self.row.id) or ()]

    @field
    async def invite_links(self, info: Info) -> list[InviteLink] | None:
        """Links that work, oldest first: all of them for the owner and admins, for others those of their own.

        Null where the viewer may not invite.
        """
        if not (await self._decide(info, ChatAction.INVITE)).is_allowed:
            return None
        return [InviteLink.of(row) for row in await info.context.loaders.invite_links_of.load(self.row.id) or ()]

    @field
    def settings(self) -> ChatSettings:
        """What the chat lets whom do."""
        return ChatSettings.of(self.row)

    @field
    async def viewer_unread_mention_count(self, info: Info) -> int:
        """How many messages that the viewer has not read name him or call everyone."""
        return await info.context.loaders.unread_mentions.load(self.row.id) or 0

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
        member = await info.context.loaders.memberships.load(self.row.id) if viewer else None
        if viewer is None or member is None:
            return Decision(is_allowed=False, reason="You are not in this chat.")
        decision = policy.decide(viewer, RIGHTS[action])
        if not decision.is_allowed:
            return decision
        if not chat.is_allowed(self.row, member, action):
            return Decision(is_allowed=False, reason=chat.refusal(self.row))
        if action is ChatAction.WRITE:
            return await self._decide_write(info, viewer, member)
        return decision

    async def _decide_write(self, info: Info, viewer: Viewer, member: db.ChatMember) -> Decision:
        if self.row.kind is db.ChatKind.GROUP:
            turn = chat.next_turn(self.row, member)
            if turn is not None and turn > datetime.now(UTC):
                return Decision(is_allowed=False, reason="Slow mode.", until=turn)
            return Decision(is_allowed=True)
        other_id = chat.other_of(self.row, viewer)
        if other_id is not None and await info.context.loaders.open_doors.load(other_id):
            return Decision(is_allowed=True)
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
