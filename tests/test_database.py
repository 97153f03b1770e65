"""The doors to the database when it goes away."""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import cast

import pytest
from sqlalchemy import ARRAY, QueuePool, text

from gamebuddy.db import Database, ReadSession
from gamebuddy.db.base import Items, Row
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


@pytest.mark.parametrize("has_begun", [False, True], ids=["connecting", "asking"])
async def test_a_session_that_is_closed_amid_a_statement_gives_a_sound_connection_back(
    database_url: str, has_begun: bool
) -> None:
    database = Database(database_url, pool_size=1, application_name="asks")
    session = database.snapshot()
    asking = asyncio.create_task(session.scalar(text("SELECT 1 FROM pg_sleep(0.2)")))
    await asyncio.sleep(0)
    if has_begun:
        other = Database(database_url, pool_size=1)
        asked = text(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'asks' AND query LIKE '%pg_sleep%'"
        )
        async with asyncio.timeout(20):
            is_seen = 0
            while not is_seen:
                async with other.read() as look:
                    is_seen = await look.scalar(asked)
        await other.close()
    await session.close()
    for _ in range(3):
        async with database.read() as following:
            assert await following.scalar(text("SELECT 1")) == 1
    assert await asking == 1
    await database.close()


async def test_a_crowd_of_streams_waits_its_turn_and_leaves_connections_to_others(database_url: str) -> None:
    database = Database(database_url, pool_size=2)

    async def read() -> object:
        async with database.read(is_patient=True) as session:
            return await session.scalar(text("SELECT 1 FROM pg_sleep(0.2)"))

    crowd = [asyncio.create_task(read()) for _ in range(15)]  # longer than anybody waits for a connection
    cancelled = asyncio.create_task(read())
    await asyncio.sleep(0)
    cancelled.cancel()
    async with database.read() as session:
        assert await session.scalar(text("SELECT 1")) == 1
    assert not all(task.done() for task in crowd)
    assert await asyncio.gather(*crowd) == [1] * len(crowd)
    await database.close()


async def test_what_is_given_back_is_closed_beside_what_goes_on(database_url: str) -> None:
    database = Database(database_url, pool_size=1)
    pool = cast("QueuePool", database.engine.pool)  # closing puts another one in its place
    for _ in range(3):
        session = database.snapshot()
        assert await session.scalar(text("SELECT 1")) == 1
        database.give_back(session)
    asking = asyncio.create_task((session := database.snapshot()).scalar(text("SELECT 1 FROM pg_sleep(0.2)")))
    await asyncio.sleep(0)
    database.give_back(session)  # amid its statement
    await database.close()
    assert await asking == 1
    assert pool.checkedout() == 0


def test_arrays_are_read_as_the_driver_gives_them(database_url: str) -> None:
    dialect = Database(database_url).engine.dialect
    arrays = [
        column.type
        for table in Row.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type.dialect_impl(dialect), ARRAY)
    ]
    assert arrays
    assert all(isinstance(kind.dialect_impl(dialect), Items) for kind in arrays)
