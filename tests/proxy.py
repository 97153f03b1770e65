"""A network that can be cut: a TCP proxy between a client and the server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit


@dataclass
class Proxy:
    """Passes bytes both ways for as long as the network is up."""

    upstream: tuple[str, int]
    port: int = 0
    is_up: bool = True
    is_deaf: bool = False
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @classmethod
    @contextlib.asynccontextmanager
    async def before(cls, url: str) -> AsyncIterator[Self]:
        """Stand before a server."""
        parts = urlsplit(url)
        proxy = cls((parts.hostname or "", parts.port or 0))
        server = await asyncio.start_server(proxy._accept, "127.0.0.1", 0)
        proxy.port = server.sockets[0].getsockname()[1]
        try:
            yield proxy
        finally:
            server.close()
            proxy.cut()

    @property
    def url(self) -> str:
        """Where clients connect to."""
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Cut every connection in the middle of whatever it carries, and let none through."""
        self.is_up = False
        for writer in tuple(self._writers):
            writer.transport.abort()

    def deafen(self) -> None:
        """Lose what the server answers, and let through what it is asked."""
        self.is_deaf = True

    def mend(self) -> None:
        """Let connections through again."""
        self.is_up, self.is_deaf = True, False

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.is_up:
            writer.transport.abort()
            return
        there_reader, there_writer = await asyncio.open_connection(*self.upstream)
        self._writers |= {writer, there_writer}
        try:
            await asyncio.gather(self._pass(reader, there_writer), self._pass(there_reader, writer, is_answer=True))
        finally:
            self._writers -= {writer, there_writer}
            for side in (writer, there_writer):
                side.close()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, is_answer: bool = False) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65_536):
                if is_answer and self.is_deaf:
                    continue
                sink.write(data)
                await sink.drain()
        with contextlib.suppress(OSError, RuntimeError):
            sink.close()
