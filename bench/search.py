"""Measures the search: exact, how fast, and how much faster than the textbook. `make bench-search` runs it.

Starts a PostgreSQL of its own in memory, fills it with a made-up world, and asks as many random viewers as told. Times
are of one statement as the application sends it, in milliseconds, warm; what is compared takes turns. Every answer is
compared with the textbook's.
"""

import argparse
import random
import re
import statistics
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import uvloop
from pydantic import SecretStr
from rich.table import Table
from sqlalchemy import select, text
from starlette.types import ASGIApp, Message

from bench import textbook, world
from bench.report import Times, console, progress_bars, say, write
from gamebuddy import db
from gamebuddy.app import create_app, spare_the_collector
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import Database, ReadSession, migrations
from gamebuddy.db.embedded import EmbeddedPostgres
from gamebuddy.resolvers import games, profiles, reports
from gamebuddy.resolvers.matching import Question, Weights
from gamebuddy.resolvers.profiles import GameChoice
from gamebuddy.resolvers.search import Filter, Place, asking, finding, loading
from gamebuddy.resolvers.wording import WordFilter
from gamebuddy.settings import Settings

PAGE = 20
PLANS, PLAN_WIDTH = Path("docs/plans/search.txt"), 200
DEEP_PAGE = 10
TURNS = 3  # of each viewer; his time is the median
SERVER = {
    "shared_buffers": "2GB", "maintenance_work_mem": "1GB", "work_mem": "64MB", "max_wal_size": "8GB",
    "checkpoint_timeout": "1h", "autovacuum": "off",
}  # fmt: skip
LEASES = """INSERT INTO leases (account_id, node, until, active_at)
SELECT account_id, account_id, now() + interval '1 hour', now() FROM profiles
WHERE hashtext(account_id::text) % 33 = 0"""  # about one of 33 is here
# Ten fields of a player, his games, the score, and a line for each reason: what a list of an app shows.
OPERATION = """{ teammates(first: 20) {
  edges {
    node { id username displayName
           profile { bio region languages platforms playStyle voiceChat ageBand games { rating game { title } } } }
    match { score reasons { signal contribution text(locale: "en") } }
  }
  pageInfo { endCursor hasNextPage }
} }"""


@dataclass
class Asker:
    """A viewer and his question."""

    viewer: Viewer
    question: Question
    facts: loading.GameFacts
    filter: Filter = field(default_factory=Filter)


def main() -> None:
    """Run what the command line asks for."""
    options = _options()
    lines: list[str] = []
    medians: dict[int, float] = {}
    for count in options.profiles:
        with EmbeddedPostgres.temporary(settings=SERVER) as server:
            lines += uvloop.run(_run(server.url("postgres"), count, options, medians))  # as uvicorn runs
    if len(medians) > 1:
        few, many = min(medians), max(medians)
        lines.append(
            f"Growth of the median from {few:,} to {many:,} players: {medians[many] / medians[few]:.1f} x (goal: 4)."
        )
        console.print(lines[-1])
    if options.write:
        write(options.write, "search", "Search", lines)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--profiles", type=lambda text: [int(n) for n in text.split(",")], default=[10_000, 100_000, 1_000_000]
    )
    parser.add_argument("--viewers", type=int, default=300)
    parser.add_argument("--textbook", type=int, default=40, help="viewers whom the textbook answers too")
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--write", type=Path, help="the page whose part between <!-- search --> marks is replaced")
    return parser.parse_args()


async def _run(url: str, count: int, options: argparse.Namespace, medians: dict[int, float]) -> list[str]:
    database = Database(url, statement_timeout_seconds=600)
    try:
        await migrations.upgrade(database)
        async with database.write() as session:
            await games.load_catalogue(session)
        connection = await asyncpg.connect(url)
        with progress_bars() as progress:
            await world.load(connection, count, options.seed, progress)
        await connection.close()
        is_last = count == options.profiles[-1]
        return await _measure(database, count, options, is_last=is_last, medians=medians)
    finally:
        await database.close()


