"""The search reads each window once, knows its constant tables itself, and leaves its pages to those who ask.

Entries carry a signature of all games of their profile, which bounds what games in common can be worth, and those of people
who were not here for 60 days are gone. How the function works is told in docs/decisions/0019-each-window-once.md, and why
it has no place to begin behind in 0018-pages-leave-out-the-seen.md. A later revision replaces the function whole.
"""

import math
import operator
from bisect import bisect_right

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def _array(values: list[int]) -> str:
    return f"{{{','.join(map(str, values))}}}"


# The curve of resolvers/matching/tables.py, as it was when this was written.
RATING_VALUE = [round(1000 * math.exp(-0.5 * (max(0, distance - 50) / 350) ** 2)) for distance in range(1501)]
DISTANCE_BY_VALUE = [
    3_000,
    *(bisect_right(RATING_VALUE, -value, key=operator.neg) - 1 for value in range(1, 1001)),  # it falls
]

# What the entries are to be; the triggers copy from it.
SOURCE = """
CREATE VIEW search_entry_source AS
SELECT
    p.account_id,
    ((coalesce(played.number, 0) * 4096 + l.number) * 11 + search_region(p.region)) * 4 + search_style(p.play_style) AS cell,
    played.rating,
    played.role_bits,
    search_voice(p.voice_chat) AS voice,
    search_platforms(p.platforms::text[]) AS platform_bits,
    p.birth_date,
    p.active_on,
    p.reputation,
    p.genre_bits,
    p.schedule,
    coalesce(bit_or(1::bigint << played.number % 63) OVER (PARTITION BY p.account_id), 0) AS game_bits
FROM profiles AS p
CROSS JOIN LATERAL (
    SELECT g.number, m.rating, m.role_bits FROM player_games AS m JOIN games AS g ON g.id = m.game_id
    WHERE m.account_id = p.account_id
    UNION ALL
    SELECT NULL, 1500, 0
) AS played
CROSS JOIN LATERAL (
    SELECT number FROM languages WHERE tag = ANY (p.languages)
    UNION ALL
    SELECT 0 WHERE cardinality(p.languages) = 0
) AS l
WHERE p.is_looking_for_teammates AND p.active_on >= (now() AT TIME ZONE 'UTC')::date - 61
"""
COLUMNS = (
    "account_id, cell, rating, role_bits, voice, platform_bits, birth_date, active_on, reputation, genre_bits, schedule,"
    " game_bits"
)
FILL = """
CREATE OR REPLACE FUNCTION fill_search_entries(ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO languages (tag)
    SELECT DISTINCT spoken.tag FROM profiles CROSS JOIN unnest(profiles.languages) AS spoken(tag)
    WHERE profiles.account_id = ANY (ids)
        AND NOT EXISTS (SELECT FROM languages AS known WHERE known.tag = spoken.tag)
    ON CONFLICT DO NOTHING;
    DELETE FROM search_entries WHERE account_id = ANY (ids);
    INSERT INTO search_entries ({COLUMNS}) SELECT {COLUMNS} FROM search_entry_source WHERE account_id = ANY (ids);
END $$
""".replace("{COLUMNS}", COLUMNS)
# Statement by statement: a bulk load fires them once. A visit on the same day changes nothing and costs nothing; what
# moves no entry to another cell is changed in its place; who comes back after a long time is entered again.
FOLLOW_PROFILES = """
CREATE OR REPLACE FUNCTION search_entries_follow_profiles() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids uuid[];
    long_ago CONSTANT date := (now() AT TIME ZONE 'UTC')::date - 61;
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM search_entries WHERE account_id IN (SELECT account_id FROM old_rows);
        RETURN NULL;
    ELSIF TG_OP = 'INSERT' THEN
        SELECT array_agg(account_id) INTO ids FROM new_rows;
    ELSE
        UPDATE search_entries AS e SET
            voice = search_voice(n.voice_chat), platform_bits = search_platforms(n.platforms::text[]),
            birth_date = n.birth_date, active_on = n.active_on, reputation = n.reputation, genre_bits = n.genre_bits,
            schedule = n.schedule
        FROM new_rows AS n JOIN old_rows AS o USING (account_id)
        WHERE e.account_id = n.account_id
            AND (n.is_looking_for_teammates, n.languages, n.region, n.play_style)
                IS NOT DISTINCT FROM (o.is_looking_for_teammates, o.languages, o.region, o.play_style)
            AND (n.voice_chat, n.platforms, n.birth_date, n.active_on, n.reputation, n.genre_bits, n.schedule)
                IS DISTINCT FROM
                (o.voice_chat, o.platforms, o.birth_date, o.active_on, o.reputation, o.genre_bits, o.schedule);
        SELECT array_agg(n.account_id) INTO ids FROM new_rows AS n JOIN old_rows AS o USING (account_id)
        WHERE (n.is_looking_for_teammates, n.languages, n.region, n.play_style)
                IS DISTINCT FROM (o.is_looking_for_teammates, o.languages, o.region, o.play_style)
            OR (o.active_on < long_ago) <> (n.active_on < long_ago);
    END IF;
    IF ids IS NOT NULL THEN
        PERFORM fill_search_entries(ids);
    END IF;
    RETURN NULL;
END $$
"""
# A game more or less changes the signature in all entries of its player; another rating changes those of its game alone.
FOLLOW_GAMES = """
CREATE OR REPLACE FUNCTION search_entries_follow_games() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids uuid[];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        UPDATE search_entries AS e SET rating = n.rating, role_bits = n.role_bits
        FROM new_rows AS n JOIN games AS g ON g.id = n.game_id
        WHERE e.account_id = n.account_id AND e.cell / (4096 * 11 * 4) = g.number
            AND (e.rating, e.role_bits) IS DISTINCT FROM (n.rating, n.role_bits);
        RETURN NULL;
    ELSIF TG_OP = 'INSERT' THEN
        SELECT array_agg(DISTINCT account_id) INTO ids FROM new_rows;
    ELSE
        SELECT array_agg(DISTINCT account_id) INTO ids FROM old_rows;
    END IF;
    IF ids IS NOT NULL THEN
        PERFORM fill_search_entries(ids);
    END IF;
    RETURN NULL;
END $$
"""

