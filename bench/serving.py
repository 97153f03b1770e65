"""Real servers for the benchmarks: `gamebuddy serve` on loopback, started by its command as an operator does."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import httpx
from pydantic import SecretStr

from gamebuddy.settings import PREFIX, Settings

SECRET = "of a benchmark, and long enough for it"  # noqa: S105 - signs what made-up players carry
GAMEBUDDY = (sys.executable, "-m", "gamebuddy")
START_SECONDS = 240  # on a machine that does much else
TOKEN_SECONDS = 24 * 3_600  # longer than any run


class Node:
    """One `gamebuddy serve` and its workers. What it logs stays in a file."""

    def __init__(
        self, url: str, folder: Path, *, command: Sequence[str] = GAMEBUDDY, workers: int = 1, **settings: object
    ) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = folder / f"{self.port}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._command = [*command, "serve"]
        given = {
            "database_url": url, "secret_key": SECRET, "port": self.port, "workers": workers, "data_dir": folder,
            "rate_limit_factor": 1_000_000, "access_token_seconds": TOKEN_SECONDS, "log_format": "json",
        }  # fmt: skip
        others = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        self._environment = others | {PREFIX + name.upper(): str(value) for name, value in (given | settings).items()}

    def __enter__(self) -> Self:
        """Start, and wait until it is ready."""
        self.start()
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if not self.is_running or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(self.log.read_text(errors="replace")[-2_000:])
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    @property
    def pid(self) -> int:
        """The process that was started; with several workers their parent."""
        if self.process is None:
            raise RuntimeError("the node was not started")
        return self.process.pid

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start it, and do not wait."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self._command, env=self._environment, stdout=log, stderr=log)  # noqa: S603

    def stop(self) -> None:
        """Tell it to stop, and do not let it take long."""
        if self.process is None:
            return
        for how in (signal.SIGCONT, signal.SIGTERM):
            self.process.send_signal(how)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def is_ready(self) -> bool:
        """Tell whether it says so."""
        try:
            return httpx.get(f"{self.address}/readyz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def workers(self) -> list[int]:
        """Give the processes that serve: its own, or its workers."""
        if not self.is_running:
            return []
        children = [pid for pid in _children(self.pid) if b"spawn_main" in _command_line(pid)]
        return children or [self.pid]


def settings() -> Settings:
    """Give settings that sign as the nodes do."""
    return Settings(_env_file=None, secret_key=SecretStr(SECRET), access_token_seconds=TOKEN_SECONDS)


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _children(pid: int) -> list[int]:
    """Give the children of a process, as Linux tells them."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(child) for child in task.read_text().split()]
    return found


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
