"""The wire to PostgreSQL, which a test can cut, or hold so that nothing passes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Self
from urllib.parse import parse_qs, urlsplit

SIZE = 65_536
GREETING = 1_000  # bytes in which a client has said its name


class Wire:
    """Carries bytes between a port of loopback and the Unix socket of the tests' PostgreSQL."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._socket = f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.5432"
        self._database = parts.path
        self._port = 0
        self._passes = asyncio.Event()
        self._passes.set()
        self._forbidden: bytes | None = None
        self._lines: dict[asyncio.Task[None], bytearray] = {}  # and what was said first on each

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator[Self]:
        """Lay a wire to the database at this address."""
        wire = cls(url)
        server = await asyncio.start_server(wire._serve, "127.0.0.1", 0)
        wire._port = server.sockets[0].getsockname()[1]
        try:
            yield wire
        finally:
            server.close()
            wire.cut()

    @property
    def url(self) -> str:
        """The address of the database at this end."""
        return f"postgresql://postgres@127.0.0.1:{self._port}{self._database}"

    def hold(self) -> None:
        """Let nothing pass from now on; nobody is told."""
        self._passes.clear()

    def release(self) -> None:
        """Let everything pass again, what was held too."""
        self._passes.set()

    def forbid(self, name: bytes) -> None:
        """Cut whoever said this name when he connected, and whoever comes with it."""
        self._forbidden = name
        for task, said in self._lines.items():
            if name in said:
                task.cancel()

    def allow(self) -> None:
        """Forbid nobody."""
        self._forbidden = None

    def cut(self) -> None:
        """Cut everything."""
        for task in self._lines:
            task.cancel()

    async def _serve(self, near: asyncio.StreamReader, near_end: asyncio.StreamWriter) -> None:
        task, said = asyncio.current_task(), bytearray()
        assert task is not None
        self._lines[task] = said
        far, far_end = await asyncio.open_unix_connection(self._socket)
        carriers = [
            asyncio.ensure_future(self._carry(near, far_end, said)),
            asyncio.ensure_future(self._carry(far, near_end)),
        ]
        try:
            await asyncio.wait(carriers, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for carrier in carriers:
                carrier.cancel()
            await asyncio.gather(*carriers, return_exceptions=True)
            far_end.close()
            near_end.close()
            del self._lines[task]

    async def _carry(
        self, source: asyncio.StreamReader, to: asyncio.StreamWriter, said: bytearray | None = None
    ) -> None:
        while data := await source.read(SIZE):
            await self._passes.wait()
            if said is not None and len(said) < GREETING:
                said += data
                if self._forbidden is not None and self._forbidden in said:
                    return
            to.write(data)
            await to.drain()
