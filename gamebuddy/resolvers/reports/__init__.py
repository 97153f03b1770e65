"""Reports: players and the word filter file them, moderators handle them, and see what was seen then."""

from gamebuddy.resolvers.reports.evidence import evidence_by_ids, forget, look
from gamebuddy.resolvers.reports.filing import Subject, file_report
from gamebuddy.resolvers.reports.flagging import file_flagged
from gamebuddy.resolvers.reports.handling import (
    claim,
    hide_message,
    release,
    require_about,
    resolve,
    settle,
)
from gamebuddy.resolvers.reports.reading import by_ids, find, find_own, is_handled_by

__all__ = [
    "Subject",
    "by_ids",
    "claim",
    "evidence_by_ids",
    "file_flagged",
    "file_report",
    "find",
    "find_own",
    "forget",
    "hide_message",
    "is_handled_by",
    "look",
    "release",
    "require_about",
    "resolve",
    "settle",
]
