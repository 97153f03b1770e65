"""What hangs on messages: whom they name, signs, and files."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Select, exists, func, select

from gamebuddy import db
from gamebuddy.auth.viewer import ME, Viewer, asked
from gamebuddy.db import ReadSession
from gamebuddy.resolvers.accounts.lookup import is_visible
from gamebuddy.resolvers.chat.access import is_shown


@dataclass(frozen=True, slots=True)
class Signs:
    """Equal signs under a message: how many, and whether the viewer's is one of them."""

    emoji: str
    count: int
    is_own: bool


@dataclass(frozen=True, slots=True)
class File:
    """A file under a message, and what is known of it."""

    attachment: db.Attachment
    upload: db.Upload


async def unread_mentions_by_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, int]:
    """Count the messages that name the viewer, or call everyone, and that he has not read, by the ids of the chats.

    Both are ranges of an index that begin at the read mark: no history is scanned.
    """
    if viewer is None:
        return {}
    return dict(await session.rows(_unread_mentions(), asked(viewer, ids)))


@db.written_once
def _unread_mentions() -> Select[*tuple[Any, ...]]:
    own, me, mention = db.ChatMember, ME.account_id, db.Mention
    named = select(func.count()).where(
        mention.account_id == me, mention.chat_id == own.chat_id, mention.seq > own.last_read_seq
    )
    is_named = exists().where(mention.message_id == db.Message.id, mention.account_id == me)
    called = select(func.count()).where(
        db.Message.chat_id == own.chat_id,
        db.Message.calls_everyone,
        db.Message.seq > own.last_read_seq,
        db.Message.author_id != me,
        ~is_named,
    )
    total = named.correlate(own).scalar_subquery() + called.correlate(own).scalar_subquery()
    return select(own.chat_id, total.label("total")).where(own.account_id == me, db.is_asked_for(own.chat_id))


async def mentions_by_ids(
    session: ReadSession, _: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, list[uuid.UUID]]:
    """Load whom messages name, by the ids of the messages."""
    rows = await session.rows(_mentions(), {"ids": list(ids)})
    return {key: [row.account_id for row in group] for key, group in groupby(rows, key=lambda row: row.message_id)}


@db.written_once
def _mentions() -> Select[*tuple[Any, ...]]:
    mention = db.Mention
    return (
        select(mention.message_id, mention.account_id)
        .where(db.is_asked_for(mention.message_id))
        .order_by(mention.message_id, mention.account_id)
    )


async def reactions_by_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, list[Signs]]:
    """Count the signs under messages, the oldest first; those of people whom the viewer cannot see do not count."""
    if viewer is None:
        return {}
    rows = await session.rows(_reactions(), asked(viewer, ids))
    return {
        key: [Signs(row.emoji, row.people, is_own=row.is_own) for row in group]
        for key, group in groupby(rows, key=lambda row: row.message_id)
    }


@db.written_once
def _reactions() -> Select[*tuple[Any, ...]]:
    reaction = db.Reaction
    return (
        select(
            reaction.message_id,
            reaction.emoji,
            func.count().label("people"),
            func.bool_or(reaction.account_id == ME.account_id).label("is_own"),
        )
        .join(db.Account, db.Account.id == reaction.account_id)
        .where(db.is_asked_for(reaction.message_id), is_visible(ME))
        .group_by(reaction.message_id, reaction.emoji)
        .order_by(reaction.message_id, func.min(reaction.created_at), reaction.emoji)
    )


async def attachments_by_message_ids(
    session: ReadSession, _: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, list[File]]:
    """Load the files under messages that the viewer has been shown, in their order."""
    files = [File(*row) for row in await session.execute(_files_under(), {"ids": list(ids)})]
    return {key: list(group) for key, group in groupby(files, key=lambda file: file.attachment.message_id)}


async def attachments_by_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, File]:
    """Load files under messages that the viewer may see."""
    if viewer is None:
        return {}
    rows = await session.execute(_shown_files(), asked(viewer, ids))
    return {file.attachment.id: file for file in (File(*row) for row in rows)}


@db.written_once
def _files_under() -> Select[db.Attachment, db.Upload]:
    return _files().where(db.is_asked_for(db.Attachment.message_id))


@db.written_once
def _shown_files() -> Select[db.Attachment, db.Upload]:
    statement = _files().join(db.Message, db.Message.id == db.Attachment.message_id)
    return statement.where(db.is_asked_for(db.Attachment.id), is_shown(ME))


def _files() -> Select[db.Attachment, db.Upload]:
    attachment = db.Attachment
    return (
        select(attachment, db.Upload)
        .join(db.Upload, db.Upload.id == attachment.upload_id)
        .order_by(attachment.message_id, attachment.position)
    )
