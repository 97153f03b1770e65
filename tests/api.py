"""The API as its clients use it: GraphQL over HTTP and over graphql-transport-ws."""

import asyncio
import contextlib
import itertools
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any, Self

import httpx
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.leaks import LEAKS

PATIENCE = 20  # seconds until what does not come is a failure

type Json = dict[str, Any]


class GraphQLError(AssertionError):
    """Top-level errors where a test expected none."""

    def __init__(self, errors: list[Json]) -> None:
        super().__init__(errors)
        self.errors = errors

    @property
    def code(self) -> str:
        """The code of the first error."""
        code: str = self.errors[0]["extensions"]["code"]
        return code


@dataclass(frozen=True)
class Api:
    """Somebody at the endpoint, signed in or not."""

    http: httpx.AsyncClient
    url: str
    token: str | None = None
    tls: ssl.SSLContext | None = None

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, url: str, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Self]:
        """Open a client for a server at this address; `tls` knows a certificate of the tests' own."""
        async with httpx.AsyncClient(base_url=url, timeout=PATIENCE, verify=tls or True) as http:
            yield cls(http, url, tls=tls)

    def signed_in(self, token: str) -> "Api":
        """Go on with an access token."""
        LEAKS.note(token)
        return replace(self, token=token)

    async def post(self, query: str, variables: Json | None = None, **headers: str) -> httpx.Response:
        """Send an operation and give the whole answer."""
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        # As browsers write it: what is not ASCII is escaped, half a surrogate pair too.
        body = json.dumps({"query": query, "variables": variables or {}})
        headers.setdefault("Content-Type", "application/json")
        LEAKS.note_inputs(variables)
        response = await self.http.post("/graphql", content=body, headers=headers)
        with contextlib.suppress(orjson.JSONDecodeError):
            LEAKS.note_outputs(orjson.loads(response.content))
        return response

    async def __call__(self, query: str, **variables: Any) -> Json:
        """Send an operation and give its data; any top-level error raises GraphQLError."""
        answer = (await self.post(query, variables)).json()
        if "errors" in answer:
            raise GraphQLError(answer["errors"])
        data: Json = answer["data"]
        return data

    async def error(self, query: str, **variables: Any) -> Json:
        """Send an operation that has to fail and give its first error."""
        try:
            data = await self(query, **variables)
        except GraphQLError as error:
            first: Json = error.errors[0]
            return first
        raise AssertionError(f"no error, but {data}")

    @contextlib.asynccontextmanager
    async def socket(self, payload: Json | None = None, **options: Any) -> "AsyncIterator[Socket]":
        """Open a socket, send connection_init and wait for the ack; with `payload` that one is sent as it is."""
        if payload is None:
            payload = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        address = self.url.replace("http", "ws", 1) + "/graphql"
        options.setdefault("subprotocols", [Subprotocol("graphql-transport-ws")])
        if self.tls is not None:
            options.setdefault("ssl", self.tls)
        async with connect(address, **options) as connection:
            socket = Socket(connection)
            await socket.send({"type": "connection_init", "payload": payload})
            socket.ack = await socket.receive()
            assert socket.ack["type"] == "connection_ack", socket.ack
            yield socket


@dataclass
class Socket:
    """One socket and its frames. Operations are numbered 1, 2, 3 … as Apollo iOS does."""

    connection: ClientConnection
    ack: Json = field(default_factory=dict)
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    async def send(self, frame: Json) -> None:
        """Send a frame."""
        await self.connection.send(orjson.dumps(frame).decode())

    async def receive(self) -> Json:
        """Give the next frame that is no ping; pings are answered."""
        async with asyncio.timeout(PATIENCE):
            while True:
                frame: Json = orjson.loads(await self.connection.recv())
                if frame["type"] != "ping":
                    LEAKS.note_outputs(frame)
                    return frame
                await self.send({"type": "pong"})

    async def closed(self) -> int:
        """Wait until the server closes the socket and give its code."""
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(Exception):
                while True:
                    await self.connection.recv()
            await self.connection.wait_closed()
        code: int | None = self.connection.close_code
        assert code is not None
        return code

    async def start(self, query: str, **variables: Any) -> str:
        """Start an operation and give its id."""
        LEAKS.note_inputs(variables)
        operation = str(next(self._ids))
        payload = {"query": query, "variables": variables}
        await self.send({"id": operation, "type": "subscribe", "payload": payload})
        return operation

    async def subscribe(self, query: str, **variables: Any) -> "Stream":
        """Start a subscription to read event by event."""
        return Stream(self, await self.start(query, **variables))


@dataclass
class Stream:
    """One subscription, alone on its socket; reads the one root field."""

    socket: Socket
    id: str

    async def next(self) -> Json:
        """Give the next event."""
        frame = await self.socket.receive()
        assert frame["type"] == "next", frame
        assert frame["id"] == self.id, frame
        if frame["payload"].get("errors"):
            raise GraphQLError(frame["payload"]["errors"])
        (event,) = frame["payload"]["data"].values()
        found: Json = event
        return found

    async def next_kept(self) -> Json:
        """Give the next event that is kept: who is here may be told at any moment. Needs __typename."""
        while (event := await self.next())["__typename"] in {"Typing", "PresenceChanged"}:
            pass
        return event

    async def until(self, typename: str) -> Json:
        """Read on until an event of this type comes; the query has to select __typename."""
        while True:
            event = await self.next()
            if event["__typename"] == typename:
                return event

    async def error(self) -> Json:
        """Give the error that ends the operation."""
        frame = await self.socket.receive()
        assert frame["type"] == "error", frame
        first: Json = frame["payload"][0]
        return first

    async def completed(self) -> None:
        """Wait for the end of the operation."""
        frame = await self.socket.receive()
        assert frame == {"id": self.id, "type": "complete"}, frame

    async def stop(self) -> None:
        """End the subscription from this side."""
        await self.socket.send({"id": self.id, "type": "complete"})
