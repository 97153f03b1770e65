"""GraphQL over WebSocket, subprotocol graphql-transport-ws: queries, mutations and subscriptions.

The protocol is https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md; beside it stands what a socket needs on
mobile networks: pings that say why, an end when its token expires or its session ends, and limits.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import urlsplit

import orjson
import structlog
from graphql import GraphQLError
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from strawberry.types.execution import ExecutionResult

from gamebuddy.auth.throttle import network_of
from gamebuddy.auth.tokens import Claims
from gamebuddy.errors import Refusal, TooSlow, Unauthenticated
from gamebuddy.events.followers import Watching
from gamebuddy.schema import faults
from gamebuddy.schema.callers import Callers
from gamebuddy.schema.context import Client, Context, Services
from gamebuddy.schema.documents import Request
from gamebuddy.schema.farewell import RETRY
from gamebuddy.schema.faults import Refused
from gamebuddy.schema.frames import Close, Closed, Frame, id_of, names_a_document, payload_of, read_frame
from gamebuddy.schema.scalars import write_moment
from gamebuddy.schema.view import answer

SUBPROTOCOL = "graphql-transport-ws"
WARNING_SECONDS = 60  # before the token expires
STALLED_SECONDS = 30  # a peer that takes nothing for so long is cut, and resumes with its cursor
MOST_UNSENT = 1_000_000  # bytes that wait for a peer; with more it is cut at once
TOO_SLOW = TooSlow.default_message
FRAMES_AT_ONCE, FRAMES_A_SECOND = 500, 100
MOST_NAMELESS = 300  # sockets of one network address that no account has, times RATE_LIMIT_FACTOR

log = structlog.get_logger(__name__)


class Sockets:
    """The WebSocket endpoint of a process."""

    def __init__(self, services: Services, callers: Callers) -> None:
        self.services = services
        self.callers = callers
        self.of_account: Counter[object] = Counter()
        self.nameless: Counter[str] = Counter()  # by network address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket until it is closed."""
        websocket = WebSocket(scope, receive, send)
        client = self.callers.client(websocket)
        network = network_of(client.address)
        if not self._is_welcome(websocket):
            await _deny(websocket, 403, faults.error("This origin may not connect.", "FORBIDDEN"))
        elif self.services.farewell.has_begun:
            await _deny(websocket, 503, faults.error(RETRY, "UNAVAILABLE"))
        elif self.nameless[network] >= MOST_NAMELESS * self.services.settings.rate_limit_factor:
            await _deny(websocket, 429, faults.error("Too many sockets of nobody in particular.", "RATE_LIMITED"))
        elif SUBPROTOCOL not in scope["subprotocols"]:
            await websocket.accept()
            await websocket.close(Close.NO_SUBPROTOCOL, f"The subprotocol is {SUBPROTOCOL}.")
        else:
            socket = Socket(self, websocket, client, network)
            self.nameless[network] += 1
            try:
                await websocket.accept(subprotocol=SUBPROTOCOL)
                await socket.serve()
            finally:
                self.name(socket)

    def name(self, socket: "Socket") -> None:
        """Count a socket no longer as nobody's: it is an account's, or gone."""
        if not socket.has_name:
            socket.has_name = True
            self.nameless[socket.network] -= 1
            self.nameless += Counter()  # forget who has none

    def _is_welcome(self, connection: HTTPConnection) -> bool:
        """Keep pages of other sites out; apps send no Origin."""
        origin = connection.headers.get("origin")
        if origin is None or origin in self.services.settings.cors_origins:
            return True
        own = {connection.headers.get("host"), urlsplit(self.services.settings.url).netloc}
        parts = urlsplit(origin)
        return parts.scheme in {"http", "https"} and parts.netloc in own


