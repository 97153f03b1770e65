"""The doors to the database when it goes away."""

from contextlib import AbstractAsyncContextManager

import pytest
from sqlalchemy import text

from gamebuddy.db import Database, ReadSession
from gamebuddy.errors import Unavailable

KILL = text("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = :name")

type Door = AbstractAsyncContextManager[ReadSession]


async def kill(database_url: str, name: str) -> None:
    other = Database(database_url, pool_size=1)
    async with other.write() as session:
        await session.execute(KILL, {"name": name})
    await other.close()


async def test_a_connection_that_breaks_after_the_last_statement_spoils_nothing(database_url: str) -> None:
    database = Database(database_url, pool_size=1, application_name="to be killed")
    for _ in range(3):  # more often than the pool has room
        async with database.read() as session:
            assert await session.scalar(text("SELECT 1")) == 1
            await kill(database_url, "to be killed")
    assert await database.answers()
    await database.close()


async def test_a_connection_that_breaks_before_a_statement_is_an_outage(database_url: str) -> None:
    database = Database(database_url, pool_size=1, application_name="to be killed")

    async def work(door: Door) -> None:
        async with door as session:
            await session.scalar(text("SELECT 1"))
            await kill(database_url, "to be killed")
            await session.scalar(text("SELECT 1"))

    for door in (database.read(), database.write()):
        with pytest.raises(Unavailable):
            await work(door)
    assert await database.answers()
    await database.close()


async def test_a_connection_that_breaks_before_the_commit_is_an_outage(database_url: str) -> None:
    database = Database(database_url, pool_size=1, application_name="to be killed")

    async def work() -> None:
        async with database.write() as session:
            await session.scalar(text("SELECT 1"))
            await kill(database_url, "to be killed")

    with pytest.raises(Unavailable):
        await work()
    assert await database.answers()
    await database.close()
