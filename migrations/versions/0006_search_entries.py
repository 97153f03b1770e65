"""What the search reads, the triggers that keep it in step, and the function that finds the best without looking at all.

How the function works is told in docs/decisions/0017-streams-with-bounds.md. A later revision replaces the function whole.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


NUMBERS = (
    """
    CREATE FUNCTION search_region(name text) RETURNS int LANGUAGE sql IMMUTABLE AS $$
        SELECT coalesce(array_position('{EUROPE,CIS,NORTH_AMERICA,SOUTH_AMERICA,MIDDLE_EAST,AFRICA,SOUTH_ASIA,EAST_ASIA,'
            'SOUTHEAST_ASIA,OCEANIA}'::text[], name), 0)
    $$
    """,
    """
    CREATE FUNCTION search_style(name text) RETURNS int LANGUAGE sql IMMUTABLE AS $$
        SELECT coalesce(array_position('{CASUAL,BALANCED,COMPETITIVE}'::text[], name), 0)
    $$
    """,
    """
    CREATE FUNCTION search_voice(name text) RETURNS int LANGUAGE sql IMMUTABLE AS $$
        SELECT coalesce(array_position('{REQUIRED,PREFERRED,TEXT_ONLY,ANY}'::text[], name), 0)
    $$
    """,
    """
    CREATE FUNCTION search_platforms(names text[]) RETURNS int LANGUAGE sql IMMUTABLE AS $$
        SELECT coalesce(bit_or(1 << (array_position('{PC,PLAYSTATION,XBOX,SWITCH,MOBILE,VR}'::text[], name) - 1)), 0)
        FROM unnest(names) AS name
    $$
    """,
)

# What the entries are to be; the triggers copy from it.
SOURCE = """
CREATE VIEW search_entry_source AS
SELECT
    p.account_id,
    ((coalesce(g.number, 0) * 4096 + l.number) * 11 + search_region(p.region)) * 4 + search_style(p.play_style) AS cell,
    played.rating,
    played.role_bits,
    search_voice(p.voice_chat) AS voice,
    search_platforms(p.platforms::text[]) AS platform_bits,
    p.birth_date,
    p.active_on,
    p.reputation,
    p.genre_bits,
    p.schedule,
    played.game_id
