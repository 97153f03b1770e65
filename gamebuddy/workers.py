"""Work beside the requests: threads for what is slow, and rounds for what is done again and again."""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import structlog
from prometheus_client import Histogram

from gamebuddy.errors import Unavailable

LAG = Histogram(
    "gamebuddy_loop_lag_seconds",
    "Seconds that the event loop comes late to what it has to do.",
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
LOOK_SECONDS, STANDSTILL_SECONDS = 0.5, 1.0

log = structlog.get_logger(__name__)


class Workers:
    """A few threads, so that the event loop goes on, and a waiting room before them: what does not fit is refused."""

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


class Rounds:
    """Does something every so many seconds, from `start` to `stop`; what fails in one round is left to the next.

    With `jitter`, a share of the pause, several processes do not do it at the same moments.
    """

    def __init__(
        self, name: str, work: Callable[[], Awaitable[object]], *, pause_seconds: float, jitter: float = 0.0
    ) -> None:
        self._name = name
        self._work = work
        self._pause_seconds = pause_seconds
        self._jitter = jitter
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; returns at once."""
        self._task = asyncio.create_task(self._go_round(), name=self._name)

    async def stop(self) -> None:
        """End; what is half done is cancelled."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _go_round(self) -> None:
        while True:
            await asyncio.sleep(self._pause_seconds * random.uniform(1 - self._jitter, 1 + self._jitter))  # noqa: S311
            try:
                await self._work()
            except Unavailable:
                log.warning("put_off", work=self._name)
            except Exception:  # whatever it is, the next round may do better
                log.exception("failed", work=self._name)


def watchdog() -> Rounds:
    """Measure how late the event loop comes, and tell when it stood still: something held it that had to wait."""
    looked_at: float | None = None

    async def look() -> None:
        nonlocal looked_at
        now = time.monotonic()
        late = max(0.0, now - looked_at - LOOK_SECONDS) if looked_at is not None else 0.0
        looked_at = now
        LAG.observe(late)
        if late > STANDSTILL_SECONDS:
            log.warning("the event loop stood still", seconds=round(late, 2))

    return Rounds("watchdog", look, pause_seconds=LOOK_SECONDS)
