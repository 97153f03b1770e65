"""Live events: what clients see of the log, as streams and as a page."""

import asyncio
import functools
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, cast

import strawberry

from gamebuddy import db
from gamebuddy.auth.policy import Right
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import new_id
from gamebuddy.errors import NotFound
from gamebuddy.events import log, notices, types
from gamebuddy.events.log import AccountPlace, ChatPlace, Snapshot
from gamebuddy.events.notices import Place
from gamebuddy.resolvers import chat as chats
from gamebuddy.schema import ids
from gamebuddy.schema.chat import Chat, Message
from gamebuddy.schema.context import Context, Info, Services
from gamebuddy.schema.describe import field
from gamebuddy.schema.fields import Following, Reading, query, subscription
from gamebuddy.schema.ids import Kind
from gamebuddy.schema.paging import page_size
from gamebuddy.schema.players import Presence, User, signer, user
from gamebuddy.schema.scalars import Cursor, Moment
from gamebuddy.schema.teammates import TeammateRequest

MOST_RUNNING = 30  # transactions that a cursor names

After = Annotated[Cursor | None, strawberry.argument(description="The cursor of the last event that you have.")]


@strawberry.interface(
    description="One thing that happened. Delivery is at least once, in order within a chat; `id` tells repeats apart."
    " Sent to those who may see what it tells of at that moment."
)
class Event:
    """See the description."""

    id: strawberry.ID = strawberry.field(description="The same wherever and however often the event is seen.")
    cursor: Cursor | None = strawberry.field(
        description="Where to resume behind it; null for what is not kept and for what ends a stream for good."
    )
    at: Moment = strawberry.field(description="When it happened.")
    has_audience: ClassVar[bool] = False  # whether many follow it, who may share what they are shown: schema/sharing.py


@strawberry.interface(description="Something that happened in a chat. Seen by its members.")
class ChatEvent(Event):
    """See the description."""

    seq: int | None = strawberry.field(description="Its number in the chat, without gaps; null for what is not kept.")
    has_audience: ClassVar[bool] = True
    row: strawberry.Private[types.ChatEvent | types.Typing]

    @field
    async def chat(self, info: Info) -> Chat:
        """Where it happened."""
        return await chat_of(info, self.row)


@strawberry.type(description="A message was sent.")
class MessageSent(ChatEvent):
    """See the description."""

    @field
    async def message(self, info: Info) -> Message:
        """The message."""
        return await _message(info, self.row)


@strawberry.type(description="The text of a message was changed by its author.")
class MessageEdited(ChatEvent):
    """See the description."""

    @field
    async def message(self, info: Info) -> Message:
        """The message as it is now."""
        return await _message(info, self.row)


@strawberry.type(description="A message was deleted for everyone; it stays in its place without a text.")
class MessageDeleted(ChatEvent):
    """See the description."""

    @field
    async def message(self, info: Info) -> Message:
        """What is left of the message."""
        return await _message(info, self.row)


@strawberry.type(description="You have deleted a message for yourself, on this device or another one of yours.")
class MessageHidden(Event):
    """See the description."""

    message_id: strawberry.ID = strawberry.field(description="The message, which you see no more.")


@strawberry.type(description="Somebody has put a sign under a message, or taken it away.")
class ReactionChanged(ChatEvent):
    """See the description."""

    emoji: str = strawberry.field(description="The sign.")
    is_on: bool = strawberry.field(description="Whether it is there now.")

    @field
    async def message(self, info: Info) -> Message:
        """The message as it is now."""
        return await _message(info, self.row)

    @field
    async def user(self, info: Info) -> User:
        """Who."""
        return await signer(info, self.row.actor_id)


@strawberry.type(description="A message was pinned, or is not any more.")
class MessagePinned(ChatEvent):
    """See the description."""

    is_pinned: bool = strawberry.field(description="Whether it is pinned now.")

    @field
    async def message(self, info: Info) -> Message:
        """The message as it is now."""
        return await _message(info, self.row)


@strawberry.type(description="Somebody has become a member.")
class MemberJoined(ChatEvent):
    """See the description."""

    @field
    async def user(self, info: Info) -> User:
        """Who."""
        return await signer(info, cast("types.MemberJoined", self.row).account_id)

    @field
    async def by(self, info: Info) -> User | None:
        """Who brought the new member in; null where that one cannot be seen."""
        return await user(info, self.row.actor_id)


@strawberry.type(description="Somebody is no longer a member. The last event of the chat that he is sent.")
class MemberLeft(ChatEvent):
    """See the description."""

    @field
    async def user(self, info: Info) -> User:
        """Who."""
        return await signer(info, cast("types.MemberLeft", self.row).account_id)

    @field
    async def by(self, info: Info) -> User | None:
        """Who did it: the member himself, or who removed him; null where that one cannot be seen."""
        return await user(info, self.row.actor_id)


