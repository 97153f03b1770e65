"""Where files are: a folder of this machine, or an object store that clients reach themselves."""

import math
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast
from urllib.parse import quote

import obstore
import orjson
from obstore.store import AzureStore, GCSStore, LocalStore, S3Store, from_url

from gamebuddy.auth.keys import Keys, NotVouchedFor, Purpose
from gamebuddy.files import pictures
from gamebuddy.files.checking import PICTURE_TYPES, Unsupported, check_bytes
from gamebuddy.settings import Settings
from gamebuddy.workers import Workers

SENDING = timedelta(minutes=15)  # how long an upload link works
READING_SECONDS = 3_600  # links last one to two such stretches, and stay the same within one, so that clients cache
SIGNATURE_BYTES = 16
THREADS, WAITING_ROOM = 2, 8  # whoever waits holds up to 10 MB
AVATAR_SIZES = (64, 256, 512)
AVATAR_TYPE = pictures.SMALL_TYPE
RAW, FILE, THUMBNAIL = "raw", "file", "thumbnail"
VARIANTS = (RAW, FILE, THUMBNAIL, *map(str, AVATAR_SIZES))


type Remote = S3Store | GCSStore | AzureStore


@dataclass(frozen=True, slots=True)
class Link:
    """Where to send a file with PUT, under these headers, until when."""

    url: str
    headers: dict[str, str]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found out about a file: its size as it is kept, and of a picture its sides in pixels."""

    byte_size: int
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a link to the folder of this machine allows: `byte_size` is that of a file to be sent."""

    method: str
    key: str
    media_type: str
    until: int
    name: str = ""
    byte_size: int = 0


