"""The commands, as a person runs them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from gamebuddy.cli import app
from tests.conftest import SECRET, free_port

PATIENCE = 180  # seconds; a busy machine takes long to import everything
GAMEBUDDY = [sys.executable, "-m", "gamebuddy"]


def environment(**changes: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("GAMEBUDDY_")} | changes


def command(*arguments: str, **changes: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*GAMEBUDDY, *arguments],
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.HTTPError:
        return False


def processes(mark: str) -> list[str]:
    """Give the processes that have the mark in their command or their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
            is_dead = (folder / "stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
        except OSError:
            continue
        if mark.encode() in text and folder.name != str(os.getpid()) and not is_dead:
            found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


@contextmanager
def serving(*arguments: str, **changes: str) -> "Iterator[tuple[subprocess.Popen[str], str]]":
    url = f"http://127.0.0.1:{changes['GAMEBUDDY_PORT']}"
    with subprocess.Popen(
        [*GAMEBUDDY, *arguments],
        env=environment(**changes),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            wait_until(lambda: is_ready(url) or process.poll() is not None)
            assert process.poll() is None, process.stdout and process.stdout.read()
            yield process, url
        finally:
            if process.poll() is None:
                process.kill()


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"GAMEBUDDY_PROT": "1"}, "GAMEBUDDY_PROT is not a setting; did you mean GAMEBUDDY_PORT?"),
        ({"GAMEBUDDY_SECRET_KEY": "short"}, "GAMEBUDDY_SECRET_KEY has to have at least 32 bytes"),
        ({"GAMEBUDDY_DATABASE_URL": "postgresql://x/y"}, "GAMEBUDDY_SECRET_KEY has to be given"),
        ({"GAMEBUDDY_DATABASE_URL": "mysql://x/y", "GAMEBUDDY_SECRET_KEY": SECRET}, "has to begin with postgresql://"),
        ({"GAMEBUDDY_PORT": "http"}, "GAMEBUDDY_PORT"),
        ({"GAMEBUDDY_SMTP_URL": "http://mail"}, "GAMEBUDDY_SMTP_URL has to look like"),
        ({"GAMEBUDDY_PERSISTED_QUERIES": "trusted"}, "GAMEBUDDY_TRUSTED_DOCUMENTS go together"),
        ({"GAMEBUDDY_PERSISTED_QUERIES": "some"}, "GAMEBUDDY_PERSISTED_QUERIES"),
        (
            {"GAMEBUDDY_PERSISTED_QUERIES": "trusted", "GAMEBUDDY_TRUSTED_DOCUMENTS": "/nowhere.json"},
            "GAMEBUDDY_TRUSTED_DOCUMENTS /nowhere.json: No such file",
        ),
        ({"GAMEBUDDY_DEMO": "1", "GAMEBUDDY_HOST": "192.0.2.1"}, "GAMEBUDDY_DEMO brings known passwords"),
        ({"GAMEBUDDY_DEMO": "1", "GAMEBUDDY_ENVIRONMENT": "production"}, "cannot be used in production"),
        (
            {"GAMEBUDDY_DATABASE_URL": "postgresql://a@127.0.0.1:1/a", "GAMEBUDDY_SECRET_KEY": SECRET},
            "cannot reach the database",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_setting_ends_the_start_with_one_line(tmp_path: Path, changes: dict[str, str], line: str) -> None:
    done = command("serve", **{"GAMEBUDDY_DATA_DIR": str(tmp_path)} | changes)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert line in done.stderr


def test_the_schema_is_written_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = CliRunner()
    assert run.invoke(app, ["schema", "--check"]).exit_code == 1
    assert run.invoke(app, ["schema"]).exit_code == 0
    assert run.invoke(app, ["schema", "--check"]).exit_code == 0
    written = tmp_path / "schema.graphql"
    written.write_text(written.read_text() + "# changed by hand\n")
    assert run.invoke(app, ["schema", "--check"]).exit_code == 1


def test_every_command_explains_itself() -> None:
    overview = command("--help").stdout
    for name in ("run", "serve", "migrate", "demo", "create-admin", "token", "schema", "check"):
        assert name in overview
        assert CliRunner().invoke(app, [name, "--help"]).exit_code == 0


def test_run_serves_the_demo_and_data_survives_a_restart(tmp_path: Path) -> None:
    changes = {"GAMEBUDDY_DATA_DIR": str(tmp_path / "my data"), "GAMEBUDDY_PORT": str(free_port())}
    with serving("run", **changes) as (process, url):
        taken = command("run", **changes | {"GAMEBUDDY_DATA_DIR": str(tmp_path / "other")})
        assert (taken.returncode, "GAMEBUDDY_PORT" in taken.stderr) == (2, True)
        token = command("token", "nika", **changes).stdout.strip()
        query = {"query": "{ viewer { user { username } } games(first: 50) { nodes { slug } } }"}
        answer = httpx.post(f"{url}/graphql", json=query, headers={"Authorization": f"Bearer {token}"}).json()
        assert answer["data"]["viewer"]["user"]["username"] == "nika"
        assert len(answer["data"]["games"]["nodes"]) == 50
        assert "Authorization" in httpx.get(f"{url}/graphql", headers={"Accept": "text/html"}).text
        admin = changes | {"GAMEBUDDY_ADMIN_PASSWORD": "correct horse 7"}
        assert command("create-admin", "--username", "boss", "--email", "b@example.com", **admin).returncode == 0
        assert command("create-admin", "--username", "boss", "--email", "b@example.com", **admin).returncode == 1
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)
        assert process.stdout is not None
        banner = process.stdout.read()
    for part in ("demo: 2,000 players", "/dev/mail", "gamebuddy-demo", "Stop with Ctrl-C"):
        assert part in banner
    wait_until(lambda: not processes(str(tmp_path)))
    with serving("serve", **changes) as (process, url):
        sign_in = {
            "query": 'mutation { signIn(input: {login: "boss", password: "correct horse 7"}) { viewer { role } } }'
        }
        assert httpx.post(f"{url}/graphql", json=sign_in).json()["data"]["signIn"]["viewer"]["role"] == "ADMIN"


