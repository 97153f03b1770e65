"""Moderation: reports, what comes of them, and what is said against that."""

from gamebuddy.schema.moderation.reports import Report, ReportMutations, ReportQueries
from gamebuddy.schema.moderation.sanctions import Appeal, Sanction, SanctionMutations, SanctionQueries

__all__ = [
    "Appeal",
    "Report",
    "ReportMutations",
    "ReportQueries",
    "Sanction",
    "SanctionMutations",
    "SanctionQueries",
]
