"""Ending it: removing a teammate, blocking, and taking a block back."""

import uuid

from sqlalchemy import (
    delete,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from gamebuddy import db
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import RequestStatus, WriteSession
from gamebuddy.errors import Code, reject
from gamebuddy.resolvers.accounts.lookup import is_visible
from gamebuddy.resolvers.teammates.reach import between, lock_pair, no_such_player


async def remove_teammate(session: WriteSession, viewer: Viewer, *, user_id: uuid.UUID) -> db.Account:
    """End playing together, on both sides.

    Raises:
        Rejected: NOT_FOUND for whoever is no teammate, or has deleted the account.
    """
    await lock_pair(session, viewer.account_id, user_id)
    account: db.Account | None = await session.scalar(
        select(db.Account).where(db.Account.id == user_id, is_visible(viewer))
    )
    if account is None or not await _part(session, viewer.account_id, user_id):
        raise reject(Code.NOT_FOUND, "You have no such teammate.", "user_id")
    return account


async def block_user(session: WriteSession, viewer: Viewer, *, user_id: uuid.UUID) -> db.Account:
    """Want nothing to do with somebody: ends playing together and takes requests back, and tells nobody.

    Raises:
        Rejected: INVALID for oneself, NOT_FOUND for whoever the viewer cannot see.
    """
    if user_id == viewer.account_id:
        raise reject(Code.INVALID, "You cannot block yourself.", "user_id")
    await lock_pair(session, viewer.account_id, user_id)
    account: db.Account | None = await session.scalar(
        select(db.Account).where(db.Account.id == user_id, is_visible(viewer))
    )
    if account is None:
        raise no_such_player("user_id")
    await _lock_direct_chat(session, viewer.account_id, user_id)
    await session.execute(
        insert(db.Block).values(account_id=viewer.account_id, blocked_id=user_id).on_conflict_do_nothing()
    )
    await _part(session, viewer.account_id, user_id)
    # Nobody is told: an event would tell the blocked one. Either side finds the request gone when it looks.
    await session.execute(
        update(db.TeammateRequest)
        .where(db.TeammateRequest.status == RequestStatus.PENDING, between(viewer.account_id, user_id))
        .values(status=RequestStatus.CANCELLED, answered_at=func.now())
    )
    return account


async def unblock_user(session: WriteSession, viewer: Viewer, *, user_id: uuid.UUID) -> db.Account:
    """Take a block back, if there is one; nothing that it ended comes back.

    Raises:
        Rejected: NOT_FOUND for whoever the viewer neither sees nor has blocked.
    """
    await lock_pair(session, viewer.account_id, user_id)
    removed = await session.scalar(
        delete(db.Block)
        .where(db.Block.account_id == viewer.account_id, db.Block.blocked_id == user_id)
        .returning(db.Block.blocked_id)
    )
    statement = select(db.Account).where(db.Account.id == user_id)
    if removed is None:
        statement = statement.where(is_visible(viewer))
    account: db.Account | None = await session.scalar(statement)
    if account is None:
        raise no_such_player("user_id")
    return account


async def _part(session: WriteSession, one: uuid.UUID, other: uuid.UUID) -> bool:
    """Delete both halves; tells whether there were any."""
    pair = [(one, other), (other, one)]
    deleted = await session.scalars(
        delete(db.Teammate)
        .where(tuple_(db.Teammate.account_id, db.Teammate.teammate_id).in_(pair))
        .returning(db.Teammate.account_id)
    )
    return bool(deleted.all())


async def _lock_direct_chat(session: WriteSession, one: uuid.UUID, other: uuid.UUID) -> None:
    """Wait for a message that is being sent between the two; what comes after it finds the block."""
    first, second = sorted((one, other))
    await session.execute(
        select(db.Chat.id)
        .where(db.Chat.first_account_id == first, db.Chat.second_account_id == second)
        .with_for_update(key_share=True)
    )
