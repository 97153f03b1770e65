"""Programs from npm, run by the real Node: pinned in package-lock.json."""

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest

FOLDER = Path(__file__).parent
INSTALLED = FOLDER / "node_modules" / ".package-lock.json"  # npm writes it last
PATIENCE = 40  # seconds that a program may take


@dataclass(frozen=True)
class Node:
    """Runs the scripts of this folder."""

    program: str

    @classmethod
    def with_packages(cls) -> Self:
        """Find Node and install what the lock names; without npm the test is skipped, and fails in CI."""
        program, npm = shutil.which("node"), shutil.which("npm")
        if program is None or npm is None:
            missing = "node and npm are not installed"
            if os.environ.get("CI"):
                pytest.fail(missing, pytrace=False)
            pytest.skip(missing)
        with (FOLDER / ".npmrc").open() as lock:  # of several workers one installs
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not INSTALLED.exists() or INSTALLED.stat().st_mtime < (FOLDER / "package-lock.json").stat().st_mtime:
                subprocess.run([npm, "ci", "--silent", "--no-fund", "--no-audit"], cwd=FOLDER, check=True)
        return cls(program)

    async def run(self, script: str, *arguments: str) -> str:
        """Run a script to its end and give what it prints; one that fails fails the test with what it complains of."""
        process = await asyncio.create_subprocess_exec(
            self.program, script, *arguments, cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            async with asyncio.timeout(PATIENCE):
                printed, complaints = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode == 0, f"{script}:\n{printed.decode()}\n{complaints.decode()}"
        return printed.decode()

    @contextlib.asynccontextmanager
    async def running(self, script: Path, **given: Any) -> AsyncIterator["Program"]:
        """Start a script that tells what it sees, a line of JSON each; `given` is its argument, as JSON."""
        process = await asyncio.create_subprocess_exec(
            self.program, str(script), json.dumps(given), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            yield Program(process)
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


@dataclass
class Program:
    """A script that runs, and what it has told so far."""

    process: asyncio.subprocess.Process
    told: list[dict[str, Any]] = field(default_factory=list)

    async def next(self) -> dict[str, Any]:
        """Give what it tells next; one that ends instead fails the test with what it complains of."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            line = await self.process.stdout.readline()
            assert line, (await self.process.stderr.read()).decode()
        self.told.append(json.loads(line))
        return self.told[-1]

    async def until(self, **expected: Any) -> dict[str, Any]:
        """Read on until it tells something with these values."""
        while True:
            told = await self.next()
            if expected.items() <= told.items():
                return told
