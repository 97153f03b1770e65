"""A made-up world of players, the same for the same seed: people as unlike as on a real site, some games loved by all.

Games follow Zipf's law with a flat head; people live in regions whose languages and evenings they share; ratings lie
around each one's own skill; three in ten have not come for two months.
"""

import functools
import operator
import random
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import Any

import asyncpg
from rich.progress import Progress

from gamebuddy import db

GAMES, GENRES = 500, 20
BATCH = 20_000
WEEKS = 3_000  # different weeks; more would not change what is counted
REGION_SHARES = {
    db.Region.EUROPE: 26, db.Region.CIS: 18, db.Region.NORTH_AMERICA: 18, db.Region.SOUTH_AMERICA: 9,
    db.Region.EAST_ASIA: 9, db.Region.SOUTHEAST_ASIA: 7, db.Region.MIDDLE_EAST: 5, db.Region.SOUTH_ASIA: 4,
    db.Region.OCEANIA: 3, db.Region.AFRICA: 1,
}  # fmt: skip
LANGUAGES_OF = {
    db.Region.EUROPE: ("en", "de", "fr", "pl", "es", "it"), db.Region.CIS: ("ru", "uk", "kk"),
    db.Region.NORTH_AMERICA: ("en", "es", "fr"), db.Region.SOUTH_AMERICA: ("pt-BR", "es"),
    db.Region.EAST_ASIA: ("zh", "ja", "ko"), db.Region.SOUTHEAST_ASIA: ("id", "vi", "th", "en"),
    db.Region.MIDDLE_EAST: ("ar", "tr"), db.Region.SOUTH_ASIA: ("hi", "en"), db.Region.OCEANIA: ("en",),
    db.Region.AFRICA: ("en", "fr", "ar"),
}  # fmt: skip
UTC_HOURS = {
    db.Region.EUROPE: 1, db.Region.CIS: 3, db.Region.NORTH_AMERICA: -6, db.Region.SOUTH_AMERICA: -3,
    db.Region.EAST_ASIA: 8, db.Region.SOUTHEAST_ASIA: 7, db.Region.MIDDLE_EAST: 3, db.Region.SOUTH_ASIA: 5,
    db.Region.OCEANIA: 10, db.Region.AFRICA: 1,
}  # fmt: skip
STYLES = (db.PlayStyle.CASUAL, db.PlayStyle.BALANCED, db.PlayStyle.COMPETITIVE, None)
VOICES = (*db.VoiceChat, None)


@dataclass(frozen=True, slots=True)
class Game:
    """A game of the world."""

    id: uuid.UUID
    genre_bits: int
    role_count: int


async def load(connection: asyncpg.Connection, count: int, seed: int, progress: Progress) -> None:
    """Fill an empty, migrated database with `count` players, and make its search entries."""
    rng = random.Random(seed)
    games = await _load_games(connection, rng)
    genre_ids = {row["number"]: row["id"] for row in await connection.fetch("SELECT number, id FROM genres")}
    await connection.execute("SET session_replication_role = replica")  # entries are made at once, at the end
    for index in ("ix_accounts_display_name_trigrams", "ix_accounts_username_trigrams"):
        await connection.execute(f"DROP INDEX IF EXISTS {index}")
    task = progress.add_task(f"Making {count:,} players", total=count)
    for first in range(0, count, BATCH):
        size = min(BATCH, count - first)
        accounts, profiles, played = _people(rng, games, genre_ids, first, size)
        await _copy(connection, "accounts", accounts)
        await _copy(connection, "profiles", profiles)
        await _copy(connection, "player_games", played)
        progress.advance(task, size)
    await connection.execute("SET session_replication_role = origin")
    await connection.execute(
        "UPDATE games SET player_count = counted.players FROM"
        " (SELECT game_id, count(*) AS players FROM player_games GROUP BY game_id) AS counted"
        " WHERE counted.game_id = games.id"
    )
    await _make_entries(connection, count, progress)
    task = progress.add_task("Vacuum and statistics", total=None)
    await connection.execute("VACUUM (ANALYZE, FREEZE)")
    progress.update(task, total=1, completed=1)


async def _load_games(connection: asyncpg.Connection, rng: random.Random) -> list[Game]:
    found = await connection.fetch("SELECT id FROM games ORDER BY slug")
    extra = [(uuid.UUID(int=rng.getrandbits(128), version=4), f"made-up-{n}") for n in range(GAMES - len(found))]
    await _copy(
        connection,
        "games",
        [
            {
                "id": game_id,
                "slug": slug,
                "title": slug.title(),
                "genre_ids": [],
                "platforms": ["PC"],
                "is_cross_play": rng.random() < 0.6,
                "player_count": 0,
            }
            for game_id, slug in extra
        ],
    )
    ids = [row["id"] for row in found] + [game_id for game_id, _ in extra]
    rng.shuffle(ids)
    return [
        Game(game_id, 1 << rng.randrange(GENRES) | 1 << rng.randrange(GENRES), rng.choice((0, 3, 4, 5, 5)))
        for game_id in ids
    ]