async def _measure(
    database: Database, count: int, options: argparse.Namespace, *, is_last: bool, medians: dict[int, float]
) -> list[str]:
    rng = random.Random(options.seed)
    size = await _size(database)
    async with database.read() as session:
        ids = await _viewers(session, rng, options.viewers)
    floor, found, book = Times("floor: 20 known rows"), Times("search"), Times("textbook")
    wrong = 0
    with progress_bars() as progress:
        task = progress.add_task("Asking", total=len(ids))
        for number, account_id in enumerate(ids):
            async with database.read() as session:
                asker = await _asker(session, account_id)
                rows = await _ask(session, asker)
                known = [row.account_id for row in rows]
                await _known(session, known)
                await _in_turn((found, lambda: _ask(session, asker)), (floor, lambda: _known(session, known)))  # noqa: B023
            if number < options.textbook:
                async with database.read() as session:
                    with book.measure():
                        expected = await _textbook(session, asker)
                wrong += [tuple(row) for row in rows] != [tuple(row) for row in expected]
            progress.advance(task)
    medians[count] = found.quantile(0.5)
    lines = [
        f"{count:,} players, {len(ids)} viewers, the median of {TURNS} first pages of {PAGE} for each; {size}.",
        *_table(floor, found, book, wrong),
    ]
    if is_last:
        lines.append(say(f"The slowest of them waited {max(found.all):.0f} ms (goal: 150)."))
        lines += await _pages(database, ids[:50])
        lines += await _filters(database, ids[:60])
        lines += await _operations(database, ids[:60])
        lines += await _updates(database, ids[:100])  # last: it gives everybody the six games that most play
        lines += await _plan(database, ids[0], count)
    return lines


async def _in_turn(*ways: tuple[Times, Callable[[], Awaitable[Any]]]) -> None:
    """Measure ways in turn, and add the median of each: what slows a single one down is the weather."""
    taken = [Times(times.name) for times, _ in ways]
    for _ in range(TURNS):
        for turn, (_, go) in zip(taken, ways, strict=True):
            with turn.measure():
                await go()
    for turn, (times, _) in zip(taken, ways, strict=True):
        times.all.append(turn.quantile(0.5))


async def _size(database: Database) -> str:
    connection = await asyncpg.connect(database.url)
    ((entries, pages, index),) = await connection.fetch(
        "SELECT count(*), pg_size_pretty(pg_table_size('search_entries')),"
        " pg_size_pretty(pg_relation_size('ix_search_entries_cell_rating')) FROM search_entries"
    )
    await connection.close()
    return f"{entries:,} search entries, {pages} and {index} for their index"


async def _viewers(session: ReadSession, rng: random.Random, count: int) -> list[uuid.UUID]:
    fresh = select(db.Profile.account_id).where(
        db.Profile.is_looking_for_teammates, db.Profile.active_on >= datetime.now(UTC).date().replace(day=1)
    )
    ids = sorted(await session.scalars(fresh.limit(200_000)))
    return rng.sample(ids, min(count, len(ids)))


async def _asker(session: ReadSession, account_id: uuid.UUID, filter: Filter | None = None) -> Asker:
    viewer = Viewer(account_id=account_id, session_id=account_id, role=db.Role.USER, locale="en")
    wanted = filter or Filter()
    me, facts = await loading.load_searcher(session, account_id, wanted)
    question = finding.question_of(me, Weights.of(), finding.new_ground(me, facts), facts, wanted)
    return Asker(viewer, question, facts, wanted)


async def _ask(session: ReadSession, asker: Asker, limit: int = PAGE, hint: int | None = None) -> Sequence[Any]:
    return await finding.list_candidates(
        session, asker.viewer, asker.question, asker.facts, asker.filter, limit=limit, hint=hint
    )


