"""Moderation: reports, and what comes of them."""

from gamebuddy.schema.moderation.reports import Report, ReportMutations, ReportQueries

__all__ = ["Report", "ReportMutations", "ReportQueries"]
