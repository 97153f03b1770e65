"""Threads for slow work, so that the event loop goes on; more work than can be done soon is refused."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from gamebuddy.errors import Unavailable


class Workers:
    """A few threads and a waiting room before them."""

    def __init__(self, name: str, *, threads: int, waiting_room: int) -> None:
        self._threads = ThreadPoolExecutor(threads, name)
        self._room = threads + waiting_room
        self._at_work = 0

    async def run[*P, R](self, work: Callable[[*P], R], *arguments: *P) -> R:
        """Do it in a thread. Hold no database connection meanwhile.

        Raises:
            Unavailable: at once, when too many wait.
        """
        if self._at_work >= self._room:
            raise Unavailable
        self._at_work += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        finally:
            self._at_work -= 1

    async def close(self) -> None:
        """Drop what waits and end the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)