@strawberry.type(description="A member of a group has another role.")
class MemberRoleChanged(ChatEvent):
    """See the description."""

    role: db.MemberRole = strawberry.field(description="What the member may do now.")

    @field
    async def user(self, info: Info) -> User:
        """Who."""
        return await signer(info, cast("types.MemberRoleChanged", self.row).account_id)


@strawberry.type(description="Title or settings of a chat have changed.")
class ChatUpdated(ChatEvent):
    """See the description."""


@strawberry.type(description="Somebody has read on.")
class MessagesRead(ChatEvent):
    """See the description."""

    up_to_seq: int = strawberry.field(description="Everything up to this number has been read.")

    @field
    async def user(self, info: Info) -> User:
        """Who."""
        return await signer(info, self.row.actor_id)


@strawberry.type(
    description="Somebody is typing, or has stopped. Not kept. After six seconds `isTyping: false` comes by itself."
)
class Typing(ChatEvent):
    """See the description."""

    is_typing: bool = strawberry.field(description="Whether he is typing now.")

    @field
    async def user(self, info: Info) -> User:
        """Who."""
        return await signer(info, self.row.actor_id)


@strawberry.type(
    description="A teammate, or somebody with whom you share a direct chat, has come, gone, is away from the device or "
    "plays something else; sent where that one lets you know. Not kept."
)
class PresenceChanged(Event):
    """See the description."""

    row: strawberry.Private[types.PresenceChanged]

    @field
    async def user(self, info: Info) -> User:
        """Who."""
        return await signer(info, self.row.account_id)

    @field
    async def presence(self, info: Info) -> Presence:
        """How it is now."""
        return Presence.of(_seen(await info.context.loaders.presences.load(self.row.account_id)))


@strawberry.type(description="A teammate request to or from you was made, answered or withdrawn.")
class TeammateRequestChanged(Event):
    """See the description."""

    row: strawberry.Private[types.TeammateRequestChanged]

    @field
    async def request(self, info: Info) -> TeammateRequest:
        """The request as it is now."""
        return TeammateRequest.of(_seen(await info.context.loaders.requests.load(self.row.request_id)))


@strawberry.type(description="Everything kept up to the moment of subscribing has been sent; what follows is live.")
class CaughtUp(Event):
    """See the description."""


@strawberry.type(
    description="The place asked for is no longer kept, or the reader fell behind: load the state anew and start from "
    "`cursor`. The stream completes after it."
)
class ResyncRequired(Event):
    """See the description."""

    reason: str = strawberry.field(description="Why, for people.")


@strawberry.type(description="The right to this stream has ended; the stream completes after it.")
class AccessRevoked(Event):
    """See the description."""

    reason: str = strawberry.field(description="Why, for people.")
    chat: Chat | None = strawberry.field(description="The chat that you may no longer follow, where you still see it.")


@strawberry.type(description="A stretch of what was kept. Seen by the account that it was kept for.")
class EventPage:
    """See the description."""

    events: list[Event] = strawberry.field(description="Events in the order they are read in.")
    end_cursor: Cursor = strawberry.field(description="Where to go on, also on an empty page.")
    has_more: bool = strawberry.field(description="Whether more are kept behind this page.")
    resync_required: bool = strawberry.field(
        description="Whether the place is no longer kept: load the state anew and go on from `endCursor`."
    )


SHOWN: dict[type[types.Event], type[Event]] = {
    types.MessageSent: MessageSent,
    types.MessageEdited: MessageEdited,
    types.MessageDeleted: MessageDeleted,
    types.MessageHidden: MessageHidden,
    types.ReactionChanged: ReactionChanged,
    types.MessagePinned: MessagePinned,
    types.MemberJoined: MemberJoined,
    types.MemberLeft: MemberLeft,
    types.MemberRoleChanged: MemberRoleChanged,
    types.ChatUpdated: ChatUpdated,
    types.MessagesRead: MessagesRead,
    types.TeammateRequestChanged: TeammateRequestChanged,
    types.Typing: Typing,
    types.PresenceChanged: PresenceChanged,
}
# What an event shows of itself; the rest is loaded.
OWN_FIELDS: dict[type[types.Event], tuple[str, ...]] = {
    types.MessagesRead: ("up_to_seq",),
    types.Typing: ("is_typing",),
    types.ReactionChanged: ("emoji", "is_on"),
    types.MessagePinned: ("is_pinned",),
    types.MemberRoleChanged: ("role",),
}
# Whom an event is about, where it names somebody who may be hidden from the viewer.
PEOPLE: dict[type[types.Event], str] = {
    types.MemberJoined: "account_id",
    types.MemberLeft: "account_id",
    types.MemberRoleChanged: "account_id",
    types.MessagesRead: "actor_id",
    types.ReactionChanged: "actor_id",
    types.Typing: "actor_id",
}
TYPES = [*SHOWN.values(), CaughtUp, ResyncRequired, AccessRevoked]


