"""A world to try things in: players, chats, requests; the same every time. Its passwords are known to everybody."""

from datetime import UTC, datetime

import asyncpg
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn
from sqlalchemy import func, select

from gamebuddy import db
from gamebuddy.auth.gate import Gate
from gamebuddy.db import Database
from gamebuddy.demo.answers import make_up
from gamebuddy.demo.known import KNOWN, PASSWORD
from gamebuddy.demo.world import World

__all__ = ["KNOWN", "PASSWORD", "load", "make_up", "summary", "token"]

STEPS = ("accounts", "profiles", "player_games", "sessions", "teammates", "companionships",
         "praises", "teammate_requests", "chats", "chat_members",
         "messages", "events", "reports", "evidence")  # fmt: skip


async def load(url: str, gate: Gate, console: Console) -> str:
    """Fill the database unless the demo players are there already; tells what is there, in one line.

    Everything goes in with COPY in one transaction: it is there whole or not at all.
    """
    database = Database(url, pool_size=2)
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            # Two processes that begin at once: the second waits, and finds the world made.
            await connection.execute("SELECT pg_advisory_xact_lock(hashtext('gamebuddy demo'))")
            if not await connection.fetchval("SELECT EXISTS (SELECT FROM accounts WHERE username = $1)", KNOWN[0]):
                with Progress(
                    SpinnerColumn(), TextColumn("{task.description}"), console=console, transient=True
                ) as bar:
                    task = bar.add_task("Making demo players …", total=None)
                    async with database.read() as session:
                        world = await World.build(session, await gate.passwords.hash(PASSWORD), datetime.now(UTC))
                    for table in STEPS:
                        bar.update(task, description=f"Writing {table.replace('_', ' ')} …")
                        await world.copy(connection, table)
                    await connection.execute(
                        "UPDATE games SET player_count = counted.players FROM"
                        " (SELECT game_id, count(*) AS players FROM player_games GROUP BY game_id) AS counted"
                        " WHERE counted.game_id = games.id"
                    )
        await connection.execute("ANALYZE")
        return await summary(database)
    finally:
        await connection.close()
        await database.close()
        await gate.close()


async def summary(database: Database) -> str:
    """Tell how many players, games and chats there are."""
    async with database.read() as session:
        counts = [await session.scalar(select(func.count()).select_from(row)) for row in (db.Account, db.Game, db.Chat)]
    players, games, chats = counts
    return f"{players:,} players, {games} games, {chats} chats"


async def token(database: Database, gate: Gate, username: str) -> str | None:
    """Make an access token for the newest session of an account; None where there is no such account."""
    async with database.read() as session:
        row = (
            await session.execute(
                select(db.Account.id, db.Session.id)
                .join(db.Session, db.Session.account_id == db.Account.id)
                .where(db.Account.username == username.lower(), db.Session.revoked_at.is_(None))
                .order_by(db.Session.created_at.desc(), db.Session.id)
                .limit(1)
            )
        ).one_or_none()
    return gate.tokens.issue(*row)[0] if row else None
