"""What waits at the same moment is done at once: many jobs, one transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field

from gamebuddy.errors import Unavailable

MOST_AT_ONCE = 256


@dataclass(slots=True, eq=False)
class Waiting[Job, Result]:
    """A job and who waits for what becomes of it."""

    job: Job
    answer: asyncio.Future[Result] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Together[Job, Result]:
    """Does jobs of one kind, those that wait at once.

    While some are being done, the next gather: a job that comes alone is done alone, at once, and under load many share
    the price of a commit. `work` gives the outcomes in the order of the jobs, a failure as an exception that is not
    raised. What it raises has undone all of them; then each is done alone, so that one bad job fails by itself.

    Jobs of the same `key` are done one after the other, never at once.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Job]], Awaitable[Sequence[Result | Exception]]],
        *,
        key: Callable[[Job], Hashable],
    ) -> None:
        self._work = work
        self._key = key
        self._waiting: list[Waiting[Job, Result]] = []
        self._task: asyncio.Task[None] | None = None
        self.unanswered = 0  # how many jobs wait or are being done

    async def do(self, job: Job) -> Result:
        """Do a job with those that wait; gives or raises what became of it. Who is cancelled meanwhile learns nothing.

        Raises:
            Unavailable: when the database does not answer.
        """
        waiting = Waiting[Job, Result](job)
        self._waiting.append(waiting)
        if self._task is None:
            self._task = asyncio.create_task(self._do_all(), name="together")
        self.unanswered += 1
        try:
            return await waiting.answer
        finally:
            self.unanswered -= 1

    async def _do_all(self) -> None:
        try:
            while batch := self._next_batch():
                await self._do_at_once(batch)
        finally:
            self._task = None

    def _next_batch(self) -> list[Waiting[Job, Result]]:
        batch: dict[Hashable, Waiting[Job, Result]] = {}
        later: list[Waiting[Job, Result]] = []
        for waiting in self._waiting:
            if waiting.answer.done():  # nobody waits any more
                continue
            key = self._key(waiting.job)
            if key in batch or len(batch) == MOST_AT_ONCE:
                later.append(waiting)
            else:
                batch[key] = waiting
        self._waiting = later
        return list(batch.values())

    async def _do_at_once(self, batch: Sequence[Waiting[Job, Result]]) -> None:
        try:
            outcomes = await self._work([waiting.job for waiting in batch])
        except Unavailable as error:  # each alone would wait just as long for the same answer
            outcomes = [_like(error) for _ in batch]
        except Exception as error:  # noqa: BLE001 - it is raised to whoever waits
            if len(batch) > 1:
                for waiting in batch:
                    await self._do_at_once([waiting])
                return
            outcomes = [error]
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if waiting.answer.done():
                continue
            if isinstance(outcome, Exception):
                waiting.answer.set_exception(outcome)
            else:
                waiting.answer.set_result(outcome)


def _like(error: Unavailable) -> Unavailable:
    """Make one more of an error, for somebody else to raise."""
    other = Unavailable(str(error))
    other.__cause__ = error
    return other
