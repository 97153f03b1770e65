"""One execution for all who are shown the same of an event by the same document.

A thousand followers of a chat ask for each event with the same words, and nearly always are shown the same, to the last
byte but for the cursor. So the first of them executes and is watched meanwhile: which rows were loaded, and whether
anything was asked that is about him alone. The others load the same rows, each with his own eyes, which for all of them
together is one statement a kind (schema/crowd.py). Who finds what the first has found is sent the same text with his
cursor in it. Who does not, because he has blocked somebody, say, executes by himself, as all do where it was about him.
"""

import asyncio
import copy
import secrets
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from graphql import ExecutionResult
from prometheus_client import Counter

if TYPE_CHECKING:
    from gamebuddy.schema.context import Context
    from gamebuddy.schema.events import Event

SHOWN = Counter("gamebuddy_events_shown_total", "Events shown to followers, by whether another's answer did.", ("how",))
FIRST, AS_ANOTHER, ALONE = (SHOWN.labels(how) for how in ("first", "as another", "alone"))
MOST_KEPT = 1_000  # answers; an event's is of use for the moment in which its followers are shown it
# Stands in the first answer where each follower's own cursor goes. Nobody can write it into a message.
ANY_CURSOR = f"~{secrets.token_hex(16)}~"

type Execute = Callable[["Event"], Awaitable[ExecutionResult]]
type Look = tuple[str, uuid.UUID]  # the name of a loader, and the id of a row


@dataclass(slots=True)
class Trace:
    """What an execution has asked for."""

    coming: "Coming"
    looks: dict[Look, "asyncio.Future[Any]"] = field(default_factory=dict)

    def note_personal(self) -> None:
        """Note that something was asked that is about the viewer alone; nobody has to wait for the answer any more."""
        self.coming.come(None)


@dataclass(frozen=True, slots=True)
class Shared:
    """An answer for all who see the same rows: its text in parts, between which stands the cursor."""

    rows: Mapping[Look, Any]
    parts: Sequence[bytes]

    async def is_for(self, context: "Context") -> bool:
        """Tell whether a follower sees what the first has seen."""
        loaders = context.loaders
        loads = [getattr(loaders, loader).load(row_id) for loader, row_id in self.rows]
        seen = [await load for load in loads]
        return all(mine is row or mine == row for mine, row in zip(seen, self.rows.values(), strict=True))

    def result(self, cursor: str | None) -> ExecutionResult:
        """Give the answer with somebody's cursor."""
        return ExecutionResult(orjson.Fragment((cursor or "").encode().join(self.parts)), None)  # type: ignore[arg-type]


class Coming:
    """The first one's answer, or who waits for it: each by himself, so that who goes away takes nothing from others."""

    __slots__ = ("_is_here", "_shared", "_waiting")

    def __init__(self) -> None:
        self._is_here = False
        self._shared: Shared | None = None
        self._waiting: list[asyncio.Future[None]] = []

    async def shared(self) -> Shared | None:
        """Wait for the answer; None where it was for the first alone."""
        if not self._is_here:
            waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            await waiting
        return self._shared

    def come(self, shared: Shared | None) -> None:
        """Give the answer to all who wait; what was said first counts."""
        if self._is_here:
            return
        self._is_here, self._shared = True, shared
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting.clear()


class Sharing:
    """One for each process."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, Coming] = OrderedDict()

    async def result(self, context: "Context", document: Hashable, event: "Event", execute: Execute) -> ExecutionResult:
        """Show an event to a follower by a document; of the first one's answer others get the text."""
        key = document, event.id
        coming = self._known.get(key)
        if coming is None:
            return await self._first(context, key, event, execute)
        shared = await coming.shared()
        if shared is not None and await shared.is_for(context):
            AS_ANOTHER.inc()
            return shared.result(event.cursor)
        ALONE.inc()
        return await execute(event)

    async def _first(self, context: "Context", key: Hashable, event: "Event", execute: Execute) -> ExecutionResult:
        coming = self._known[key] = Coming()
        if len(self._known) > MOST_KEPT:
            self._known.popitem(last=False)
        shared = None
        try:
            event_of_all = copy.copy(event)
            if event.cursor is not None:
                event_of_all.cursor = ANY_CURSOR  # type: ignore[assignment]
            trace = context.trace = Trace(coming)
            try:
                result = await execute(event_of_all)
            finally:
                context.trace = None
            FIRST.inc()
            if result.data is None:
                return result
            answer = Shared(
                {look: await loading for look, loading in trace.looks.items()},
                orjson.dumps(result.data).split(ANY_CURSOR.encode()),
            )
            if not result.errors:
                shared = answer
            return ExecutionResult(answer.result(event.cursor).data, result.errors)
        finally:
            coming.come(shared)
