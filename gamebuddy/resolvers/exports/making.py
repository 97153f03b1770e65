"""Making the copies, beside the requests: each by one process at a time, and again when that process ended too soon."""

import asyncio
import mimetypes
import tempfile
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Executable, delete, func, or_, select, update

from gamebuddy import db, mail
from gamebuddy.db import Database, ReadSession, UploadPurpose, WriteSession
from gamebuddy.files import AVATAR_SIZES, AVATAR_TYPE, FILE, Files
from gamebuddy.mail import Letter, LetterKind
from gamebuddy.resolvers.exports.archive import Archive
from gamebuddy.resolvers.exports.asking import KEPT_FOR
from gamebuddy.resolvers.exports.contents import statements
from gamebuddy.workers import Rounds

PAUSE_SECONDS = 10.0
LONGEST = timedelta(minutes=5)  # making one takes no longer
PATIENCE = 2 * LONGEST  # whoever began earlier has ended without it
ROWS = 500  # read at a time
BATCH = 50  # archives deleted in one transaction
NAME, MEDIA_TYPE = "gamebuddy-data.zip", "application/zip"


@dataclass(frozen=True, slots=True)
class Work:
    """One that is to be made; `begun_at` tells whether it still is this process that makes it."""

    export_id: uuid.UUID
    account_id: uuid.UUID
    begun_at: datetime


def exporter(database: Database, files: Files, *, pause_seconds: float = PAUSE_SECONDS) -> Rounds:
    """Make what looks for pending copies every ten seconds."""

    async def work() -> None:
        await make_all(database, files)

    return Rounds("exporter", work, pause_seconds=pause_seconds, jitter=0.2)


async def make_all(database: Database, files: Files) -> int:
    """Make every copy that waits and that nobody is at; tells how many.

    Raises:
        Unavailable: when the database does not answer.
        TimeoutError: when one takes too long.
    """
    count = 0
    while True:
        async with database.write() as session:
            work = await _begin(session)
        if work is None:
            return count
        async with asyncio.timeout(LONGEST.total_seconds()):
            await _make(database, files, work)
        count += 1


async def sweep(database: Database, files: Files) -> int:
    """Delete the archives that are over, then their rows; tells how many it took.

    One that is being made is waited for: no archive is left behind without a row.
    """
    row, taken = db.Export, 0
    is_over = or_(row.expires_at <= func.now(), row.account_id.is_(None))
    is_left = or_(row.begun_at.is_(None), row.ready_at.is_not(None), row.begun_at < func.now() - PATIENCE)
    while True:
        async with database.write() as session:
            due = await session.scalars(
                select(row.id).where(is_over, is_left).limit(BATCH).with_for_update(skip_locked=True)
            )
            ids = due.all()
            for export_id in ids:
                await files.forget(export_id)
            await session.execute(
                delete(row).where(db.is_one_of(row.id, ids)).execution_options(synchronize_session=False)
            )
        taken += len(ids)
        if len(ids) < BATCH:
            return taken


async def _begin(session: WriteSession) -> Work | None:
    row = db.Export
    is_due = (
        row.ready_at.is_(None),
        row.account_id.is_not(None),
        row.expires_at > func.now(),
        or_(row.begun_at.is_(None), row.begun_at < func.now() - PATIENCE),
    )
    next_one = select(row.id).where(*is_due).order_by(row.requested_at).limit(1).with_for_update(skip_locked=True)
    begun = await session.execute(
        update(row)
        .where(row.id == next_one.correlate(None).scalar_subquery())
        .values(begun_at=func.now())
        .returning(row.id, row.account_id, row.begun_at)
        .execution_options(synchronize_session=False)
    )
    found = begun.one_or_none()
    return Work(*found) if found else None


async def _make(database: Database, files: Files, work: Work) -> None:
    """Write the archive to a temporary file, put it into the store, and tell its owner."""
    with tempfile.TemporaryDirectory(prefix="gamebuddy-export-") as folder:
        path = Path(folder) / NAME
        archive = Archive(path)
        async with database.read() as session:
            for name, statement in statements(work.account_id).items():
                await archive.add_lines(f"{name}.jsonl", _rows(session, statement))
            uploads = await _uploads(session, work.account_id)
        for upload in uploads:
            await _add_upload(archive, files, upload)
        await asyncio.to_thread(archive.finish, datetime.now(UTC))
        await files.keep(work.export_id, path, MEDIA_TYPE, NAME)
        byte_size = path.stat().st_size
    async with database.write() as session:
        await _set_ready(session, work, byte_size)


async def _rows(session: ReadSession, statement: Executable) -> AsyncIterator[list[dict[str, Any]]]:
    result = await session.stream(statement.execution_options(yield_per=ROWS))
    async for batch in result.mappings().partitions():
        yield [dict(row) for row in batch]


async def _uploads(session: ReadSession, account_id: uuid.UUID) -> list[db.Upload]:
    upload = db.Upload
    rows = await session.scalars(
        select(upload).where(upload.account_id == account_id, upload.checked_at.is_not(None)).order_by(upload.id)
    )
    return list(rows.all())


async def _add_upload(archive: Archive, files: Files, upload: db.Upload) -> None:
    """Add a file as it is kept: of an avatar the largest square."""
    is_avatar = upload.purpose is UploadPurpose.AVATAR
    variant, media_type = (str(AVATAR_SIZES[-1]), AVATAR_TYPE) if is_avatar else (FILE, upload.media_type)
    data = await files.read(upload.id, variant)
    if data is not None:  # housekeeping may have been faster
        name = f"files/{upload.id}{mimetypes.guess_extension(media_type) or ''}"
        await archive.add_file(name, data, uploadId=upload.id)


async def _set_ready(session: WriteSession, work: Work, byte_size: int) -> None:
    """Show it to its owner; one that was given up meanwhile is left to the sweep."""
    row = db.Export
    ready = await session.execute(
        update(row)
        .where(row.id == work.export_id, row.begun_at == work.begun_at, row.expires_at > func.now())
        .values(ready_at=func.now(), byte_size=byte_size, expires_at=func.now() + KEPT_FOR)
        .returning(row.id)
        .execution_options(synchronize_session=False)
    )
    if ready.one_or_none() is not None:
        await mail.post(session, Letter(LetterKind.DATA_EXPORTED, work.account_id))
