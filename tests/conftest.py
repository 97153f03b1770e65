"""One private PostgreSQL a run, one migrated template, and for each worker a database and a real server."""

import asyncio
import contextlib
import os
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import uvicorn
from sqlalchemy import event

from gamebuddy.app import create_app
from gamebuddy.db import Database, migrations
from gamebuddy.db.embedded import EmbeddedPostgres
from gamebuddy.resolvers import games
from gamebuddy.schema.context import Services
from gamebuddy.settings import Settings
from gamebuddy.wire import Protocol
from tests.api import Api
from tests.factories import Factory
from tests.leaks import LEAKS
from tests.post_office import PostOffice

TEMPLATE = "gamebuddy_template"
BACKGROUND = {
    "hub hands out",
    "follower of words",
    "follower of limits",
    "attendance",
    "housekeeper",
    "exporter",
}  # tasks of the server that nobody asked for anything
SERVER = "GAMEBUDDY_TEST_SERVER"  # how the workers of a run find its PostgreSQL; not a setting
SECRET = "a secret of the tests, long enough to sign with"


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput") or SERVER in os.environ or config.option.collectonly:
        return
    binaries = os.environ.get("GAMEBUDDY_PG_BIN")
    until_the_end = contextlib.ExitStack()
    server = until_the_end.enter_context(
        EmbeddedPostgres.temporary(
            binaries=Path(binaries) if binaries else None,
            settings={"max_connections": "400"},  # the servers of all tests share it
        )
    )
    until_the_end.callback(os.environ.pop, SERVER, None)
    config.add_cleanup(until_the_end.close)
    os.environ[SERVER] = server.url("postgres")
    asyncio.run(_make_template(server.url("postgres")))


