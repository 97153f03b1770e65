"""Who is here is searched in entries of their own, and every search plans the reading of its windows.

Why is told in docs/decisions/0039-who-is-here-has-entries-of-their-own.md and 0040-windows-are-planned.md. The function
stands here whole; how it works is told in 0019-each-window-once.md and 0031-the-seen-are-passed-over.md.
"""

import math
import operator
from bisect import bisect_right
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


COLUMNS = (
    "account_id, cell, rating, role_bits, voice, platform_bits, birth_date, active_on, reputation, genre_bits, schedule,"
    " game_bits"
)


def _array(values: list[int]) -> str:
    return f"{{{','.join(map(str, values))}}}"


# The curves of resolvers/matching/tables.py, as they were when this was written.
RATING_VALUE = [round(1000 * math.exp(-0.5 * (max(0, distance - 50) / 350) ** 2)) for distance in range(3001)]
DISTANCE_BY_VALUE = [
    3_000,
    *(bisect_right(RATING_VALUE, -value, key=operator.neg) - 1 for value in range(1, 1001)),  # it falls
]
REPUTATION_VALUE = [min(1000, max(0, bound - 500) * 1000 // 300) for bound in range(1001)]

# What an entry `e` is worth besides its game: `FIXED` before schedule and genres, which cost most to compare. A null is
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
    " THEN w_reputation * reputation_value[e.reputation + 1] END)"
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
WORTH = f"{FIXED} + {SCHEDULE} + {GENRES}"
RATING = "w_rating * (s.importance * rating_value[abs(e.rating - s.rating) + 1] / 1000)"
ROLES = (
    "w_roles * (s.importance * (CASE WHEN s.roles = 0 OR e.role_bits = 0 THEN 750"
    " WHEN e.role_bits & ~s.roles <> 0 THEN 1000 ELSE 500 END) / 1000)"
)
# At most so much for the games in common: by how many bits of the signatures are.
BREADTH = "most_breadths[bit_count((e.game_bits & own_games)::bit(64))::int + 1]"
UPPER = f"{WORTH} + {RATING} + {ROLES} + {BREADTH}"
IS_MET = (
    "e.active_on >= oldest AND e.account_id <> viewer_id"
    " AND (s.is_cross OR own_platforms = 0 OR e.platform_bits = 0 OR e.platform_bits & own_platforms <> 0)"
    " AND (asked_platforms = 0 OR e.platform_bits & asked_platforms <> 0)"
    " AND (asked_genres IS NULL OR e.genre_bits & asked_genres <> 0)"
    " AND (s.asked = 0 OR e.role_bits & s.asked <> 0)"
)
IS_UNSEEN = "substring(uuid_send({id}) FROM 12) NOT IN (SELECT unnest(seen))"
# A stream is a cell whose entries share a game and a language with the viewer; the best come first. A language of a game
# has 44 cells: 11 regions, 4 styles each.
FIND_STREAMS = """
WITH term AS MATERIALIZED (
    SELECT t.* FROM unnest(t_number, t_rating, t_roles, t_importance, t_cross, t_wanted, t_asked)
        AS t(number, rating, roles, importance, is_cross, is_wanted, asked)
    WHERE t.is_wanted
),
spoken AS MATERIALIZED (
    SELECT l.number, o.value FROM unnest(l_tag, l_value) AS o(tag, value) JOIN languages AS l USING (tag)
    UNION ALL SELECT 0, l_untold
    UNION ALL SELECT l.number, l_untold FROM languages AS l WHERE l_tag IS NULL
),
found AS (
    SELECT term.*, known.cell,
        constant + spoken.value + region_value[known.cell / 4 % 11 + 1] + style_value[known.cell % 4 + 1] AS base
    FROM term CROSS JOIN spoken JOIN search_cells AS known ON known.cell
        BETWEEN (term.number * 4096 + spoken.number) * 44 AND (term.number * 4096 + spoken.number) * 44 + 43
)
SELECT array_agg(cell), array_agg(base), array_agg(rating), array_agg(roles), array_agg(importance), array_agg(is_cross),
    array_agg(asked)
INTO s_cell, s_base, s_rating, s_roles, s_importance, s_cross, s_asked
FROM (
    SELECT * FROM found WHERE base IS NOT NULL ORDER BY base + importance * (w_rating + w_roles) DESC, cell
) AS best_first
"""
STREAMS = (
    "unnest(s_cell, s_base, s_rating, s_roles, s_importance, s_cross, s_asked)"
    " AS stream(cell, base, rating, roles, importance, is_cross, asked)"
)
# The last word on a candidate, from his games, account and profile themselves.
EXACT = """
    (SELECT c.account_id, (c.worth + coalesce(own.best, 0) + w_games * coalesce(own.breadth, 0))::int AS score
    FROM {candidates} AS c
    CROSS JOIN LATERAL (
        SELECT a.id FROM accounts AS a
        WHERE a.id = c.account_id AND a.status = 'ACTIVE' AND a.role <> 'GUEST'
            AND (a.email IS NULL OR a.email_verified_at IS NOT NULL)
            -- Teammates are never listed, so whoever shows it to teammates alone shows it to nobody here.
            AND (NOT must_be_here OR a.who_sees_my_presence = 'EVERYONE' AND EXISTS (
                SELECT FROM leases AS l WHERE l.account_id = a.id AND l.until > now()
            ))
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
            OR EXISTS (
                SELECT FROM profiles AS p
                WHERE p.account_id = c.account_id AND spoken_languages(p.languages) && asked_languages
            )
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
# What is read are the entries of all who are looking, or of those who are here: two statements of one text.
PROBE = """
WITH s AS MATERIALIZED (
    -- To who speaks with everybody each language is another stream.
    SELECT * FROM {STREAMS} LIMIT CASE WHEN l_tag IS NULL THEN 100 ELSE 30 END
),
near AS MATERIALIZED (
    SELECT e.account_id, max(e.worth) AS worth, bool_or(e.has_platform) AS has_platform
    FROM s CROSS JOIN LATERAL (
        (SELECT e.account_id, {WORTH} AS worth, {RATING} + {BREADTH} AS nearness, {HAS_PLATFORM} AS has_platform
        FROM {entries} AS e
        WHERE e.cell = s.cell AND e.rating >= s.rating AND e.rating BETWEEN lowest_rating AND highest_rating AND {IS_MET}
        ORDER BY e.rating LIMIT 48)
        UNION ALL
        (SELECT e.account_id, {WORTH}, {RATING} + {BREADTH}, {HAS_PLATFORM}
        FROM {entries} AS e
        WHERE e.cell = s.cell AND e.rating < s.rating AND e.rating BETWEEN lowest_rating AND highest_rating AND {IS_MET}
        ORDER BY e.rating DESC LIMIT 48)
    ) AS e
    WHERE e.worth IS NOT NULL AND {IS_NEW}
    GROUP BY e.account_id ORDER BY max(e.worth + e.nearness) DESC LIMIT 4 * how_many
)
{BEST_NEAR}
"""
READ = """
WITH m AS MATERIALIZED (
    SELECT stream.*, base + rest + w_roles * importance AS most FROM {STREAMS}
    WHERE base + rest + importance * (w_rating + w_roles) >= bound
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
        SELECT e.account_id, {WORTH} AS worth, {UPPER} AS upper, {HAS_PLATFORM} AS has_platform
        FROM {entries} AS e
        WHERE e.cell = s.cell AND e.rating BETWEEN s.low AND s.high AND {IS_MET}
            AND {FIXED} + {RATING} + w_roles * s.importance + {BREADTH} >= floor - most_schedule - most_genres
            AND {UPPER} >= floor
    ) AS e
    GROUP BY e.account_id
)
SELECT waiting_ids || array_agg(account_id), waiting_worths || array_agg(worth), waiting_uppers || array_agg(upper),
    waiting_platforms || array_agg(has_platform)
INTO waiting_ids, waiting_worths, waiting_uppers, waiting_platforms FROM fresh
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
    asked_languages text[], must_be_here boolean, seen bytea[], excluded uuid[]
) RETURNS TABLE (account_id uuid, score int)
LANGUAGE plpgsql STABLE ROWS 20
SET plan_cache_mode = force_generic_plan SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off
SET enable_bitmapscan = off SET max_parallel_workers_per_gather = 0 SET jit = off SET work_mem = '64MB'
AS $$
#variable_conflict use_column
DECLARE
    -- What a distance of two ratings is worth, the largest distance that is worth at least so much, and what a reputation is.
    rating_value CONSTANT int[] := '{RATING_VALUE}';
    distance_by_value CONSTANT int[] := '{DISTANCE_BY_VALUE}';
    reputation_value CONSTANT int[] := '{REPUTATION_VALUE}';
    s_cell int[]; s_base int[]; s_rating int[]; s_roles int[]; s_importance int[]; s_cross boolean[]; s_asked int[];
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
    rest int := most_breadth + most_schedule + most_genres + most_open;
    highest int := constant + rest + most_region + most_style + most_language + most_importance * (w_rating + w_roles);
    bound int;  -- whoever can be worth so much is read and scored
    floor int;  -- whoever was read and can be worth so much waits, if he is not scored
    read_to int;  -- the bound whose windows have been read
    sure int := 0;  -- as many as wanted are known to be worth so much
    step int := 60000;
