"""The same message again: the first one is given back, if it is the same."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import and_, select

from gamebuddy import db
from gamebuddy.db import WriteSession
from gamebuddy.errors import Code, Rejected, reject
from gamebuddy.resolvers.chat.drafts import Draft
from gamebuddy.words import is_same_under_masks


class Repeat(NamedTuple):
    """What was sent before with the same `client_id`, and whether it was the same."""

    message: db.Message
    is_same: bool


async def find_repeats(session: WriteSession, drafts: Mapping[uuid.UUID, Draft]) -> dict[uuid.UUID, Repeat]:
    """Find the drafts that were sent before; their authors are the keys."""
    sent = db.given(
        "sent",
        author_id=(db.Message.author_id, list(drafts)),
        client_id=(db.Message.client_id, [draft.client_id for draft in drafts.values()]),
    )
    is_sent = and_(db.Message.author_id == sent.c.author_id, db.Message.client_id == sent.c.client_id)
    messages = (await session.scalars(select(db.Message).join(sent, is_sent))).all()
    if not messages:
        return {}
    uploads = await uploads_of(session, [message.id for message in messages])
    texts = await _first_texts(session, messages)
    forwards = {draft.forward_id for draft in drafts.values() if draft.forward_id is not None}
    origins = await _all_texts(session, forwards) if forwards else {}

    def is_same(message: db.Message, draft: Draft) -> bool:
        if draft.forward_id is None:
            return _is_same(message, draft, uploads.get(message.id, []), texts[message.id])
        return _is_same_forward(message, draft, texts[message.id], origins.get(draft.forward_id))

    return {
        message.author_id: Repeat(message, is_same(message, drafts[message.author_id]))
        for message in messages
        if message.author_id is not None
    }


async def uploads_of(session: WriteSession, message_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[uuid.UUID]]:
    """Give the files under messages, in their order; messages without any are left out."""
    attachment = db.Attachment
    rows = await session.execute(
        select(attachment.message_id, attachment.upload_id)
        .where(db.is_one_of(attachment.message_id, message_ids))
        .order_by(attachment.message_id, attachment.position)
    )
    found: defaultdict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    for message_id, upload_id in rows:
        found[message_id].append(upload_id)
    return dict(found)


def mismatch() -> Rejected:
    """Make the rejection of a `client_id` that came with something else."""
    return reject(Code.IDEMPOTENCY_MISMATCH, "This clientId was used for another message.", "client_id")


async def _first_texts(session: WriteSession, messages: Sequence[db.Message]) -> dict[uuid.UUID, str]:
    """Give what messages said when they were sent."""
    said = {message.id: message.text for message in messages}
    changed = [message.id for message in messages if message.edited_at is not None or message.deleted_at is not None]
    if changed:
        version = db.MessageVersion
        rows = await session.execute(
            select(version.message_id, version.text).where(version.message_id.in_(changed), version.version == 1)
        )
        said.update((message_id, content) for message_id, content in rows)
    return said


async def _all_texts(session: WriteSession, message_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, set[str]]:
    """Give whatever messages have said, now and before; those that are gone are left out."""
    message, version = db.Message, db.MessageVersion
    said: defaultdict[uuid.UUID, set[str]] = defaultdict(set)
    for row, column in ((message, message.id), (version, version.message_id)):
        for message_id, content in await session.execute(
            select(column, row.text).where(db.is_one_of(column, message_ids))
        ):
            said[message_id].add(content)
    return dict(said)


def _is_same(message: db.Message, draft: Draft, upload_ids: Sequence[uuid.UUID], said: str) -> bool:
    if (message.chat_id, message.reply_to_id) != (draft.chat_id, draft.reply_to_id):
        return False
    if message.forwarded_from_id is not None:
        return False
    has_files = message.deleted_at is not None or list(upload_ids) == list(draft.upload_ids)
    return has_files and is_same_under_masks(said, draft.text or "")


def _is_same_forward(message: db.Message, draft: Draft, said: str, origin: Collection[str] | None) -> bool:
    """Compare with whatever the forwarded message has said, since it may have been changed after it was sent on."""
    if (message.chat_id, message.reply_to_id) != (draft.chat_id, draft.reply_to_id):
        return False
    return message.forwarded_from_id is not None if origin is None else said in origin
