"""Lines as they are typed, or come through a pipe, while other things happen."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator

CHUNK_BYTES = 4_096


class Keyboard:
    """Reads a file descriptor line by line in a thread, because a terminal, a pipe and a file wait in different ways.

    The thread is never waited for: who leaves does not have to press a key first.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._read, name="keyboard", daemon=True).start()

    async def lines(self) -> AsyncIterator[str]:
        """Give each line that has something in it, until the end of what is typed."""
        while (line := await self._lines.get()) is not None:
            if line.strip():
                yield line.strip()

    def _read(self) -> None:
        rest = b""
        while data := self._read_some():
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self._put(line)
        if rest:
            self._put(rest)
        self._put(None)

    def _read_some(self) -> bytes:
        try:
            return os.read(self._descriptor, CHUNK_BYTES)
        except OSError:  # the terminal has been closed
            return b""

    def _put(self, line: bytes | None) -> None:
        text = None if line is None else line.decode(errors="replace")
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._lines.put_nowait, text)
