"""Measures signing in: whether time tells who exists, and what a crowd does to everybody else. `make bench-accounts`.

Starts a PostgreSQL of its own in memory and a real server on loopback. Times are whole requests, in milliseconds.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from rich.progress import track

from bench.report import console, write
from bench.serving import Node
from gamebuddy import db
from gamebuddy.auth.passwords import Passwords
from gamebuddy.db import Database, migrations
from gamebuddy.db.embedded import EmbeddedPostgres
from gamebuddy.resolvers import games

PASSWORD = "correct horse 7"  # noqa: S105 - of made-up accounts
TRIES = 60
CROWD, LARGE_CROWD = 40, 1_000

type Ask = Callable[[str, dict[str, Any]], Awaitable[httpx.Response]]


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="the page whose part between <!-- accounts --> marks is replaced")
    options = parser.parse_args()
    with EmbeddedPostgres.temporary() as server:
        url = server.url("postgres")
        asyncio.run(_prepare(url))
        with tempfile.TemporaryDirectory() as folder, Node(url, Path(folder)) as node:
            lines = asyncio.run(_measure(node))
    if options.write:
        write(options.write, "accounts", "Signing in", lines)


async def _prepare(url: str) -> None:
    database, passwords = Database(url, statement_timeout_seconds=60), Passwords()
    await migrations.upgrade(database)
    stored = await passwords.hash(PASSWORD)
    async with database.write() as session:
        await games.load_catalogue(session)
        for number in range(TRIES * 2):
            name = f"known_{number}"
            account = db.Account(
                username=name,
                display_name=name,
                role=db.Role.USER,
                email=f"{name}@example.com",
                email_key=f"{name}@example.com",
                email_verified_at=datetime.now(UTC),
                password_hash=stored,
            )
            session.add(account)
            await session.flush()
            session.add(db.Profile(account_id=account.id))
    await passwords.close()
    await database.close()


async def _measure(node: Node) -> list[str]:
    limits = httpx.Limits(max_connections=LARGE_CROWD + 50)
    async with httpx.AsyncClient(base_url=node.address, timeout=120, limits=limits) as client:

        async def ask(operation: str, given: dict[str, Any]) -> httpx.Response:
            kind = operation[0].upper() + operation[1:] + "Input"
            query = f"mutation($i: {kind}!) {{ {operation}(input: $i) {{ userErrors {{ code }} }} }}"
            return await client.post("/graphql", json={"query": query, "variables": {"i": given}})

        lines = ["", "| known against unknown, interleaved | known ms | unknown ms | ratio (demand 0.8 to 1.25) |",
                 "|---|---|---|---|"]  # fmt: skip
        for operation, make in WAYS.items():
            lines.append(await _known_and_unknown(ask, operation, make))
        lines += ["", *await _crowd(client, ask), *await _large_crowd(ask, node.pid), ""]
    return lines


def _sign_in(number: int, *, is_known: bool) -> dict[str, Any]:
    return {"login": f"{'known' if is_known else 'nobody'}_{number}", "password": "wrong horse 7"}


def _register(number: int, *, is_known: bool) -> dict[str, Any]:
    email = f"known_{number}@example.com" if is_known else f"nobody_{number}@example.com"
    return {"email": email, "username": f"new_{number}_{int(is_known)}", "password": PASSWORD}


def _by_login(number: int, *, is_known: bool) -> dict[str, Any]:
    return {"login": f"{'known' if is_known else 'nobody'}_{TRIES + number}"}


def _by_email(number: int, *, is_known: bool) -> dict[str, Any]:
    return {"email": f"{'known' if is_known else 'stranger'}_{TRIES + number}@example.com"}


WAYS: dict[str, Callable[..., dict[str, Any]]] = {
    "signIn": _sign_in,
    "register": _register,
    "requestPasswordReset": _by_login,
    "recoverUsername": _by_email,
}


async def _known_and_unknown(ask: Ask, operation: str, make: Callable[..., dict[str, Any]]) -> str:
    times: dict[bool, list[float]] = {True: [], False: []}
    for number in track(range(TRIES), operation, console=console, transient=True):
        for is_known in (True, False) if number % 2 else (False, True):
            began = time.perf_counter()
            await ask(operation, make(number, is_known=is_known))
            times[is_known].append((time.perf_counter() - began) * 1000)
    known, unknown = statistics.median(times[True]), statistics.median(times[False])
    line = f"| {operation} | {known:.1f} | {unknown:.1f} | {known / unknown:.2f} |"
    console.print(line)
    return line


async def _crowd(client: httpx.AsyncClient, ask: Ask) -> list[str]:
    """Let forty sign in at once and ask for the health of the server meanwhile."""
    waits: list[float] = []
    is_over = asyncio.Event()

    async def poll() -> None:
        while not is_over.is_set():
            began = time.perf_counter()
            await client.get("/healthz")
            waits.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(0.005)

    polling = asyncio.create_task(poll())
    began = time.perf_counter()
    await asyncio.gather(
        *(ask("signIn", {"login": f"known_{number}@example.com", "password": PASSWORD}) for number in range(CROWD))
    )
    seconds = time.perf_counter() - began
    is_over.set()
    await polling
    waits.sort()
    p99 = waits[int(0.99 * len(waits))]
    line = (
        f"- {CROWD} sign-ins at once: {CROWD / seconds:.0f} a second; meanwhile /healthz answers in"
        f" {statistics.median(waits):.1f} ms, p99 {p99:.1f} (demand for the loop's lag: 50)."
    )
    console.print(line)
    return [line]


async def _large_crowd(ask: Ask, pid: int) -> list[str]:
    before = _resident(pid)
    began = time.perf_counter()
    answers = await asyncio.gather(
        *(ask("signIn", _sign_in(number, is_known=False)) for number in range(LARGE_CROWD)), return_exceptions=True
    )
    seconds = time.perf_counter() - began
    cut = sum(isinstance(answer, BaseException) for answer in answers)
    busy = sum(isinstance(answer, httpx.Response) and "UNAVAILABLE" in answer.text for answer in answers)
    line = (
        f"- {LARGE_CROWD:,} sign-ins at once: {busy} refused as UNAVAILABLE, {cut} cut, all over after {seconds:.1f} s;"
        f" the server grew by {(_resident(pid) - before) / 1024:.0f} MB (demand: 100)."
    )
    console.print(line)
    return [line]


def _resident(pid: int) -> int:
    """Tell the resident memory of a process, in kB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


if __name__ == "__main__":
    main()
