"""Rows for many viewers at once: what an event shows to each of those who follow it, in one statement a kind."""

import uuid
from collections.abc import Callable, Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, Table, select, true

from gamebuddy import db
from gamebuddy.auth.viewer import Each
from gamebuddy.db import ReadSession
from gamebuddy.resolvers.accounts.lookup import is_visible
from gamebuddy.resolvers.chat.access import is_shown
from gamebuddy.resolvers.chat.reading import is_in

type Look = tuple[uuid.UUID, uuid.UUID]  # who looks, and at the row with which id
type Seen = dict[Look, Row[*tuple[Any, ...]]]


async def chats(session: ReadSession, looks: Sequence[Look]) -> Seen:
    """Load chats for those who are in them."""
    return await _seen(session, db.Chat, looks, lambda each: is_in(each, db.Chat.id))


async def messages(session: ReadSession, looks: Sequence[Look]) -> Seen:
    """Load messages for those who may see them."""
    return await _seen(session, db.Message, looks, is_shown)


async def accounts(session: ReadSession, looks: Sequence[Look]) -> Seen:
    """Load accounts for those who may see them."""
    return await _seen(session, db.Account, looks, is_visible)


async def accounts_with_deleted(session: ReadSession, looks: Sequence[Look]) -> Seen:
    """Load accounts, and the nameless rows of deleted ones, for those who may see them."""
    return await _seen(session, db.Account, looks, lambda each: is_visible(each, with_deleted=True))


async def profiles(session: ReadSession, looks: Sequence[Look]) -> Seen:
    """Load profiles by the ids of their accounts; whoever sees an account sees its profile."""
    return await _seen(session, db.Profile, looks, lambda _: true())


async def _seen(
    session: ReadSession, kind: type[db.Row], looks: Sequence[Look], is_seen: Callable[[Each], ColumnElement[bool]]
) -> Seen:
    """Load rows of a kind by their keys; plain ones, which read like entities."""
    table = cast("Table", kind.__table__)
    (key,) = table.primary_key.columns
    look = db.given(
        "look",
        viewer_id=(db.Account.id, [viewer_id for viewer_id, _ in looks]),
        row_id=(db.Account.id, [row_id for _, row_id in looks]),
    )
    rows = await session.execute(
        select(look.c.viewer_id.label("look_viewer_id"), look.c.row_id.label("look_row_id"), table)
        .join(look, key == look.c.row_id)
        .where(is_seen(Each(account_id=look.c.viewer_id)))
    )
    return {(row.look_viewer_id, row.look_row_id): row for row in rows}
