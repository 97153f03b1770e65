"""Leaving in order: long connections end one after the other, so that their clients do not all come back at once."""

import asyncio
import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

RETRY = "The server is going away. Come back with your last cursor."


class Farewell:
    """Who is to be told when the process leaves; one for each process."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
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
            await asyncio.sleep(self._seconds / len(waiting))
            close()

    @contextmanager
    def before_sigterm(self) -> Iterator[None]:
        """Say farewell when SIGTERM comes, and let whoever handled the signal before end the process then."""
        ends = signal.getsignal(signal.SIGTERM)
        if threading.current_thread() is not threading.main_thread() or not callable(ends):
            yield
            return
        loop, tasks = asyncio.get_running_loop(), set[asyncio.Task[None]]()

        async def leave(frame: FrameType | None) -> None:
            await self.say()
            ends(signal.SIGTERM, frame)

        def begin(_: int, frame: FrameType | None) -> None:
            if not self.has_begun:
                loop.call_soon_threadsafe(lambda: tasks.add(loop.create_task(leave(frame))))

        signal.signal(signal.SIGTERM, begin)
        yield
