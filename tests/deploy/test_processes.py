"""What befalls processes: too few descriptors, nobody who reads what they write, two who migrate at once."""

import asyncio
import os
import resource
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress

import asyncpg
import pytest

from gamebuddy.settings import Settings
from tests.api import Api
from tests.conftest import SECRET, free_port
from tests.deploy.nodes import Node
from tests.factories import Factory
from tests.test_cli import command

DESCRIPTORS = 100
PIPE_BYTES = 65_536


@pytest.fixture
def empty(empty_database_url: str) -> dict[str, str]:
    """The settings of a database in which there is nothing."""
    return {"GAMEBUDDY_DATABASE_URL": empty_database_url, "GAMEBUDDY_SECRET_KEY": SECRET}


async def run(name: str, settings: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return await asyncio.to_thread(lambda: command(name, **settings))


async def test_of_two_who_migrate_at_once_one_waits_and_whoever_would_wait_long_gives_up(empty: dict[str, str]) -> None:
    both = await asyncio.gather(run("migrate", empty), run("migrate", empty))
    assert [done.returncode for done in both] == [0, 0], [done.stderr for done in both]
    connection = await asyncpg.connect(empty["GAMEBUDDY_DATABASE_URL"])
    async with connection.transaction():
        await connection.execute("LOCK TABLE alembic_version")
        stopped = await run("migrate", empty)
    assert (stopped.returncode, len(stopped.stderr.strip().splitlines())) == (2, 1), stopped.stderr
    assert "lock timeout" in stopped.stderr
    await connection.execute("UPDATE alembic_version SET version_num = '0001'")
    await connection.close()
    started = await run("serve", empty | {"GAMEBUDDY_PORT": str(free_port())})
    assert (started.returncode, "gamebuddy migrate" in started.stderr) == (2, True), started.stderr


@pytest.fixture
async def node(settings: Settings, clean: None, tmp_path: "os.PathLike[str]") -> AsyncIterator[Node]:
    """A node that is not started yet."""
    assert settings.database_url is not None
    node = Node(
        {
            "GAMEBUDDY_DATABASE_URL": settings.database_url.get_secret_value(),
            "GAMEBUDDY_SECRET_KEY": SECRET,
            "GAMEBUDDY_DATA_DIR": str(tmp_path),
            "GAMEBUDDY_PORT": str(free_port()),
        }
    )
    yield node
    node.kill()


async def test_a_crowd_of_connections_takes_nothing_away_for_good(node: Node) -> None:
    node.before_it_begins = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    await node.start()
    async with AsyncExitStack() as crowd:
        for _ in range(2 * DESCRIPTORS):
            _, writer = await asyncio.open_connection("127.0.0.1", node.port)
            crowd.callback(writer.close)
    await node.start()  # it runs, so this waits until it is ready


@pytest.mark.parametrize("is_closed", [True, False], ids=["closed", "full"])
async def test_nobody_who_reads_the_log_is_no_reason_to_stop(make: Factory, node: Node, *, is_closed: bool) -> None:
    reading, node.log = os.pipe()
    if is_closed:
        os.close(reading)
    else:
        fill(node.log)
    await node.start()
    nika = await make.player("nika")
    async with Api.open(node.url) as api:
        there = api.signed_in(nika.api.token or "")
        for number in range(3):
            await kill_listeners(make)  # which is worth a line
            async with there.socket() as socket:
                stream = await socket.subscribe("subscription { events { __typename } }")
                await stream.until("CaughtUp")
            assert (await there("{ viewer { email } }"))["viewer"]["email"], number
    assert await node.stop() == 0
    os.close(node.log)
    if not is_closed:
        os.close(reading)


def fill(pipe: int) -> None:
    os.set_blocking(pipe, False)
    with suppress(BlockingIOError):
        while True:
            os.write(pipe, b"x" * PIPE_BYTES)
    os.set_blocking(pipe, True)


async def kill_listeners(make: Factory) -> None:
    connection = await asyncpg.connect(make.services.database.url)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'gamebuddy listener' AND datname = current_database()"
    )
    await connection.close()
