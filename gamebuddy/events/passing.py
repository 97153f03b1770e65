"""What is not kept, such as who is typing: merged, passed on to those who may hear it, and dropped when it is much."""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from gamebuddy.db import ReadSession, new_id
from gamebuddy.events.followers import Follower, Followers
from gamebuddy.events.notices import Passed
from gamebuddy.events.rights import acquainted, rights_of
from gamebuddy.events.types import Passing, PresenceChanged, Typing

TYPING_SECONDS = 6.0  # how long somebody is typing who does not say so again
MERGED_SECONDS = 2.0  # who says the same again so soon is not heard
MOST_REMEMBERED = 10_000

type Typist = tuple[uuid.UUID, uuid.UUID]  # chat, account


class Grapevine:
    """What passes through one process."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._waiting: list[Passing] = []
        self._stops: dict[Typist, asyncio.TimerHandle] = {}  # when who stops, if he does not say so
        self._said: dict[Typist, tuple[float, bool]] = {}  # what those of this process said last, and when

    def is_news(self, account_id: uuid.UUID, chat_id: uuid.UUID, *, is_typing: bool) -> bool:
        """Tell whether it is worth telling that somebody types, or has stopped: not if he said so just now."""
        now, typist = asyncio.get_running_loop().time(), (chat_id, account_id)
        said_at, said = self._said.get(typist, (-MERGED_SECONDS, False))
        if said is is_typing and (not is_typing or now - said_at < MERGED_SECONDS):
            return False
        if len(self._said) > MOST_REMEMBERED:
            self._said = {who: what for who, what in self._said.items() if now - what[0] < TYPING_SECONDS}
        self._said[typist] = (now, is_typing)
        return True

    def take(self, event: Passing) -> None:
        """Keep what was heard for the next batch. Somebody who types is said to have stopped if nothing follows."""
        self._waiting.append(event)
        if isinstance(event, Typing) and event.actor_id is not None:
            typist = (event.chat_id, event.actor_id)
            if timer := self._stops.pop(typist, None):
                timer.cancel()
            if event.is_typing:
                stops = replace(event, is_typing=False)
                self._stops[typist] = asyncio.get_running_loop().call_later(TYPING_SECONDS, self._stop, stops)

    async def hand_out(self, session: ReadSession, followers: Followers) -> None:
        """Hand out what waits: typing to those who follow the chat, presence to acquaintances, with today's rights."""
        events, self._waiting = self._waiting, []
        now = datetime.now(UTC)
        if not events or not (followers.by_chat or followers.by_account):
            return
        near = await self._near(session, events, followers)
        heard = [
            (follower, passed)
            for event in events
            for passed in [Passed(new_id(), now, event)]
            for follower in (
                followers.by_chat.get(event.chat_id, ()) if isinstance(event, Typing) else near[event.account_id]
            )
            if follower.viewer.account_id != event.actor_id
        ]
        if not heard:
            return
        chats = {event.chat_id for event in events if isinstance(event, Typing)}
        rights = await rights_of(session, {follower.viewer for follower, _ in heard}, chats)
        for follower, passed in heard:
            event = passed.event
            is_out = isinstance(event, Typing) and (event.chat_id, follower.viewer.account_id) not in rights.memberships
            if rights.keep(follower.viewer) and not is_out:
                follower.mention(passed)

    def close(self) -> None:
        """Forget everything."""
        for timer in self._stops.values():
            timer.cancel()
        self._stops.clear()

    def _stop(self, event: Typing) -> None:
        self.take(event)
        self._wake()

    async def _near(
        self, session: ReadSession, events: list[Passing], followers: Followers
    ) -> defaultdict[uuid.UUID, set[Follower]]:
        near: defaultdict[uuid.UUID, set[Follower]] = defaultdict(set)
        changed = {event.account_id for event in events if isinstance(event, PresenceChanged)}
        if changed:
            for account_id, other_id in await acquainted(session, changed, followers.by_account.keys()):
                near[account_id] |= followers.by_account.get(other_id, set())
        return near
