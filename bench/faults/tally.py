"""What was done and what was seen in a fault run."""

from collections import Counter
from dataclasses import dataclass, field

from bench.report import Times

MOST_SHOWN = 10  # of what must not be


@dataclass
class Tally:
    """Counts of acts and of what came of them; `wrong` is what must not be."""

    done: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    delays: Times = field(default_factory=lambda: Times("from the event to its reader"))
    settled_seconds: float = 0.0

    def table(self) -> list[str]:
        """Give the table for the page."""
        lines = ["| done | times |", "|---|---|", *(f"| {name} | {count:,} |" for name, count in self.done.items())]
        lines += ["", "| seen | |", "|---|---|", *(f"| {name} | {count:,} |" for name, count in self.seen.items())]
        p50, p99, longest = (self.delays.quantile(share) / 1000 for share in (0.5, 0.99, 1))
        lines += [
            f"| seconds from an event to its reader: median, p99, longest | {p50:.2f}, {p99:.2f}, {longest:.1f} |",
            f"| seconds from the last answer until every reader had everything | {self.settled_seconds:.2f} |",
            f"| **lost, doubled, out of order, or otherwise wrong** | **{len(self.wrong)}** |",
        ]
        return [*lines, "", *(f"- {complaint}" for complaint in self.wrong[:MOST_SHOWN])]
