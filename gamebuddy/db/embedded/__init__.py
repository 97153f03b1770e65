"""A private PostgreSQL for those who have none."""

from gamebuddy.db.embedded.server import EmbeddedPostgres, EmbeddedPostgresError

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError"]