class Files:
    """Takes files in and gives them out. A file lies under the id of its upload, each variant beside the others."""

    def __init__(self, settings: Settings, keys: Keys, *, path: str) -> None:
        self._keys = keys
        self._base = f"{settings.url}{path}/"
        self.folder = settings.data_dir.resolve() / "files" if settings.storage_url is None else None
        self._store: LocalStore | Remote
        if self.folder is not None:
            self._store = LocalStore(self.folder, mkdir=True)
        else:
            self._store = cast("Remote", from_url(settings.storage_url or ""))
        self._workers = Workers("files", threads=THREADS, waiting_room=WAITING_ROOM)

    async def link_to_send(self, upload_id: uuid.UUID, media_type: str, byte_size: int) -> Link:
        """Make the link that the bytes are sent to."""
        expires_at, key = datetime.now(UTC) + SENDING, _key(upload_id, RAW)
        if isinstance(self._store, LocalStore):
            until = math.ceil(expires_at.timestamp())
            claim = Claim(method="PUT", key=key, media_type=media_type, until=until, byte_size=byte_size)
            url = self._signed(claim)
        else:
            url = await obstore.sign_async(self._store, "PUT", key, SENDING)
        return Link(url, {"Content-Type": media_type}, expires_at)

    async def link_to_read(self, upload_id: uuid.UUID, variant: str, media_type: str, name: str = "") -> str:
        """Make a link that shows a file for one to two hours; a name lets it be saved under this name."""
        key, now = _key(upload_id, variant), time.time()
        until = (int(now) // READING_SECONDS + 2) * READING_SECONDS
        if isinstance(self._store, LocalStore):
            return self._signed(Claim(method="GET", key=key, media_type=media_type, until=until, name=name))
        url: str = await obstore.sign_async(self._store, "GET", key, timedelta(seconds=until - now))
        return url

    async def take_in(self, upload_id: uuid.UUID, media_type: str, byte_size: int, name: str) -> Facts | None:
        """Check what was sent, and keep it; None when nothing was sent yet. A repeat leaves the same.

        Raises:
            Unsupported: when it has another size than was said, or is not what it was said to be.
            Unavailable: when too many wait.
        """
        data = await self._sent(upload_id, byte_size)
        if data is None:
            return None
        if media_type not in PICTURE_TYPES:
            await self._workers.run(check_bytes, media_type, data)
            await self._put(upload_id, FILE, data, media_type, name)
            facts = Facts(len(data))
        else:
            picture = await self._workers.run(pictures.remake, data, media_type)
            await self._put(upload_id, FILE, picture.data, media_type, name)
            await self._put(upload_id, THUMBNAIL, picture.thumbnail, pictures.SMALL_TYPE)
            facts = Facts(len(picture.data), picture.width, picture.height)
        return facts

    async def take_in_avatar(self, upload_id: uuid.UUID, media_type: str, byte_size: int) -> Facts | None:
        """Check a picture that was sent, and keep squares of it; otherwise as `take_in`."""
        data = await self._sent(upload_id, byte_size)
        if data is None:
            return None
        squares = await self._workers.run(pictures.remake_square, data, media_type, AVATAR_SIZES)
        for side, square in squares.items():
            await self._put(upload_id, str(side), square, pictures.SMALL_TYPE)
        return Facts(sum(map(len, squares.values())), max(squares), max(squares))

    async def keep(self, export_id: uuid.UUID, path: Path, media_type: str, name: str) -> None:
        """Keep a file that this program has made; a repeat takes the place of the first."""
        await self._put(export_id, FILE, path, media_type, name)

    async def read(self, upload_id: uuid.UUID, variant: str) -> bytes | None:
        """Give a file as it is kept; None when it is gone."""
        try:
            found = await obstore.get_async(self._store, _key(upload_id, variant))
            return bytes(await found.bytes_async())
        except FileNotFoundError:
            return None

    async def drop_raw(self, upload_id: uuid.UUID) -> None:
        """Delete what was sent, which may say more than its pixels, once what is kept is made and noted."""
        await self._delete(_key(upload_id, RAW))

    async def forget(self, upload_id: uuid.UUID) -> None:
        """Delete everything of an upload; what is not there is gone already."""
        for variant in VARIANTS:
            await self._delete(_key(upload_id, variant))

    def read_claim(self, ticket: str) -> Claim | None:
        """Give what a link to the folder allows; None when it is none of ours, or over."""
        try:
            body = self._keys.read_ticket(Purpose.FILE_LINK, "", ticket, signature_bytes=SIGNATURE_BYTES)
        except NotVouchedFor:
            return None
        claim = Claim(**orjson.loads(body))
        return claim if claim.until > time.time() else None

    def path_of(self, claim: Claim) -> Path:
        """Give the path of a file in the folder."""
        if self.folder is None:
            raise LookupError("files are not in a folder")
        return self.folder / claim.key

    async def receive(self, claim: Claim, chunks: AsyncIterator[bytes]) -> None:
        """Put what is sent into the folder; it is there whole or not at all."""
        await obstore.put_async(self._store, claim.key, chunks)

    async def close(self) -> None:
        """End the threads."""
        await self._workers.close()

    def _signed(self, claim: Claim) -> str:
        body = orjson.dumps({name: value for name in Claim.__slots__ if (value := getattr(claim, name))})
        return self._base + self._keys.ticket(Purpose.FILE_LINK, "", body, signature_bytes=SIGNATURE_BYTES)

    async def _sent(self, upload_id: uuid.UUID, byte_size: int) -> bytes | None:
        key = _key(upload_id, RAW)
        try:
            size = (await obstore.head_async(self._store, key))["size"]
            if size != byte_size:  # an object store lets any size through; it is not read
                raise Unsupported
        except FileNotFoundError:
            return None
        return await self.read(upload_id, RAW)

    async def _put(
        self, upload_id: uuid.UUID, variant: str, data: bytes | Path, media_type: str, name: str = ""
    ) -> None:
        attributes = None
        if not isinstance(self._store, LocalStore):  # a folder keeps none; the link says them
            attributes = {"Content-Type": media_type, "Content-Disposition": disposition(media_type, name)}
        await obstore.put_async(self._store, _key(upload_id, variant), data, attributes=attributes)

    async def _delete(self, key: str) -> None:
        try:
            await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            return


def disposition(media_type: str, name: str) -> str:
    """Say whether a browser shows a file or saves it, and under which name: only pictures are shown."""
    how = "inline" if media_type in PICTURE_TYPES else "attachment"
    return f"{how}; filename*=UTF-8''{quote(name, safe='')}" if name else how


def _key(upload_id: uuid.UUID, variant: str) -> str:
    return f"{upload_id.hex}/{variant}"