def cursor_of(services: Services, viewer: Viewer, place: Place, chat_id: uuid.UUID | None = None) -> Cursor:
    """Write a place as a cursor; those of events() and of a chat's events are two kinds."""
    write = functools.partial(services.cursors.write, _scope(viewer, chat_id), str(place.epoch))
    if isinstance(place, ChatPlace):
        return write(place.seq)
    return write(_packed(place.seen), _packed(place.reading) if place.reading else None, place.id)


def _packed(snapshot: Snapshot) -> list[int]:
    """Write a snapshot short. One with many transactions under way is told as less than it sees: some events repeat."""
    xmin = snapshot.xmin
    if len(snapshot.running) > MOST_RUNNING:
        return [xmin, 0]
    return [xmin, snapshot.xmax - xmin, *(xid - xmin for xid in sorted(snapshot.running))]


def _unpacked(packed: list[int]) -> Snapshot:
    xmin, width, *running = packed
    return Snapshot(xmin, xmin + width, frozenset(xmin + offset for offset in running))


def _scope(viewer: Viewer, chat_id: uuid.UUID | None) -> str:
    return f"chatEvents:{viewer.account_id}:{chat_id}" if chat_id else f"events:{viewer.account_id}"


def _account_place(services: Services, viewer: Viewer, cursor: Cursor) -> AccountPlace:
    epoch, seen, reading, row_id = services.cursors.read(_scope(viewer, None), cursor)
    return AccountPlace(uuid.UUID(epoch), _unpacked(seen), _unpacked(reading) if reading else None, row_id)


def _chat_place(services: Services, viewer: Viewer, chat_id: uuid.UUID, cursor: Cursor) -> ChatPlace:
    epoch, seq = services.cursors.read(_scope(viewer, chat_id), cursor)
    return ChatPlace(uuid.UUID(epoch), seq)


def _show(notice: notices.Notice, door: Following | Reading, chat_id: uuid.UUID | None = None) -> Event:
    """Show a notice of the hub: what happened as the same for every viewer but for the cursor."""
    if isinstance(notice, notices.AccessRevoked):
        return AccessRevoked(id=_passing_id(), cursor=None, at=_now(), reason=notice.reason, chat=None)
    if isinstance(notice, notices.Passed):
        return _show_event(notice.event, id=ids.write(Kind.EVENT, notice.id), cursor=None, at=Moment(notice.at))
    cursor = cursor_of(door.services, door.viewer, notice.place, chat_id)
    if isinstance(notice, notices.CaughtUp):
        return CaughtUp(id=_passing_id(), cursor=cursor, at=_now())
    if isinstance(notice, notices.ResyncRequired):
        return ResyncRequired(id=_passing_id(), cursor=cursor, at=_now(), reason=notice.reason)
    return _show_event(notice.event, id=_kept_id(notice.id), cursor=cursor, at=Moment(notice.at))


def _show_event(event: types.Event, **head: Any) -> Event:
    if isinstance(event, types.MessageHidden):
        return MessageHidden(message_id=ids.write(Kind.MESSAGE, event.message_id), **head)
    own: dict[str, Any] = {"row": event}
    if isinstance(event, types.ChatEvent | types.Typing):
        own["seq"] = getattr(event, "seq", None)
    own |= {name: getattr(event, name) for name in OWN_FIELDS.get(type(event), ())}
    return SHOWN[type(event)](**head, **own)


def _kept_id(row_id: int) -> strawberry.ID:
    return ids.write(Kind.EVENT, uuid.UUID(int=row_id))


def _passing_id() -> strawberry.ID:
    return ids.write(Kind.EVENT, new_id())


def _now() -> Moment:
    return Moment(datetime.now(UTC))


async def chat_of(info: Info, event: types.ChatEvent | types.Typing) -> Chat:
    """Show where an event happened."""
    return Chat.of(_seen(await _chat(info.context, event)))


async def _chat(context: Context, event: types.ChatEvent | types.Typing) -> db.Chat | None:
    """Load where an event happened; for a member who has left, the bare chat that he has left."""
    row = await context.loaders.chats.load(event.chat_id)
    if row is not None or not isinstance(event, types.MemberLeft):
        return row
    if context.viewer is not None and event.account_id == context.viewer.account_id:
        row = (await chats.left_by_ids(context.snapshot, [event.chat_id])).get(event.chat_id)
    return row


