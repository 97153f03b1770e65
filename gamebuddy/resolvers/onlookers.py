"""Rows for many viewers at once: what an event shows to each of those who follow it, in one statement a kind."""

import uuid
from collections.abc import Callable, Sequence
from typing import Any, cast

from sqlalchemy import ARRAY, ColumnElement, Select, Table, bindparam, column, func, select, true

from gamebuddy import db
from gamebuddy.auth.viewer import Each
from gamebuddy.db import ReadSession
from gamebuddy.resolvers.accounts.lookup import is_visible
from gamebuddy.resolvers.chat.access import is_shown
from gamebuddy.resolvers.chat.reading import is_in

type Look = tuple[uuid.UUID, uuid.UUID]  # who looks, and at the row with which id
type Seen = dict[Look, Any]  # rows that read like entities


async def chats(session: ReadSession, looks: Sequence[Look]) -> Seen:
    """Load chats for those who are in them."""
    return await _seen(session, _chats(), looks)


async def messages(session: ReadSession, looks: Sequence[Look]) -> Seen:
    """Load messages for those who may see them."""
    return await _seen(session, _messages(), looks)


async def accounts(session: ReadSession, looks: Sequence[Look]) -> Seen:
    """Load accounts for those who may see them."""
    return await _seen(session, _accounts(with_deleted=False), looks)


async def accounts_with_deleted(session: ReadSession, looks: Sequence[Look]) -> Seen:
    """Load accounts, and the nameless rows of deleted ones, for those who may see them."""
    return await _seen(session, _accounts(with_deleted=True), looks)


async def profiles(session: ReadSession, looks: Sequence[Look]) -> Seen:
    """Load profiles by the ids of their accounts; whoever sees an account sees its profile."""
    return await _seen(session, _profiles(), looks)


async def _seen(session: ReadSession, statement: Select[*tuple[Any, ...]], looks: Sequence[Look]) -> Seen:
    viewer_ids, row_ids = zip(*looks, strict=True)
    rows = await session.rows(statement, {"viewer_ids": list(viewer_ids), "row_ids": list(row_ids)})
    found: Seen = {}
    for row in rows:
        (key, seen_by), values = row[:2], row[2:]
        thing = db.record(row._fields[2:])._make(values)
        found |= {(viewer_id, key): thing for viewer_id in seen_by}
    return found


@db.written_once
def _chats() -> Select[*tuple[Any, ...]]:
    return _looking(db.Chat, lambda each: is_in(each, db.Chat.id))


@db.written_once
def _messages() -> Select[*tuple[Any, ...]]:
    return _looking(db.Message, is_shown)


@db.written_once
def _accounts(*, with_deleted: bool) -> Select[*tuple[Any, ...]]:
    return _looking(db.Account, lambda each: is_visible(each, with_deleted=with_deleted))


@db.written_once
def _profiles() -> Select[*tuple[Any, ...]]:
    return _looking(db.Profile, lambda _: true())


def _looking(kind: type[db.Row], is_seen: Callable[[Each], ColumnElement[bool]]) -> Select[*tuple[Any, ...]]:
    """Write a statement for rows of a kind by their keys: each pair of `viewer_ids` and `row_ids` is one look.

    Each row comes once, behind its key and the list of those who see it.
    """
    table, an_id = cast("Table", kind.__table__), db.Account.id.type
    (key,) = table.primary_key.columns
    given = [bindparam(name, type_=ARRAY(an_id)) for name in ("viewer_ids", "row_ids")]
    look = (
        func.unnest(*given)
        .table_valued(column("viewer_id", an_id), column("row_id", an_id), name="look")
        .render_derived()
    )
    seen = (
        select(look.c.row_id.label("seen_row_id"), func.array_agg(look.c.viewer_id).label("seen_by"))
        .join(table, key == look.c.row_id)
        .where(is_seen(Each(account_id=look.c.viewer_id)))
        .group_by(look.c.row_id)
        .cte("seen")
    )
    return select(seen, table).join(table, key == seen.c.seen_row_id)
