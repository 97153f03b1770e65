"""Subscriptions over plain HTTP: multipart as Apollo clients read it, and server-sent events, one operation a request.

Multipart: https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol. Apollo iOS
takes a part only when the boundary behind it has come, so each part is sent with it. Server-sent events:
https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md, distinct connections mode.
"""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import orjson
from graphql import OperationType
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from strawberry.types.execution import ExecutionResult

from gamebuddy.auth.tokens import Claims
from gamebuddy.errors import Refusal
from gamebuddy.schema import faults
from gamebuddy.schema.context import Context
from gamebuddy.schema.documents import Prepared
from gamebuddy.schema.farewell import RETRY
from gamebuddy.schema.faults import Formatted, Refused

STALLED_SECONDS = 30  # a peer that takes nothing for so long is cut, and resumes with its cursor

type Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Format:
    """How a stream is written; `failure` writes errors that end it."""

    media_type: str
    opening: bytes
    heartbeat: bytes
    closing: bytes
    part: Callable[[Body], bytes]
    failure: Callable[[list[Formatted]], bytes]


def _multipart(body: Body) -> bytes:
    return b"\r\ncontent-type: application/json\r\n\r\n" + orjson.dumps(body) + b"\r\n--graphql"


def _event(body: Body) -> bytes:
    return b"event: next\ndata: " + orjson.dumps(body) + b"\n\n"


MULTIPART = Format(
    # Apollo iOS splits at each semicolon and compares the last part as it stands: no spaces, no quotes.
    media_type='multipart/mixed;boundary="graphql";subscriptionSpec=1.0',
    opening=b"\r\n--graphql",
    heartbeat=_multipart({}),
    closing=b"--",  # without a line break: some releases of Apollo iOS would read it as one more part
    part=lambda body: _multipart({"payload": body}),
    failure=lambda errors: _multipart({"payload": None, "errors": errors}),
)
SERVER_SENT_EVENTS = Format(
    media_type="text/event-stream; charset=utf-8",
    opening=b":\n\n",
    heartbeat=b":\n\n",
    closing=b"event: complete\ndata:\n\n",
    part=_event,
    failure=lambda errors: _event({"errors": errors}),
)


def format_of(accept: str, prepared: Prepared) -> Format | None:
    """Choose how to stream: server-sent events for any operation, multipart for subscriptions; None: not at all."""
    if _takes_events(accept):
        return SERVER_SENT_EVENTS
    wanted = accept.replace(" ", "").lower()
    is_multipart = "multipart/mixed" in wanted and "subscriptionspec=" in wanted
    return MULTIPART if is_multipart and prepared.type is OperationType.SUBSCRIPTION else None


def refusal_of(accept: str, errors: list[Formatted]) -> Response | None:
    """Answer a document that is refused before it runs; None where it is answered as without a stream.

    A reader of server-sent events takes errors from a stream only.
    """
    if not _takes_events(accept):
        return None
    how = SERVER_SENT_EVENTS
    body = how.opening + how.failure(errors) + how.closing
    return Response(body, headers={"Content-Type": how.media_type, "Cache-Control": "no-store"})


def _takes_events(accept: str) -> bool:
    return "text/event-stream" in accept.lower()


