"""Whoever plays other games is entered into the search once, not once for those that go and once for those that come.

One statement may take games away and add others. Each of its two triggers sees the work of both, so the first does all
that is to do, and the second finds it done.
"""

from typing import Any

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

# Whether an entry of the game is there, looked up by the key: joined, a statement for few rows could read the whole table.
ENTRY = """(
            SELECT e.cell FROM search_entries AS e
            WHERE e.account_id = r.account_id AND e.cell BETWEEN g.number * 180224 AND g.number * 180224 + 180223
            LIMIT 1
        )"""  # 4,096 languages, 11 regions, 4 styles
FOLLOW_GAMES = """
CREATE OR REPLACE FUNCTION search_entries_follow_games() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids uuid[];
BEGIN
    IF TG_OP = 'DELETE' THEN
        SELECT array_agg(DISTINCT account_id) INTO ids FROM old_rows;
    ELSE
        SELECT array_agg(DISTINCT account_id) INTO ids FROM new_rows;
    END IF;
    IF ids IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM FROM profiles WHERE account_id = ANY (ids) ORDER BY account_id FOR NO KEY UPDATE;
    IF TG_OP = 'UPDATE' THEN
        WITH changed AS (
            UPDATE search_entries AS e SET rating = n.rating, role_bits = n.role_bits
            FROM new_rows AS n JOIN games AS g ON g.id = n.game_id
            WHERE e.account_id = n.account_id AND e.cell / (4096 * 11 * 4) = g.number
                AND (e.rating, e.role_bits) IS DISTINCT FROM (n.rating, n.role_bits)
            RETURNING e.account_id
        )
        SELECT array_agg(DISTINCT account_id) INTO ids FROM changed;
        IF ids IS NOT NULL THEN
            PERFORM enter_who_is_here(ids);
        END IF;
        RETURN NULL;
    ELSIF TG_OP = 'INSERT' THEN
        SELECT array_agg(DISTINCT r.account_id) INTO ids FROM new_rows AS r JOIN games AS g ON g.id = r.game_id
        WHERE {ENTRY} IS NULL;
    ELSE  -- a game that is gone itself has left its entries, and nobody knows its number
        SELECT array_agg(DISTINCT r.account_id) INTO ids FROM old_rows AS r LEFT JOIN games AS g ON g.id = r.game_id
        WHERE g.id IS NULL OR {ENTRY} IS NOT NULL;
    END IF;
    IF ids IS NOT NULL THEN
        PERFORM fill_search_entries(ids);
    END IF;
    RETURN NULL;
END $$
""".replace("{ENTRY}", ENTRY)


def upgrade() -> None:
    op.execute(FOLLOW_GAMES)


def downgrade() -> None:
    op.execute(_module("0029").FOLLOW_GAMES)


def _module(revision: str) -> Any:
    script = op.get_context().script
    if script is None:
        raise RuntimeError("revisions before this one are read from their folder")
    return script.get_revision(revision).module
