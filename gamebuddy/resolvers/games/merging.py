"""Merging a game that stands twice in the catalogue."""

import uuid
from typing import Any

from sqlalchemy import and_, delete, literal, select, update
from sqlalchemy.dialects.postgresql import UUID, insert

from gamebuddy import db, text
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import AuditAction, WriteSession
from gamebuddy.errors import Code, reject
from gamebuddy.resolvers import audit
from gamebuddy.resolvers.games.loading import lock_catalogue
from gamebuddy.resolvers.games.moving import Move, batches, count_players, steps_of

LONGEST_REASON = 500


async def merge_games(
    session: WriteSession, viewer: Viewer, *, from_id: uuid.UUID, into_id: uuid.UUID, reason: str
) -> db.Game:
    """Make one game of two: who plays the first plays the second, whom its short name finds from then on.

    A player's rank and roles go to those with the same name; without one he has none, and keeps his rating. Who plays
    both keeps what he has told of the second. Requests, praise and what is being played point at the second, too.

    Raises:
        Rejected: NOT_FOUND for either; INVALID for a game with itself; as `text.checked` for the reason.
    """
    reason = text.checked(reason, "reason", longest=LONGEST_REASON)
    if from_id == into_id:
        raise reject(Code.INVALID, "These are one game already.", "into_id")
    await lock_catalogue(session)
    games: dict[uuid.UUID, db.Game] = {
        game.id: game
        for game in await session.scalars(
            select(db.Game).where(db.Game.id.in_([from_id, into_id])).order_by(db.Game.id).with_for_update()
        )
    }
    for game_id, field in ((from_id, "from_id"), (into_id, "into_id")):
        if game_id not in games:
            raise reject(Code.NOT_FOUND, "There is no such game.", field)
    gone, stays = games[from_id], games[into_id]
    move = Move.by_name(await steps_of(session, from_id), await steps_of(session, into_id))
    players = await _move_players(session, from_id, into_id, move)
    for table in (db.TeammateRequest, db.Praise, db.Lease, db.FormerSlug):
        await _point(session, table, from_id, into_id)
    await count_players(session, into_id)
    for rank_id in move.ranks:  # one by one, as each is looked for in every profile
        await _delete(session, db.GameRank, rank_id)
    await _delete(session, db.Game, from_id)
    session.add(db.FormerSlug(slug=gone.slug, game_id=into_id))
    await session.flush()
    await audit.record(
        session,
        AuditAction.MERGE_GAMES,
        actor_id=viewer.account_id,
        reason=reason,
        gone=gone.slug,
        into=stays.slug,
        title=gone.title,
        players=players,
    )
    await session.refresh(stays)
    return stays


async def _move_players(session: WriteSession, from_id: uuid.UUID, into_id: uuid.UUID, move: Move) -> int:
    """Move players from one game to another, in batches; tells how many. Entries of the search follow by triggers."""
    played = db.PlayerGame
    count = 0
    async for some in batches(session, played.game_id == from_id):
        those = and_(played.game_id == from_id, played.account_id.in_(some))
        moved = select(
            played.account_id,
            literal(into_id, UUID),
            played.position,
            move.rank_id,
            played.rating,
            move.role_bits,
            played.is_favorite,
        ).where(those)
        columns = ["account_id", "game_id", "position", "rank_id", "rating", "role_bits", "is_favorite"]
        statement = insert(played).from_select(columns, moved)
        is_favorite = played.is_favorite | statement.excluded.is_favorite
        await session.execute(
            statement.on_conflict_do_update(index_elements=["account_id", "game_id"], set_={"is_favorite": is_favorite})
        )
        await session.execute(delete(played).where(those).execution_options(synchronize_session=False))
        count += len(some)
    return count


async def _point(session: WriteSession, table: Any, from_id: uuid.UUID, into_id: uuid.UUID) -> None:
    await session.execute(
        update(table)
        .where(table.game_id == from_id)
        .values(game_id=into_id)
        .execution_options(synchronize_session=False)
    )


async def _delete(session: WriteSession, table: Any, row_id: uuid.UUID) -> None:
    await session.execute(delete(table).where(table.id == row_id).execution_options(synchronize_session=False))
