"""Measures the messenger on 100,000 players, 200,000 chats and 5,000,000 messages. `make bench-chat` runs it.

Starts a PostgreSQL of its own in memory, fills it, and asks as many random players as told what their apps ask. Times
are of whole operations through the application without a network, in milliseconds, warm. The plan of every statement is
looked at: how many rows it reads for each row that it gives.
"""

import argparse
import asyncio
import json
import random
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr
from rich.progress import track
from sqlalchemy import event

from bench import talk
from bench.report import Times, console, progress_bars, say, write
from gamebuddy.app import create_app
from gamebuddy.db import Database, migrations
from gamebuddy.db.embedded import EmbeddedPostgres
from gamebuddy.schema.context import Services
from gamebuddy.settings import Settings

SERVER = {
    "shared_buffers": "2GB", "maintenance_work_mem": "1GB", "work_mem": "64MB", "max_wal_size": "16GB",
    "checkpoint_timeout": "1h", "autovacuum": "off",
}  # fmt: skip
PLANS, PLAN_WIDTH = Path("docs/plans/chat.txt"), 180
MESSAGE = "id seq text createdAt author { id displayName avatarUrl } reactions { emoji count } attachments { fileName }"
CHATS = f"""{{ viewer {{ unreadChatCount chats(first: 20) {{ nodes {{
  id title kind avatarUrl viewerUnreadCount viewerUnreadMentionCount lastMessage {{ {MESSAGE} }}
  members(first: 5) {{ nodes {{ user {{ displayName avatarUrl }} }} }}
}} pageInfo {{ hasNextPage endCursor }} }} }} }}"""
HISTORY = f"query($id: ID!) {{ chat(id: $id) {{ messages(last: 50) {{ nodes {{ {MESSAGE} replyTo {{ text }} }} }} }} }}"
NEWEST = "{ viewer { chats(first: 1) { nodes { id lastSeq } } } }"
UNREAD = "{ viewer { unreadChatCount } }"
SEARCH = f"""query($text: String!, $chat: ID) {{ searchMessages(text: $text, chatId: $chat, first: 20) {{
  nodes {{ {MESSAGE} chat {{ title }} }} }} }}"""
SEND = """mutation($i: SendMessageInput!) { sendMessage(input: $i) { message { id seq } userErrors { code } } }"""
READ = "mutation($i: MarkReadInput!) { markRead(input: $i) { chat { viewerUnreadCount } userErrors { code } } }"


@dataclass
class Asker:
    """A player, his token and the chat that he has written in last."""

    token: str
    chat_id: str = ""
    last_seq: int = 0


@dataclass
class Statement:
    """One statement of an operation: what it gave, and what its plan has read."""

    text: str
    plan: str
    given: int
    read: int


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--players", type=int, default=100_000)
    parser.add_argument("--chats", type=int, default=200_000)
    parser.add_argument("--messages", type=int, default=5_000_000)
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--write", type=Path, help="the page whose part between <!-- chat --> marks is replaced")
    options = parser.parse_args()
    with EmbeddedPostgres.temporary(settings=SERVER) as server:
        lines = asyncio.run(_run(server.url("postgres"), options))
    if options.write:
        write(options.write, "chat", "Messenger", lines)


async def _run(url: str, options: argparse.Namespace) -> list[str]:
    database = Database(url, statement_timeout_seconds=600)
    await migrations.upgrade(database)
    with progress_bars() as progress:
        players = await talk.load(url, options.players, options.chats, options.messages, options.seed, progress)
    await database.close()
    settings = Settings(
        _env_file=None,
        database_url=SecretStr(url),
        secret_key=SecretStr("of a benchmark, and long enough for it"),
        log_format="json",
    )
    app = create_app(settings, database_url=url)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://bench", timeout=60) as client,
    ):
        services: Services = app.state.services
        dice = random.Random(options.seed)
        some = [players[0], *dice.sample(players[1:], options.viewers)]
        askers = [asker for one in some if (asker := await _asker(client, services, one)) is not None]
        first = say(
            f"{options.players:,} players, {options.chats:,} chats, {options.messages:,} messages; the first of"
            f" {len(askers)} players is in {talk.BUSY_GROUPS} groups."
        )
        return [first, "", *await _measure(client, askers), "", *await _plans(client, services, askers)]


async def _asker(client: httpx.AsyncClient, services: Services, account_id: uuid.UUID) -> Asker | None:
    """Give a player with his newest chat; None for one without chats."""
    asker = Asker(services.gate.tokens.issue(account_id, account_id)[0])  # see talk: sessions have the players' ids
    found = (await _ask(client, asker, NEWEST))["viewer"]["chats"]["nodes"]
    if not found:
        return None
    asker.chat_id, asker.last_seq = found[0]["id"], found[0]["lastSeq"]
    return asker


async def _ask(client: httpx.AsyncClient, asker: Asker, query: str, **variables: Any) -> Any:
    answer = await client.post(
        "/graphql",
        json={"query": query, "variables": variables},
        headers={"Authorization": f"Bearer {asker.token}"},
    )
    body = answer.json()
    if "errors" in body:
        raise RuntimeError(answer.text)
    return body["data"]


