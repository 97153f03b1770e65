"""Measures how many durable messages a process writes, one transaction each and together. `make bench-posts` runs it.

Starts a PostgreSQL of its own on the disk, with fsync, as it is in production. Writers send one message after the
other, each as soon as the one before is answered. Both ways use the same statements; they take turns in short rounds,
so that what else the machine does falls on both. First the write path alone, called in one process; then all of it:
real servers, GraphQL over HTTP. Afterwards every chat is looked at for holes.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import multiprocessing
import random
import statistics
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import uvicorn
from pydantic import SecretStr

from bench import talk
from bench.report import Times, console, progress_bars, say, write
from gamebuddy import db
from gamebuddy.app import create_app
from gamebuddy.auth.gate import Gate
from gamebuddy.auth.throttle import Throttle
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import Database, Role, migrations
from gamebuddy.db.embedded import EmbeddedPostgres
from gamebuddy.errors import retry_later
from gamebuddy.files import Files
from gamebuddy.resolvers import reports
from gamebuddy.resolvers.chat import Draft, Outbox
from gamebuddy.resolvers.chat.drafts import check_draft
from gamebuddy.resolvers.wording import WordFilter
from gamebuddy.schema import ids
from gamebuddy.schema.ids import Kind
from gamebuddy.settings import Settings

SERVER = {"shared_buffers": "256MB", "max_wal_size": "4GB", "fsync": "on", "synchronous_commit": "on"}
SECRET = "of a benchmark, and long enough for it"  # noqa: S105 - signs tokens of made-up accounts
ALONE, TOGETHER = "a transaction each", "together"
FIRST_PORT = 8_770
POOL = 10
TEXT = "Сегодня в восемь? " * 8
SEND = "mutation($i: SendMessageInput!) { sendMessage(input: $i) { message { id seq } userErrors { code } } }"

type Seat = tuple[uuid.UUID, uuid.UUID]  # an account, and a chat that it is in
type Send = Callable[[Seat], Awaitable[None]]


def _no_words(database: Database) -> WordFilter:
    """Give the filter of a new place, which has no rules."""
    return WordFilter(database, tell_staff=reports.file_flagged)


class Single(Outbox):
    """Sends each message in a transaction of its own: as many at once as there are connections."""

    def __init__(self, database: Database, *, throttle: Throttle, files: Files) -> None:
        super().__init__(database, throttle=throttle, files=files, words=_no_words(database))
        self._room = asyncio.Semaphore(POOL)

    async def send(self, viewer: Viewer, draft: Draft) -> db.Message:
        """Send it by the statements that many would share."""
        check_draft(draft)
        async with self._room:
            (retry_at,) = await self._count([viewer.account_id])
            if retry_at is not None:
                raise retry_later("", retry_at)
            (outcome,) = await self._write([(viewer, draft)], waits=True)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


@dataclass
class Way:
    """One of the two ways: how to send, and what came of it in each round."""

    name: str
    send: Send
    times: Times = field(default_factory=lambda: Times(""))
    rates: list[float] = field(default_factory=list)
    failures: int = 0


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--players", type=int, default=4_000)
    parser.add_argument("--chats", type=int, default=8_000)
    parser.add_argument("--rounds", type=int, default=3, help="of each way")
    parser.add_argument("--seconds", type=float, default=6, help="a round")
    parser.add_argument("--writers", type=int, nargs="+", default=[1, 64, 256])
    parser.add_argument("--http-writers", type=int, nargs="+", default=[1, 64])
    parser.add_argument("--seed", type=int, default=20261126)
    parser.add_argument("--write", type=Path, help="the page whose part between <!-- posts --> marks is replaced")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="gamebuddy-bench-", dir="/var/tmp", ignore_cleanup_errors=True) as folder,
        _passable(Path(folder)),
        EmbeddedPostgres(Path(folder) / "data", settings=SERVER) as server,
    ):
        lines = asyncio.run(_run(server.url("postgres"), options))
    if options.write:
        write(options.write, "posts", "Messages that are written at once", lines)


@contextlib.contextmanager
def _passable(folder: Path) -> Iterator[None]:
    """Let root's server through, which runs as another user."""
    folder.chmod(0o711)
    yield


