"""What becomes of players when ranks and roles of their game change, or the game itself is merged into another."""

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched

from sqlalchemy import ColumnElement, and_, case, cast, func, literal, null, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import UUID

from gamebuddy import db
from gamebuddy.db import WriteSession
from gamebuddy.resolvers import profiles
from gamebuddy.resolvers.games.reading import ranks_by_game_ids, roles_by_game_ids

BATCH = 1_000  # players a statement: none takes longer than a statement may

_PLAYED = db.PlayerGame


@dataclass(frozen=True, slots=True)
class Steps:
    """Ranks from the lowest to the highest, and roles in their order."""

    ranks: Sequence[db.GameRank]
    roles: Sequence[db.GameRole]

    @property
    def names(self) -> tuple[list[str], list[str]]:
        """What they are called."""
        return [rank.name for rank in self.ranks], [role.name for role in self.roles]


@dataclass(frozen=True, slots=True)
class Move:
    """Where ranks and roles go: the row after by the one before, None for what has vanished."""

    ranks: Mapping[uuid.UUID, tuple[db.GameRank, db.GameRank | None]]
    roles: Mapping[int, int | None]  # by position

    @classmethod
    def by_name(cls, before: Steps, after: Steps) -> "Move":
        """Let what has the same name, in any case, be the same."""
        ranks = {rank.name.casefold(): rank for rank in after.ranks}
        roles = {role.name.casefold(): role.position for role in after.roles}
        return cls(
            {rank.id: (rank, ranks.get(rank.name.casefold())) for rank in before.ranks},
            {role.position: roles.get(role.name.casefold()) for role in before.roles},
        )

    @property
    def rank_id(self) -> ColumnElement[uuid.UUID | None]:
        """The rank that a player has afterwards: none, when his has vanished."""
        kept = [(_PLAYED.rank_id == old, literal(new.id, UUID)) for old, (_, new) in self.ranks.items() if new]
        return case(*kept, else_=null()) if kept else cast(null(), UUID)

    @property
    def rating(self) -> ColumnElement[int]:
        """The rating that he has: who was placed by his rank alone is placed anew by it, others stay where they are."""
        placed = [
            (and_(_PLAYED.rank_id == old, _PLAYED.rating == profiles.rating_of(rank)), profiles.rating_of(new))
            for old, (rank, new) in self.ranks.items()
            if new is not None and new.level != rank.level
        ]
        return case(*placed, else_=_PLAYED.rating) if placed else _PLAYED.rating + 0

    @property
    def role_bits(self) -> ColumnElement[int]:
        """The roles that he has: those that have vanished are gone."""
        bits: ColumnElement[int] = literal(0)
        for old, new in self.roles.items():
            if new is not None:
                bits = bits + _PLAYED.role_bits.bitwise_rshift(old).bitwise_and(1).bitwise_lshift(new)
        return bits


async def steps_of(session: WriteSession, game_id: uuid.UUID) -> Steps:
    """Load ranks and roles of a game."""
    ladders = await ranks_by_game_ids(session, None, [game_id])
    roles = await roles_by_game_ids(session, None, [game_id])
    return Steps(ladders.get(game_id, []), roles.get(game_id, []))


async def move_players(session: WriteSession, game_id: uuid.UUID, move: Move) -> None:
    """Give the players of a game the ranks and roles that theirs have become. The game is locked."""
    after = (move.rank_id, move.rating, move.role_bits)
    is_other = tuple_(_PLAYED.rank_id, _PLAYED.rating, _PLAYED.role_bits).is_distinct_from(tuple_(*after))
    concerned = or_(_PLAYED.rank_id.is_not(None), _PLAYED.role_bits != 0)
    async for some in batches(session, and_(_PLAYED.game_id == game_id, concerned)):
        await session.execute(
            update(_PLAYED)
            .where(_PLAYED.game_id == game_id, _PLAYED.account_id.in_(some), is_other)
            .values(rank_id=after[0], rating=after[1], role_bits=after[2])
            .execution_options(synchronize_session=False)
        )


async def batches(session: WriteSession, which: ColumnElement[bool]) -> AsyncIterator[tuple[uuid.UUID, ...]]:
    """Give the accounts of the players that are meant, a batch at a time."""
    found = (await session.scalars(select(_PLAYED.account_id).where(which).order_by(_PLAYED.account_id))).all()
    for some in batched(found, BATCH):
        yield some


async def count_players(session: WriteSession, game_id: uuid.UUID) -> None:
    """Count the players of a game anew."""
    players = select(func.count()).select_from(_PLAYED).where(_PLAYED.game_id == game_id).scalar_subquery()
    await session.execute(
        update(db.Game)
        .where(db.Game.id == game_id)
        .values(player_count=players)
        .execution_options(synchronize_session=False)
    )
