"""Breaks a running GameBuddy in every way that is known to happen, and looks whether anybody lost anything.

`make faults` runs it for three minutes, `make faults MINUTES=10` for ten. The same seed breaks the same things at the
same times. Ends with status 1 when a message or an event was lost, came twice or out of order.
"""

import argparse
import asyncio
import random
import shlex
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from bench import crowd
from bench.crowd import Chat, Player
from bench.faults.clients import HEARTBEAT_SECONDS, Poster, Reader
from bench.faults.cluster import CAREFUL, LOSSY, PATIENCE_SECONDS, Cluster
from bench.faults.tally import Tally
from bench.report import console, write
from bench.serving import GAMEBUDDY, Node
from gamebuddy.db.embedded import EmbeddedPostgres
from gamebuddy.schema import ids
from gamebuddy.schema.ids import Kind

PLAYERS, CHATS, MEMBERS = 12, 6, 6  # every second player writes
SILENCE_SECONDS = 15.0  # longer than the servers' own pause between two looks: then what has not come is lost
# How often a minute.
LISTENERS_KILLED, CRASHES, FREEZES, KILLS, CUTS = 17, 2, 3, 4, 60  # with three processes 50 listeners are killed

type Act = Callable[[], Awaitable[None]]


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--seed", type=int, default=20261126)
    parser.add_argument("--workers", type=int, default=2, help="of the first node; the second has one")
    parser.add_argument("--server", default=shlex.join(GAMEBUDDY), help="the command to break")
    parser.add_argument("--write", type=Path, help="the page whose part between <!-- faults --> marks is replaced")
    options = parser.parse_args()
    tally = Tally()
    with ExitStack() as until_the_end:
        folder = Path(until_the_end.enter_context(tempfile.TemporaryDirectory()))
        postgres = until_the_end.enter_context(EmbeddedPostgres.temporary(settings=CAREFUL))
        keeper = until_the_end.enter_context(ThreadPoolExecutor(1))
        chats = asyncio.run(_prepare(postgres.url()))
        command = shlex.split(options.server)
        nodes = [
            until_the_end.enter_context(
                Node(postgres.url(), folder, command=command, workers=workers, heartbeat_seconds=HEARTBEAT_SECONDS)
            )
            for workers in (options.workers, 1)
        ]
        cluster = Cluster(postgres, keeper, nodes, random.Random(options.seed), tally)
        asyncio.run(_run(cluster, chats, options.minutes * 60, options.seed, tally))
    lines = tally.table()
    console.print("\n".join(lines), markup=False)
    if options.write:
        what = f"{options.minutes:g} minutes, seed {options.seed}: {PLAYERS} players, {CHATS} chats of {MEMBERS}."
        write(options.write, "faults", "Last run", [what, "", *lines])
    sys.exit(1 if tally.wrong else 0)


async def _prepare(url: str) -> list[Chat]:
    database = await crowd.prepare(url)
    players = await crowd.players(database, PLAYERS)
    # Chats overlap, so that every account follows several.
    sets = [[players[(2 * number + place) % PLAYERS] for place in range(MEMBERS)] for number in range(CHATS)]
    chats = [await crowd.chat(database, members) for members in sets]
    async with database.engine.begin() as connection:
        for statement in LOSSY.split(";\n"):
            if statement.strip():
                await connection.exec_driver_sql(statement)
    await database.close()
    return chats


async def _run(cluster: Cluster, chats: Sequence[Chat], seconds: float, seed: int, tally: Tally) -> None:
    readers, posters = _clients(chats, seed, tally)
    async with asyncio.TaskGroup() as group:
        lasting = [group.create_task(reader.read(cluster.addresses)) for reader in readers]
        lasting.append(group.create_task(cluster.keep_nodes()))
        await _all_have_begun(readers)
        until = time.monotonic() + seconds
        writing = [group.create_task(poster.write(cluster.addresses, until)) for poster in posters]
        await _break_things(cluster, readers, seconds, random.Random(seed), tally)
        await cluster.be_faithful()
        await asyncio.wait(writing)
        tally.settled_seconds = await _settle(cluster, readers, tally)
        await _judge(cluster, readers, posters, tally)
        for task in lasting:
            task.cancel()


def _clients(chats: Sequence[Chat], seed: int, tally: Tally) -> tuple[list[Reader], list[Poster]]:
    """Make a reader for every account, one for every chat, and the posters."""
    of_player: dict[Player, list[Chat]] = {}
    for chat in chats:
        for member in chat.members:
            of_player.setdefault(member, []).append(chat)
    dice = (random.Random(seed + number) for number in range(1, 1_000))
    readers = [
        Reader(player, mine, is_of_account=True, dice=next(dice), tally=tally) for player, mine in of_player.items()
    ]
    readers += [Reader(chat.members[-1], [chat], is_of_account=False, dice=next(dice), tally=tally) for chat in chats]
    posters = [Poster(player, mine, next(dice), tally) for player, mine in list(of_player.items())[::2]]
    return readers, posters