def _operations(asker: Asker) -> dict[str, tuple[str, dict[str, Any]]]:
    """Give what an app asks for, by its name."""
    message = {"chatId": asker.chat_id, "clientId": str(uuid.uuid4()), "text": "Сегодня в восемь?"}
    return {
        "chat list, 20 chats": (CHATS, {}),
        "history, 50 messages": (HISTORY, {"id": asker.chat_id}),
        "unread chats": (UNREAD, {}),
        "search, a common word, all chats": (SEARCH, {"text": "играю"}),
        "search, two words, all chats": (SEARCH, {"text": "рейд пятницу"}),
        "search, a common word, one chat": (SEARCH, {"text": "играю", "chat": asker.chat_id}),
        "send a message": (SEND, {"i": message}),
        "mark read": (READ, {"i": {"chatId": asker.chat_id, "upToSeq": asker.last_seq}}),
    }


async def _measure(client: httpx.AsyncClient, askers: Sequence[Asker]) -> list[str]:
    names = list(_operations(askers[0]))
    times = {name: Times(name) for name in names}
    busiest: dict[str, float] = {}
    for asker in track(askers, "Asking", console=console, transient=True):
        for name in names:
            for is_counted in (False, True):
                query, variables = _operations(asker)[name]
                with times[name].measure():
                    await _ask(client, asker, query, **variables)
                if not is_counted:
                    times[name].all.pop()
            busiest.setdefault(name, times[name].all[-1])
    lines = ["| operation, ms | p50 | p95 | p99 | the busiest player |", "|---|---|---|---|---|"]
    for name, measured in times.items():
        p50, p95, p99 = (measured.quantile(share) for share in (0.5, 0.95, 0.99))
        lines.append(f"| {name} | {p50:.1f} | {p95:.1f} | {p99:.1f} | {busiest[name]:.1f} |")
        console.print(lines[-1])
    return lines


async def _plans(client: httpx.AsyncClient, services: Services, askers: Sequence[Asker]) -> list[str]:
    """Look at every statement of every operation, for the busiest player and for another one."""
    lines = ["| operation | statements | rows read for each given, at worst |", "|---|---|---|"]
    told = [f"Statements of the messenger's operations for a player in {talk.BUSY_GROUPS} groups, and their plans."]
    for name in _operations(askers[0]):
        seen: dict[int, list[Statement]] = {}
        for number, asker in enumerate(askers[:2]):
            query, variables = _operations(asker)[name]
            with _statements(services) as asked:
                await _ask(client, asker, query, **variables)
            seen[number] = [await _explained(services, *one) for one in asked if "FROM events" not in one[0]]
        worst = max((one.read / max(1, one.given) for some in seen.values() for one in some), default=0)
        counts = " and ".join(str(len(some)) for some in seen.values())
        lines.append(f"| {name} | {counts} | {worst:.1f} |")
        console.print(lines[-1])
        for statement in seen[0]:
            told += ["", f"-- {name}: gives {statement.given}, reads {statement.read}", statement.text, statement.plan]
    _write_plans(told)
    return [*lines, "", f"Every statement and its plan: [{PLANS.name}]({PLANS.relative_to('docs')}).", ""]


def _write_plans(told: Sequence[str]) -> None:
    PLANS.parent.mkdir(exist_ok=True)
    lines = "\n".join(told).split("\n")
    shortened = (line if len(line) < PLAN_WIDTH else f"{line[:PLAN_WIDTH]} …" for line in lines)
    PLANS.write_text("\n".join([*shortened, ""]), encoding="utf-8")


@contextmanager
def _statements(services: Services) -> Iterator[list[tuple[str, Any]]]:
    """Collect the statements that run, with their parameters."""
    found: list[tuple[str, Any]] = []
    engine = services.database.engine.sync_engine

    def remember(_: object, __: object, statement: str, parameters: Any, *___: object) -> None:
        found.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", remember)
    yield found
    event.remove(engine, "before_cursor_execute", remember)


async def _explained(services: Services, statement: str, parameters: Any) -> Statement:
    """Run a statement once more for its plan, and undo it."""
    shown = " ".join(statement.split())
    if shown.startswith("INSERT"):  # what it has written stands in its way now
        return Statement(shown, "(inserts)", 1, 0)
    async with services.database.engine.connect() as connection:
        plans = []
        for options in ("ANALYZE, TIMING OFF, FORMAT JSON", "ANALYZE, TIMING OFF, COSTS OFF, BUFFERS OFF"):
            given = parameters[0] if isinstance(parameters, list) else parameters
            plans.append((await connection.exec_driver_sql(f"EXPLAIN ({options}) {statement}", given)).all())
        await connection.rollback()
    root = json.loads(plans[0][0][0])[0] if isinstance(plans[0][0][0], str) else plans[0][0][0][0]
    top = root["Plan"]
    counted = top["Plans"][0] if top["Node Type"] == "Aggregate" and "Plans" in top else top  # what a count counts
    given_rows = counted["Actual Rows"] * counted["Actual Loops"]
    return Statement(shown, "\n".join(row[0] for row in plans[1]), round(given_rows), round(_read(top)))


def _read(node: dict[str, Any]) -> float:
    """Count the rows that the scans below a node have read, those that a filter threw away too."""
    own = 0.0
    if "Scan" in node["Node Type"] and node["Node Type"] != "Bitmap Index Scan":
        thrown = sum(node.get(name, 0) for name in ("Rows Removed by Filter", "Rows Removed by Index Recheck"))
        own = (node["Actual Rows"] + thrown) * node["Actual Loops"]
    return own + sum(map(_read, node.get("Plans", ())))


if __name__ == "__main__":
    main()