async def _is_visible(context: Context, event: types.Event) -> bool:
    """Tell whether everything that an event shows is there for the viewer; what is loaded here is not loaded again."""
    loaders = context.loaders
    message_id = None if isinstance(event, types.MessageHidden) else getattr(event, "message_id", None)
    message = loaders.messages.load(message_id) if message_id is not None else None  # is read beside the rest
    if isinstance(event, types.ChatEvent | types.Typing) and await _chat(context, event) is None:
        return False
    if isinstance(event, types.TeammateRequestChanged):
        return await loaders.requests.load(event.request_id) is not None
    if isinstance(event, types.PresenceChanged):
        is_seen = await loaders.accounts.load(event.account_id) is not None
        return is_seen and await loaders.presences.load(event.account_id) is not None
    if type(event) not in SHOWN:  # a newer release may write what this one does not know
        return False
    if type(event) in PEOPLE:
        account_id = getattr(event, PEOPLE[type(event)])
        if account_id is None or await loaders.with_deleted.load(account_id) is None:
            return False
    return message is None or await message is not None


async def _message(info: Info, event: types.Event) -> Message:
    """Show the message that an event is about."""
    about = cast("types.MessageSent", event)
    return Message.of(_seen(await info.context.loaders.messages.load(about.message_id)))


def _seen[Row](row: Row | None) -> Row:
    """Give what `_is_visible` has made sure of."""
    if row is None:
        raise NotFound
    return row


async def _show_all(
    door: Following, stream: AsyncGenerator[notices.Notice], chat_id: uuid.UUID | None
) -> AsyncIterator[Event]:
    async with aclosing(stream):  # the hub forgets a reader when he goes, not when he is collected
        async for notice in stream:
            if not isinstance(notice, notices.Happened | notices.Passed) or await _is_visible(
                door.context, notice.event
            ):
                yield _show(notice, door, chat_id)
            else:
                await door.context.renew()


@strawberry.type
class EventQueries:
    """Root fields that read the log."""

    @query(Right.FOLLOW_EVENTS)
    async def events(
        self,
        door: Reading,
        after: Annotated[Cursor, strawberry.argument(description="The cursor of the last event that you have.")],
        first: Annotated[int | None, strawberry.argument(description="How many, 1 to 50.")] = 50,
    ) -> EventPage:
        """Kept events behind a place, for a client that holds no socket. The cursors are those of the subscription."""
        place, now = _account_place(door.services, door.viewer, after), await log.place_now(door.session)
        reach = await log.reach(door.session)
        limit = page_size(first, default=50)
        if not place.is_kept(reach, now.seen):
            end = cursor_of(door.services, door.viewer, now)
            return EventPage(events=[], end_cursor=end, has_more=False, resync_required=True)
        steps = await log.read_account(
            door.session, door.viewer.account_id, place=place, until=now.seen, limit=limit + 1
        )
        page = steps[:limit]
        are_visible = await asyncio.gather(*(_is_visible(door.context, step.kept.event) for step in page))
        shown = [
            _show(notices.Happened(step.kept.id, step.kept.at, step.kept.event, step.place), door)
            for step, is_visible in zip(page, are_visible, strict=True)
            if is_visible
        ]
        last = page[-1].place if page else place
        if len(steps) <= limit:
            last = now
        return EventPage(
            events=shown,
            end_cursor=cursor_of(door.services, door.viewer, last),
            has_more=len(steps) > limit,
            resync_required=False,
        )


@strawberry.type
class EventSubscriptions:
    """Root fields that stream."""

    @subscription(Right.FOLLOW_EVENTS)
    async def events(self, door: Following, after: After = None) -> AsyncIterator[Event]:
        """Everything that happens in your chats and to your account.

        With `after` it first sends what was kept since then, then CaughtUp, then what happens; without, it starts with
        CaughtUp.
        """
        place = _account_place(door.services, door.viewer, after) if after is not None else None
        async for event in _show_all(door, door.services.hub.follow_account(door.viewer, place), None):
            yield event

    @subscription(Right.READ_CHAT)
    async def chat_events(
        self,
        door: Following,
        chat_id: Annotated[strawberry.ID, strawberry.argument(description="A chat that you are in.")],
        after: After = None,
    ) -> AsyncIterator[Event]:
        """The same for one chat; opening it needs membership.

        Its cursors and those of events() are two kinds; one is no place in the other.
        """
        row_id = ids.read(Kind.CHAT, chat_id)
        place = _chat_place(door.services, door.viewer, row_id, after) if after is not None else None
        async for event in _show_all(door, door.services.hub.follow_chat(door.viewer, row_id, place), row_id):
            yield event
