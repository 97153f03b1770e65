"""A ZIP archive that tells in `manifest.json` what is in it, so that its receiver can see that nothing is missing."""

import asyncio
import hashlib
import zipfile
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

FORMAT, VERSION = "gamebuddy-export", 1
MANIFEST = "manifest.json"


class Archive:
    """One archive that is being written, a piece at a time; packing and writing are done in threads."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
        self._files: list[dict[str, Any]] = []

    async def add_lines(self, name: str, batches: AsyncIterator[list[dict[str, Any]]]) -> None:
        """Add a file of JSON Lines, one for each row. Moments are in UTC."""
        digest, size, lines = hashlib.sha256(), 0, 0
        with self._zip.open(name, "w", force_zip64=True) as out:
            async for batch in batches:
                data = b"".join(map(_line, batch))
                digest.update(data)
                size, lines = size + len(data), lines + len(batch)
                await asyncio.to_thread(out.write, data)
        self._note(name, size, digest.hexdigest(), lines=lines)

    async def add_file(self, name: str, data: bytes, **about: Any) -> None:
        """Add a file as it is; `about` goes into the manifest."""
        await asyncio.to_thread(self._zip.writestr, name, data)
        self._note(name, len(data), hashlib.sha256(data).hexdigest(), **about)

    def finish(self, made_at: datetime) -> None:
        """Add the manifest and close."""
        manifest = {"format": FORMAT, "version": VERSION, "madeAt": made_at, "files": self._files}
        self._zip.writestr(MANIFEST, orjson.dumps(manifest, default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z))
        self._zip.close()

    def _note(self, name: str, byte_size: int, sha256: str, **about: Any) -> None:
        self._files.append({"name": name, "byteSize": byte_size, "sha256": sha256, **about})


def _line(row: dict[str, Any]) -> bytes:
    # The driver has a class of its own for UUIDs, which is written as text.
    return orjson.dumps(row, default=str, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z)