class Stream:
    """One operation over one request, as an ASGI application.

    Raises, when it is made:
        Refused: RATE_LIMITED when the account has as many streams as it may have sockets.
    """

    def __init__(
        self,
        context: Context,
        claims: Claims | None,
        results: AsyncGenerator[Body],
        how: Format,
        open_streams: Counter[uuid.UUID],
    ) -> None:
        self._context = context
        self._claims = claims
        self._results = results
        self._format = how
        self._open_streams = open_streams
        if claims is not None:
            if open_streams[claims.account_id] >= context.services.settings.max_sockets_per_account:
                raise Refused("RATE_LIMITED", "The account has too many streams.", status=429)
            open_streams[claims.account_id] += 1
            context.services.attendance.came(claims.account_id)

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Stream until the operation, the token, the session or the connection ends."""
        tasks = [asyncio.create_task(self._serve(send)), asyncio.create_task(_until_gone(receive))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.shield(self._close())

    async def _serve(self, send: Send) -> None:
        headers = [
            (b"content-type", self._format.media_type.encode()),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
        ]
        with suppress(TimeoutError, OSError):  # whoever reads nothing resumes with his cursor
            await _send(send, {"type": "http.response.start", "status": 200, "headers": headers})
            await _write(send, self._format.opening)
            async with aclosing(self._parts()) as parts:
                async for part in parts:
                    await _write(send, part)
            await _write(send, self._format.closing, is_last=True)

    async def _parts(self) -> AsyncGenerator[bytes]:
        """Give the answers, heartbeats between them, and at last what ended the stream, if it was not the operation."""
        settings, ends_at = self._context.services.settings, self._ends_at()
        leaving = asyncio.Event()
        told = asyncio.create_task(leaving.wait())
        with self._watched() as ended, self._context.services.farewell.told_by(leaving.set):
            coming = asyncio.create_task(anext(self._results, None))
            try:
                while True:
                    waiting = {coming, ended, told}
                    seconds = min(settings.heartbeat_seconds, ends_at - time.monotonic())
                    await asyncio.wait(waiting, timeout=max(0, seconds), return_when=asyncio.FIRST_COMPLETED)
                    if told.done():
                        yield self._format.failure([faults.error(RETRY, "UNAVAILABLE")])
                        return
                    if ended.done() or time.monotonic() >= ends_at:
                        yield self._format.failure(
                            [faults.error("Your session or token has ended.", "UNAUTHENTICATED")]
                        )
                        return
                    if not coming.done():
                        yield self._format.heartbeat
                        continue
                    body = coming.result()
                    if body is None:
                        return
                    yield self._format.part(body)
                    coming = asyncio.create_task(anext(self._results, None))
            finally:
                for task in (coming, told):
                    task.cancel()
                await asyncio.gather(coming, told, return_exceptions=True)

    @contextmanager
    def _watched(self) -> Iterator["asyncio.Future[Any]"]:
        """Give what is done when the session of the caller has ended; for nobody it never is."""
        never: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._context.viewer is None:
            yield never
            return
        with self._context.services.hub.watch(self._context.viewer) as watching:
            ended = asyncio.ensure_future(watching.ended.wait())
            yield ended
            ended.cancel()

    def _ends_at(self) -> float:
        if self._claims is None:
            return float("inf")
        return time.monotonic() + (self._claims.expires_at - datetime.now(UTC)).total_seconds()

    async def _close(self) -> None:
        await self._results.aclose()
        await self._context.close()
        if self._claims is not None:
            self._open_streams[self._claims.account_id] -= 1
            if not self._open_streams[self._claims.account_id]:
                del self._open_streams[self._claims.account_id]
            self._context.services.attendance.went(self._claims.account_id)


async def results_of(
    context: Context, prepared: Prepared, write: Callable[[ExecutionResult, Prepared], Body]
) -> AsyncGenerator[Body]:
    """Give the answers of an operation, one after the other; no connection is held while a peer reads."""
    schema, request = context.services.schema, prepared.request
    context.prepared = prepared
    given: dict[str, Any] = {
        "variable_values": request.variables,
        "context_value": context,
        "operation_name": request.operation_name,
    }
    try:
        if prepared.type is not OperationType.SUBSCRIPTION:
            result = await schema.execute(request.query, **given)
            await context.renew()
            yield write(result, prepared)
            return
        results = await schema.stream(request.query, **given)
        async with aclosing(results):
            async for result in cast("AsyncGenerator[ExecutionResult]", results):
                await context.renew()
                yield write(result, prepared)
    except Refusal as refusal:
        yield {"errors": [faults.refusal(refusal)]}
    except Exception as fault:  # noqa: BLE001 - the last place that can mask it
        yield {"errors": [faults.masked(fault)]}


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _write(send: Send, data: bytes, *, is_last: bool = False) -> None:
    await _send(send, {"type": "http.response.body", "body": data, "more_body": not is_last})


async def _send(send: Send, message: Message) -> None:
    async with asyncio.timeout(STALLED_SECONDS):
        await send(message)
