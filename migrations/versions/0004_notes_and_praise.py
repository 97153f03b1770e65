"""Private notes, praise, and names found by their beginnings and likenesses."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A trusted extension: the owner of the database may create it.
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.create_table(
        "companionships",
        sa.Column("first_id", sa.UUID(), nullable=False),
        sa.Column("second_id", sa.UUID(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("first_id < second_id", name=op.f("ck_companionships_pair_order")),
        sa.ForeignKeyConstraint(
            ["first_id"], ["accounts.id"], name=op.f("fk_companionships_first_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["second_id"], ["accounts.id"], name=op.f("fk_companionships_second_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("first_id", "second_id", name=op.f("pk_companionships")),
    )
    op.create_table(
        "praises",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("by_id", sa.UUID(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column(
            "traits",
            postgresql.ARRAY(
                sa.Enum(
                    "FRIENDLY",
                    "SKILLED",
                    "TEAM_PLAYER",
                    "LEADER",
                    "RELIABLE",
                    "GOOD_COMMUNICATION",
                    name="trait",
                    native_enum=False,
                    length=32,
                )
            ),
            nullable=False,
        ),
        sa.Column("game_id", sa.UUID(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("by_id <> account_id", name=op.f("ck_praises_two_people")),
        sa.CheckConstraint("cardinality(traits) BETWEEN 1 AND 6", name=op.f("ck_praises_some_traits")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_praises_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["by_id"], ["accounts.id"], name=op.f("fk_praises_by_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["game_id"], ["games.id"], name=op.f("fk_praises_game_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_praises")),
    )
    op.create_index("ix_praises_account_id", "praises", ["account_id", "by_id"], unique=False)
    op.create_index("uq_praises_by_id_account_id_week", "praises", ["by_id", "account_id", "week"], unique=True)
    op.create_table(
        "user_notes",
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("about_id", sa.UUID(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["about_id"], ["accounts.id"], name=op.f("fk_user_notes_about_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_user_notes_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "about_id", name=op.f("pk_user_notes")),
    )
    op.create_index("ix_user_notes_about_id", "user_notes", ["about_id"], unique=False)
    op.create_index(
        "ix_accounts_display_name_trigrams",
        "accounts",
        [sa.literal_column("lower(display_name)").label("shown")],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"shown": "gin_trgm_ops"},
    )
    op.create_index(
        "ix_accounts_username_trigrams",
        "accounts",
        ["username"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"username": "gin_trgm_ops"},
    )
    op.add_column("profiles", sa.Column("praise_count", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.execute(
        "INSERT INTO companionships (first_id, second_id, since)"
        " SELECT account_id, teammate_id, since FROM teammates WHERE account_id < teammate_id"
    )


def downgrade() -> None:
    op.drop_column("profiles", "praise_count")
    op.drop_index(
        "ix_accounts_username_trigrams",
        table_name="accounts",
        postgresql_using="gin",
        postgresql_ops={"username": "gin_trgm_ops"},
    )
    op.drop_index(
        "ix_accounts_display_name_trigrams",
        table_name="accounts",
        postgresql_using="gin",
        postgresql_ops={"shown": "gin_trgm_ops"},
    )
    op.drop_index("ix_user_notes_about_id", table_name="user_notes")
    op.drop_table("user_notes")
    op.drop_index("uq_praises_by_id_account_id_week", table_name="praises")
    op.drop_index("ix_praises_account_id", table_name="praises")
    op.drop_table("praises")
    op.drop_table("companionships")
