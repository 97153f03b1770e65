"""Leaving in order: long connections end one after the other, so that their clients do not all come back at once."""

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

RETRY = "The server is going away. Come back with your last cursor."


class Farewell:
    """Who is to be told when the process leaves; one for each process."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._closers: set[Callable[[], None]] = set()
        self.has_begun = False

    @contextmanager
    def told_by(self, close: Callable[[], None]) -> Iterator[None]:
        """Have `close` called when it is this connection's turn to end."""
        self._closers.add(close)
        yield
        self._closers.discard(close)

    async def say(self) -> None:
        """End everything that is open, spread over the seconds; new connections are refused from now on."""
        self.has_begun = True
        waiting = list(self._closers)
        random.shuffle(waiting)
        for close in waiting:
            await asyncio.sleep(self.seconds / len(waiting))
            close()
