"""What the followers of one event look at, loaded for all of them together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from strawberry.dataloader import DataLoader

from gamebuddy.db import Database, ReadSession
from gamebuddy.resolvers import onlookers
from gamebuddy.resolvers.onlookers import Look, Seen

MOST_AT_ONCE = 1_000  # looks of one statement
READS_AT_ONCE = 2  # connections that all followers together take from those who ask


class Crowd:
    """One for each process. Nothing is kept: each event shows how things are when it is shown.

    Streams of one chat wake at the same moment and ask for the same rows, each for its own viewer. What they ask for in
    one turn of the loop is one statement, in which each pair of viewer and row meets the same condition as when that
    viewer asks alone.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turns = asyncio.Semaphore(READS_AT_ONCE)
        self.chats = self._loader(onlookers.chats)
        self.messages = self._loader(onlookers.messages)
        self.accounts = self._loader(onlookers.accounts)
        self.with_deleted = self._loader(onlookers.accounts_with_deleted)
        self.profiles = self._loader(onlookers.profiles)

    def _loader(self, fetch: Callable[[ReadSession, Sequence[Look]], Awaitable[Seen]]) -> DataLoader[Look, Any]:
        async def load(looks: list[Look]) -> list[Any]:
            async with self._turns, self._database.read() as session:
                found = await fetch(session, looks)
            return [found.get(look) for look in looks]

        return DataLoader(load_fn=load, cache=False, max_batch_size=MOST_AT_ONCE)
