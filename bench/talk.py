"""A made-up messenger: players, chats, and messages that came in the order of time; the same for the same seed."""

import itertools
import random
import tomllib
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any

import asyncpg
from rich.progress import Progress

from gamebuddy.resolvers.chat.access import day_of

BATCH = 50_000
GROUP_SHARE = 0.15
YEAR = timedelta(days=365)
BUSY_GROUPS = 500  # that the first player is in
TABLES = ("accounts", "profiles", "sessions", "chats", "chat_members", "messages", "mentions", "reactions")


@dataclass(slots=True)
class Talk:
    """A chat while it is made."""

    id: uuid.UUID
    members: Sequence[int]
    is_group: bool
    count: int = 0
    last_at: datetime | None = None
    authors: list[int] = field(default_factory=list)


async def load(url: str, players: int, chats: int, messages: int, seed: int, progress: Progress) -> list[uuid.UUID]:
    """Fill an empty, migrated database with COPY; gives the ids of the players. Indexes are made at the end."""
    dice = random.Random(seed)
    connection = await asyncpg.connect(url)
    await connection.execute("SET session_replication_role = replica")  # no triggers: nothing here is searched for
    indexes = await _drop_indexes(connection)
    ids = [_id(dice) for _ in range(players)]
    await _copy(connection, "accounts", [_account(account_id, n) for n, account_id in enumerate(ids)])
    await _copy(connection, "profiles", [_profile(account_id) for account_id in ids])
    await _copy(connection, "sessions", [_session(account_id) for account_id in ids])
    talks = _talks(dice, players, chats)
    task = progress.add_task(f"Writing {messages:,} messages", total=messages)
    for rows, mentions, reactions in _messages(dice, talks, ids, messages):
        await _copy(connection, "messages", rows)
        await _copy(connection, "mentions", mentions)
        await _copy(connection, "reactions", reactions)
        progress.advance(task, len(rows))
    for some in itertools.batched(talks, BATCH):
        await _copy(connection, "chats", [_chat(talk, ids) for talk in some])
        await _copy(connection, "chat_members", [row for talk in some for row in _members(dice, talk, ids)])
    task = progress.add_task("Making indexes", total=len(indexes))
    for index in indexes:
        progress.update(task, description=f"Making {index.split(' ON ')[0].split()[-1]}")
        await connection.execute(index, timeout=3_600)
        progress.advance(task)
    await connection.execute("VACUUM (ANALYZE)", timeout=3_600)
    await connection.close()
    return ids


async def _drop_indexes(connection: asyncpg.Connection) -> list[str]:
    found = await connection.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = ANY ($1)"
        " AND indexname NOT IN (SELECT conname FROM pg_constraint)",
        TABLES,
    )
    for row in found:
        await connection.execute(f'DROP INDEX "{row["indexname"]}"')
    return [row["indexdef"] for row in found]


def _talks(dice: random.Random, players: int, chats: int) -> list[Talk]:
    groups = int(chats * GROUP_SHARE)
    talks = []
    for number in range(groups):
        members = dice.sample(range(players), min(199, 3 + int(dice.expovariate(1 / 8))))
        if number < BUSY_GROUPS and 0 not in members:
            members.append(0)
        talks.append(Talk(_id(dice), members, is_group=True))
    pairs: set[tuple[int, int]] = set()
    while len(pairs) < chats - groups:
        one, other = dice.randrange(players), dice.randrange(players)
        if one != other:
            pairs.add((min(one, other), max(one, other)))
    talks += [Talk(_id(dice), pair, is_group=False) for pair in sorted(pairs)]
    dice.shuffle(talks)
    return talks


