"""The search passes over those whom the viewer has seen before it scores them, and looks up once who is here.

Before, a page far down scored everybody of the pages before it once more; and a search for those who are here looked up a
lease for every entry that it read. Why the seen are told by marks is in docs/decisions/0018-pages-leave-out-the-seen.md.
"""

from typing import Any

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# Both subqueries need nothing of the row, so each is hashed once a statement, and only when it is asked for.
IS_HERE = "(NOT must_be_here OR e.account_id IN (SELECT l.account_id FROM leases AS l WHERE l.until > now()))"
IS_UNSEEN = "substring(uuid_send({id}) FROM 12) NOT IN (SELECT unnest(seen))"
IS_SOMEBODY = "AND (a.email IS NULL OR a.email_verified_at IS NOT NULL)"
CHANGES = {
    "asked_languages text[], excluded uuid[]": "asked_languages text[], must_be_here boolean, seen bytea[], excluded uuid[]",
    # A million leases still fit; what does not would be walked through for every entry.
    "SET jit = off": "SET jit = off SET work_mem = '64MB'",
    "WHERE e.worth IS NOT NULL\n": f"WHERE e.worth IS NOT NULL AND {IS_UNSEEN.format(id='e.account_id')}\n",
    "WHERE w.upper >= bound\n": f"WHERE w.upper >= bound AND {IS_UNSEEN.format(id='w.account_id')}\n",
    # Few of those nearby are here: to hope for a better page than theirs would be one pass more, and in vain.
    "bound := sure + ((highest - sure) * 0.3)::int": "bound := sure + CASE WHEN must_be_here THEN 0 ELSE ((highest - sure) * 0.3)::int END",
    # Teammates are never listed, so whoever shows it to teammates alone shows it to nobody here.
    IS_SOMEBODY: f"{IS_SOMEBODY} AND (NOT must_be_here OR a.who_sees_my_presence = 'EVERYONE')",
}


def upgrade() -> None:
    before = _module("0008")
    function = before.SEARCH_BEST
    for old, new in {before.IS_MET: f"{before.IS_MET} AND {IS_HERE}", **CHANGES}.items():
        if old not in function:
            raise RuntimeError(f"the function is not what it was: {old}")
        function = function.replace(old, new)
    op.execute("DROP FUNCTION search_best")
    op.execute(function)


def downgrade() -> None:
    _module("0014").upgrade()


def _module(revision: str) -> Any:
    script = op.get_context().script
    if script is None:
        raise RuntimeError("revisions before this one are read from their folder")
    return script.get_revision(revision).module