def _people(
    rng: random.Random, games: Sequence[Game], genre_ids: Mapping[int, uuid.UUID], first: int, size: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    today, now = datetime.now(UTC).date(), datetime.now(UTC)
    popularity = list(accumulate(1 / (rank + 4.7) for rank in range(len(games))))
    regions, shares = list(REGION_SHARES), list(REGION_SHARES.values())
    accounts, profiles, played = [], [], []
    for number in range(first, first + size):
        account_id = uuid.UUID(int=rng.getrandbits(128), version=4)
        name = f"player_{number}"
        accounts.append(
            {
                "id": account_id,
                "username": name,
                "display_name": name,
                "role": "USER",
                "status": "ACTIVE",
                "email": f"{name}@example.com",
                "email_key": f"{name}@example.com",
                "email_verified_at": now,
                "who_may_write_to_me": "EVERYONE",
                "who_sees_my_presence": "EVERYONE",
            }
        )
        mine = _plays(rng, games, popularity, account_id)
        played += mine
        region = rng.choices(regions, shares)[0]
        liked = [games[game.pop("_place")].genre_bits for game in mine][:3]
        profiles.append(_profile(rng, account_id, region, _genres(liked, genre_ids), today))
    return accounts, profiles, played


def _genres(liked: Sequence[int], genre_ids: Mapping[int, uuid.UUID]) -> tuple[int, list[uuid.UUID]]:
    """Give the genres of somebody's first games, as bits and as ids."""
    bits = functools.reduce(operator.or_, liked, 0)
    return bits, [genre_id for number, genre_id in genre_ids.items() if bits >> number & 1]


def _plays(
    rng: random.Random, games: Sequence[Game], popularity: Sequence[float], account_id: uuid.UUID
) -> list[dict[str, Any]]:
    wanted = max(1, min(12, round(rng.gammavariate(2.2, 2.4))))
    places = list(dict.fromkeys(rng.choices(range(len(games)), cum_weights=popularity, k=wanted)))
    skill = rng.gauss(1500, 260)
    return [
        {
            "account_id": account_id,
            "game_id": games[place].id,
            "position": position,
            "rating": max(0, min(3000, round(skill + rng.gauss(0, 230)))),
            "role_bits": _roles(rng, games[place].role_count),
            "is_favorite": position < 2,
            "_place": place,
        }
        for position, place in enumerate(places)
    ]


def _roles(rng: random.Random, count: int) -> int:
    if not count:
        return 0
    return 1 << rng.randrange(count) | (1 << rng.randrange(count) if rng.random() < 0.45 else 0)


def _profile(
    rng: random.Random, account_id: uuid.UUID, region: db.Region, genres: tuple[int, list[uuid.UUID]], today: date
) -> dict[str, Any]:
    chance = rng.random
    own = LANGUAGES_OF[region]
    languages = [own[0] if chance() < 0.6 else rng.choice(own)]
    if languages[0] != "en" and chance() < 0.55:
        languages.append("en")
    days = int(rng.expovariate(1 / 6.5)) if chance() < 0.7 else 61 + int(rng.expovariate(1 / 200))
    style, voice = rng.choices(STYLES, (25, 40, 25, 10))[0], rng.choices(VOICES, (15, 40, 15, 20, 10))[0]
    return {
        "account_id": account_id,
        "birth_date": today - timedelta(days=int(365.2425 * rng.triangular(13, 50, 21))) if chance() < 0.9 else None,
        "region": region.value if chance() < 0.97 else None,
        "languages": languages if chance() < 0.97 else [],
        "platforms": [
            p.value for p, share in zip(db.Platform, (0.68, 0.28, 0.18, 0.14, 0.35), strict=False) if chance() < share
        ],
        "genre_ids": genres[1],
        "genre_bits": genres[0],
        "play_style": style.value if style else None,
        "voice_chat": voice.value if voice else None,
        "slots": [],
        "schedule": _week(rng.randrange(WEEKS), UTC_HOURS[region]) if chance() < 0.85 else None,
        "is_looking_for_teammates": chance() < 0.97,
        "reputation": round(1000 * rng.betavariate(9, 3)) if chance() < 0.6 else None,
        "active_on": today - timedelta(days=days),
    }


_weeks: dict[tuple[int, int], asyncpg.BitString] = {}


def _week(kind: int, utc_hours: int) -> asyncpg.BitString:
    """Give one of many weeks: evenings, week-ends, nights, mornings, or any time, shifted to UTC."""
    if (kind, utc_hours) not in _weeks:
        rng = random.Random(kind)
        begin, hours, weekend = rng.choice(((19, 5, 0.6), (20, 3, 0.9), (22, 5, 0.5), (8, 5, 0.4), (15, 7, 0.6)))
        bits = ["0"] * db.HOURS_A_WEEK
        for day in range(7):
            is_free = rng.random() < (0.75 if day < 5 else weekend)
            for hour in range(hours) if is_free else ():
                if rng.random() < 0.8:
                    bits[(day * 24 + begin + hour - utc_hours) % db.HOURS_A_WEEK] = "1"
        _weeks[kind, utc_hours] = asyncpg.BitString("".join(bits))  # type: ignore[arg-type]  # it says bytes and takes text
    return _weeks[kind, utc_hours]


async def _make_entries(connection: asyncpg.Connection, count: int, progress: Progress) -> None:
    task = progress.add_task("Making search entries", total=count)
    index = await connection.fetchval("SELECT pg_get_indexdef('ix_search_entries_cell_rating'::regclass)")
    await connection.execute("DROP INDEX ix_search_entries_cell_rating")
    ids = [row[0] for row in await connection.fetch("SELECT account_id FROM profiles")]
    await connection.execute("ANALYZE")
    for some in _batches(ids):
        await connection.execute("SELECT fill_search_entries($1)", some)
        progress.advance(task, len(some))
    await connection.execute(index)


def _batches(ids: Sequence[uuid.UUID]) -> Iterator[Sequence[uuid.UUID]]:
    for first in range(0, len(ids), BATCH):
        yield ids[first : first + BATCH]


async def _copy(connection: asyncpg.Connection, table: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        columns = [name for name in rows[0] if not name.startswith("_")]
        records = [tuple(row[name] for name in columns) for row in rows]
        await connection.copy_records_to_table(table, records=records, columns=columns)