# What an entry `e` is worth besides its game: `fixed` before schedule and genres, which cost most to compare. A null is
# a limit that the entry does not keep; it makes every comparison with a bound null, so the entry is passed over.
BAND = (
    "(CASE WHEN e.birth_date IS NULL THEN band_value[1] WHEN e.birth_date > band_starts[1] THEN band_value[2]"
    " WHEN e.birth_date > band_starts[2] THEN band_value[3] WHEN e.birth_date > band_starts[3] THEN band_value[4]"
    " ELSE band_value[5] END)"
)
PLATFORM = (
    "(CASE WHEN own_platforms = 0 OR e.platform_bits = 0 THEN platform_value[1]"
    " WHEN e.platform_bits & own_platforms <> 0 THEN platform_value[2] ELSE platform_value[3] END)"
)
REPUTATION = (
    "(CASE WHEN e.reputation IS NULL THEN reputation_untold WHEN e.reputation >= least_reputation"
    " THEN w_reputation * least(1000, greatest(0, e.reputation - 500) * 1000 / 300) END)"
)
FIXED = (
    f"(s.base + voice_value[e.voice + 1] + {BAND} + {PLATFORM} + {REPUTATION}"
    " + activity_value[least(61, greatest(0, as_of - e.active_on)) + 1])"
)
SCHEDULE = (
    "(CASE WHEN own_schedule IS NULL OR e.schedule IS NULL THEN schedule_untold"
    " ELSE schedule_value[bit_count(e.schedule & own_schedule)::int + 1] END)"
)
GENRES = (
    "(CASE WHEN own_genres = 0 OR e.genre_bits = 0 THEN genre_untold"
    " ELSE genre_value[bit_count((e.genre_bits & own_genres)::bit(64))::int + 1] END)"
)
RATING = "w_rating * (s.importance * rating_value[least(1500, abs(e.rating - s.rating)) + 1] / 1000)"
ROLES = (
    "w_roles * (s.importance * (CASE WHEN s.roles = 0 OR e.role_bits = 0 THEN 750"
    " WHEN e.role_bits & ~s.roles <> 0 THEN 1000 ELSE 500 END) / 1000)"
)
# At most so much for the games in common: by how many bits of the signatures are.
BREADTH = "most_breadths[bit_count((e.game_bits & own_games)::bit(64))::int + 1]"
IS_MET = (
    "e.active_on >= oldest AND e.account_id <> viewer_id"
    " AND (s.is_cross OR own_platforms = 0 OR e.platform_bits = 0 OR e.platform_bits & own_platforms <> 0)"
    " AND (asked_platforms = 0 OR e.platform_bits & asked_platforms <> 0)"
    " AND (asked_genres IS NULL OR e.genre_bits & asked_genres <> 0)"
    " AND (s.asked = 0 OR e.role_bits & s.asked <> 0)"
)
GAMES = """
    term AS MATERIALIZED (
        SELECT t.* FROM unnest(t_game, t_number, t_rating, t_roles, t_importance, t_breadth, t_cross, t_wanted, t_asked)
            AS t(game_id, number, rating, roles, importance, breadth, is_cross, is_wanted, asked)
    ),
    spoken AS MATERIALIZED (
        SELECT l.number, o.value FROM unnest(l_tag, l_value) AS o(tag, value) JOIN languages AS l USING (tag)
        UNION ALL SELECT 0, l_untold
        UNION ALL SELECT l.number, l_untold FROM languages AS l WHERE l_tag IS NULL
    )
"""
# The last word on a candidate, from his games, account and profile themselves.
EXACT = """
    (SELECT c.account_id, (c.worth + coalesce(own.best, 0) + w_games * coalesce(own.breadth, 0))::int AS score
    FROM {candidates} AS c
    CROSS JOIN LATERAL (
        SELECT a.id FROM accounts AS a
        WHERE a.id = c.account_id AND a.status = 'ACTIVE' AND a.role <> 'GUEST'
            AND (a.email IS NULL OR a.email_verified_at IS NOT NULL)
        OFFSET 0
    ) AS account
    CROSS JOIN LATERAL (
        SELECT
            max(CASE WHEN s.is_wanted AND e.rating BETWEEN least_rating AND most_rating
                AND (s.asked = 0 OR e.role_bits & s.asked <> 0) THEN {rating} + {roles} END) AS best,
            sum(s.breadth) AS breadth,
            bool_or(e.rating BETWEEN least_rating AND most_rating) AS is_rated
        FROM (SELECT game_id, rating, role_bits FROM player_games AS g WHERE g.account_id = c.account_id OFFSET 0) AS e
        LEFT JOIN LATERAL (SELECT array_position(t_game, e.game_id) AS place OFFSET 0) AS found ON true
        LEFT JOIN LATERAL (
            SELECT t_rating[found.place] AS rating, t_roles[found.place] AS roles,
                t_importance[found.place] AS importance, t_breadth[found.place] AS breadth,
                t_wanted[found.place] AS is_wanted, t_asked[found.place] AS asked
            WHERE t_cross[found.place] OR c.has_platform
        ) AS s ON true
        OFFSET 0
    ) AS own
    WHERE c.account_id <> ALL (excluded)
        AND (own.best IS NOT NULL OR is_without_games)
        AND (NOT is_without_games OR NOT must_be_rated OR own.is_rated)
        AND (
            asked_languages IS NULL
            OR EXISTS (SELECT FROM profiles AS p WHERE p.account_id = c.account_id AND p.languages && asked_languages)
        ))
""".replace("{rating}", RATING).replace("{roles}", ROLES)
HAS_PLATFORM = "(own_platforms = 0 OR e.platform_bits = 0 OR e.platform_bits & own_platforms <> 0)"
# The largest distance of two ratings at which an entry of a stream can still be worth {bound}.
REACH = (
    "CASE WHEN {bound} <= m.most THEN 3000 WHEN w_rating = 0 OR m.importance = 0 THEN -1"
    " WHEN ({bound} - m.most + w_rating - 1) / w_rating > m.importance THEN -1"
    " ELSE distance_by_value[least(1000,"
    " (({bound} - m.most + w_rating - 1) / w_rating * 1000 + m.importance - 1) / m.importance) + 1] END"
)
# The best of those that were known and those that are scored now.
KEEP_BEST = """
    SELECT array_agg(b.account_id ORDER BY b.score DESC, b.account_id), array_agg(b.score ORDER BY b.score DESC, b.account_id)
    INTO found_ids, found_scores
    FROM (
        SELECT x.account_id, max(x.score) AS score
        FROM (
            SELECT * FROM unnest(found_ids, found_scores) AS known(account_id, score)
            UNION ALL
            SELECT * FROM {exact} AS fresh
        ) AS x
        GROUP BY x.account_id ORDER BY max(x.score) DESC, x.account_id LIMIT how_many
    ) AS b
"""
SEARCH_BEST = (
    """
CREATE FUNCTION search_best(
    viewer_id uuid, how_many int, hint int, are_few boolean,
    t_game uuid[], t_number int[], t_rating int[], t_roles int[], t_importance int[], t_breadth int[],
    t_cross boolean[], t_wanted boolean[], t_asked int[], is_without_games boolean, must_be_rated boolean, constant int,
    w_rating int, w_roles int, w_games int, own_games bigint, most_breadths int[],
    l_tag text[], l_value int[], l_untold int, region_value int[], style_value int[], voice_value int[],
    band_value int[], band_starts date[], activity_value int[], as_of date, oldest date,
    w_reputation int, reputation_untold int, least_reputation int,
    own_schedule bit(168), schedule_value int[], schedule_untold int,
    own_genres bigint, genre_value int[], genre_untold int, asked_genres bigint,
    own_platforms int, platform_value int[], asked_platforms int, least_rating int, most_rating int,
    asked_languages text[], excluded uuid[]
) RETURNS TABLE (account_id uuid, score int)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off
SET enable_bitmapscan = off SET max_parallel_workers_per_gather = 0 SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    -- What a distance of two ratings is worth, and the largest distance that is worth at least so much.
    rating_value CONSTANT int[] := '{RATING_VALUE}';
    distance_by_value CONSTANT int[] := '{DISTANCE_BY_VALUE}';
    found_ids uuid[] := '{}';
    found_scores int[] := '{}';
    waiting_ids uuid[] := '{}';  -- read, and worth too little for the bound so far
    waiting_worths int[] := '{}';
    waiting_uppers int[] := '{}';
    waiting_platforms boolean[] := '{}';
    -- The most that what no stream knows can be worth.
    most_breadth int := most_breadths[cardinality(most_breadths)];
    most_schedule int := (SELECT max(x) FROM unnest(schedule_value[1:coalesce(bit_count(own_schedule)::int, -1) + 1] || schedule_untold) AS x);
    most_genres int := (SELECT max(x) FROM unnest(genre_value || genre_untold) AS x);
    most_open int := greatest(reputation_untold, w_reputation * 1000) + (SELECT max(x) FROM unnest(activity_value) AS x)
        + (SELECT max(x) FROM unnest(voice_value) AS x) + (SELECT max(x) FROM unnest(band_value) AS x)
        + (SELECT max(x) FROM unnest(platform_value) AS x);
    most_region int := (SELECT max(x) FROM unnest(region_value) AS x);
    most_style int := (SELECT max(x) FROM unnest(style_value) AS x);
    most_language int := (SELECT max(x) FROM unnest(l_value || l_untold) AS x);
    most_importance int := (SELECT max(x) FROM unnest(t_importance) AS x);
    -- An entry under no game has no rating of its own.
    lowest_rating int := CASE WHEN is_without_games THEN 0 ELSE least_rating END;
    highest_rating int := CASE WHEN is_without_games THEN 3000 ELSE most_rating END;
    rest int := constant + most_breadth + most_schedule + most_genres + most_open;
    highest int := rest + most_region + most_style + most_language + most_importance * (w_rating + w_roles);
    bound int;  -- whoever can be worth so much is read and scored
    floor int;  -- whoever was read and can be worth so much waits, if he is not scored
    read_to int;  -- the bound whose windows have been read
    sure int := 0;  -- as many as wanted are known to be worth so much
    step int := 60000;
BEGIN
    IF highest IS NULL OR how_many < 1 THEN  -- some limit lets nobody through
        RETURN;
    END IF;
    IF are_few THEN
        bound := 0;
    ELSIF hint IS NOT NULL THEN
        bound := least(highest, hint);
    ELSE
        -- A first guess: what the nearest neighbours in the most promising streams are worth, and a little more.
        WITH {GAMES},
        s AS MATERIALIZED (
            SELECT term.*, ((term.number * 4096 + spoken.number) * 11 + r.place::int - 1) * 4 + y.place::int - 1 AS cell,
                constant + spoken.value + r.value + y.value AS base
            FROM term
            CROSS JOIN spoken
            CROSS JOIN unnest(region_value) WITH ORDINALITY AS r(value, place)
            CROSS JOIN unnest(style_value) WITH ORDINALITY AS y(value, place)
            WHERE term.is_wanted AND r.value IS NOT NULL AND y.value IS NOT NULL
            ORDER BY spoken.value + r.value + y.value + term.importance * (w_rating + w_roles) DESC LIMIT 30
        ),
        near AS MATERIALIZED (
            SELECT e.account_id, max(e.worth) AS worth, bool_or(e.has_platform) AS has_platform
            FROM s CROSS JOIN LATERAL (
                (SELECT e.account_id, {FIXED} + {SCHEDULE} + {GENRES} AS worth, {RATING} + {BREADTH} AS nearness, {HAS_PLATFORM} AS has_platform
                FROM search_entries AS e
                WHERE e.cell = s.cell AND e.rating >= s.rating AND e.rating BETWEEN lowest_rating AND highest_rating AND {IS_MET}
                ORDER BY e.rating LIMIT 48)
                UNION ALL
                (SELECT e.account_id, {FIXED} + {SCHEDULE} + {GENRES}, {RATING} + {BREADTH}, {HAS_PLATFORM}
                FROM search_entries AS e
                WHERE e.cell = s.cell AND e.rating < s.rating AND e.rating BETWEEN lowest_rating AND highest_rating AND {IS_MET}
                ORDER BY e.rating DESC LIMIT 48)
            ) AS e
            WHERE e.worth IS NOT NULL
            GROUP BY e.account_id ORDER BY max(e.worth + e.nearness) DESC LIMIT 4 * how_many
        )
        {BEST_NEAR};
        IF cardinality(found_scores) = how_many THEN
            sure := found_scores[how_many];
            bound := sure + ((highest - sure) * 0.3)::int;
        ELSE
            bound := highest - step;
        END IF;
    END IF;
    floor := CASE WHEN sure > 0 THEN sure ELSE bound - step END;
    LOOP
        bound := greatest(bound, 0);
        -- Streams whose best can reach the bound, and the windows of ratings that were not read before.
        WITH {GAMES},
        m AS MATERIALIZED (
            SELECT term.*, ((term.number * 4096 + spoken.number) * 11 + r.place::int - 1) * 4 + y.place::int - 1 AS cell,
                constant + spoken.value + r.value + y.value AS base,
                rest + spoken.value + r.value + y.value + w_roles * term.importance AS most
            FROM term
            JOIN spoken ON term.is_wanted
                AND rest + spoken.value + most_region + most_style + term.importance * (w_rating + w_roles) >= bound
            JOIN unnest(region_value) WITH ORDINALITY AS r(value, place)
                ON rest + spoken.value + r.value + most_style + term.importance * (w_rating + w_roles) >= bound
            JOIN unnest(style_value) WITH ORDINALITY AS y(value, place)
                ON rest + spoken.value + r.value + y.value + term.importance * (w_rating + w_roles) >= bound
        ),
        s AS MATERIALIZED (
            SELECT m.*, greatest(lowest_rating, w.low) AS low, least(highest_rating, w.high) AS high
            FROM m
            CROSS JOIN LATERAL (SELECT {REACH_BOUND} AS reach, {REACH_READ} AS inner_reach OFFSET 0) AS d
            CROSS JOIN LATERAL (VALUES
                (m.rating - d.reach, CASE WHEN d.inner_reach < 0 THEN m.rating + d.reach ELSE m.rating - d.inner_reach - 1 END),
                (m.rating + d.inner_reach + 1, CASE WHEN d.inner_reach < 0 THEN -1 ELSE m.rating + d.reach END)
            ) AS w(low, high)
            WHERE w.low <= w.high
        ),
        fresh AS MATERIALIZED (
            SELECT e.account_id, max(e.worth) AS worth, max(e.upper) AS upper, bool_or(e.has_platform) AS has_platform
            FROM s CROSS JOIN LATERAL (
                SELECT e.account_id, v.worth, v.worth + {RATING} + {ROLES} + {BREADTH} AS upper, {HAS_PLATFORM} AS has_platform
                FROM search_entries AS e
                CROSS JOIN LATERAL (SELECT {FIXED} + {SCHEDULE} + {GENRES} AS worth OFFSET 0) AS v
                WHERE e.cell = s.cell AND e.rating BETWEEN s.low AND s.high AND {IS_MET}
                    AND {FIXED} + {RATING} + w_roles * s.importance + {BREADTH} >= floor - most_schedule - most_genres
                    AND v.worth + {RATING} + {ROLES} + {BREADTH} >= floor
            ) AS e
            GROUP BY e.account_id
        )
        SELECT waiting_ids || array_agg(account_id), waiting_worths || array_agg(worth), waiting_uppers || array_agg(upper),
            waiting_platforms || array_agg(has_platform)
        INTO waiting_ids, waiting_worths, waiting_uppers, waiting_platforms FROM fresh;
        WITH candidate AS MATERIALIZED (
            SELECT w.account_id, max(w.worth) AS worth, bool_or(w.has_platform) AS has_platform
            FROM unnest(waiting_ids, waiting_worths, waiting_uppers, waiting_platforms) AS w(account_id, worth, upper, has_platform)
            WHERE w.upper >= bound
            GROUP BY w.account_id
        )
        {BEST_CANDIDATES};
        EXIT WHEN bound = 0 OR found_scores[how_many] >= bound;
        read_to := bound;
        sure := greatest(found_scores[how_many], sure);
        bound := sure;
        IF sure = 0 THEN
            bound := read_to - step;
            step := step * 2;
        END IF;
        IF bound < floor THEN  -- what has been passed over has to be read again
            read_to := NULL;
            waiting_ids := '{}'; waiting_worths := '{}'; waiting_uppers := '{}'; waiting_platforms := '{}';
            floor := bound - CASE WHEN sure > 0 THEN 0 ELSE step END;
        ELSIF sure > 0 THEN
            floor := bound;
        END IF;
    END LOOP;
    RETURN QUERY SELECT * FROM unnest(found_ids, found_scores);
END $$
""".replace("{GAMES}", GAMES.strip())
    .replace("{BEST_NEAR}", KEEP_BEST.replace("{exact}", EXACT.replace("{candidates}", "near")).strip())
    .replace("{BEST_CANDIDATES}", KEEP_BEST.replace("{exact}", EXACT.replace("{candidates}", "candidate")).strip())
    .replace("{RATING_VALUE}", _array(RATING_VALUE))
    .replace("{DISTANCE_BY_VALUE}", _array(DISTANCE_BY_VALUE))
    .replace("{REACH_BOUND}", REACH.replace("{bound}", "bound"))
    .replace("{REACH_READ}", f"CASE WHEN read_to IS NULL THEN -1 ELSE {REACH.replace('{bound}', 'read_to')} END")
    .replace("{FIXED}", FIXED)
    .replace("{SCHEDULE}", SCHEDULE)
    .replace("{GENRES}", GENRES)
    .replace("{BREADTH}", BREADTH)
    .replace("{RATING}", RATING)
    .replace("{ROLES}", ROLES)
    .replace("{IS_MET}", IS_MET)
    .replace("{HAS_PLATFORM}", HAS_PLATFORM)
)


