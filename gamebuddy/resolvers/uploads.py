"""Files of players: announced, sent to the store, checked when they are used, deleted when nothing shows them."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, Select, delete, exists, func, or_, select, update

from gamebuddy import db, text
from gamebuddy.auth.throttle import Hit, Limit, Throttle
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import Database, UploadPurpose, WriteSession
from gamebuddy.errors import Code, Rejected, reject
from gamebuddy.files import FILE_TYPES, PICTURE_TYPES, Files, Link, Unsupported, clean_name, matches_name

MEGABYTE = 1_000_000
MOST_BYTES = {UploadPurpose.AVATAR: 5 * MEGABYTE, UploadPurpose.ATTACHMENT: 10 * MEGABYTE}
TYPES = {UploadPurpose.AVATAR: PICTURE_TYPES, UploadPurpose.ATTACHMENT: PICTURE_TYPES | FILE_TYPES.keys()}
IDLE = timedelta(days=1)
BATCH = 50  # uploads deleted in one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """A file that is to be sent, and where to."""

    upload_id: uuid.UUID
    link: Link


async def create_upload(
    session: WriteSession,
    viewer: Viewer,
    *,
    throttle: Throttle,
    files: Files,
    name: str,
    media_type: str,
    byte_size: int,
    purpose: UploadPurpose,
) -> Announced:
    """Announce a file; the link that comes back takes it for 15 minutes.

    Raises:
        Rejected: UNSUPPORTED for a type that is not taken, and for a name that says another one; TOO_SHORT and TOO_LONG
            for the size; RETRY_LATER after 60, then one a minute.
    """
    text.require_text(name)
    if media_type not in TYPES[purpose]:
        raise reject(Code.UNSUPPORTED, f"Take one of {', '.join(sorted(TYPES[purpose]))}.", "media_type")
    kept_name = clean_name(name)
    if not matches_name(media_type, kept_name):
        raise reject(Code.UNSUPPORTED, "The name says another type.", "file_name")
    if byte_size < 1:
        raise reject(Code.TOO_SHORT, "A file has at least one byte.", "byte_size")
    if byte_size > MOST_BYTES[purpose]:
        raise reject(Code.TOO_LONG, f"At most {MOST_BYTES[purpose] // MEGABYTE} MB.", "byte_size")
    await throttle.take(session, Hit(Limit.UPLOAD, str(viewer.account_id)))
    upload = db.Upload(
        account_id=viewer.account_id, purpose=purpose, file_name=kept_name, media_type=media_type, byte_size=byte_size
    )
    session.add(upload)
    await session.flush()
    return Announced(upload_id=upload.id, link=await files.link_to_send(upload.id, media_type, byte_size))


async def check(
    session: WriteSession,
    viewer: Viewer,
    files: Files,
    upload_ids: Sequence[uuid.UUID],
    purpose: UploadPurpose,
    *field: str,
) -> None:
    """Look at what was sent, before `use`; what is slow in it holds no connection and no lock.

    What was checked before, and what is not the viewer's to use, is passed over: `use` says so. `field` is where the
    upload is named; of several, its place follows.

    Raises:
        Rejected: UNSUPPORTED where the bytes are not what was announced, INVALID where none have come.
        Unavailable: when too many wait.
    """
    upload = db.Upload
    rows = await session.execute(
        select(upload.id, upload.media_type, upload.byte_size, upload.file_name).where(
            db.is_one_of(upload.id, upload_ids),
            upload.account_id == viewer.account_id,
            upload.purpose == purpose,
            upload.checked_at.is_(None),
        )
    )
    for upload_id, media_type, byte_size, name in rows.all():
        await session.let_go()
        place: tuple[str | int, ...] = (*field, upload_ids.index(upload_id)) if len(upload_ids) > 1 else field
        try:
            if purpose is UploadPurpose.AVATAR:
                facts = await files.take_in_avatar(upload_id, media_type, byte_size)
            else:
                facts = await files.take_in(upload_id, media_type, byte_size, name)
        except Unsupported:
            raise reject(Code.UNSUPPORTED, "The bytes are not what was announced.", *place) from None
        if facts is None:
            if await session.scalar(select(upload.checked_at).where(upload.id == upload_id)):
                continue  # the same request at the same time was first
            raise reject(Code.INVALID, "Nothing has been sent to the link yet.", *place)
        async with session.at_once() as own:
            await own.execute(
                update(upload)
                .where(upload.id == upload_id, upload.checked_at.is_(None))
                .values(checked_at=func.now(), byte_size=facts.byte_size, width=facts.width, height=facts.height)
                .execution_options(synchronize_session=False)
            )
        await files.drop_raw(upload_id)


async def use(
    session: WriteSession, viewer: Viewer, upload_ids: Sequence[uuid.UUID], purpose: UploadPurpose, *field: str
) -> None:
    """Take uploads for what the transaction makes of them; each can be used once, of two at the same time by one.

    Raises:
        Rejected: NOT_FOUND for an upload of somebody else, for another purpose, or used already.
    """
    upload = db.Upload
    used = await session.scalars(
        update(upload)
        .where(
            db.is_one_of(upload.id, upload_ids),
            upload.account_id == viewer.account_id,
            upload.purpose == purpose,
            upload.checked_at.is_not(None),
            upload.used_at.is_(None),
        )
        .values(used_at=func.now(), idle_since=None)
        .returning(upload.id)
        .execution_options(synchronize_session=False)
    )
    if set(used) != set(upload_ids):
        raise no_such_upload(*field)


async def leave(session: WriteSession, upload_ids: Collection[uuid.UUID]) -> None:
    """Say that something shows these files no more; if nothing else does, they are deleted in a day."""
    if not upload_ids:
        return
    await session.execute(
        update(db.Upload)
        .where(db.is_one_of(db.Upload.id, upload_ids))
        .values(idle_since=func.now())
        .execution_options(synchronize_session=False)
    )


async def leave_attachments(session: WriteSession, message_ids: Collection[uuid.UUID] | Select[uuid.UUID]) -> None:
    """Take the files from under messages."""
    left = await session.scalars(
        delete(db.Attachment)
        .where(db.Attachment.message_id.in_(message_ids))
        .returning(db.Attachment.upload_id)
        .execution_options(synchronize_session=False)
    )
    await leave(session, left.all())


async def drop_idle(session: WriteSession, files: Files) -> int:
    """Delete some uploads that nothing has shown for a day: first the files, then the rows; tells how many it took.

    Whatever stops it between the two leaves a row without files, which the next round deletes.
    """
    upload = db.Upload
    due = await session.execute(
        select(upload.id, is_shown().label("is_shown"))
        .where(upload.idle_since < func.now() - IDLE)
        .limit(BATCH)
        .with_for_update(skip_locked=True, of=upload)
    )
    rows = due.all()
    shown = [row.id for row in rows if row.is_shown]
    await session.execute(
        update(upload).where(upload.id.in_(shown)).values(idle_since=None).execution_options(synchronize_session=False)
    )
    gone = [row.id for row in rows if not row.is_shown]
    for upload_id in gone:
        await files.forget(upload_id)
    await session.execute(delete(upload).where(upload.id.in_(gone)).execution_options(synchronize_session=False))
    return len(rows)


async def sweep(database: Database, files: Files) -> int:
    """Delete everything that is idle; tells how many uploads it took."""
    taken = 0
    while True:
        async with database.write() as session:
            count = await drop_idle(session, files)
        taken += count
        if count < BATCH:
            return taken


def is_shown() -> ColumnElement[bool]:
    """Tell of an upload in the statement whether a message, a profile or a group shows it."""
    shows = (
        exists().where(db.Attachment.upload_id == db.Upload.id),
        exists().where(db.Profile.avatar_id == db.Upload.id),
        exists().where(db.Chat.avatar_id == db.Upload.id),
    )
    return or_(*shows)


def no_such_upload(*field: str) -> Rejected:
    """Make the one rejection for uploads that do not exist, are somebody else's, or were used."""
    return reject(Code.NOT_FOUND, "There is no such upload, or it has been used.", *field)