FROM profiles AS p
CROSS JOIN LATERAL (
    SELECT game_id, rating, role_bits FROM player_games WHERE player_games.account_id = p.account_id
    UNION ALL
    SELECT NULL, 1500, 0
) AS played
LEFT JOIN games AS g ON g.id = played.game_id
CROSS JOIN LATERAL (
    SELECT number FROM languages WHERE tag = ANY (p.languages)
    UNION ALL
    SELECT 0 WHERE cardinality(p.languages) = 0
) AS l
WHERE p.is_looking_for_teammates
"""
COLUMNS = (
    "account_id, cell, rating, role_bits, voice, platform_bits, birth_date, active_on, reputation, genre_bits, schedule"
)
FILL = """
CREATE FUNCTION fill_search_entries(ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO languages (tag)
    SELECT DISTINCT spoken.tag FROM profiles CROSS JOIN unnest(profiles.languages) AS spoken(tag)
    WHERE profiles.account_id = ANY (ids)
        AND NOT EXISTS (SELECT FROM languages AS known WHERE known.tag = spoken.tag)
    ON CONFLICT DO NOTHING;
    DELETE FROM search_entries WHERE account_id = ANY (ids);
    INSERT INTO search_entries SELECT {COLUMNS} FROM search_entry_source WHERE account_id = ANY (ids);
END $$
""".replace("{COLUMNS}", COLUMNS)

# Statement by statement: a bulk load fires them once. A visit on the same day changes nothing and costs nothing; what
# moves no entry to another cell is changed in its place.
FOLLOW_PROFILES = """
CREATE FUNCTION search_entries_follow_profiles() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids uuid[];
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
            IS DISTINCT FROM (o.is_looking_for_teammates, o.languages, o.region, o.play_style);
    END IF;
    IF ids IS NOT NULL THEN
        PERFORM fill_search_entries(ids);
    END IF;
    RETURN NULL;
END $$
"""
FOLLOW_GAMES = """
CREATE FUNCTION search_entries_follow_games() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM search_entries AS e USING old_rows AS o JOIN games AS g ON g.id = o.game_id
        WHERE e.account_id = o.account_id AND e.cell / (4096 * 11 * 4) = g.number;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO search_entries
        SELECT {COLUMNS} FROM new_rows AS n CROSS JOIN LATERAL (
            SELECT * FROM search_entry_source AS s WHERE s.account_id = n.account_id AND s.game_id = n.game_id OFFSET 0
        ) AS s;
    END IF;
    RETURN NULL;
END $$
""".replace("{COLUMNS}", ", ".join(f"s.{name}" for name in COLUMNS.split(", ")))
TRIGGERS = tuple(
    f"CREATE TRIGGER search_entries_{event} AFTER {event} ON {table} REFERENCING {rows}"
    f" FOR EACH STATEMENT EXECUTE FUNCTION search_entries_follow_{name}()"
    for table, name in (("profiles", "profiles"), ("player_games", "games"))
    for event, rows in (
        ("insert", "NEW TABLE AS new_rows"),
        ("update", "OLD TABLE AS old_rows NEW TABLE AS new_rows"),
        ("delete", "OLD TABLE AS old_rows"),
    )
)

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
FIXED = (
    f"(s.base + voice_value[e.voice + 1] + {BAND} + {PLATFORM} + reputation_value[coalesce(e.reputation, -1) + 2]"
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
            (asked_languages IS NULL AND changed_before IS NULL)
            OR EXISTS (
                SELECT FROM profiles AS p
                WHERE p.account_id = c.account_id
                    AND (asked_languages IS NULL OR p.languages && asked_languages)
                    AND (changed_before IS NULL OR p.updated_at <= changed_before)
            )
        ))
""".replace("{rating}", RATING).replace("{roles}", ROLES)
HAS_PLATFORM = "(own_platforms = 0 OR e.platform_bits = 0 OR e.platform_bits & own_platforms <> 0)"
BEST = """
    SELECT array_agg(b.account_id ORDER BY b.score DESC, b.account_id), array_agg(b.score ORDER BY b.score DESC, b.account_id)
    INTO found_ids, found_scores
    FROM (
        SELECT * FROM {exact} AS x
        WHERE after_score IS NULL OR x.score < after_score OR (x.score = after_score AND x.account_id > after_id)
        ORDER BY x.score DESC, x.account_id LIMIT how_many
    ) AS b
"""
SEARCH_BEST = (
    """
CREATE FUNCTION search_best(
    viewer_id uuid, how_many int, after_score int, after_id uuid, are_few boolean,
    t_game uuid[], t_number int[], t_rating int[], t_roles int[], t_importance int[], t_breadth int[],
    t_cross boolean[], t_wanted boolean[], t_asked int[], is_without_games boolean, must_be_rated boolean, constant int,
    w_rating int, w_roles int, w_games int, rating_value int[], distance_by_value int[],
    l_tag text[], l_value int[], l_untold int, region_value int[], style_value int[], voice_value int[],
    band_value int[], band_starts date[], activity_value int[], as_of date, oldest date, reputation_value int[],
    own_schedule bit(168), schedule_value int[], schedule_untold int,
    own_genres bigint, genre_value int[], genre_untold int, asked_genres bigint,
    own_platforms int, platform_value int[], asked_platforms int, least_rating int, most_rating int,
    asked_languages text[], changed_before timestamptz, excluded uuid[]
) RETURNS TABLE (account_id uuid, score int)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off
SET enable_bitmapscan = off SET max_parallel_workers_per_gather = 0 SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    found_ids uuid[];
    found_scores int[];
    -- The most that what no stream knows can be worth.
    most_breadth int := CASE WHEN is_without_games THEN 0 ELSE w_games * (SELECT coalesce(sum(x), 0) FROM unnest(t_breadth) AS x) END;
    most_schedule int := (SELECT max(x) FROM unnest(schedule_value[1:coalesce(bit_count(own_schedule)::int, -1) + 1] || schedule_untold) AS x);
    most_genres int := (SELECT max(x) FROM unnest(genre_value || genre_untold) AS x);
    most_open int := (SELECT max(x) FROM unnest(reputation_value) AS x) + (SELECT max(x) FROM unnest(activity_value) AS x)
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
    bound int;
    sure int := 0;
    step int := 60000;
BEGIN
    IF highest IS NULL OR how_many < 1 THEN  -- some limit lets nobody through
        RETURN;
    END IF;
    IF are_few THEN
        bound := 0;
    ELSIF after_score IS NOT NULL THEN
        bound := least(highest, after_score) - step;
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
                (SELECT e.account_id, {FIXED} + {SCHEDULE} + {GENRES} AS worth, {RATING} AS nearness, {HAS_PLATFORM} AS has_platform
                FROM search_entries AS e
                WHERE e.cell = s.cell AND e.rating >= s.rating AND e.rating BETWEEN lowest_rating AND highest_rating AND {IS_MET}
                ORDER BY e.rating LIMIT 48)
                UNION ALL
                (SELECT e.account_id, {FIXED} + {SCHEDULE} + {GENRES}, {RATING}, {HAS_PLATFORM}
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
            bound := sure + ((highest - sure) * 0.4)::int;
        ELSE
            bound := highest - step;
        END IF;
    END IF;
    LOOP
        bound := greatest(bound, 0);
        -- Streams whose best can reach the bound, and the window of ratings in which it can.
        WITH {GAMES},
        s AS MATERIALIZED (
            SELECT stream.*, ((stream.number * 4096 + stream.language) * 11 + stream.region) * 4 + stream.style AS cell,
                CASE WHEN stream.lacking <= 0 THEN 3000
                    WHEN w_rating = 0 OR stream.importance = 0 THEN -1
                    WHEN (stream.lacking + w_rating - 1) / w_rating > stream.importance THEN -1
                    ELSE distance_by_value[
                        least(1000, ((stream.lacking + w_rating - 1) / w_rating * 1000 + stream.importance - 1) / stream.importance) + 1]
                END AS reach
            FROM (
                SELECT term.*, spoken.number AS language, r.place::int - 1 AS region, y.place::int - 1 AS style,
                    constant + spoken.value + r.value + y.value AS base,
                    bound - (rest + spoken.value + r.value + y.value + w_roles * term.importance) AS lacking
                FROM term
                JOIN spoken ON term.is_wanted
                    AND rest + spoken.value + most_region + most_style + term.importance * (w_rating + w_roles) >= bound
                JOIN unnest(region_value) WITH ORDINALITY AS r(value, place)
                    ON rest + spoken.value + r.value + most_style + term.importance * (w_rating + w_roles) >= bound
                JOIN unnest(style_value) WITH ORDINALITY AS y(value, place)
                    ON rest + spoken.value + r.value + y.value + term.importance * (w_rating + w_roles) >= bound
            ) AS stream
        ),
        candidate AS MATERIALIZED (
            SELECT e.account_id, max(e.worth) AS worth, bool_or(e.has_platform) AS has_platform
            FROM s CROSS JOIN LATERAL (
                SELECT e.account_id, {FIXED} + {SCHEDULE} + {GENRES} AS worth, {HAS_PLATFORM} AS has_platform
                FROM search_entries AS e
                WHERE e.cell = s.cell
                    AND e.rating BETWEEN greatest(s.rating - s.reach, lowest_rating) AND least(s.rating + s.reach, highest_rating)
                    AND {IS_MET}
                    AND {FIXED} + {RATING} + w_roles * s.importance >= bound - most_breadth - most_schedule - most_genres
                    AND {FIXED} + {SCHEDULE} + {GENRES} + {RATING} + {ROLES} >= bound - most_breadth
            ) AS e
            GROUP BY e.account_id
        )
        {BEST_CANDIDATES};
        EXIT WHEN bound = 0 OR found_scores[how_many] >= bound;
        IF found_scores[how_many] IS NOT NULL OR sure > 0 THEN
            bound := greatest(found_scores[how_many], sure);
        ELSE
            bound := bound - step;
            step := step * 2;
        END IF;
    END LOOP;
    RETURN QUERY SELECT * FROM unnest(found_ids, found_scores);
END $$
""".replace("{GAMES}", GAMES.strip())
    .replace("{BEST_NEAR}", BEST.replace("{exact}", EXACT.replace("{candidates}", "near")).strip())
    .replace("{BEST_CANDIDATES}", BEST.replace("{exact}", EXACT.replace("{candidates}", "candidate")).strip())
    .replace("{FIXED}", FIXED)
    .replace("{SCHEDULE}", SCHEDULE)
    .replace("{GENRES}", GENRES)
    .replace("{RATING}", RATING)
    .replace("{ROLES}", ROLES)
    .replace("{IS_MET}", IS_MET)
    .replace("{HAS_PLATFORM}", HAS_PLATFORM)
)


def upgrade() -> None:
    op.create_table(
        "languages",
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("number", sa.SmallInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("number BETWEEN 1 AND 4095", name=op.f("ck_languages_fits_a_cell")),
        sa.PrimaryKeyConstraint("tag", name=op.f("pk_languages")),
        sa.UniqueConstraint("number", name=op.f("uq_languages_number")),
    )
    op.create_table(
        "search_entries",
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
        sa.Column("schedule", postgresql.BIT(length=168), nullable=True),
        sa.PrimaryKeyConstraint("account_id", "cell", name=op.f("pk_search_entries")),
    )
    op.create_index(
        "ix_search_entries_cell_rating",
        "search_entries",
        ["cell", "rating"],
        unique=False,
        postgresql_include=[
            "account_id",
            "role_bits",
            "voice",
            "platform_bits",
            "birth_date",
            "active_on",
            "reputation",
            "genre_bits",
            "schedule",
        ],
    )
    op.add_column("games", sa.Column("number", sa.SmallInteger(), sa.Identity(always=False), nullable=False))
    op.create_unique_constraint(op.f("uq_games_number"), "games", ["number"])
    for statement in (*NUMBERS, SOURCE, FILL, FOLLOW_PROFILES, FOLLOW_GAMES, *TRIGGERS, SEARCH_BEST):
        op.execute(statement)
    op.execute("SELECT fill_search_entries(array_agg(account_id)) FROM profiles")


def downgrade() -> None:
    op.execute("DROP FUNCTION search_best")
    for table in ("profiles", "player_games"):
        for event in ("insert", "update", "delete"):
            op.execute(f"DROP TRIGGER search_entries_{event} ON {table}")
    for name in ("search_entries_follow_profiles", "search_entries_follow_games", "fill_search_entries"):
        op.execute(f"DROP FUNCTION {name}")
    op.execute("DROP VIEW search_entry_source")
    for name in ("search_region", "search_style", "search_voice", "search_platforms"):
        op.execute(f"DROP FUNCTION {name}")
    op.drop_constraint(op.f("uq_games_number"), "games", type_="unique")
    op.drop_column("games", "number")
    op.drop_index(
        "ix_search_entries_cell_rating",
        table_name="search_entries",
        postgresql_include=[
            "account_id",
            "role_bits",
            "voice",
            "platform_bits",
            "birth_date",
            "active_on",
            "reputation",
            "genre_bits",
            "schedule",
        ],
    )
    op.drop_table("search_entries")
    op.drop_table("languages")