BEGIN
    IF highest IS NULL OR how_many < 1 THEN  -- some limit lets nobody through
        RETURN;
    END IF;
    {FIND_STREAMS};
    IF are_few THEN
        bound := 0;
    ELSIF hint IS NOT NULL THEN
        bound := least(highest, hint);
    ELSE
        -- A first guess: what the nearest neighbours in the most promising streams are worth, and a little more.
        IF must_be_here THEN
            {PROBE_HERE};
        ELSE
            {PROBE_ALL};
        END IF;
        IF cardinality(found_scores) = how_many THEN
            sure := found_scores[how_many];
            -- Few are here, and most of those nearby have been seen now: to hope for better ones would be in vain.
            bound := sure + CASE WHEN must_be_here THEN 0 ELSE ((highest - sure) * 0.3)::int END;
        ELSE
            bound := highest - step;
        END IF;
    END IF;
    floor := CASE WHEN sure > 0 THEN sure WHEN hint IS NOT NULL THEN bound - 10000 ELSE bound - step END;
    LOOP
        bound := greatest(bound, 0);
        -- Where many entries are read, a plan for these very arguments pays: they are constants in it, and what is not
        -- asked for falls away.
        IF NOT (are_few OR must_be_here) THEN
            PERFORM set_config('plan_cache_mode', 'force_custom_plan', true);
        END IF;
        -- Streams whose best can reach the bound, and the windows of ratings that were not read before.
        IF must_be_here THEN
            {READ_HERE};
        ELSE
            {READ_ALL};
        END IF;
        PERFORM set_config('plan_cache_mode', 'force_generic_plan', true);
        WITH candidate AS MATERIALIZED (
            SELECT w.account_id, max(w.worth) AS worth, bool_or(w.has_platform) AS has_platform
            FROM unnest(waiting_ids, waiting_worths, waiting_uppers, waiting_platforms) AS w(account_id, worth, upper, has_platform)
            WHERE w.upper >= bound AND {IS_NEW_CANDIDATE}
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
""".replace("{PROBE_HERE}", PROBE.strip().replace("{entries}", "search_entries_here"))
    .replace("{PROBE_ALL}", PROBE.strip().replace("{entries}", "search_entries"))
    .replace("{READ_HERE}", READ.strip().replace("{entries}", "search_entries_here"))
    .replace("{READ_ALL}", READ.strip().replace("{entries}", "search_entries"))
    .replace("{FIND_STREAMS}", FIND_STREAMS.strip())
    .replace("{STREAMS}", STREAMS)
    .replace("{BEST_NEAR}", KEEP_BEST.replace("{exact}", EXACT.replace("{candidates}", "near")).strip())
    .replace("{BEST_CANDIDATES}", KEEP_BEST.replace("{exact}", EXACT.replace("{candidates}", "candidate")).strip())
    .replace("{RATING_VALUE}", _array(RATING_VALUE))
    .replace("{DISTANCE_BY_VALUE}", _array(DISTANCE_BY_VALUE))
    .replace("{REACH_BOUND}", REACH.replace("{bound}", "bound"))
    .replace("{REACH_READ}", f"CASE WHEN read_to IS NULL THEN -1 ELSE {REACH.replace('{bound}', 'read_to')} END")
    .replace("{REPUTATION_VALUE}", _array(REPUTATION_VALUE))
    .replace("{UPPER}", UPPER)
    .replace("{WORTH}", WORTH)
    .replace("{FIXED}", FIXED)
    .replace("{BREADTH}", BREADTH)
    .replace("{RATING}", RATING)
    .replace("{IS_MET}", IS_MET)
    .replace("{IS_NEW}", IS_UNSEEN.format(id="e.account_id"))
    .replace("{IS_NEW_CANDIDATE}", IS_UNSEEN.format(id="w.account_id"))
    .replace("{HAS_PLATFORM}", HAS_PLATFORM)
)


# Entered are those with a lease, valid or not. Whoever changes entries has locked the profile, and so does who enters: of
# two at once the second sees what the first has done.
# Its plans are kept: one from when nobody was here would read the whole table later, so it takes the index from the start.
ENTER = """
CREATE FUNCTION enter_who_is_here(ids uuid[]) RETURNS void LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    DELETE FROM search_entries_here WHERE account_id = ANY (ids);
    INSERT INTO search_entries_here ({COLUMNS})
    SELECT {COLUMNS} FROM search_entries AS e
    WHERE account_id = ANY (ids) AND EXISTS (SELECT FROM leases AS l WHERE l.account_id = e.account_id);
END $$
""".replace("{COLUMNS}", COLUMNS)
THEN = """
    INSERT INTO search_cells (cell)
    SELECT DISTINCT cell FROM search_entries AS e
    WHERE account_id = ANY (ids) AND NOT EXISTS (SELECT FROM search_cells AS known WHERE known.cell = e.cell)
    ORDER BY cell
    ON CONFLICT DO NOTHING;
    PERFORM enter_who_is_here(ids);
""".strip()
FOLLOW_LEASES = """
CREATE FUNCTION search_entries_follow_leases() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(DISTINCT account_id) INTO ids FROM new_rows;
    ELSE
        SELECT array_agg(DISTINCT account_id) INTO ids FROM old_rows;
    END IF;
    IF ids IS NOT NULL THEN  -- a lease that is renewed is none that is inserted
        PERFORM FROM profiles WHERE account_id = ANY (ids) ORDER BY account_id FOR NO KEY UPDATE;
        PERFORM enter_who_is_here(ids);
    END IF;
    RETURN NULL;
END $$
"""
# As before, and whoever is here is entered again with what has changed.
FOLLOW_PROFILES = """
CREATE OR REPLACE FUNCTION search_entries_follow_profiles() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids uuid[];
    long_ago CONSTANT date := (now() AT TIME ZONE 'UTC')::date - 61;
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM search_entries WHERE account_id IN (SELECT account_id FROM old_rows);
        DELETE FROM search_entries_here WHERE account_id IN (SELECT account_id FROM old_rows);
        RETURN NULL;
    ELSIF TG_OP = 'INSERT' THEN
        SELECT array_agg(account_id) INTO ids FROM new_rows;
    ELSE
        WITH changed AS (
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
                    (o.voice_chat, o.platforms, o.birth_date, o.active_on, o.reputation, o.genre_bits, o.schedule)
            RETURNING e.account_id
        )
        SELECT array_agg(DISTINCT account_id) INTO ids FROM changed;
        IF ids IS NOT NULL THEN
            PERFORM enter_who_is_here(ids);
        END IF;
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
        UPDATE search_entries AS e SET rating = n.rating, role_bits = n.role_bits
        FROM new_rows AS n JOIN games AS g ON g.id = n.game_id
        WHERE e.account_id = n.account_id AND e.cell / (4096 * 11 * 4) = g.number
            AND (e.rating, e.role_bits) IS DISTINCT FROM (n.rating, n.role_bits);
        PERFORM enter_who_is_here(ids);
    ELSE
        PERFORM fill_search_entries(ids);
    END IF;
    RETURN NULL;
END $$
"""
FOLLOWS = """
CREATE TRIGGER search_entries_follow_{what} AFTER {what} ON leases REFERENCING {rows} TABLE AS {name}
FOR EACH STATEMENT EXECUTE FUNCTION search_entries_follow_leases()
"""


def upgrade() -> None:
    op.create_table(
        "search_entries_here",
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("cell", sa.Integer(), nullable=False),
        sa.Column("rating", sa.SmallInteger(), nullable=False),
        sa.Column("role_bits", sa.Integer(), nullable=False),
        sa.Column("voice", sa.SmallInteger(), nullable=False),
        sa.Column("platform_bits", sa.SmallInteger(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("active_on", sa.Date(), nullable=False),
        sa.Column("reputation", sa.SmallInteger(), nullable=True),
        sa.Column("genre_bits", sa.BigInteger(), nullable=False),
        sa.Column("schedule", postgresql.BIT(168), nullable=True),
        sa.Column("game_bits", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "cell", name=op.f("pk_search_entries_here")),
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "search_cells",
        sa.Column("cell", sa.Integer(), nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("cell", name=op.f("pk_search_cells")),
    )
    op.create_index(
        "ix_search_entries_here_cell_rating",
        "search_entries_here",
        ["cell", "rating"],
        unique=False,
        postgresql_include=["account_id", *COLUMNS.split(", ")[3:]],
    )
    op.execute(ENTER)
    op.execute(_module("0028").filling(THEN))
    for statement in (FOLLOW_LEASES, FOLLOW_PROFILES, FOLLOW_GAMES):
        op.execute(statement)
    op.execute(FOLLOWS.format(what="INSERT", rows="NEW", name="new_rows"))
    op.execute(FOLLOWS.format(what="DELETE", rows="OLD", name="old_rows"))
    op.execute("INSERT INTO search_cells SELECT DISTINCT cell FROM search_entries")
    op.execute("SELECT enter_who_is_here(array_agg(account_id)) FROM leases")
    op.execute("DROP FUNCTION search_best")
    op.execute(SEARCH_BEST)


def downgrade() -> None:
    # As the revisions before made it: the first of these drops this one and makes it whole.
    _module("0017").upgrade()
    _module("0027").upgrade()
    languages, before = _module("0028"), _module("0008")
    languages.replace_in_search(*languages.IN_SEARCH)
    for what in ("insert", "delete"):
        op.execute(f"DROP TRIGGER search_entries_follow_{what} ON leases")
    op.execute("DROP FUNCTION search_entries_follow_leases")
    for statement in (languages.filling(), before.FOLLOW_PROFILES, before.FOLLOW_GAMES):
        op.execute(statement)
    op.execute("DROP FUNCTION enter_who_is_here")
    op.drop_table("search_cells")
    op.drop_table("search_entries_here")


def _module(revision: str) -> Any:
    script = op.get_context().script
    if script is None:
        raise RuntimeError("revisions before this one are read from their folder")
    return script.get_revision(revision).module
