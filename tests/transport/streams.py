"""Readers of streamed answers: multipart by the rules of Apollo iOS, server-sent events by those of the standard."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from tests.api import PATIENCE, Api
from tests.transport.apollo_ios import AppleParts

APOLLO_IOS = "multipart/mixed;subscriptionSpec=1.0,application/graphql-response+json,application/json"
SSE = "text/event-stream"


@dataclass
class Events:
    """Reads server-sent events; comments are heartbeats."""

    buffer: bytes = b""
    heartbeats: int = 0
    bodies: list[Any] = field(default_factory=list)
    is_complete: bool = False

    def feed(self, data: bytes) -> None:
        """Take what has come."""
        self.buffer += data
        while b"\n\n" in self.buffer:
            event, _, self.buffer = self.buffer.partition(b"\n\n")
            lines = dict(line.split(b":", 1) for line in event.split(b"\n"))
            match lines.get(b"event", b"").strip():
                case b"next":
                    self.bodies.append(orjson.loads(lines[b"data"]))
                case b"complete":
                    self.is_complete = True
                case _:
                    self.heartbeats += 1

    def close(self) -> None:
        """The body has ended."""
        assert self.buffer == b"", "an event was not finished"


@dataclass
class Streamed:
    """An answer while it comes."""

    response: httpx.Response
    reader: AppleParts | Events
    chunks: AsyncIterator[bytes]
    taken: int = 0

    async def next(self) -> Any:
        """Give the next body."""
        while len(self.reader.bodies) == self.taken:
            self.reader.feed(await anext(self.chunks))
        self.taken += 1
        return self.reader.bodies[self.taken - 1]

    async def until(self, typename: str) -> Any:
        """Read on until an event of this type comes; gives it."""
        while True:
            body = await self.next()
            (event,) = body.get("payload", body)["data"].values()
            if event["__typename"] == typename:
                return event

    async def end(self) -> None:
        """Read until the server has closed."""
        async for chunk in self.chunks:
            self.reader.feed(chunk)
        self.reader.close()


@contextlib.asynccontextmanager
async def streamed(api: Api, accept: str, query: str, **variables: Any) -> AsyncIterator[Streamed]:
    """Send an operation and read its answer as it comes."""
    headers = {"Accept": accept} | ({"Authorization": f"Bearer {api.token}"} if api.token else {})
    async with (
        httpx.AsyncClient(timeout=PATIENCE, verify=api.tls or True) as http,
        http.stream(
            "POST", f"{api.url}/graphql", json={"query": query, "variables": variables}, headers=headers
        ) as response,
    ):
        kind = response.headers["content-type"]
        reader = AppleParts(kind) if kind.startswith("multipart") else Events()
        yield Streamed(response, reader, response.aiter_raw())
