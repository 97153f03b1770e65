"""Whoever plays other games is entered into the search once, not once for those that go and once for those that come.

One statement may take games away and add others. Each of its two triggers sees the work of both, so the first does all
that is to do, and the second finds it done. What is the same in all entries of a player is worked out once, not for each,
and the plans are made once.
"""

from typing import Any

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

# As before, but for `told`.
SOURCE = """
CREATE OR REPLACE VIEW search_entry_source AS
SELECT
    p.account_id,
    ((coalesce(played.number, 0) * 4096 + l.number) * 11 + search_region(p.region)) * 4 + search_style(p.play_style) AS cell,
    played.rating,
    played.role_bits,
    search_voice(p.voice_chat) AS voice,
    told.platform_bits,
    p.birth_date,
    p.active_on,
    p.reputation,
    p.genre_bits,
    p.schedule,
    coalesce(bit_or(1::bigint << played.number % 63) OVER (PARTITION BY p.account_id), 0) AS game_bits
FROM profiles AS p
CROSS JOIN LATERAL (
    SELECT spoken_languages(p.languages) AS languages, search_platforms(p.platforms::text[]) AS platform_bits OFFSET 0
) AS told
CROSS JOIN LATERAL (
    SELECT g.number, m.rating, m.role_bits FROM player_games AS m JOIN games AS g ON g.id = m.game_id
    WHERE m.account_id = p.account_id
    UNION ALL
    SELECT NULL, 1500, 0
) AS played
CROSS JOIN LATERAL (
    SELECT number FROM languages WHERE tag = ANY (told.languages)
    UNION ALL
    SELECT 0 WHERE cardinality(told.languages) = 0
) AS l
WHERE p.is_looking_for_teammates AND p.active_on >= (now() AT TIME ZONE 'UTC')::date - 61
"""
COLUMNS = (
    "account_id, cell, rating, role_bits, voice, platform_bits, birth_date, active_on, reputation, genre_bits, schedule,"
    " game_bits"
)
# To plan the statements costs more than to run them for one player, so they are planned once, by keys: a plan from when a
# table was empty would read all of it later.
FILL = """
CREATE OR REPLACE FUNCTION fill_search_entries(ids uuid[]) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off
AS $$
DECLARE
    unknown text;
BEGIN
    FOR unknown IN
        SELECT DISTINCT spoken.tag FROM profiles CROSS JOIN unnest(spoken_languages(profiles.languages)) AS spoken(tag)
        WHERE profiles.account_id = ANY (ids)
            AND NOT EXISTS (SELECT FROM languages AS known WHERE known.tag = spoken.tag)
        ORDER BY spoken.tag
    LOOP
        WHILE NOT EXISTS (SELECT FROM languages AS known WHERE known.tag = unknown) LOOP
            INSERT INTO languages (tag, number) SELECT unknown, coalesce(max(known.number), 0) + 1 FROM languages AS known
            ON CONFLICT DO NOTHING;
        END LOOP;
    END LOOP;
    DELETE FROM search_entries WHERE account_id = ANY (ids);
    DELETE FROM search_entries_here WHERE account_id = ANY (ids);
    WITH entered AS (
        INSERT INTO search_entries ({COLUMNS}) SELECT {COLUMNS} FROM search_entry_source WHERE account_id = ANY (ids)
        RETURNING *
    ),
    new_cells AS (
        INSERT INTO search_cells (cell)
        SELECT DISTINCT cell FROM entered AS e
        WHERE NOT EXISTS (SELECT FROM search_cells AS known WHERE known.cell = e.cell)
        ORDER BY cell
        ON CONFLICT DO NOTHING
    )
    INSERT INTO search_entries_here ({COLUMNS})
    SELECT {COLUMNS} FROM entered AS e WHERE EXISTS (SELECT FROM leases AS l WHERE l.account_id = e.account_id);
END $$
""".replace("{COLUMNS}", COLUMNS)
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
    for statement in (SOURCE, FILL, FOLLOW_GAMES):
        op.execute(statement)


def downgrade() -> None:
    first, languages, before = _module("0008"), _module("0028"), _module("0029")
    op.execute(before.FOLLOW_GAMES)
    op.execute(languages.filling(before.THEN))
    op.execute(first.SOURCE.replace("CREATE VIEW", "CREATE OR REPLACE VIEW").replace(*languages.IN_SOURCE))


def _module(revision: str) -> Any:
    script = op.get_context().script
    if script is None:
        raise RuntimeError("revisions before this one are read from their folder")
    return script.get_revision(revision).module
