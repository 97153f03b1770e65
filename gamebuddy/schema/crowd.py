"""What the followers of one event look at, loaded for all of them together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import batched
from typing import Any

from gamebuddy.db import Database, ReadSession
from gamebuddy.resolvers import onlookers
from gamebuddy.resolvers.onlookers import Look, Seen

MOST_AT_ONCE = 1_000  # looks of one statement
READS_AT_ONCE = 2  # connections that all followers together take from those who ask

type Fetch = Callable[[ReadSession, Sequence[Look]], Awaitable[Seen]]


class Crowd:
    """One for each process. Nothing is kept: each event shows how things are when it is shown.

    Streams of one chat wake at the same moment and ask for the same rows, each for its own viewer. What they ask for in
    one turn of the loop is one statement, in which each pair of viewer and row meets the same condition as when that
    viewer asks alone.
    """

    def __init__(self, database: Database) -> None:
        turns = asyncio.Semaphore(READS_AT_ONCE)
        self.chats = Looks(database, turns, onlookers.chats)
        self.messages = Looks(database, turns, onlookers.messages)
        self.accounts = Looks(database, turns, onlookers.accounts)
        self.with_deleted = Looks(database, turns, onlookers.accounts_with_deleted)
        self.profiles = Looks(database, turns, onlookers.profiles)


class Looks:
    """Looks at rows of one kind.

    As a DataLoader, but for each viewer and without a memory, and for a thousand looks a turn: it makes one future for
    each and nothing else.
    """

    def __init__(self, database: Database, turns: asyncio.Semaphore, fetch: Fetch) -> None:
        self._database = database
        self._turns = turns
        self._fetch = fetch
        self._waiting: list[tuple[Look, asyncio.Future[Any]]] = []
        self._loading: set[asyncio.Task[None]] = set()

    def load(self, look: Look) -> asyncio.Future[Any]:
        """Load the row for the viewer; None where he does not see it."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._begin)
        found: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((look, found))
        return found

    def _begin(self) -> None:
        waiting, self._waiting = self._waiting, []
        for some in batched(waiting, MOST_AT_ONCE):
            task = asyncio.create_task(self._load(some))
            self._loading.add(task)
            task.add_done_callback(self._loading.discard)

    async def _load(self, waiting: Sequence[tuple[Look, asyncio.Future[Any]]]) -> None:
        try:
            async with self._turns, self._database.read() as session:
                seen = await self._fetch(session, [look for look, _ in waiting])
        except Exception as fault:  # noqa: BLE001 - it is told to all who wait
            for _, found in waiting:
                if not found.done():
                    found.set_exception(fault)
                    found.exception()  # who does not wait any more need not hear of it
        else:
            for look, found in waiting:
                if not found.done():  # whoever has gone has cancelled it
                    found.set_result(seen.get(look))