async def _all_have_begun(readers: Sequence[Reader]) -> None:
    """Wait until every reader has a place: from here on it has to see everything."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not all(reader.cursor for reader in readers):  # noqa: ASYNC110 - a condition of the real parts
            await asyncio.sleep(0.05)


async def _break_things(
    cluster: Cluster, readers: Sequence[Reader], seconds: float, dice: random.Random, tally: Tally
) -> None:
    """Do everything at its time; what takes a while goes on beside the rest."""

    async def cut_somebody() -> None:
        tally.done["connections of readers cut"] += dice.choice(readers).cut()

    acts: dict[Act, float] = {
        cluster.kill_listeners: LISTENERS_KILLED,
        cluster.crash_postgres: CRASHES,
        cluster.freeze_process: FREEZES,
        cluster.kill_process: KILLS,
        cut_somebody: CUTS,
    }
    began = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    async with asyncio.TaskGroup() as group:
        with Progress(*columns, console=console, transient=True) as progress:
            bar = progress.add_task("Breaking things", total=seconds)
            for at, act in _schedule(acts, seconds, dice):
                while (now := time.monotonic() - began) < at:
                    read, wrong = tally.seen["events read"], len(tally.wrong)
                    progress.update(bar, completed=now, description=f"{read:,} events read, {wrong} wrong")
                    await asyncio.sleep(min(0.5, at - now))
                group.create_task(act())  # type: ignore[arg-type]


def _schedule(acts: dict[Act, float], seconds: float, dice: random.Random) -> Iterator[tuple[float, Act]]:
    """Spread each act over the time, at least once, each time somewhere in its stretch."""
    planned = []
    for act, a_minute in acts.items():
        count = max(1, round(a_minute * seconds / 60))
        planned += [((number + dice.random()) * seconds / count, act) for number in range(count)]
    yield from sorted(planned, key=lambda one: one[0])


async def _settle(cluster: Cluster, readers: Sequence[Reader], tally: Tally) -> float:
    """Wait until every reader has everything, or nothing comes any more; gives the seconds it took."""
    wanted = await _log(cluster)
    began = heard_at = time.monotonic()
    read = 0
    while time.monotonic() - heard_at < SILENCE_SECONDS:
        if all(len(reader.history[chat.id]) >= len(wanted[chat.id]) for reader in readers for chat in reader.chats):
            break
        if tally.seen["events read"] > read:
            read, heard_at = tally.seen["events read"], time.monotonic()
        await asyncio.sleep(0.02)
    return time.monotonic() - began


async def _log(cluster: Cluster) -> dict[str, list[int]]:
    """Give the numbers of each chat's events as the log has them."""
    connection = await cluster.connect()
    rows = await connection.fetch("SELECT chat_id, seq FROM events WHERE chat_id IS NOT NULL ORDER BY chat_id, seq")
    await connection.close()
    found: defaultdict[str, list[int]] = defaultdict(list)
    for row in rows:
        found[str(ids.write(Kind.CHAT, row["chat_id"]))].append(row["seq"])
    return found


async def _judge(cluster: Cluster, readers: Sequence[Reader], posters: Sequence[Poster], tally: Tally) -> None:
    """Compare every history with the log, and what was answered with what is stored."""
    log = await _log(cluster)
    for chat_id, numbers in log.items():
        if numbers != list(range(1, len(numbers) + 1)):
            tally.wrong.append(f"{chat_id}: the log has a gap")
    for reader in readers:
        for chat in reader.chats:
            tally.wrong += _differences(f"{reader.name}, {chat.id}", log[chat.id], reader.history[chat.id])
    connection = await cluster.connect()
    stored = Counter(str(row[0]) for row in await connection.fetch("SELECT client_id FROM messages"))
    await connection.close()
    answered = Counter(client_id for poster in posters for client_id in poster.answered)
    tally.wrong += [f"{client_id}: answered, and stored {stored[client_id]} times" for client_id in answered - stored]
    tally.wrong += [f"{client_id}: stored more than once" for client_id in stored - answered]
    tally.seen["events in the log"] = sum(map(len, log.values()))
    for line in cluster.logged_faults():
        tally.wrong.append(f"a node logged: {line}")


def _differences(where: str, log: list[int], history: list[int]) -> Iterator[str]:
    """Tell how a history differs from the log."""
    if history == log:
        return
    read = Counter(history)
    lost, doubled = len(set(log) - set(read)), sum(count - 1 for count in read.values())
    is_ordered = history == sorted(history)
    yield f"{where}: {lost} lost, {doubled} doubled, {'in' if is_ordered else 'out of'} order"


if __name__ == "__main__":
    main()