async def _make_template(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(f"CREATE DATABASE {TEMPLATE}")
    await connection.close()
    database = Database(named(url, TEMPLATE), statement_timeout_seconds=60)
    await migrations.upgrade(database)
    async with database.write() as session:
        await games.load_catalogue(session)
    await database.close()


def named(url: str, database: str) -> str:
    """Give the address of another database of the same server."""
    return url.replace("/postgres?", f"/{database}?")


@pytest.fixture(scope="session")
async def database_url(worker_id: str) -> str:
    """A database of this worker alone, migrated, with the catalogue."""
    url = os.environ[SERVER]
    name = f"gamebuddy_{worker_id}"
    connection = await asyncpg.connect(url)
    await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    await connection.close()
    return named(url, name)


@pytest.fixture
async def empty_database_url(worker_id: str) -> AsyncIterator[str]:
    """A database in which there is nothing."""
    url, name = os.environ[SERVER], f"gamebuddy_empty_{worker_id}"
    connection = await asyncpg.connect(url)
    await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await connection.execute(f"CREATE DATABASE {name}")
    yield named(url, name)
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest.fixture(scope="session")
async def post_office() -> AsyncIterator[PostOffice]:
    """A real SMTP server that keeps what it gets."""
    async with PostOffice.open() as office:
        yield office


@pytest.fixture(scope="session")
def settings(database_url: str, post_office: PostOffice, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """What the worker's server runs with."""
    return Settings(
        _env_file=None,
        database_url=database_url,
        secret_key=SECRET,
        smtp_url=post_office.url,
        data_dir=tmp_path_factory.mktemp("data"),
        port=free_port(),
        rate_limit_factor=1000,
        pool_size=20,  # who is one of many at once waits for a place no longer than 2 s, however slow the machine is
        log_format="json",
    )


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[uvicorn.Server]:
    """Run the real server on its port in this event loop."""
    assert settings.database_url is not None
    app = create_app(settings, database_url=settings.database_url.get_secret_value())
    LEAKS.listen()
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        proxy_headers=False,
        ws=Protocol,
        ws_max_size=settings.max_socket_message_bytes,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    with _own_signals(server):
        task = asyncio.create_task(server.serve())
        while not server.started:
            if task.done():
                task.result()
                raise RuntimeError("the server ended before it began")
            await asyncio.sleep(0.01)
        yield server
        server.should_exit = True
        await task


@contextlib.contextmanager
def _own_signals(server: uvicorn.Server) -> Iterator[None]:
    """Leave Ctrl-C to pytest."""
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    yield


@pytest.fixture(scope="session")
async def server(settings: Settings) -> AsyncIterator[uvicorn.Server]:
    """The worker's server."""
    async with running(settings) as server:
        yield server


@pytest.fixture(scope="session")
def services(server: uvicorn.Server) -> Services:
    """What the server's process has once; for preparing and looking, never for going around the API."""
    services: Services = server.config.app.state.services  # type: ignore[union-attr]
    return services


@pytest.fixture
async def api(server: uvicorn.Server, settings: Settings, clean: None) -> AsyncIterator[Api]:
    """A client that nobody has signed in."""
    async with Api.open(settings.url) as api:
        yield api


@pytest.fixture
def make(services: Services, api: Api) -> Factory:
    """Players and chats to begin a test with."""
    return Factory(services, api)


@pytest.fixture(scope="module")
async def urls(
    settings: Settings, post_office: PostOffice, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[list[str]]:
    """Two more servers, processes of their own, started as a person starts them."""
    from tests.test_cli import serving

    assert settings.database_url is not None
    with contextlib.ExitStack() as open_servers:
        found = []
        for _ in range(2):
            environment = {
                "GAMEBUDDY_DATABASE_URL": settings.database_url.get_secret_value(),
                "GAMEBUDDY_SECRET_KEY": SECRET,
                "GAMEBUDDY_SMTP_URL": post_office.url,
                "GAMEBUDDY_PORT": str(free_port()),
                "GAMEBUDDY_RATE_LIMIT_FACTOR": "1000",
                "GAMEBUDDY_DATA_DIR": str(Path(tmp_path_factory.mktemp("node"))),
            }
            _, url = await asyncio.to_thread(open_servers.enter_context, serving("serve", **environment))
            found.append(url)
        yield found


@pytest.fixture
async def nodes(urls: list[str], api: Api) -> AsyncIterator[list[Api]]:
    """Somebody at each of them."""
    async with contextlib.AsyncExitStack() as open_clients:
        yield [await open_clients.enter_async_context(Api.open(url)) for url in urls]


@pytest.fixture
async def clean(database_url: str, post_office: PostOffice, settings: Settings) -> AsyncIterator[None]:
    """Nothing but the catalogue, before and after; and no secret of the test in what it leaves behind."""
    LEAKS.forget()
    yield
    connection = await asyncpg.connect(database_url)
    await _letters_are_out(connection)
    leaks = await LEAKS.find(connection)
    post_office.empty()
    shutil.rmtree(settings.data_dir / "files", ignore_errors=True)
    tables = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        " AND relname <> ALL($1)",
        ["alembic_version", "event_log", "games", "genres", "game_ranks", "game_roles"],
    )
    await connection.execute("SET session_replication_role = replica")  # no cascades: every table is emptied anyway
    for table in tables:
        await connection.execute(f'DELETE FROM "{table["relname"]}"')
    await connection.execute("UPDATE games SET player_count = 0 WHERE player_count <> 0")
    for saved in ("games", "genres"):
        await connection.execute(f"DELETE FROM {saved} WHERE saved_at IS NOT NULL")
    for steps in ("game_ranks", "game_roles"):
        await connection.execute(f"DELETE FROM {steps} WHERE game_id NOT IN (SELECT id FROM games)")
    await connection.close()
    assert leaks == [], "a secret stands where it can be read"


async def _letters_are_out(connection: asyncpg.Connection) -> None:
    """Let the worker finish: a letter of this test must not arrive in the next one."""
    for _ in range(100):
        if not await connection.fetchval("SELECT count(*) FROM pgqueuer"):
            return
        await asyncio.sleep(0.02)


class Statements(list[str]):
    """The statements that were run, in order."""


@pytest.fixture
def statements(services: Services) -> Iterator[Statements]:
    """Every statement the server runs while the test does; clear it before what is counted."""
    seen = Statements()
    engine = services.database.engine.sync_engine

    def remember(_: object, __: object, statement: str, *___: object) -> None:
        task = asyncio.current_task()
        if task is None or task.get_name() not in BACKGROUND:
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", remember)
    yield seen
    event.remove(engine, "before_cursor_execute", remember)
