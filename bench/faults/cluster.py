"""What is broken in a fault run: one PostgreSQL and two nodes, the first with two workers."""

import asyncio
import os
import random
import signal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import asyncpg

from bench.faults.tally import Tally
from bench.serving import Node
from gamebuddy.db.embedded import EmbeddedPostgres

# In memory, but as careful as PostgreSQL is by itself: what it has acknowledged survives its crash.
CAREFUL = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
FREEZES = (1, 2, 4, 8)  # seconds
PATIENCE_SECONDS = 60.0

# Found before PostgreSQL's own function, this one swallows every tenth notification. The servers know nothing of it.
LOSSY = """
CREATE SEQUENCE notified;
CREATE FUNCTION public.pg_notify(text, text) RETURNS void LANGUAGE sql
AS $$ SELECT pg_catalog.pg_notify($1, $2) WHERE nextval('public.notified') % 10 <> 0 $$;
ALTER DATABASE gamebuddy SET search_path = public, pg_catalog;
"""
FAITHFUL = """
CREATE OR REPLACE FUNCTION public.pg_notify(text, text) RETURNS void LANGUAGE sql
AS $$ SELECT pg_catalog.pg_notify($1, $2) $$;
"""
KILL_LISTENERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gamebuddy listener'"


class Cluster:
    """The servers of a run, and what can be done to them. An act returns when its harm is over."""

    def __init__(
        self,
        postgres: EmbeddedPostgres,
        keeper: ThreadPoolExecutor,
        nodes: Sequence[Node],
        dice: random.Random,
        tally: Tally,
    ) -> None:
        self.postgres = postgres
        self._keeper = keeper  # PostgreSQL ends with the thread that started it
        self.nodes = nodes
        self._dice = dice
        self._tally = tally
        self._crashing = asyncio.Lock()
        self._frozen: set[int] = set()

    @property
    def addresses(self) -> list[str]:
        """Where clients find the nodes."""
        return [node.address for node in self.nodes]

    async def kill_listeners(self) -> None:
        """End the connections that the processes listen on."""
        connection = await self.connect()
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self._tally.done["listeners killed"] += len(await connection.fetch(KILL_LISTENERS))
        connection.terminate()

    async def crash_postgres(self) -> None:
        """Let PostgreSQL crash, and start it again: it recovers from its log."""
        async with self._crashing:
            await self._count_lost()
            pid = int((self.postgres.data / "postmaster.pid").read_text().splitlines()[0])
            os.kill(pid, signal.SIGQUIT)
            await asyncio.get_running_loop().run_in_executor(self._keeper, self._start_again)
            await self._count_anew()
        self._tally.done["crashes of PostgreSQL"] += 1

    async def freeze_process(self) -> None:
        """Stop a process for a while."""
        pid = await self._some_process()
        self._frozen.add(pid)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
        self._tally.done["processes frozen"] += 1
        try:
            await asyncio.sleep(self._dice.choice(FREEZES))
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
            self._frozen.discard(pid)

    async def kill_process(self) -> None:
        """End a process without a word."""
        pid = await self._some_process()
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        self._tally.done["processes killed by kill -9"] += 1

    async def keep_nodes(self) -> None:
        """Start nodes again that have ended, as the supervisor of a machine does."""
        while True:
            for node in self.nodes:
                if not node.is_running:
                    self._tally.seen["nodes started again by their supervisor"] += 1
                    node.start()
            await asyncio.sleep(0.2)

    async def be_faithful(self) -> None:
        """Lose no more notifications."""
        await self._count_lost()
        connection = await self.connect()
        await connection.execute(FAITHFUL)
        await connection.close()

    async def connect(self) -> asyncpg.Connection:
        """Open a connection of the run's own, as soon as PostgreSQL takes one."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    return await asyncpg.connect(self.postgres.url(), timeout=5)
                await asyncio.sleep(0.1)

    def logged_faults(self) -> list[str]:
        """Give the lines of the nodes' logs that tell of what nobody has foreseen."""
        lines = [line for node in self.nodes for line in node.log.read_text(errors="replace").splitlines()]
        return [line for line in lines if line.startswith("ERROR ") or '"level": "error"' in line]

    def _start_again(self) -> None:
        self.postgres.stop(guests=0)
        self.postgres.start()

    async def _some_process(self) -> int:
        """Choose one of those that serve and are not frozen."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                if pids := [pid for node in self.nodes for pid in node.workers() if pid not in self._frozen]:
                    return self._dice.choice(pids)
                await asyncio.sleep(0.1)

    async def _count_lost(self) -> None:
        connection = await self.connect()
        self._tally.done["notifications lost"] += await connection.fetchval("SELECT last_value FROM notified") // 10
        await connection.close()

    async def _count_anew(self) -> None:
        """A crash lets a sequence skip some numbers, which are not to be counted."""
        connection = await self.connect()
        await connection.execute("SELECT setval('notified', 1)")
        await connection.close()
