"""Entries that a search reads are passed over by what is cheapest to see: age first, then, further out, rating and games.

Why is told in docs/decisions/0042-cheap-reasons-first.md. The function stands whole in 0029; here is what is other in it.
"""

from typing import Any

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

READINGS = 2  # of all who are looking, and of those who are here


def upgrade() -> None:
    before = _module("0029")
    op.execute("DROP FUNCTION search_best")
    op.execute(_replaced(before.SEARCH_BEST, _changes(before)))


def downgrade() -> None:
    op.execute("DROP FUNCTION search_best")
    op.execute(_module("0029").SEARCH_BEST)


def _changes(before: Any) -> dict[str, str]:
    # Entries older than `oldest`, which is at most 61 days ago, have been passed over before.
    days = before.FIXED.replace("least(61, greatest(0, as_of - e.active_on))", "greatest(0, as_of - e.active_on)")
    besides = days.removeprefix("(s.base + ").removesuffix(")")
    near = f"{before.RATING} + {before.BREADTH}"
    is_at_best_enough = (
        f"AND {before.FIXED} + {before.RATING} + w_roles * s.importance + {before.BREADTH}"
        " >= floor - most_schedule - most_genres"
    )
    # The planner tries the cheaper of these first. To minors nearly everybody has the wrong age; of a ring around what has
    # been read hardly anybody has what his rating lacks; in the first reading that would only be asked in vain.
    in_turn = (
        f"AND {before.BAND} IS NOT NULL\n"
        f"            AND (read_to IS NULL OR {near} >= s.needed - most_open)\n"
        f"            AND {besides} + {near} >= s.needed"
    )
    return {
        "SELECT m.*, greatest(lowest_rating, w.low)": "SELECT m.*,\n"
        "        -- What must come from the entry besides its week, its genres and its roles, which are taken for the best.\n"
        "        floor - most_schedule - most_genres - m.base - w_roles * m.importance AS needed,\n"
        "        greatest(lowest_rating, w.low)",
        is_at_best_enough: in_turn,
    }


def _replaced(function: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        if function.count(old) != READINGS:
            raise RuntimeError(f"the function is not what it was: {old}")
        function = function.replace(old, new)
    return function


def _module(revision: str) -> Any:
    script = op.get_context().script
    if script is None:
        raise RuntimeError("revisions before this one are read from their folder")
    return script.get_revision(revision).module
