"""Logs and metrics of a process."""

import atexit
import contextlib
import functools
import io
import logging
import queue
import sys
import threading
import time
from typing import Any, TextIO, cast

import structlog
from prometheus_client import Counter, Histogram

from gamebuddy.settings import Environment, Settings

REQUESTS = Counter("gamebuddy_requests_total", "HTTP requests by path and status.", ("path", "status"))
SECONDS = Histogram("gamebuddy_request_seconds", "Seconds a request takes, by path.", ("path",))

MOST_LINES = 10_000  # that wait for somebody to read them; what comes then is dropped
LAST_SECONDS = 1.0  # for what still waits when the process ends


class Outlet(io.TextIOBase):
    """Standard error, written by a thread of its own: who reads it slowly, or not at all, keeps no request waiting."""

    def __init__(self) -> None:
        self._lines: queue.Queue[str] = queue.Queue(MOST_LINES)
        # Past the buffer of sys.stderr, whose lock the thread would hold for ever.
        self._raw = io.FileIO(sys.__stderr__.fileno() if sys.__stderr__ else 2, "w", closefd=False)
        threading.Thread(target=self._carry, name="log", daemon=True).start()
        atexit.register(self._finish)

    def write(self, text: str) -> int:
        """Have it written, soon."""
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(text)
        return len(text)

    def _carry(self) -> None:
        while True:
            data = self._lines.get().encode(errors="backslashreplace")
            with contextlib.suppress(OSError):
                while data:
                    data = data[self._raw.write(data) or 0 :]
            self._lines.task_done()

    def _finish(self) -> None:
        until = time.monotonic() + LAST_SECONDS
        while self._lines.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.01)


@functools.cache
def outlet() -> Outlet:
    """Give the one of this process."""
    return Outlet()


def set_up_logs(settings: Settings) -> None:
    """Write one line an event to standard error: JSON in production, for people in development."""
    is_json = settings.log_format == "json" or (
        settings.log_format == "auto" and settings.environment is Environment.PRODUCTION
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if is_json:
        shared += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        shared.append(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()))
    structlog.configure(
        processors=shared,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", outlet())),
    )
    logging.basicConfig(level=logging.WARNING, stream=outlet(), format="%(levelname)s %(name)s: %(message)s")
