"""Loads what a search needs to know: of the one who searches, of those whom it has found, and of games."""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Integer, Select, any_, bindparam, func, literal, or_, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import InstrumentedAttribute

from gamebuddy import db
from gamebuddy.db import ReadSession
from gamebuddy.resolvers import profiles
from gamebuddy.resolvers.matching import Played, Player, spoken
from gamebuddy.resolvers.search.filtering import Filter


@dataclass(frozen=True, slots=True, kw_only=True)
class GameFacts:
    """What a search needs to know of games, by their ids; `most` is the largest count of players of any game."""

    player_counts: Mapping[uuid.UUID, int]
    numbers: Mapping[uuid.UUID, int]
    cross_play: frozenset[uuid.UUID]
    asked_roles: Mapping[uuid.UUID, int]
    most: int


async def players_by_ids(session: ReadSession, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Player]:
    """Load what the score needs to know of players."""
    rows = await profiles.by_ids(session, None, ids)
    games = await profiles.games_by_ids(session, None, ids)
    return {account_id: player_of(row, games.get(account_id, ())) for account_id, row in rows.items()}


def player_of(row: db.Profile, games: Iterable[profiles.PlayedGame]) -> Player:
    """Give what the score needs to know of a player, by his profile and what he plays."""
    return _player(row, (Played(one.game_id, one.rating, one.role_bits, one.is_favorite) for one in games))


async def load_searcher(session: ReadSession, account_id: uuid.UUID, filter: Filter) -> tuple[Player, GameFacts]:
    """Load the one who searches, and what `load_game_facts` gives: at once, but for what the filter names."""
    (row,) = await session.rows(_searcher(), {"ids": [account_id]})
    ids: Sequence[uuid.UUID] = row.game_id or ()
    games = zip(ids, row.rating or (), row.role_bits or (), row.is_favorite or (), strict=True)
    me = _player(row, map(Played._make, games))
    if filter.game_ids or filter.role_ids:
        return me, await load_game_facts(session, me, filter)
    return me, GameFacts(
        player_counts=dict(zip(ids, row.player_count or (), strict=True)),
        numbers=dict(zip(ids, row.number or (), strict=True)),
        cross_play=frozenset(game_id for game_id, is_so in zip(ids, row.is_cross_play or (), strict=True) if is_so),
        asked_roles={},
        most=row.most,
    )


async def load_game_facts(session: ReadSession, me: Player, filter: Filter) -> GameFacts:
    """Load what is needed of the viewer's games, the filter's games, and the games of the filter's roles."""
    ids = {*filter.game_ids, *(played.game_id for played in me.games)}
    asked = {"ids": list(ids), "role_ids": list(filter.role_ids)}
    rows = await session.rows(_game_facts(with_roles=bool(filter.role_ids)), asked)
    return GameFacts(
        player_counts={row.id: row.player_count for row in rows},
        numbers={row.id: row.number for row in rows},
        cross_play=frozenset(row.id for row in rows if row.is_cross_play),
        asked_roles={row.id: row.asked for row in rows if row.asked},
        most=rows[0].most if rows else 0,
    )


def _player(row: db.Profile, games: Iterable[Played]) -> Player:
    return Player(
        account_id=row.account_id,
        active_on=row.active_on,
        games=tuple(games),
        platforms=frozenset(row.platforms),
        genre_bits=row.genre_bits,
        languages=spoken(row.languages),
        region=row.region,
        play_style=row.play_style,
        voice_chat=row.voice_chat,
        birth_date=row.birth_date,
        schedule=int(row.schedule, 2) if row.schedule is not None else None,
        reputation=row.reputation,
    )


@db.written_once
def _searcher() -> Select[*tuple[Any, ...]]:
    profile, played, game = db.Profile, db.PlayerGame, db.Game

    def in_order(column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
        return func.array_agg(aggregate_order_by(column, played.position)).label(column.key)

    columns = (
        *(played.game_id, played.rating, played.role_bits, played.is_favorite),
        *(game.number, game.player_count, game.is_cross_play),
    )
    games = (
        select(*map(in_order, columns))
        .join(game, game.id == played.game_id)
        .where(played.account_id == profile.account_id)
        .lateral()
    )
    return (
        select(
            profile.account_id,
            profile.active_on,
            profile.platforms,
            profile.genre_bits,
            profile.languages,
            profile.region,
            profile.play_style,
            profile.voice_chat,
            profile.birth_date,
            profile.schedule,
            profile.reputation,
            games,
            _most().label("most"),
        )
        .join(games, true())
        .where(db.is_asked_for(profile.account_id))
    )


@db.written_once
def _game_facts(*, with_roles: bool) -> Select[*tuple[Any, ...]]:
    game, role = db.Game, db.GameRole
    asked: ColumnElement[int] = literal(0, Integer)
    wanted = db.is_asked_for(game.id)
    if with_roles:
        is_asked = role.id == any_(bindparam("role_ids", type_=ARRAY(role.id.type)))
        bit = literal(1, Integer).bitwise_lshift(role.position)
        asked = select(func.coalesce(func.bit_or(bit), 0)).where(role.game_id == game.id, is_asked).scalar_subquery()
        wanted = or_(wanted, game.id.in_(select(role.game_id).where(is_asked)))
    return select(
        game.id, game.number, game.player_count, game.is_cross_play, asked.label("asked"), _most().label("most")
    ).where(wanted)


def _most() -> ColumnElement[int]:
    return select(func.coalesce(func.max(db.Game.player_count), 0)).correlate(None).scalar_subquery()