def _messages(
    dice: random.Random, talks: Sequence[Talk], ids: Sequence[uuid.UUID], count: int
) -> Iterator[tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]]:
    """Give messages in the order of time, a few chats with very many; of a hundred half a mention, two signs."""
    words = tomllib.loads(resources.files("gamebuddy.demo").joinpath("people.toml").read_text(encoding="utf-8"))
    lines = [line for language in ("ru", "en") for dialogue in words[language]["dialogues"] for line in dialogue]
    vocabulary = sorted({word for line in lines for word in line.split()})
    weights = list(itertools.accumulate(min(3_000.0, dice.paretovariate(0.9)) for _ in talks))
    begins = datetime.now(UTC) - YEAR
    step = YEAR / count
    for first in range(0, count, BATCH):
        size = min(BATCH, count - first)
        rows, mentions, reactions = [], [], []
        for number, talk in enumerate(dice.choices(talks, cum_weights=weights, k=size), start=first):
            at = begins + number * step
            talk.count, talk.last_at = talk.count + 1, at
            author = ids[dice.choice(talk.members)]
            message_id = _id(dice, at)
            seq = len(talk.members) + talk.count
            text = (
                dice.choice(lines) if dice.random() < 0.3 else " ".join(dice.choices(vocabulary, k=dice.randint(2, 14)))
            )
            rows.append(
                {
                    "id": message_id, "chat_id": talk.id, "seq": seq, "number": talk.count, "kind": "TEXT",
                    "author_id": author, "client_id": _id(dice), "text": text, "created_at": at,
                }
            )  # fmt: skip
            chance = dice.random()
            if chance < 0.005:
                named = ids[dice.choice(talk.members)]
                mentions.append({"message_id": message_id, "account_id": named, "chat_id": talk.id, "seq": seq})
            elif chance < 0.025:
                reactions.append({"message_id": message_id, "emoji": "👍", "account_id": author, "created_at": at})
        yield rows, mentions, reactions


def _chat(talk: Talk, ids: Sequence[uuid.UUID]) -> dict[str, Any]:
    pair = [None, None] if talk.is_group else sorted(ids[member] for member in talk.members)
    return {
        "id": talk.id, "kind": "GROUP" if talk.is_group else "DIRECT", "title": "Group" if talk.is_group else None,
        "first_account_id": pair[0], "second_account_id": pair[1], "last_seq": len(talk.members) + talk.count,
        "message_count": talk.count, "member_count": len(talk.members), "who_may_invite": "EVERYONE",
        "who_may_pin": "ADMINS", "who_may_edit_info": "ADMINS", "who_may_write": "EVERYONE",
        "last_activity_at": talk.last_at or datetime.now(UTC) - YEAR, "created_at": datetime.now(UTC) - YEAR,
    }  # fmt: skip


def _members(dice: random.Random, talk: Talk, ids: Sequence[uuid.UUID]) -> Iterator[dict[str, Any]]:
    """Give the members: most have read all, some nothing for a while."""
    active_on = day_of(talk.last_at or datetime.now(UTC) - YEAR)
    for place, member in enumerate(talk.members):
        unread = 0 if dice.random() < 0.7 else min(talk.count, int(dice.expovariate(1 / 20)))
        yield {
            "chat_id": talk.id, "account_id": ids[member],
            "role": "OWNER" if talk.is_group and place == 0 else "MEMBER",
            "joined_at": datetime.now(UTC) - YEAR + timedelta(seconds=place),
            "last_read_seq": len(talk.members) + talk.count - unread, "read_count": talk.count - unread,
            "active_on": active_on, "is_archived": False,
        }  # fmt: skip


def _account(account_id: uuid.UUID, number: int) -> dict[str, Any]:
    name = f"player_{number}"
    now = datetime.now(UTC)
    return {
        "id": account_id, "username": name, "display_name": f"Player {number}", "role": "USER", "status": "ACTIVE",
        "email": f"{name}@example.com", "email_key": f"{name}@example.com", "email_verified_at": now, "locale": "en",
        "who_may_write_to_me": "EVERYONE", "who_sees_my_presence": "EVERYONE", "created_at": now,
    }  # fmt: skip


def _profile(account_id: uuid.UUID) -> dict[str, Any]:
    return {
        "account_id": account_id, "languages": [], "platforms": [], "genre_ids": [], "genre_bits": 0, "slots": [],
        "is_looking_for_teammates": False,
    }  # fmt: skip


def _session(account_id: uuid.UUID) -> dict[str, Any]:
    """Make one session for a player, under the player's own id."""
    now = datetime.now(UTC)
    return {
        "id": account_id, "account_id": account_id, "salt": b"", "generation": 0, "device_name": "",
        "created_at": now, "last_used_at": now, "expires_at": now + YEAR,
    }  # fmt: skip


def _id(dice: random.Random, at: datetime | None = None) -> uuid.UUID:
    """Make an id that grows with time where one is given, as the application's do."""
    if at is None:
        return uuid.UUID(int=dice.getrandbits(128), version=4)
    return uuid.UUID(int=int(at.timestamp() * 1000) << 80 | 7 << 76 | dice.getrandbits(76))


async def _copy(connection: asyncpg.Connection, table: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        columns = list(rows[0])
        records = [tuple(row.values()) for row in rows]
        await connection.copy_records_to_table(table, records=records, columns=columns, timeout=600)
