"""The search may ask for those who are here: leases are looked up for each entry, and only when they are asked for."""

from typing import Any

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

IS_HERE = "EXISTS (SELECT FROM leases AS l WHERE l.account_id = e.account_id AND l.until > now())"
# Teammates are never listed, so whoever shows it to teammates alone shows it to nobody here.
SHOWS_IT = "a.who_sees_my_presence = 'EVERYONE'"
IS_SOMEBODY = "AND (a.email IS NULL OR a.email_verified_at IS NOT NULL)"
PARAMETERS = "asked_languages text[], excluded uuid[]"


def upgrade() -> None:
    before = _before()
    changes = {
        PARAMETERS: "asked_languages text[], must_be_here boolean, excluded uuid[]",
        before.IS_MET: f"{before.IS_MET} AND (NOT must_be_here OR {IS_HERE})",
        IS_SOMEBODY: f"{IS_SOMEBODY} AND (NOT must_be_here OR {SHOWS_IT})",
    }
    function = before.SEARCH_BEST
    for old, new in changes.items():
        if old not in function:
            raise RuntimeError(f"the function is not what it was: {old}")
        function = function.replace(old, new)
    op.execute("DROP FUNCTION search_best")
    op.execute(function)


def downgrade() -> None:
    op.execute("DROP FUNCTION search_best")
    op.execute(_before().SEARCH_BEST)


def _before() -> Any:
    script = op.get_context().script
    if script is None:
        raise RuntimeError("the revision before is read from the folder of revisions")
    return script.get_revision("0008").module
