"""What somebody writes down about players, for himself alone."""

import uuid
from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from gamebuddy import db, text
from gamebuddy.auth.viewer import ME, Viewer, asked
from gamebuddy.db import ReadSession, WriteSession
from gamebuddy.errors import Code, reject
from gamebuddy.resolvers.accounts.lookup import is_visible
from gamebuddy.resolvers.teammates.reach import no_such_player

LONGEST_NOTE = 1_000


async def set_note(session: WriteSession, viewer: Viewer, *, user_id: uuid.UUID, note: str | None) -> db.Account:
    """Keep a note on a player in the place of the one before; None takes it away. Of two at once the last one stays.

    Raises:
        Rejected: INVALID for oneself, NOT_FOUND for whoever the viewer cannot see, TOO_SHORT or TOO_LONG for the note.
    """
    if user_id == viewer.account_id:
        raise reject(Code.INVALID, "Notes are about others.", "user_id")
    if note is not None:
        note = text.checked(note, "note", longest=LONGEST_NOTE)
    account: db.Account | None = await session.scalar(
        select(db.Account).where(db.Account.id == user_id, is_visible(viewer))
    )
    if account is None:
        raise no_such_player("user_id")
    row = db.UserNote
    if note is None:
        await session.execute(
            delete(row)
            .where(row.account_id == viewer.account_id, row.about_id == user_id)
            .execution_options(synchronize_session=False)
        )
    else:
        await session.execute(
            insert(row)
            .values(account_id=viewer.account_id, about_id=user_id, text=note)
            .on_conflict_do_update(
                index_elements=[row.account_id, row.about_id], set_={"text": note, "updated_at": func.now()}
            )
        )
    return account


async def notes_by_ids(session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Load the viewer's own notes, by the ids of those whom they are about."""
    if viewer is None:
        return {}
    return {row.about_id: row.text for row in await session.rows(_notes(), asked(viewer, ids))}


@db.written_once
def _notes() -> Select[*tuple[Any, ...]]:
    note = db.UserNote
    return select(note.about_id, note.text).where(note.account_id == ME.account_id, db.is_asked_for(note.about_id))
