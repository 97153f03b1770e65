"""Reading the catalogue: games, genres, ranks and roles."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import Select, func, or_, select, tuple_

from gamebuddy import db
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import ReadSession
from gamebuddy.errors import BadInput
from gamebuddy.resolvers.paging import Page

LONGEST_SEARCH = 100
MOST_IDS = 100


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of games ends: title in lower case, then id."""

    title: str
    game_id: uuid.UUID


def place_of(game: db.Game) -> Place:
    """Give the place of a game in the list."""
    return Place(game.title.lower(), game.id)


async def find_games(
    session: ReadSession,
    *,
    search: str | None,
    genre_ids: Sequence[uuid.UUID],
    platforms: Sequence[db.Platform],
    limit: int,
    after: Place | None,
) -> Page[db.Game]:
    """Find games whose title contains the text, of any of the genres and platforms, in the order of their titles.

    Raises:
        BadInput: when the text is over 100 characters or there are over 100 genres.
    """
    if len(search or "") > LONGEST_SEARCH:
        raise BadInput(f"`search` has at most {LONGEST_SEARCH} characters.")
    if len(genre_ids) > MOST_IDS:
        raise BadInput(f"`genreIds` has at most {MOST_IDS} items.")
    title = func.lower(db.Game.title)
    statement = select(db.Game).order_by(title, db.Game.id).limit(limit + 1)
    if search and search.strip():
        statement = statement.where(func.strpos(title, search.strip().lower()) > 0)
    if genre_ids:
        statement = statement.where(db.Game.genre_ids.overlap(genre_ids))
    if platforms:
        statement = statement.where(db.Game.platforms.overlap(platforms))
    if after is not None:
        statement = statement.where(tuple_(title, db.Game.id) > tuple_(after.title, after.game_id))
    return Page.of((await session.scalars(statement)).all(), limit, has_previous=after is not None)


async def find_game(
    session: ReadSession, *, game_id: uuid.UUID | None = None, slug: str | None = None
) -> db.Game | None:
    """Find one game by its id, by its slug, or by a slug that it had before."""
    former = select(db.FormerSlug.game_id).where(db.FormerSlug.slug == slug)
    is_meant = db.Game.id == game_id if game_id else or_(db.Game.slug == slug, db.Game.id.in_(former))
    game: db.Game | None = await session.scalar(select(db.Game).where(is_meant))
    return game


async def all_genres(session: ReadSession) -> Sequence[db.Genre]:
    """Give every genre in the order of slugs."""
    genres: Sequence[db.Genre] = (await session.scalars(select(db.Genre).order_by(db.Genre.slug))).all()
    return genres


async def by_ids(session: ReadSession, _: Viewer | None, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, db.Game]:
    """Load games."""
    return {game.id: game for game in await session.rows(_by_id(db.Game), {"ids": list(ids)})}


async def genres_by_ids(
    session: ReadSession, _: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, db.Genre]:
    """Load genres."""
    return {genre.id: genre for genre in await session.rows(_by_id(db.Genre), {"ids": list(ids)})}


async def ranks_by_ids(
    session: ReadSession, _: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, db.GameRank]:
    """Load steps of ladders by their own ids."""
    return {rank.id: rank for rank in await session.rows(_by_id(db.GameRank), {"ids": list(ids)})}


async def roles_by_ids(
    session: ReadSession, _: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, db.GameRole]:
    """Load roles by their own ids."""
    return {role.id: role for role in await session.rows(_by_id(db.GameRole), {"ids": list(ids)})}


async def ranks_by_game_ids(
    session: ReadSession, _: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, list[db.GameRank]]:
    """Load the ladders of games, from the lowest step to the highest; games without one are left out."""
    ranks = await session.rows(_by_game(db.GameRank), {"ids": list(ids)})
    return {game_id: list(group) for game_id, group in groupby(ranks, key=lambda rank: rank.game_id)}


async def roles_by_game_ids(
    session: ReadSession, _: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, list[db.GameRole]]:
    """Load the roles of games in the order of their positions; games without any are left out."""
    roles = await session.rows(_by_game(db.GameRole), {"ids": list(ids)})
    return {game_id: list(group) for game_id, group in groupby(roles, key=lambda role: role.game_id)}


@db.written_once
def _by_id[R: (db.Game, db.Genre, db.GameRank, db.GameRole)](kind: type[R]) -> Select[R]:
    return db.plain(kind).where(db.is_asked_for(kind.id))


@db.written_once
def _by_game[R: (db.GameRank, db.GameRole)](kind: type[R]) -> Select[R]:
    return db.plain(kind).where(db.is_asked_for(kind.game_id)).order_by(kind.game_id, kind.position)
