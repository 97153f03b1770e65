"""Server processes that are stopped, killed and started again."""

import asyncio
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.test_cli import GAMEBUDDY, PATIENCE, environment

ESTABLISHED = "01"  # in /proc/net/tcp


@dataclass
class Node:
    """One node: always the same port and settings, one process after the other."""

    settings: dict[str, str]
    workers: int = 1
    before_it_begins: Callable[[], None] | None = None  # in the new process
    log: int | None = None  # where its standard error goes; else where that of the tests goes
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def port(self) -> int:
        return int(self.settings["GAMEBUDDY_PORT"])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it, if it does not run, and wait until it is ready."""
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen(  # noqa: ASYNC220
                [*GAMEBUDDY, "serve", "--workers", str(self.workers)],
                env=environment(**self.settings),
                stdout=subprocess.DEVNULL,
                stderr=self.log,
                preexec_fn=self.before_it_begins,  # noqa: PLW1509 - no other thread is forked in its middle
            )
        async with asyncio.timeout(2 * PATIENCE), httpx.AsyncClient() as http:
            while True:
                assert self.process.poll() is None, "the node has ended"
                try:
                    if (await http.get(f"{self.url}/readyz")).status_code == 200:
                        return
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(0.1)

    def holders(self) -> list[int]:
        """Give the processes that hold its connections, once for each."""
        assert self.process is not None
        lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        here = f":{self.port:04X}"
        sockets = {f"socket:[{line[9]}]" for line in lines if line[1].endswith(here) and line[3] == ESTABLISHED}
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [
            int(pid)
            for pid in (str(self.process.pid), *children)
            for link in Path(f"/proc/{pid}/fd").iterdir()
            if str(link.readlink()) in sockets
        ]

    async def stop(self) -> int:
        """Tell it to stop, wait until it has, and give its status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self.process.wait, PATIENCE)

    def kill(self) -> None:
        """Kill it where it stands."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(PATIENCE)