async def _next_page(session: ReadSession, asker: Asker, after: Place) -> Sequence[Any]:
    return await finding.list_unseen(
        session, asker.viewer, asker.question, asker.facts, asker.filter, limit=PAGE, after=after
    )


async def _textbook(session: ReadSession, asker: Asker) -> Sequence[Any]:
    return await textbook.textbook(session, asker.viewer, asker.question, asker.filter, limit=PAGE)


async def _known(session: ReadSession, ids: Sequence[uuid.UUID]) -> None:
    rows = await session.execute(select(db.Profile).where(db.Profile.account_id.in_(ids)))
    rows.all()
    session.expunge_all()


def _table(floor: Times, found: Times, book: Times, wrong: int) -> list[str]:
    table = Table("way", "p50", "p95", "p99", "x the floor", "x the textbook", "wrong")
    lines = ["", "| way | p50 ms | p95 | p99 | x the floor | textbook / it | wrong |", "|---|---|---|---|---|---|---|"]
    for times in (floor, found, book):
        if not times.all:
            continue
        quantiles = [f"{times.quantile(share):.1f}" for share in (0.5, 0.95, 0.99)]
        over = f"{times.quantile(0.5) / floor.quantile(0.5):.1f}"
        less = f"{book.quantile(0.5) / times.quantile(0.5):.1f}" if book.all else ""
        cells = [times.name, *quantiles, over, less, f"{wrong} of {len(book.all)}" if times is found else ""]
        table.add_row(*cells)
        lines.append(f"| {' | '.join(cells)} |")
    console.print(table)
    return [*lines, ""]


async def _pages(database: Database, ids: Sequence[uuid.UUID]) -> list[str]:
    first, deep = Times("page 1"), Times(f"page {DEEP_PAGE}")
    for account_id in ids:
        async with database.read() as session:
            asker = await _asker(session, account_id)
            all_pages = await _ask(session, asker, PAGE * DEEP_PAGE)
            if len(all_pages) < PAGE * DEEP_PAGE:
                continue
            with first.measure():
                await _ask(session, asker)
            before = all_pages[: PAGE * (DEEP_PAGE - 1)]
            seen = b"".join(row.account_id.bytes[-asking.MARK_BYTES :] for row in before)
            ground = replace(finding.new_ground(asker.question.viewer, asker.facts), best=before[0].score)
            place = Place(ground, seen, before[-1].score)
            await _next_page(session, asker, place)
            with deep.measure():
                rows = await _next_page(session, asker, place)
            assert [tuple(row) for row in rows] == [tuple(row) for row in all_pages[len(before) :]]  # noqa: S101
    return [say(f"Page {DEEP_PAGE}: {_ratio(deep, first)} (goal: 2); {len(deep.all)} viewers.")]


