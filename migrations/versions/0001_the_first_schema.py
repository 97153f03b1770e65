"""The first schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column(
            "role",
            sa.Enum("GUEST", "USER", "MODERATOR", "ADMIN", name="role", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum("ACTIVE", "BANNED", "DELETED", name="accountstatus", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("email_key", sa.Text(), nullable=True),
        sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), server_default="en", nullable=False),
        sa.Column(
            "who_may_write_to_me",
            sa.Enum("EVERYONE", "TEAMMATES", "NOBODY", name="audience", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column(
            "who_sees_my_presence",
            sa.Enum("EVERYONE", "TEAMMATES", "NOBODY", name="audience", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("username ~ '^[a-z0-9_]{3,32}$'", name=op.f("ck_accounts_username_form")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("username", name=op.f("uq_accounts_username")),
    )
    op.create_index(
        "ix_accounts_claimed_email",
        "accounts",
        ["email_key"],
        unique=False,
        postgresql_where=sa.text("email_verified_at IS NULL"),
    )
    op.create_index(
        "uq_accounts_verified_email",
        "accounts",
        ["email_key"],
        unique=True,
        postgresql_where=sa.text("email_verified_at IS NOT NULL"),
    )
    op.create_table(
        "event_log",
        sa.Column("epoch", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("epoch", name=op.f("pk_event_log")),
    )
    op.create_table(
        "games",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("genre_ids", sa.ARRAY(sa.UUID()), nullable=False),
        sa.Column(
            "platforms",
            sa.ARRAY(
                sa.Enum(
                    "PC", "PLAYSTATION", "XBOX", "SWITCH", "MOBILE", "VR", name="platform", native_enum=False, length=32
                )
            ),
            nullable=False,
        ),
        sa.Column("is_cross_play", sa.Boolean(), nullable=False),
        sa.Column("player_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_games")),
        sa.UniqueConstraint("slug", name=op.f("uq_games_slug")),
    )
    op.create_index("ix_games_genre_ids", "games", ["genre_ids"], unique=False, postgresql_using="gin")
    op.create_table(
        "genres",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("name_ru", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_genres")),
        sa.UniqueConstraint("number", name=op.f("uq_genres_number")),
        sa.UniqueConstraint("slug", name=op.f("uq_genres_slug")),
    )
    op.create_table(
        "rate_limits",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("theoretical_arrival_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rate_limits")),
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "blocks",
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("blocked_id", sa.UUID(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_blocks_account_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["blocked_id"], ["accounts.id"], name=op.f("fk_blocks_blocked_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "blocked_id", name=op.f("pk_blocks")),
    )
    op.create_index(
        "ix_blocks_account_id_created_at", "blocks", ["account_id", "created_at", "blocked_id"], unique=False
    )
    op.create_index("ix_blocks_blocked_id", "blocks", ["blocked_id"], unique=False)
    op.create_table(
        "chats",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Enum("DIRECT", "GROUP", name="chatkind", native_enum=False, length=32), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("first_account_id", sa.UUID(), nullable=True),
        sa.Column("second_account_id", sa.UUID(), nullable=True),
        sa.Column("creator_id", sa.UUID(), nullable=True),
        sa.Column("client_id", sa.UUID(), nullable=True),
        sa.Column("client_digest", sa.LargeBinary(), nullable=True),
        sa.Column("last_seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("message_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("member_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_activity_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(kind = 'DIRECT') = (first_account_id IS NOT NULL)", name=op.f("ck_chats_pair_is_direct")),
        sa.CheckConstraint("first_account_id < second_account_id", name=op.f("ck_chats_pair_order")),
        sa.ForeignKeyConstraint(["creator_id"], ["accounts.id"], name=op.f("fk_chats_creator_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["first_account_id"], ["accounts.id"], name=op.f("fk_chats_first_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["second_account_id"], ["accounts.id"], name=op.f("fk_chats_second_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chats")),
    )
    op.create_index("uq_chats_creator_id_client_id", "chats", ["creator_id", "client_id"], unique=True)
    op.create_index("uq_chats_pair", "chats", ["first_account_id", "second_account_id"], unique=True)
    op.create_table(
        "game_ranks",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("game_id", sa.UUID(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("level", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["game_id"], ["games.id"], name=op.f("fk_game_ranks_game_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_game_ranks")),
    )
    op.create_index("uq_game_ranks_game_id_position", "game_ranks", ["game_id", "position"], unique=True)
    op.create_table(
        "game_roles",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("game_id", sa.UUID(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["game_id"], ["games.id"], name=op.f("fk_game_roles_game_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_game_roles")),
    )
    op.create_index("uq_game_roles_game_id_position", "game_roles", ["game_id", "position"], unique=True)
    op.create_index("uq_game_roles_game_id_slug", "game_roles", ["game_id", "slug"], unique=True)
    op.create_table(
        "one_time_codes",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum("VERIFY_EMAIL", "RESET_PASSWORD", name="codepurpose", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_one_time_codes_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_codes")),
    )
    op.create_index("ix_one_time_codes_account_id_purpose", "one_time_codes", ["account_id", "purpose"], unique=True)
    op.create_table(
        "profiles",
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("bio", sa.Text(), nullable=True),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column(
            "region",
            sa.Enum(
                "EUROPE",
                "CIS",
                "NORTH_AMERICA",
                "SOUTH_AMERICA",
                "MIDDLE_EAST",
                "AFRICA",
                "SOUTH_ASIA",
                "EAST_ASIA",
                "SOUTHEAST_ASIA",
                "OCEANIA",
                name="region",
                native_enum=False,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("languages", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column(
            "platforms",
            sa.ARRAY(
                sa.Enum(
                    "PC", "PLAYSTATION", "XBOX", "SWITCH", "MOBILE", "VR", name="platform", native_enum=False, length=32
                )
            ),
            nullable=False,
        ),
        sa.Column("genre_ids", sa.ARRAY(sa.UUID()), nullable=False),
        sa.Column("genre_bits", sa.BigInteger(), nullable=False),
        sa.Column(
            "play_style",
            sa.Enum("CASUAL", "BALANCED", "COMPETITIVE", name="playstyle", native_enum=False, length=32),
            nullable=True,
        ),
        sa.Column(
            "voice_chat",
            sa.Enum("REQUIRED", "PREFERRED", "TEXT_ONLY", "ANY", name="voicechat", native_enum=False, length=32),
            nullable=True,
        ),
        sa.Column("slots", sa.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("schedule", postgresql.BIT(length=168), nullable=True),
        sa.Column("schedule_made_on", sa.Date(), nullable=True),
        sa.Column("is_looking_for_teammates", sa.Boolean(), nullable=False),
        sa.Column("reputation", sa.Integer(), nullable=True),
        sa.Column("active_on", sa.Date(), server_default=sa.text("CURRENT_DATE"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("cardinality(languages) <= 20", name=op.f("ck_profiles_languages_count")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_profiles_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_profiles")),
    )
    op.create_index(
        "ix_profiles_looking",
        "profiles",
        ["active_on"],
        unique=False,
        postgresql_where=sa.text("is_looking_for_teammates"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("device_name", sa.Text(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("ip_address", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_sessions_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index("ix_sessions_account_id", "sessions", ["account_id"], unique=False)
    op.create_table(
        "teammate_requests",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("sender_id", sa.UUID(), nullable=False),
        sa.Column("receiver_id", sa.UUID(), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("game_id", sa.UUID(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "PENDING",
                "ACCEPTED",
                "DECLINED",
                "CANCELLED",
                "EXPIRED",
                name="requeststatus",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("sender_id <> receiver_id", name=op.f("ck_teammate_requests_two_people")),
        sa.ForeignKeyConstraint(
            ["game_id"], ["games.id"], name=op.f("fk_teammate_requests_game_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["receiver_id"], ["accounts.id"], name=op.f("fk_teammate_requests_receiver_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["sender_id"], ["accounts.id"], name=op.f("fk_teammate_requests_sender_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teammate_requests")),
    )
    op.create_index(
        "ix_teammate_requests_receiver_id_status_id", "teammate_requests", ["receiver_id", "status", "id"], unique=False
    )
    op.create_index(
        "ix_teammate_requests_sender_id_status_id", "teammate_requests", ["sender_id", "status", "id"], unique=False
    )
    op.create_index(
        "uq_teammate_requests_pending_pair",
        "teammate_requests",
        [sa.literal_column("least(sender_id, receiver_id)"), sa.literal_column("greatest(sender_id, receiver_id)")],
        unique=True,
        postgresql_where=sa.text("status = 'PENDING'"),
    )
    op.create_table(
        "teammates",
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("teammate_id", sa.UUID(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_teammates_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["teammate_id"], ["accounts.id"], name=op.f("fk_teammates_teammate_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "teammate_id", name=op.f("pk_teammates")),
    )
    op.create_index("ix_teammates_account_id_since", "teammates", ["account_id", "since", "teammate_id"], unique=False)
    op.create_index("ix_teammates_teammate_id", "teammates", ["teammate_id"], unique=False)
    op.create_table(
        "chat_members",
        sa.Column("chat_id", sa.UUID(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column(
            "role", sa.Enum("OWNER", "ADMIN", "MEMBER", name="memberrole", native_enum=False, length=32), nullable=False
        ),
        sa.Column("invited_by_id", sa.UUID(), nullable=True),
        sa.Column("joined_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_read_seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("read_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("active_on", sa.Date(), server_default=sa.text("(now() AT TIME ZONE 'UTC')::date"), nullable=False),
        sa.Column("muted_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_archived", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_chat_members_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], name=op.f("fk_chat_members_chat_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["invited_by_id"], ["accounts.id"], name=op.f("fk_chat_members_invited_by_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("chat_id", "account_id", name=op.f("pk_chat_members")),
    )
    op.create_index(
        "ix_chat_members_chat_id_joined_at", "chat_members", ["chat_id", "joined_at", "account_id"], unique=False
    )
    op.create_index(
        "ix_chat_members_list",
        "chat_members",
        ["account_id", "is_archived", sa.literal_column("active_on DESC")],
        unique=False,
    )
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("xid", sa.BigInteger(), server_default=sa.text("pg_current_xact_id()::text::bigint"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("chat_id", sa.UUID(), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("account_id", sa.UUID(), nullable=True),
        sa.Column("actor_id", sa.UUID(), nullable=True),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_events_account_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["actor_id"], ["accounts.id"], name=op.f("fk_events_actor_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], name=op.f("fk_events_chat_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index("ix_events_account_id_xid", "events", ["account_id", "xid", "id"], unique=False)
    op.create_index("ix_events_chat_id_xid", "events", ["chat_id", "xid", "id"], unique=False)
    op.create_index("ix_events_xid_id", "events", ["xid", "id"], unique=False)
    op.create_index(
        "uq_events_chat_id_seq",
        "events",
        ["chat_id", "seq"],
        unique=True,
        postgresql_where=sa.text("chat_id IS NOT NULL"),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("chat_id", sa.UUID(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Enum("TEXT", "SYSTEM", name="messagekind", native_enum=False, length=32), nullable=False),
        sa.Column("author_id", sa.UUID(), nullable=True),
        sa.Column("client_id", sa.UUID(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("reply_to_id", sa.UUID(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"], ["accounts.id"], name=op.f("fk_messages_author_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], name=op.f("fk_messages_chat_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["reply_to_id"], ["messages.id"], name=op.f("fk_messages_reply_to_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
    )
    op.create_index("uq_messages_author_id_client_id", "messages", ["author_id", "client_id"], unique=True)
    op.create_index("uq_messages_chat_id_seq", "messages", ["chat_id", "seq"], unique=True)
    op.create_table(
        "player_games",
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("game_id", sa.UUID(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("rank_id", sa.UUID(), nullable=True),
        sa.Column("rating", sa.SmallInteger(), nullable=False),
        sa.Column("role_bits", sa.Integer(), nullable=False),
        sa.Column("is_favorite", sa.Boolean(), nullable=False),
        sa.CheckConstraint("rating BETWEEN 0 AND 3000", name=op.f("ck_player_games_rating_range")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_player_games_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["game_id"], ["games.id"], name=op.f("fk_player_games_game_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["rank_id"], ["game_ranks.id"], name=op.f("fk_player_games_rank_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("account_id", "game_id", name=op.f("pk_player_games")),
    )
    op.create_index("ix_player_games_game_id_rating", "player_games", ["game_id", "rating"], unique=False)
    op.execute("INSERT INTO event_log (epoch) VALUES (gen_random_uuid())")


def downgrade() -> None:
    op.drop_index("ix_player_games_game_id_rating", table_name="player_games")
    op.drop_table("player_games")
    op.drop_index("uq_messages_chat_id_seq", table_name="messages")
    op.drop_index("uq_messages_author_id_client_id", table_name="messages")
    op.drop_table("messages")
    op.drop_index("uq_events_chat_id_seq", table_name="events", postgresql_where=sa.text("chat_id IS NOT NULL"))
    op.drop_index("ix_events_xid_id", table_name="events")
    op.drop_index("ix_events_chat_id_xid", table_name="events")
    op.drop_index("ix_events_account_id_xid", table_name="events")
    op.drop_table("events")
    op.drop_index("ix_chat_members_list", table_name="chat_members")
    op.drop_index("ix_chat_members_chat_id_joined_at", table_name="chat_members")
    op.drop_table("chat_members")
    op.drop_index("ix_teammates_teammate_id", table_name="teammates")
    op.drop_index("ix_teammates_account_id_since", table_name="teammates")
    op.drop_table("teammates")
    op.drop_index(
        "uq_teammate_requests_pending_pair",
        table_name="teammate_requests",
        postgresql_where=sa.text("status = 'PENDING'"),
    )
    op.drop_index("ix_teammate_requests_sender_id_status_id", table_name="teammate_requests")
    op.drop_index("ix_teammate_requests_receiver_id_status_id", table_name="teammate_requests")
    op.drop_table("teammate_requests")
    op.drop_index("ix_sessions_account_id", table_name="sessions")
    op.drop_table("sessions")
    op.drop_index("ix_profiles_looking", table_name="profiles", postgresql_where=sa.text("is_looking_for_teammates"))
    op.drop_table("profiles")
    op.drop_index("ix_one_time_codes_account_id_purpose", table_name="one_time_codes")
    op.drop_table("one_time_codes")
    op.drop_index("uq_game_roles_game_id_slug", table_name="game_roles")
    op.drop_index("uq_game_roles_game_id_position", table_name="game_roles")
    op.drop_table("game_roles")
    op.drop_index("uq_game_ranks_game_id_position", table_name="game_ranks")
    op.drop_table("game_ranks")
    op.drop_index("uq_chats_pair", table_name="chats")
    op.drop_index("uq_chats_creator_id_client_id", table_name="chats")
    op.drop_table("chats")
    op.drop_index("ix_blocks_blocked_id", table_name="blocks")
    op.drop_index("ix_blocks_account_id_created_at", table_name="blocks")
    op.drop_table("blocks")
    op.drop_table("rate_limits")
    op.drop_table("genres")
    op.drop_index("ix_games_genre_ids", table_name="games", postgresql_using="gin")
    op.drop_table("games")
    op.drop_table("event_log")
    op.drop_index(
        "uq_accounts_verified_email", table_name="accounts", postgresql_where=sa.text("email_verified_at IS NOT NULL")
    )
    op.drop_index(
        "ix_accounts_claimed_email", table_name="accounts", postgresql_where=sa.text("email_verified_at IS NULL")
    )
    op.drop_table("accounts")
