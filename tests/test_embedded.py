"""The life of the embedded PostgreSQL, with the real binaries."""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from gamebuddy.db.embedded import EmbeddedPostgres, EmbeddedPostgresError

PATIENCE = 30  # seconds until what does not happen is a failure

OWNER = """
import sys, time
from pathlib import Path
from gamebuddy.db.embedded import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])) as server:
    print("ready", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder on a path with a space; the folders above let another user through."""
    for parent in (tmp_path, *tmp_path.parents):
        if parent.owner() == pwd.getpwuid(os.getuid()).pw_name and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)
    return tmp_path / "with a space" / "postgres"


def ask(url: str, statement: str) -> Any:
    async def run() -> Any:
        connection = await asyncpg.connect(url, timeout=PATIENCE)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(run())


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def servers_of(folder: Path) -> list[str]:
    shown = subprocess.run(["ps", "-wweo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in shown.splitlines() if str(folder) in line and "postgres -D" in line]


@contextmanager
def owner_of(folder: Path) -> "Iterator[subprocess.Popen[str]]":
    """Run a command that owns a server until it is told to end."""
    with subprocess.Popen([sys.executable, "-c", OWNER, str(folder)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "ready\n"
        try:
            yield owner
        finally:
            owner.kill()


def test_data_survives_a_restart(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        ask(server.url(), "CREATE TABLE kept (note text)")
        ask(server.url(), "INSERT INTO kept VALUES ('still here')")
    assert servers_of(folder) == []
    with EmbeddedPostgres(folder) as server:
        assert ask(server.url(), "SELECT note FROM kept") == "still here"


def test_names_in_cyrillic_are_folded_and_compared(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        assert ask(server.url(), "SELECT lower('НИКА')") == "ника"
        ask(server.url(), "CREATE EXTENSION pg_trgm")
        assert ask(server.url(), "SELECT similarity('ника', 'ники') > 0") is True


def test_only_its_owner_may_enter_the_folder(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        assert server.socket_folder.stat().st_mode & 0o077 == 0
        assert ask(server.url(), "SHOW listen_addresses") == ""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_server_is_left_when_its_owner_ends(folder: Path, end: signal.Signals) -> None:
    with owner_of(folder) as owner:
        assert servers_of(folder)
        owner.send_signal(end)
        owner.wait(PATIENCE)
    wait_until(lambda: not servers_of(folder))
    with EmbeddedPostgres(folder) as server:
        assert ask(server.url(), "SELECT 1") == 1


@pytest.mark.parametrize(
    "left", ["", "nonsense\n", "1\n", f"{os.getpid()}\n"], ids=["empty", "nonsense", "init", "ours"]
)
def test_a_stale_pid_file_is_no_obstacle(folder: Path, left: str) -> None:
    with EmbeddedPostgres(folder):
        pass
    (folder / "postmaster.pid").write_text(left)
    with EmbeddedPostgres(folder) as server:
        assert ask(server.url(), "SELECT 1") == 1


def test_a_second_command_is_a_guest_of_the_first(folder: Path) -> None:
    with owner_of(folder) as owner:
        guest = EmbeddedPostgres(folder)
        assert guest.start() is False
        assert ask(guest.url(), "SELECT 1") == 1
        guest.stop()
        assert servers_of(folder), "a guest does not stop the server"
        owner.terminate()
        owner.wait(PATIENCE)
    wait_until(lambda: not servers_of(folder))


def test_a_path_too_long_for_a_socket_gets_another_one(tmp_path: Path, folder: Path) -> None:
    deep = folder / ("d" * 60) / ("e" * 60) / "postgres"
    with EmbeddedPostgres(deep) as server:
        assert server.socket_folder != deep
        assert ask(server.url(), "SELECT 1") == 1
    shutil.rmtree(server.socket_folder)


def test_data_of_another_version_is_one_clear_error(folder: Path) -> None:
    with EmbeddedPostgres(folder):
        pass
    (folder / "PG_VERSION").write_text("9\n")
    with pytest.raises(EmbeddedPostgresError, match="was made by PostgreSQL 9"):
        EmbeddedPostgres(folder).start()


def test_a_killed_initdb_leaves_nothing_half_made(folder: Path) -> None:
    (folder / ".new").mkdir(parents=True)
    (folder / ".new" / "PG_VERSION").write_text("18\n")
    (folder / "base").mkdir()
    folder.chmod(0o700)
    with EmbeddedPostgres(folder) as server:
        assert ask(server.url(), "SELECT 1") == 1


@pytest.mark.skipif(
    not Path("/usr/lib/postgresql/15/bin/postgres").exists(), reason="Debian's PostgreSQL 15 is missing"
)
def test_other_binaries_serve_as_well() -> None:
    with EmbeddedPostgres.temporary(binaries=Path("/usr/lib/postgresql/15/bin")) as server:
        assert server.version_text.startswith("15.")
        assert ask(server.url(), "SELECT 1") == 1
