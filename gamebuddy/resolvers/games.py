"""The catalogue: what people play."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import func, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from gamebuddy import catalogue, db
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import ReadSession, WriteSession
from gamebuddy.errors import BadInput
from gamebuddy.resolvers.paging import Page

# Ids come from slugs, so that loading the catalogue twice, or on two servers, makes the same rows.
NAMESPACE = uuid.UUID("6a2b1c52-4a0e-5d7e-9f0a-3b6f5a1d8c77")
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
    """Find one game by its id or its slug."""
    column, value = (db.Game.id, game_id) if game_id else (db.Game.slug, slug)
    game: db.Game | None = await session.scalar(select(db.Game).where(column == value))
    return game


async def all_genres(session: ReadSession) -> Sequence[db.Genre]:
    """Give every genre in the order of slugs."""
    genres: Sequence[db.Genre] = (await session.scalars(select(db.Genre).order_by(db.Genre.slug))).all()
    return genres


async def by_ids(session: ReadSession, _: Viewer | None, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, db.Game]:
    """Load games."""
    return {game.id: game for game in await session.scalars(select(db.Game).where(db.Game.id.in_(ids)))}


async def genres_by_ids(
    session: ReadSession, _: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, db.Genre]:
    """Load genres."""
    return {genre.id: genre for genre in await session.scalars(select(db.Genre).where(db.Genre.id.in_(ids)))}


async def ranks_by_ids(
    session: ReadSession, _: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, db.GameRank]:
    """Load steps of ladders by their own ids."""
    return {rank.id: rank for rank in await session.scalars(select(db.GameRank).where(db.GameRank.id.in_(ids)))}


async def roles_by_ids(
    session: ReadSession, _: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, db.GameRole]:
    """Load roles by their own ids."""
    return {role.id: role for role in await session.scalars(select(db.GameRole).where(db.GameRole.id.in_(ids)))}


async def ranks_by_game_ids(
    session: ReadSession, _: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, list[db.GameRank]]:
    """Load the ladders of games, from the lowest step to the highest; games without one are left out."""
    ranks = await session.scalars(
        select(db.GameRank).where(db.GameRank.game_id.in_(ids)).order_by(db.GameRank.game_id, db.GameRank.position)
    )
    return {game_id: list(group) for game_id, group in groupby(ranks, key=lambda rank: rank.game_id)}


async def roles_by_game_ids(
    session: ReadSession, _: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, list[db.GameRole]]:
    """Load the roles of games in the order of their positions; games without any are left out."""
    roles = await session.scalars(
        select(db.GameRole).where(db.GameRole.game_id.in_(ids)).order_by(db.GameRole.game_id, db.GameRole.position)
    )
    return {game_id: list(group) for game_id, group in groupby(roles, key=lambda role: role.game_id)}


async def load_catalogue(session: WriteSession) -> int:
    """Bring genres, games, ranks and roles up to the data in the package; tells how many games there are.

    It may run at any time and twice at once: rows are found by slug, what is gone from the data stays, because
    profiles may point at it.
    """
    data = catalogue.load()
    genre_ids = {genre.slug: uuid.uuid5(NAMESPACE, f"genre/{genre.slug}") for genre in data.genres}
    await _put(
        session,
        db.Genre,
        [
            {"id": genre_ids[g.slug], "number": number, "slug": g.slug, "name_en": g.name_en, "name_ru": g.name_ru}
            for number, g in enumerate(data.genres)
        ],
    )
    games, ranks, roles = [], [], []
    for game in data.games:
        game_id = uuid.uuid5(NAMESPACE, f"game/{game.slug}")
        games.append(
            {
                "id": game_id,
                "slug": game.slug,
                "title": game.title,
                "genre_ids": [genre_ids[slug] for slug in game.genres],
                "platforms": [db.Platform(name) for name in game.platforms],
                "is_cross_play": game.cross_play,
            }
        )
        top = max(1, len(game.ranks) - 1)
        ranks += [
            {
                "id": uuid.uuid5(game_id, f"rank/{position}"),
                "game_id": game_id,
                "position": position,
                "name": name,
                "level": position / top,
            }
            for position, name in enumerate(game.ranks)
        ]
        roles += [
            {
                "id": uuid.uuid5(game_id, f"role/{role.slug}"),
                "game_id": game_id,
                "position": position,
                "slug": role.slug,
                "name": role.name,
            }
            for position, role in enumerate(game.roles)
        ]
    await _put(session, db.Game, games)
    await _put(session, db.GameRank, ranks)
    await _put(session, db.GameRole, roles)
    return len(games)


async def _put(session: WriteSession, row: type[db.Row], values: list[dict[str, object]]) -> None:
    statement = insert(row).values(values)
    changed = {name: statement.excluded[name] for name in values[0] if name != "id"}
    await session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changed))
