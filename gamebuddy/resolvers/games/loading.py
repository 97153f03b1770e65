"""Loading the catalogue that a release brings."""

import uuid
from collections.abc import Mapping

from sqlalchemy import insert, select, text, update

from gamebuddy import catalogue, db
from gamebuddy.db import WriteSession

# Ids come from slugs, so that loading the catalogue twice, or on two servers, makes the same rows.
NAMESPACE = uuid.UUID("6a2b1c52-4a0e-5d7e-9f0a-3b6f5a1d8c77")
MOST_GENRES = 63  # bits of a set


async def lock_catalogue(session: WriteSession) -> None:
    """Let those wait who would change the catalogue too, so that what is free stays free until it is taken."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('gamebuddy catalogue'))"))


async def load_catalogue(session: WriteSession) -> int:
    """Bring genres, games, ranks and roles up to the data in the package; tells how many games that has.

    It may run at any time and twice at once: rows are found by slug, what is gone from the data stays, because
    profiles may point at it. What an administrator has saved or merged stays as he has left it.
    """
    data = catalogue.load()
    await lock_catalogue(session)
    genre_ids = await _load_genres(session, data)
    saved = set(await session.scalars(select(db.Game.slug).where(db.Game.saved_at.is_not(None))))
    saved |= set(await session.scalars(select(db.FormerSlug.slug)))
    games, ranks, roles = [], [], []
    for game in data.games:
        if game.slug in saved:
            continue
        game_id = uuid.uuid5(NAMESPACE, f"game/{game.slug}")
        games.append(
            {
                "id": game_id,
                "slug": game.slug,
                "title": game.title,
                "genre_ids": [genre_ids[slug] for slug in game.genres if slug in genre_ids],
                "platforms": [db.Platform(name) for name in game.platforms],
                "is_cross_play": game.cross_play,
            }
        )
        ranks += [
            {
                "id": uuid.uuid5(game_id, f"rank/{position}"),
                "game_id": game_id,
                "position": position,
                "name": name,
                "level": level_of(position, len(game.ranks)),
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
    return len(data.games)


def level_of(position: int, count: int) -> float:
    """Give the height of a step in a ladder of so many: 0 for the lowest, 1 for the highest, 0.5 for the only one."""
    return position / (count - 1) if count > 1 else 0.5


async def free_genre_number(session: WriteSession) -> int | None:
    """Give the lowest number that no genre has; None when all are given out. The catalogue is locked."""
    taken = set(await session.scalars(select(db.Genre.number)))
    return next((number for number in range(MOST_GENRES) if number not in taken), None)


async def _load_genres(session: WriteSession, data: catalogue.Catalogue) -> Mapping[str, uuid.UUID]:
    known = {genre.slug: genre for genre in await session.scalars(select(db.Genre))}
    for genre in data.genres:
        row = known.get(genre.slug)
        if row is None:
            number = await free_genre_number(session)
            if number is None:  # an administrator has used them up: games do without it
                continue
            genre_id = uuid.uuid5(NAMESPACE, f"genre/{genre.slug}")
            row = db.Genre(id=genre_id, number=number, slug=genre.slug, name_en=genre.name_en, name_ru=genre.name_ru)
            session.add(row)
            known[genre.slug] = row
        elif row.saved_at is None:
            row.name_en, row.name_ru = genre.name_en, genre.name_ru
        await session.flush()
    return {slug: genre.id for slug, genre in known.items()}


async def _put(session: WriteSession, row: type[db.Row], values: list[dict[str, object]]) -> None:
    """Insert what is missing and update the rest. Not an upsert: that uses up a game's number even when it updates."""
    key = row.__table__.c.id
    known = set(await session.scalars(select(key).where(key.in_([value["id"] for value in values]))))
    fresh = [value for value in values if value["id"] not in known]
    if fresh:
        await session.execute(insert(row), fresh)
    if known:
        await session.execute(update(row), [value for value in values if value["id"] in known])