INDEX = "ix_search_entries_cell_rating"
CARRIED = [
    "account_id", "role_bits", "voice", "platform_bits", "birth_date", "active_on", "reputation", "genre_bits", "schedule"
]  # fmt: skip


def upgrade() -> None:
    op.execute("DROP FUNCTION search_best")
    op.execute("DROP VIEW search_entry_source")
    op.execute("TRUNCATE search_entries")
    op.add_column("search_entries", sa.Column("game_bits", sa.BigInteger(), nullable=False))
    _replace_index([*CARRIED, "game_bits"])
    for statement in (SOURCE, FILL, FOLLOW_PROFILES, FOLLOW_GAMES, SEARCH_BEST):
        op.execute(statement)
    op.execute("SELECT fill_search_entries(array_agg(account_id)) FROM profiles")


def downgrade() -> None:
    script = op.get_context().script
    if script is None:
        raise RuntimeError("the revision before is read from the folder of revisions")
    before = script.get_revision("0006").module
    op.execute("DROP FUNCTION search_best")
    op.execute("DROP VIEW search_entry_source")
    op.execute("TRUNCATE search_entries")
    _replace_index(CARRIED)
    op.drop_column("search_entries", "game_bits")
    for statement in (before.SOURCE, before.FILL, before.FOLLOW_PROFILES, before.FOLLOW_GAMES, before.SEARCH_BEST):
        op.execute(statement.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
    op.execute("SELECT fill_search_entries(array_agg(account_id)) FROM profiles")


def _replace_index(carried: list[str]) -> None:
    op.drop_index(INDEX, table_name="search_entries")
    op.create_index(INDEX, "search_entries", ["cell", "rating"], unique=False, postgresql_include=carried)
