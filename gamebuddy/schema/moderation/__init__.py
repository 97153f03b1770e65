"""Moderation: reports, what comes of them, and what is said against that."""

from gamebuddy.schema.moderation.notes import AccountNote, AccountNoteMutations, AccountNoteQueries
from gamebuddy.schema.moderation.reports import Report, ReportConnection, ReportMutations, ReportQueries, reports_by
from gamebuddy.schema.moderation.sanctions import Appeal, Sanction, SanctionMutations, SanctionQueries

__all__ = [
    "AccountNote",
    "AccountNoteMutations",
    "AccountNoteQueries",
    "Appeal",
    "Report",
    "ReportConnection",
    "ReportMutations",
    "ReportQueries",
    "Sanction",
    "SanctionMutations",
    "SanctionQueries",
    "reports_by",
]