async def _filters(database: Database, ids: Sequence[uuid.UUID]) -> list[str]:
    wrong, lines = 0, []
    singles: dict[str, Callable[[Asker], Filter]] = {
        "one game": lambda a: Filter(game_ids=(a.question.terms[0].game_id,)),
        "genres": lambda _: Filter(genre_ids=liked),
        "regions": lambda a: Filter(regions=(a.question.viewer.region or db.Region.EUROPE,)),
        "platforms": lambda _: Filter(platforms=(db.Platform.PLAYSTATION,)),
        "languages": lambda _: Filter(languages=("en",)),
        "ratings": lambda _: Filter(min_rating=1400, max_rating=1700),
        "play styles": lambda _: Filter(play_styles=(db.PlayStyle.COMPETITIVE,)),
        "voice chats": lambda _: Filter(voice_chats=(db.VoiceChat.PREFERRED,)),
        "age bands": lambda _: Filter(age_bands=(db.AgeBand.FROM_18_TO_24,)),
        "reputation": lambda _: Filter(min_reputation=0.8),
        "common hours": lambda _: Filter(min_overlap_hours=10),
        "activity": lambda _: Filter(active_within_days=3),
        "here": lambda _: Filter(is_online=True),
        "three at once": lambda _: Filter(
            min_reputation=0.7, voice_chats=(db.VoiceChat.PREFERRED,), active_within_days=14
        ),
    }
    async with database.write() as session:
        await session.execute(text(LEASES))
    async with database.read() as session:
        liked = tuple((await session.scalars(select(db.Genre.id).order_by(db.Genre.number).limit(2))).all())
    filtered = {name: Times(name) for name in singles}
    beside = {name: Times("without") for name in singles}
    with progress_bars() as progress:
        for number, account_id in enumerate(progress.track(ids, description="Filtering")):
            async with database.read() as session:
                asker = await _asker(session, account_id)
                # Each filter beside the search without: both in the same weather.
                for name, make in singles.items():
                    limited = await _asker(session, account_id, make(asker))
                    await _ask(session, limited)
                    await _ask(session, asker)
                    await _in_turn(
                        (beside[name], lambda: _ask(session, asker)),  # noqa: B023
                        (filtered[name], lambda: _ask(session, limited)),  # noqa: B023
                    )
                    if number < 2:
                        rows = await _ask(session, limited)
                        expected = await _textbook(session, limited)
                        wrong += [tuple(row) for row in rows] != [tuple(row) for row in expected]
    plain = Times("without", [time for times in beside.values() for time in times.all])
    for name, times in filtered.items():
        ratio = _ratio(times, beside[name])
        lines.append(f"| {name} | {times.quantile(0.5):.1f} | {times.quantile(0.95):.1f} | {ratio} |")
        console.print(lines[-1])
    return [
        "",
        f"With filters, {len(ids)} viewers (goal: 2 x). Of {2 * len(singles)} answers {wrong} are not the textbook's.",
        "",
        "| filter | p50 ms | p95 | |",
        "|---|---|---|---|",
        f"| none | {plain.quantile(0.5):.1f} | {plain.quantile(0.95):.1f} | |",
        *lines,
        "",
    ]


async def _updates(database: Database, ids: Sequence[uuid.UUID]) -> list[str]:
    """Measure updates, whole and in PostgreSQL alone: it tells how long each statement took it, triggers included."""
    whole, inside = Times("update"), Times("in PostgreSQL")
    told: list[float] = []

    def listen(_: object, notice: object) -> None:
        told.extend(float(found) for found in re.findall(r"duration: ([\d.]+) ms", str(notice)))

    async with database.read() as session:
        chosen = (await session.scalars(select(db.Game.id).order_by(db.Game.player_count.desc()).limit(6))).all()
    async with database.write() as session:
        raw: asyncpg.Connection = (await (await session.connection()).get_raw_connection()).driver_connection  # type: ignore[assignment]
        raw.add_log_listener(listen)
        await raw.execute("SET client_min_messages = log; SET log_min_duration_statement = 0")
    words = WordFilter(database, tell_staff=reports.file_flagged)
    for number, account_id in enumerate(ids):
        viewer = Viewer(account_id=account_id, session_id=account_id, role=db.Role.USER, locale="en")
        choices = [GameChoice(game_id=game_id, rating=1000 + number) for game_id in chosen]
        told.clear()
        with whole.measure():
            async with database.write() as session:
                await profiles.update_profile(
                    session, viewer, {"games": choices, "bio": f"update {number}"}, words=words
                )
        inside.all.append(sum(told))
    await raw.execute("RESET client_min_messages; RESET log_min_duration_statement")
    raw.remove_log_listener(listen)
    return [
        say(
            f"Update of a profile to six other games: p50 {whole.quantile(0.5):.1f} ms, p99 {whole.quantile(0.99):.1f};"
            f" of these in PostgreSQL p50 {inside.quantile(0.5):.1f}, p99 {inside.quantile(0.99):.1f} (goal: 5)."
        )
    ]