@dataclass(slots=True, eq=False)
class Socket:
    """One socket: what it has said, and the operations that run on it."""

    sockets: Sockets
    websocket: WebSocket
    client: Client
    network: str
    has_name: bool = False
    claims: Claims | None = None
    watching: Watching | None = None
    is_acknowledged: bool = False
    heard_at: float = field(default_factory=time.monotonic)
    operations: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _allowance: float = FRAMES_AT_ONCE
    _unsent: int = 0
    _closing: asyncio.Future[Closed] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    async def serve(self) -> None:
        """Serve until either side closes; afterwards nothing of the socket is left."""
        tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._supervise())]
        try:
            closing: asyncio.Future[Any] = self._closing
            with self.sockets.services.farewell.told_by(lambda: self.close(Close.RESTARTING, RETRY)):
                await asyncio.wait([*tasks, closing], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*tasks, *self.operations.values()):
                task.cancel()
            await asyncio.gather(*tasks, *self.operations.values(), return_exceptions=True)
            if self.watching is not None and self.claims is not None:
                self.watching.close()
                self.sockets.services.attendance.went(self.claims.account_id)
            if self.claims is not None and self.is_acknowledged:
                self.sockets.of_account[self.claims.account_id] -= 1
                self.sockets.of_account += Counter()  # forget who has none
        if self._closing.done() and self.websocket.application_state is WebSocketState.CONNECTED:
            closed = self._closing.result()
            with suppress(RuntimeError, OSError, WebSocketDisconnect):
                await self.websocket.close(closed.code, closed.reason)

    def close(self, code: Close, reason: str) -> None:
        """Have the socket closed; the first reason counts."""
        if not self._closing.done():
            self._closing.set_result(Closed(code, reason))

    async def send(self, frame: Frame) -> None:
        """Send a frame. Everything a socket says goes through here, and waits here for a peer that does not read."""
        text = orjson.dumps(frame)
        if self._unsent and self._unsent + len(text) > MOST_UNSENT:  # one that is large by itself gets through
            self.close(Close.TRY_AGAIN_LATER, TOO_SLOW)
            return
        self._unsent += len(text)
        try:
            async with asyncio.timeout(STALLED_SECONDS):
                await self.websocket.send_text(text.decode())
        except TimeoutError:
            self.close(Close.TRY_AGAIN_LATER, TOO_SLOW)
        except (WebSocketDisconnect, RuntimeError, OSError):
            self.close(Close.GOING_AWAY, "The connection is gone.")
        finally:
            self._unsent -= len(text)

    async def _listen(self) -> None:
        try:
            while True:
                await self._take(await self._next_frame())
        except Closed as closed:
            self.close(closed.code, closed.reason)
        except WebSocketDisconnect:
            pass
        except Exception as fault:  # noqa: BLE001 - one socket's fault is its own
            faults.masked(fault)
            self.close(Close.GOING_AWAY, "Something went wrong on our side.")

    async def _next_frame(self) -> Frame:
        message = await self.websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1000))
        self._count_frame()
        return read_frame(message.get("text"), self.sockets.services.settings.max_socket_message_bytes)

    def _count_frame(self) -> None:
        now = time.monotonic()
        self._allowance = min(FRAMES_AT_ONCE, self._allowance + (now - self.heard_at) * FRAMES_A_SECOND) - 1
        self.heard_at = now
        if self._allowance < 0:
            raise Closed(Close.TOO_MANY, "Too many frames.")

    async def _take(self, frame: Frame) -> None:
        match frame["type"]:
            case "connection_init":
                await self._initialise(frame)
            case "ping":
                await self.send({"type": "pong", **payload_of(frame)})
            case "pong":
                payload_of(frame)
            case "subscribe":
                await self._subscribe(frame)
            case "complete":
                if task := self.operations.pop(id_of(frame), None):
                    task.cancel()
            case _:
                raise Closed(Close.BAD_FRAME, "There is no such type of frame.")

    async def _initialise(self, frame: Frame) -> None:
        if self.is_acknowledged:
            raise Closed(Close.TOO_MANY, "There is one connection_init.")
        payload = payload_of(frame).get("payload") or {}
        given = [value for name, value in payload.items() if name.lower() == "authorization" and value is not None]
        if not all(isinstance(value, str) for value in given):
            raise Closed(Close.BAD_FRAME, "Authorization is a text.")
        try:
            claims = self.sockets.callers.claims(given)
        except Unauthenticated as error:
            raise Closed(Close.FORBIDDEN, str(error)) from None
        if claims is not None:
            await self._admit(claims)
        self.is_acknowledged = True
        await self.send(
            {
                "type": "connection_ack",
                "payload": {
                    "expiresAt": write_moment(claims.expires_at) if claims else None,
                    "heartbeatSeconds": self.sockets.services.settings.heartbeat_seconds,
                },
            }
        )

    async def _admit(self, claims: Claims) -> None:
        """Let in who has a live session, and not too many sockets."""
        context = Context(self.sockets.services, self.client, claims.session_id)
        try:
            viewer = await context.authenticate()
        except Refusal as refusal:
            raise Closed(Close.TRY_AGAIN_LATER, str(refusal)) from None
        finally:
            await context.renew()
        if viewer is None:
            raise Closed(Close.FORBIDDEN, "The session has ended.")
        if self.sockets.of_account[claims.account_id] >= self.sockets.services.settings.max_sockets_per_account:
            raise Closed(Close.TOO_MANY, "The account has too many sockets.")
        self.sockets.of_account[claims.account_id] += 1
        self.claims = claims
        self.sockets.name(self)
        self.watching = self.sockets.services.hub.watch(viewer)
        self.watching.__enter__()
        self.sockets.services.attendance.came(claims.account_id)

    async def _subscribe(self, frame: Frame) -> None:
        operation_id = id_of(frame)
        payload = frame.get("payload")
        if not isinstance(payload, dict):
            raise Closed(Close.BAD_FRAME, "A subscribe has a payload.")
        if not self.is_acknowledged:
            raise Closed(Close.UNAUTHORIZED, "connection_init comes first.")
        if operation_id in self.operations:
            raise Closed(Close.SAME_ID, f"There is an operation {operation_id} already.")
        if not names_a_document(payload) or not isinstance(payload.get("variables"), dict | None):
            raise Closed(Close.BAD_FRAME, "A subscribe has a query, and variables as an object.")
        if len(self.operations) >= self.sockets.services.settings.max_operations_per_socket:
            await self._refuse(operation_id, [faults.error("Too many operations on one socket.", "RATE_LIMITED")])
            return
        if self.claims is not None:
            self.sockets.services.attendance.did_something(self.claims.account_id)
        task = asyncio.create_task(self._operate(operation_id, payload))
        self.operations[operation_id] = task

    async def _operate(self, operation_id: str, payload: dict[str, Any]) -> None:
        """Run one operation in a context of its own."""
        context = Context(self.sockets.services, self.client, self.claims.session_id if self.claims else None)
        try:
            await self._require_session(context)
            prepared = self.sockets.services.documents.prepare(Request.read(payload))
            context.prepared = prepared
            results = await self.sockets.services.schema.stream(
                prepared.request.query,
                variable_values=prepared.request.variables,
                context_value=context,
                operation_name=prepared.request.operation_name,
            )
            async with aclosing(results):
                async for result in cast("AsyncIterator[ExecutionResult]", results):
                    await context.renew()  # no connection is held while the peer reads
                    if result.data is None and all(error.path is None for error in result.errors or ()):
                        await self._end(operation_id, result.errors or ())
                        return
                    await self.send({"id": operation_id, "type": "next", "payload": answer(result, prepared)})
            self._forget(operation_id)
            await self.send({"id": operation_id, "type": "complete"})
        except Refused as refused:
            await self._refuse(operation_id, refused.errors)
        except Refusal as refusal:
            await self._refuse(operation_id, [faults.refusal(refusal)])
        except Closed as closed:
            self.close(closed.code, closed.reason)
        except Exception as fault:  # noqa: BLE001 - one operation's fault is its own
            await self._refuse(operation_id, [faults.masked(fault)])
        finally:
            self._forget(operation_id)
            await asyncio.shield(context.close())

    async def _require_session(self, context: Context) -> None:
        """Read role and state anew, at the start of each operation."""
        if self.claims is not None and await context.authenticate() is None:
            raise Closed(Close.FORBIDDEN, "The session has ended.")

    async def _end(self, operation_id: str, errors: Collection[GraphQLError]) -> None:
        """End an operation with the errors that it could not go on for."""
        if any(isinstance(faults.cause_of(error), TooSlow) for error in errors):
            # Who reads one stream too slowly reads the socket too slowly.
            self.close(Close.TRY_AGAIN_LATER, TOO_SLOW)
        else:
            await self._refuse(operation_id, faults.executed(errors))

    async def _refuse(self, operation_id: str, errors: list[faults.Formatted]) -> None:
        self._forget(operation_id)
        await self.send({"id": operation_id, "type": "error", "payload": errors})

    def _forget(self, operation_id: str) -> None:
        """Make the id free, unless a later operation has taken it already."""
        if self.operations.get(operation_id) is asyncio.current_task():
            del self.operations[operation_id]

    async def _supervise(self) -> None:
        """Ping, warn, and close what has ended: one task a socket, asleep until the next of these is due."""
        settings = self.sockets.services.settings
        try:
            await self._wait_for_init(settings.socket_init_seconds)
            ping_at = time.monotonic() + settings.heartbeat_seconds
            warn_at, expire_at = self._deadlines()
            while True:
                due = min(ping_at, warn_at, expire_at, self.heard_at + settings.silence_seconds)
                await self._sleep_until(due)
                self._require_life(expire_at)
                now = time.monotonic()
                if now >= warn_at and self.claims is not None:
                    warn_at = float("inf")
                    expires_at = write_moment(self.claims.expires_at)
                    await self.send({"type": "ping", "payload": {"reason": "token_expiring", "expiresAt": expires_at}})
                if now >= ping_at:
                    ping_at = now + settings.heartbeat_seconds
                    await self.send({"type": "ping"})
        except Closed as closed:
            self.close(closed.code, closed.reason)

    async def _wait_for_init(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self.is_acknowledged:
            if time.monotonic() >= deadline:
                raise Closed(Close.NO_INIT_IN_TIME, "connection_init did not come.")
            await asyncio.sleep(min(0.1, seconds / 10))

    def _deadlines(self) -> tuple[float, float]:
        """Give when to warn of the token's end, and that end, on the monotonic clock."""
        if self.claims is None:
            return float("inf"), float("inf")
        left = (self.claims.expires_at - datetime.now(UTC)).total_seconds()
        expire_at = time.monotonic() + left
        return expire_at - WARNING_SECONDS, expire_at

    async def _sleep_until(self, due: float) -> None:
        """Sleep until `due`, or until the session has ended."""
        seconds = max(0, due - time.monotonic())
        if self.watching is None:
            await asyncio.sleep(seconds)
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self.watching.ended.wait(), seconds)

    def _require_life(self, expire_at: float) -> None:
        now = time.monotonic()
        if self.watching is not None and self.watching.ended.is_set():
            raise Closed(Close.FORBIDDEN, "The session has ended.")
        if now >= expire_at:
            raise Closed(Close.FORBIDDEN, "The token has expired.")
        if now >= self.heard_at + self.sockets.services.settings.silence_seconds:
            raise Closed(Close.GOING_AWAY, "Nothing was heard for too long.")


async def _deny(websocket: WebSocket, status: int, error: faults.Formatted) -> None:
    """Refuse a connection before it is a socket."""
    body = orjson.dumps({"errors": [error]})
    await websocket.send_denial_response(Response(body, status_code=status, media_type="application/json"))
