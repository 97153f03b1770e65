"""Runs inside gamebuddy.db.migrations, on its connection."""

from typing import Any

from alembic import context
from sqlalchemy import text

from gamebuddy import db
from gamebuddy.db.migrations import LOCK

JOBS = "pgqueuer"  # the job queue's own tables, made by its own code in revision 0002


def include_object(_: Any, name: str | None, kind: str, *__: Any) -> bool:
    return not (kind == "table" and (name or "").startswith(JOBS))


connection = context.config.attributes["connection"]
connection.execute(text("SET statement_timeout = 0"))
connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK})  # however long the other one takes
# Expand and contract only: a migration that waits for a lock longer than this would stop the service with it.
connection.execute(text("SET lock_timeout = '4s'"))
connection.commit()
try:
    context.configure(
        connection=connection,
        target_metadata=db.Row.metadata,
        include_object=include_object,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
finally:
    connection.rollback()
    connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK})
    connection.commit()