async def _operations(database: Database, ids: Sequence[uuid.UUID]) -> list[str]:
    """Compare the whole GraphQL operation with its statement; it goes through the application without a network."""
    settings = Settings(
        _env_file=None,
        database_url=SecretStr(database.url),
        secret_key=SecretStr("of a benchmark, and long enough for it"),
        log_format="json",
    )
    app = create_app(settings, database_url=database.url)
    spare_the_collector()
    whole, statement = Times("operation"), Times("statement")
    async with app.router.lifespan_context(app):
        services = app.state.services
        for account_id in ids:
            session_id = db.new_id()
            async with database.write() as session:
                now = datetime.now(UTC)
                session.add(
                    db.Session(
                        id=session_id,
                        account_id=account_id,
                        salt=b"",
                        last_used_at=now,
                        expires_at=now.replace(year=now.year + 1),
                    )
                )
            token, _ = services.gate.tokens.issue(account_id, session_id)
            async with database.read() as session:
                asker = await _asker(session, account_id)
                await _ask(session, asker)
                with statement.measure():
                    await _ask(session, asker)
            await _post(app, OPERATION, token)
            with whole.measure():
                answer = await _post(app, OPERATION, token)
            assert b'"errors"' not in answer, answer  # noqa: S101
    told = (
        f"Whole operation (20 players, games, reasons): p50 {whole.quantile(0.5):.1f} ms, its statement"
        f" {statement.quantile(0.5):.1f} (goal: 1.5 x + 5 ms = {1.5 * statement.quantile(0.5) + 5:.1f})."
    )
    return [say(told)]


async def _post(app: ASGIApp, query: str, token: str) -> bytes:
    """Send an operation as uvicorn hands it over: what a client does with it is not the server's time."""
    body, answer = orjson.dumps({"query": query}), bytearray()
    headers = {"host": "bench", "content-type": "application/json", "authorization": f"Bearer {token}"}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("bench", 80),
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        answer.extend(message.get("body", b""))

    await app(scope, receive, send)
    return bytes(answer)


async def _plan(database: Database, account_id: uuid.UUID, count: int) -> list[str]:
    """Let PostgreSQL tell the plans of the statements inside of the function."""
    said: list[str] = []
    async with database.read() as session:
        asker = await _asker(session, account_id)
        raw: asyncpg.Connection = (await (await session.connection()).get_raw_connection()).driver_connection  # type: ignore[assignment]
        await raw.execute("LOAD 'auto_explain'; SET client_min_messages = log; SET auto_explain.log_min_duration = 0")
        for setting in ("log_analyze = on", "log_nested_statements = on", "log_timing = off"):
            await raw.execute(f"SET auto_explain.{setting}")
        raw.add_log_listener(lambda _, message: said.append(message.message))
        await _ask(session, asker)
    plans = [
        re.sub(r"Query Text:.*?(?=\n[A-Z][a-z]+.*\(cost)", "", text, flags=re.DOTALL)
        for text in said
        if "plan:" in text
    ]
    lines = [line for plan in plans for line in plan.split("\n")]
    _write_plans([line if len(line) < PLAN_WIDTH else f"{line[:PLAN_WIDTH]} …" for line in lines], count)
    return ["", f"The plans of the statements inside, for one viewer: [{PLANS.name}]({PLANS.relative_to('docs')}).", ""]


def _write_plans(lines: Sequence[str], count: int) -> None:
    PLANS.parent.mkdir(exist_ok=True)
    PLANS.write_text("\n".join([f"Statements inside of search_best, for one viewer among {count:,}.", "", *lines, ""]))


def _ratio(times: Times, other: Times) -> str:
    pairs = [mine / theirs for mine, theirs in zip(times.all, other.all, strict=False)]
    return f"{statistics.median(pairs):.2f} x in the median" if pairs else "nothing to compare"


if __name__ == "__main__":
    main()
