"""What the benchmarks share: times, progress bars, and the page they write to."""

import contextlib
import os
import platform
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

console = Console()


@dataclass
class Times:
    """Milliseconds of one way."""

    name: str
    all: list[float] = field(default_factory=list)

    def quantile(self, share: float) -> float:
        """Give a quantile, such as 0.5 for the median."""
        ordered = sorted(self.all)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    @contextlib.contextmanager
    def measure(self) -> Iterator[None]:
        """Add what the block takes."""
        began = time.perf_counter()
        yield
        self.all.append((time.perf_counter() - began) * 1000)


def progress_bars() -> Progress:
    """Make bars that go away when they are done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)


def say(line: str) -> str:
    """Print a line, and give it for the page."""
    console.print(line)
    return f"- {line}"


def write(path: Path, name: str, heading: str, lines: Sequence[str]) -> None:
    """Replace what stands between the marks of this name; at first a part is added under its heading."""
    mark = f"<!-- {name} -->"
    processor = platform.processor() or platform.machine()
    machine = f"{processor}, {os.cpu_count()} cores, Python {platform.python_version()}"
    told = f"Measured on {datetime.now(UTC):%Y-%m-%d}: {machine}; database and program on one machine."
    text = path.read_text(encoding="utf-8") if path.exists() else "# Performance\n"
    if text.count(mark) != 2:
        text += f"\n## {heading}\n\n{mark}{mark}\n"
    before, _, after = text.split(mark)
    path.write_text(before + "\n".join([mark, told, "", *lines, mark]) + after, encoding="utf-8")
