"""The streams of a process: what waits for each reader, and how it ends."""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Self

from gamebuddy.auth.viewer import Viewer
from gamebuddy.errors import TooSlow
from gamebuddy.events.log import Step
from gamebuddy.events.notices import AccessRevoked, Passed
from gamebuddy.events.types import ChatEvent, Event

LONGEST_QUEUE = 1_000  # events that wait for a reader; then the reader has to load its state anew
MOST_PASSING = 100  # whoever has more before him is told nothing that is not kept


class Lapse(Enum):
    """Why a stream stops although its reader may go on elsewhere."""

    TOO_SLOW = auto()
    GOING_AWAY = auto()


type End = AccessRevoked | Lapse
type Queued = Step | Passed | End


@dataclass(slots=True, eq=False)
class Follower:
    """One stream of this process. Its queue holds rows of the log, and at last how it ends."""

    viewer: Viewer
    came_in: int  # the batch that was under way
    chat_id: uuid.UUID | None = None  # None: everything that concerns the account
    chats: set[uuid.UUID] = field(default_factory=set)  # whose events it gets
    queue: asyncio.Queue[Queued] = field(default_factory=asyncio.Queue)
    end_of_it: End | None = None

    def offer(self, row: Step) -> None:
        """Queue a row; a reader that is too slow for it has to load its state anew."""
        if self.end_of_it is None:
            if self.queue.qsize() < LONGEST_QUEUE:
                self.queue.put_nowait(row)
            else:
                self.end(Lapse.TOO_SLOW)

    def mention(self, passed: Passed) -> None:
        """Queue what is not kept, unless the reader has enough before him."""
        if self.end_of_it is None and self.queue.qsize() < MOST_PASSING:
            self.queue.put_nowait(passed)

    def end(self, how: End) -> None:
        """Let the stream end after what is queued, and hear nothing more."""
        if self.end_of_it is None:
            self.end_of_it = how
            self.queue.put_nowait(how)

    def cut(self) -> None:
        """Let the stream of a session that has ended stop at once: what is queued is not for it any more."""
        while not self.queue.empty():
            self.queue.get_nowait()
        self.end_of_it = None
        self.end(AccessRevoked("Your session has ended."))


class Followers:
    """The streams of a process, by what they follow."""

    def __init__(self) -> None:
        self.by_chat: defaultdict[uuid.UUID, set[Follower]] = defaultdict(set)
        self.by_account: defaultdict[uuid.UUID, set[Follower]] = defaultdict(set)

    def __iter__(self) -> Iterator[Follower]:
        """Give each of them once."""
        return iter({f for some in (*self.by_chat.values(), *self.by_account.values()) for f in some})

    def of(self, event: Event) -> set[Follower]:
        """Give those that an event concerns: of its chat, and of the account it is about."""
        found: set[Follower] = set()
        if isinstance(event, ChatEvent):
            found |= self.by_chat.get(event.chat_id, set())
        account_id = getattr(event, "account_id", None)
        if account_id is not None:
            found |= self.by_account.get(account_id, set())
        return found

    def attach(self, follower: Follower) -> None:
        """Let a follower hear what is about its account."""
        self.by_account[follower.viewer.account_id].add(follower)

    def follow(self, follower: Follower, chat_id: uuid.UUID) -> None:
        """Let a follower hear what happens in a chat."""
        follower.chats.add(chat_id)
        self.by_chat[chat_id].add(follower)

    def unfollow(self, follower: Follower, chat_id: uuid.UUID) -> None:
        """Let it hear no more of the chat."""
        follower.chats.discard(chat_id)
        self.by_chat[chat_id].discard(follower)
        if not self.by_chat[chat_id]:
            del self.by_chat[chat_id]

    def detach(self, follower: Follower) -> None:
        """Let it hear nothing more."""
        follower.end(Lapse.GOING_AWAY)
        account_id = follower.viewer.account_id
        self.by_account[account_id].discard(follower)
        if not self.by_account[account_id]:
            del self.by_account[account_id]
        for chat_id in tuple(follower.chats):
            self.unfollow(follower, chat_id)


@dataclass(slots=True, eq=False)
class Watch:
    """Tells when a session has ended: signed out, expired, or its account no longer active."""

    viewer: Viewer
    came_in: int  # the batch that was under way
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Watching:
    """A watch for as long as it is used."""

    def __init__(self, watches: defaultdict[uuid.UUID, set[Watch]], watch: Watch) -> None:
        self._watches = watches
        self._watch = watch
        self.ended = watch.ended

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._watches[self._watch.viewer.account_id].add(self._watch)
        return self

    def __exit__(self, *_: object) -> None:
        """Watch no longer."""
        self.close()

    def close(self) -> None:
        """Watch no longer."""
        account_id = self._watch.viewer.account_id
        self._watches[account_id].discard(self._watch)
        if not self._watches[account_id]:
            del self._watches[account_id]


async def until_end(follower: Follower) -> AsyncGenerator[Queued]:
    """Give what is queued for a follower, and at last how it ends.

    Raises:
        TooSlow: when that was because he read too slowly.
    """
    while True:
        queued = await follower.queue.get()
        yield queued
        if queued is Lapse.TOO_SLOW:
            raise TooSlow
        if not isinstance(queued, Step | Passed):
            return