async def _run(url: str, options: argparse.Namespace) -> list[str]:
    database = Database(url, statement_timeout_seconds=600)
    await migrations.upgrade(database)
    await database.close()
    with progress_bars() as progress:
        await talk.load(url, options.players, options.chats, options.chats * 10, options.seed, progress)
    connection = await asyncpg.connect(url)
    # Everybody writes in chats of his own first: whom the limit of 5 a second would hold is not what is measured here.
    seats = [(row["account_id"], row["chat_id"]) for row in await connection.fetch("SELECT * FROM chat_members")]
    random.Random(options.seed).shuffle(seats)
    before = await _numbers(connection)
    lines = [
        say(
            f"{options.players:,} players, {options.chats:,} chats; {options.rounds} rounds of {options.seconds:g} s"
            f" each way; fsync is on; each way has {POOL} connections and one process."
        )
    ]
    for title, ways, writers in (
        ("The write path, called", _called, options.writers),
        ("GraphQL over HTTP", _over_http, options.http_writers),
    ):
        async with ways(url) as both:
            lines += ["", f"{title}:", "", *await _compare(both, seats, writers, options)]
    lines += ["", say(await _verdict(connection, before))]
    await connection.close()
    return lines


async def _compare(
    ways: Sequence[Way], seats: Sequence[Seat], counts: Sequence[int], options: argparse.Namespace
) -> list[str]:
    lines = ["| writers | way | posts/s (median round) | p50 ms | p99 ms | x |", "|---|---|---|---|---|---|"]
    for writers in counts:
        for way in ways:
            way.times, way.rates, way.failures = Times(way.name), [], 0
        for _ in range(options.rounds):
            for way in ways:
                await _round(way, _shares(seats, writers), options.seconds)
        floor = statistics.median(ways[0].rates)
        for way in ways:
            rate = statistics.median(way.rates)
            p50, p99 = way.times.quantile(0.5), way.times.quantile(0.99)
            failed = f" ({way.failures} failed)" if way.failures else ""
            lines.append(
                f"| {writers} | {way.name} | {rate:,.0f}{failed} | {p50:.1f} | {p99:.1f} | {rate / floor:.1f} |"
            )
            console.print(lines[-1])
    return lines


def _shares(seats: Sequence[Seat], writers: int) -> list[Iterator[Seat]]:
    """Give each writer accounts that no other one has: nobody sends two messages at the same moment."""
    by_account: dict[uuid.UUID, list[Seat]] = {}
    for seat in seats:
        by_account.setdefault(seat[0], []).append(seat)
    accounts = list(by_account.values())
    random.shuffle(accounts)
    return [
        itertools.cycle([random.choice(of_one) for of_one in accounts[number::writers]]) for number in range(writers)
    ]


async def _round(way: Way, shares: Sequence[Iterator[Seat]], seconds: float) -> None:
    ends = time.perf_counter() + seconds
    sent = 0

    async def send_on(share: Iterator[Seat]) -> None:
        nonlocal sent
        while time.perf_counter() < ends:
            seat = next(share)
            try:
                with way.times.measure():
                    await way.send(seat)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is counted
                if not way.failures:
                    console.print(f"{way.name}: {error!r}")
                way.failures += 1
            else:
                sent += 1

    began = time.perf_counter()
    await asyncio.gather(*(send_on(share) for share in shares))
    way.rates.append(sent / (time.perf_counter() - began))


@contextlib.asynccontextmanager
async def _called(url: str) -> AsyncIterator[list[Way]]:
    """Call the outbox as the schema does."""
    settings = _settings(url)
    gate = Gate(settings)
    files = Files(settings, gate.keys, path="/files")
    databases = [Database(url, pool_size=POOL) for _ in range(2)]

    def sender(outbox: Outbox) -> Send:
        async def send(seat: Seat) -> None:
            account_id, chat_id = seat
            viewer = Viewer(account_id=account_id, session_id=account_id, role=Role.USER, locale="en")  # see talk
            await outbox.send(viewer, Draft(chat_id=chat_id, client_id=uuid.uuid4(), text=TEXT))

        return send

    throttle = gate.throttle
    yield [
        Way(ALONE, sender(Single(databases[0], throttle=throttle, files=files))),
        Way(TOGETHER, sender(Outbox(databases[1], throttle=throttle, files=files, words=_no_words(databases[1])))),
    ]
    for database in databases:
        await database.close()
    await files.close()
    await gate.close()


