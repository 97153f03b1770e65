"""Logs and metrics of a process."""

import logging
import sys
from typing import Any

import structlog
from prometheus_client import Counter, Histogram

from gamebuddy.settings import Environment, Settings

REQUESTS = Counter("gamebuddy_requests_total", "HTTP requests by path and status.", ("path", "status"))
SECONDS = Histogram("gamebuddy_request_seconds", "Seconds a request takes, by path.", ("path",))


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
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
