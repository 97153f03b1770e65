"""A search that begins with a hint keeps only those who come close to it.

Whoever is read and can reach the floor waits for a lower bound. With a hint the floor lay 60,000 below it, as if nothing
were known: most of the time of a page further down went into people who were kept in vain. And the planner is told that
the function gives few rows: whoever joins them with accounts shall look them up, and not read all accounts.
"""

from typing import Any

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

OLD = "floor := CASE WHEN sure > 0 THEN sure ELSE bound - step END;"
NEW = "floor := CASE WHEN sure > 0 THEN sure WHEN hint IS NOT NULL THEN bound - 10000 ELSE bound - step END;"


def upgrade() -> None:
    _replace(OLD, NEW)
    op.execute("ALTER FUNCTION search_best ROWS 20")


def downgrade() -> None:
    _replace(NEW, OLD)
    op.execute("ALTER FUNCTION search_best ROWS 1000")


def _replace(old: str, new: str) -> None:
    function: Any = op.get_bind().exec_driver_sql("SELECT pg_get_functiondef('search_best'::regproc)").scalar_one()
    if old not in function:
        raise RuntimeError(f"the function is not what it was: {old}")
    op.get_bind().exec_driver_sql(function.replace(old, new))