@contextlib.asynccontextmanager
async def _over_http(url: str) -> AsyncIterator[list[Way]]:
    """Ask two servers, one for each way, over loopback."""
    tokens = Gate(_settings(url)).tokens
    ways, processes = [], []
    for number, name in enumerate((ALONE, TOGETHER)):
        port = FIRST_PORT + number
        process = multiprocessing.get_context("spawn").Process(target=_serve, args=(url, port, name), daemon=True)
        process.start()
        processes.append(process)
        client = Client(port)
        await client.ready()
        ways.append(Way(name, client.sender(lambda account_id: tokens.issue(account_id, account_id)[0])))
    yield ways
    for process in processes:
        process.terminate()
        process.join()


def _serve(url: str, port: int, name: str) -> None:
    """Serve as `gamebuddy serve` does, one of the two ways."""
    app = create_app(_settings(url), database_url=url)
    services = app.state.services
    if name == ALONE:
        single = Single(services.database, throttle=services.gate.throttle, files=services.files)
        object.__setattr__(services, "outbox", single)
    uvicorn.run(
        app, host="127.0.0.1", port=port, log_config=None, access_log=False, proxy_headers=False, timeout_keep_alive=600
    )


def _settings(url: str) -> Settings:
    return Settings(
        _env_file=None,
        database_url=SecretStr(url),
        secret_key=SecretStr(SECRET),
        log_format="json",
        pool_size=POOL,
        access_token_seconds=3_600,
        data_dir=Path(tempfile.gettempdir()),
    )


class Client:
    """A client that costs little: one connection for each request under way, kept alive."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ready(self) -> None:
        """Wait for the server."""
        async with asyncio.timeout(60):
            while True:
                with contextlib.suppress(OSError):
                    await self.post("", {"query": "{ __typename }"})
                    return
                await asyncio.sleep(0.2)

    def sender(self, token_of: Callable[[uuid.UUID], str]) -> Send:
        """Make the way to send a message."""
        tokens: dict[uuid.UUID, str] = {}

        async def send(seat: Seat) -> None:
            account_id, chat_id = seat
            token = tokens.get(account_id) or tokens.setdefault(account_id, token_of(account_id))
            message = {"chatId": ids.write(Kind.CHAT, chat_id), "clientId": str(uuid.uuid4()), "text": TEXT}
            answer = await self.post(token, {"query": SEND, "variables": {"i": message}})
            if "errors" in answer or answer["data"]["sendMessage"]["message"] is None:
                raise RuntimeError(answer)

        return send

    async def post(self, token: str, body: dict[str, Any]) -> Any:
        """Post an operation and give the answer."""
        reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", self._port)
        content = json.dumps(body).encode()
        head = "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        head += f"Content-Length: {len(content)}\r\n" + (f"Authorization: Bearer {token}\r\n" if token else "")
        writer.write(head.encode() + b"\r\n" + content)
        answered = await reader.readuntil(b"\r\n\r\n")
        length = int(answered.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        answer = json.loads(await reader.readexactly(length))
        self._idle.append((reader, writer))
        return answer


async def _numbers(connection: asyncpg.Connection) -> dict[uuid.UUID, tuple[int, int]]:
    rows = await connection.fetch("SELECT id, last_seq, message_count FROM chats")
    return {row["id"]: (row["last_seq"], row["message_count"]) for row in rows}


async def _verdict(connection: asyncpg.Connection, before: dict[uuid.UUID, tuple[int, int]]) -> str:
    """Compare what was given out with what stands there: no hole and nothing twice."""
    rows = await connection.fetch(
        "SELECT chat_id, min(seq) AS first, max(seq) AS last, count(*) AS events, count(DISTINCT seq) AS numbers"
        " FROM events GROUP BY chat_id"
    )
    after, wrong, total = await _numbers(connection), 0, 0
    for row in rows:
        was, now = before[row["chat_id"]], after[row["chat_id"]]
        taken = now[0] - was[0]
        total += row["events"]
        is_whole = row["first"] == was[0] + 1 and row["last"] == now[0]
        wrong += not (is_whole and row["events"] == row["numbers"] == taken == now[1] - was[1])
    return f"{total:,} messages in {len(rows):,} chats; chats with a hole or a double: {wrong}."


if __name__ == "__main__":
    main()