@pytest.mark.skipif(sys.platform != "linux", reason="a killed owner takes its children along on Linux only")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left_with_two_workers(tmp_path: Path, how: signal.Signals) -> None:
    changes = {
        "GAMEBUDDY_DATA_DIR": str(tmp_path / "data"),
        "GAMEBUDDY_PORT": str(free_port()),
        "GAMEBUDDY_WORKERS": "2",
    }
    with serving("serve", **changes) as (process, _):
        process.send_signal(how)
        process.wait(PATIENCE)
    wait_until(lambda: not processes(str(tmp_path)))


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_that_is_told_to_stop_lets_go_of_its_sockets_one_after_the_other(tmp_path: Path, workers: str) -> None:
    changes = {
        "GAMEBUDDY_DATA_DIR": str(tmp_path / "data"),
        "GAMEBUDDY_PORT": str(free_port()),
        "GAMEBUDDY_WORKERS": workers,
        "GAMEBUDDY_DRAIN_SECONDS": "2",
    }
    subprotocols = [Subprotocol("graphql-transport-ws")]
    with serving("serve", **changes) as (process, url):
        address = f"{url.replace('http', 'ws')}/graphql"
        with ExitStack() as open_sockets:
            sockets = [open_sockets.enter_context(connect(address, subprotocols=subprotocols)) for _ in range(12)]
            for socket in sockets:
                socket.send('{"type": "connection_init"}')
                assert "connection_ack" in str(socket.recv(PATIENCE))
            pool = open_sockets.enter_context(ThreadPoolExecutor(len(sockets)))
            codes = [pool.submit(close_code, socket) for socket in sockets]
            process.send_signal(signal.SIGTERM)
            wait(codes, PATIENCE, FIRST_COMPLETED)
            assert not all(code.done() for code in codes), "they were closed at once"
            wait_until(lambda: not is_ready(url))
            assert {code.result(PATIENCE) for code in codes} == {1012}
        process.wait(PATIENCE)
    assert process.returncode == 0
    wait_until(lambda: not processes(str(tmp_path)))


def close_code(socket: ClientConnection) -> int | None:
    """Wait until the server closes a socket, and give the code."""
    try:
        while True:
            socket.recv(PATIENCE)
    except ConnectionClosed:
        return socket.close_code
