"""The messenger: settings and links of groups, edits, signs, pins, mentions, forwards, and what a chat itself says."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "invite_links",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("chat_id", sa.UUID(), nullable=False),
        sa.Column("created_by_id", sa.UUID(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("max_uses", sa.BigInteger(), nullable=True),
        sa.Column("use_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("max_uses IS NULL OR use_count <= max_uses", name=op.f("ck_invite_links_uses")),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], name=op.f("fk_invite_links_chat_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["accounts.id"], name=op.f("fk_invite_links_created_by_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invite_links")),
        sa.UniqueConstraint("code", name=op.f("uq_invite_links_code")),
    )
    op.create_index("ix_invite_links_chat_id", "invite_links", ["chat_id", "id"], unique=False)
    op.create_index("ix_invite_links_created_by_id", "invite_links", ["created_by_id"], unique=False)
    op.create_table(
        "hidden_messages",
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_hidden_messages_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_hidden_messages_message_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "message_id", name=op.f("pk_hidden_messages")),
    )
    op.create_index("ix_hidden_messages_message_id", "hidden_messages", ["message_id"], unique=False)
    op.create_table(
        "mentions",
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("chat_id", sa.UUID(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_mentions_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_mentions_message_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("message_id", "account_id", name=op.f("pk_mentions")),
    )
    op.create_index("ix_mentions_account_id_chat_id_seq", "mentions", ["account_id", "chat_id", "seq"], unique=False)
    op.create_table(
        "message_versions",
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_message_versions_message_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("message_id", "version", name=op.f("pk_message_versions")),
    )
    op.create_table(
        "reactions",
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.Column("emoji", sa.Text(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_reactions_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_reactions_message_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("message_id", "emoji", "account_id", name=op.f("pk_reactions")),
    )
    op.create_index("ix_reactions_account_id", "reactions", ["account_id"], unique=False)
    op.add_column(
        "chat_members", sa.Column("hidden_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column("chat_members", sa.Column("wrote_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "chats",
        sa.Column(
            "who_may_invite",
            sa.Enum("OWNER", "ADMINS", "EVERYONE", name="whomay", native_enum=False, length=32),
            server_default="EVERYONE",
            nullable=False,
        ),
    )
    op.add_column(
        "chats",
        sa.Column(
            "who_may_pin",
            sa.Enum("OWNER", "ADMINS", "EVERYONE", name="whomay", native_enum=False, length=32),
            server_default="ADMINS",
            nullable=False,
        ),
    )
    op.add_column(
        "chats",
        sa.Column(
            "who_may_edit_info",
            sa.Enum("OWNER", "ADMINS", "EVERYONE", name="whomay", native_enum=False, length=32),
            server_default="ADMINS",
            nullable=False,
        ),
    )
    op.add_column(
        "chats",
        sa.Column(
            "who_may_write",
            sa.Enum("OWNER", "ADMINS", "EVERYONE", name="whomay", native_enum=False, length=32),
            server_default="EVERYONE",
            nullable=False,
        ),
    )
    op.add_column("chats", sa.Column("history_for_newcomers", sa.BigInteger(), nullable=True))
    op.add_column("chats", sa.Column("slow_mode_seconds", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column(
        "messages", sa.Column("calls_everyone", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("messages", sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("messages", sa.Column("pinned_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("messages", sa.Column("forwarded_from_id", sa.UUID(), nullable=True))
    op.add_column("messages", sa.Column("news", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.create_index(
        "ix_messages_calls", "messages", ["chat_id", "seq"], unique=False, postgresql_where=sa.text("calls_everyone")
    )
    op.create_index(
        "ix_messages_pinned",
        "messages",
        ["chat_id", "pinned_at", "id"],
        unique=False,
        postgresql_where=sa.text("pinned_at IS NOT NULL"),
    )
    op.create_foreign_key(
        op.f("fk_messages_forwarded_from_id"),
        "messages",
        "accounts",
        ["forwarded_from_id"],
        ["id"],
        ondelete="SET NULL",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("fk_messages_forwarded_from_id"), "messages", type_="foreignkey")
    op.drop_index("ix_messages_pinned", table_name="messages", postgresql_where=sa.text("pinned_at IS NOT NULL"))
    op.drop_index("ix_messages_calls", table_name="messages", postgresql_where=sa.text("calls_everyone"))
    op.drop_column("messages", "news")
    op.drop_column("messages", "forwarded_from_id")
    op.drop_column("messages", "pinned_at")
    op.drop_column("messages", "edited_at")
    op.drop_column("messages", "calls_everyone")
    op.drop_column("chats", "slow_mode_seconds")
    op.drop_column("chats", "history_for_newcomers")
    op.drop_column("chats", "who_may_write")
    op.drop_column("chats", "who_may_edit_info")
    op.drop_column("chats", "who_may_pin")
    op.drop_column("chats", "who_may_invite")
    op.drop_column("chat_members", "wrote_at")
    op.drop_column("chat_members", "hidden_count")
    op.drop_index("ix_reactions_account_id", table_name="reactions")
    op.drop_table("reactions")
    op.drop_table("message_versions")
    op.drop_index("ix_mentions_account_id_chat_id_seq", table_name="mentions")
    op.drop_table("mentions")
    op.drop_index("ix_hidden_messages_message_id", table_name="hidden_messages")
    op.drop_table("hidden_messages")
    op.drop_index("ix_invite_links_created_by_id", table_name="invite_links")
    op.drop_index("ix_invite_links_chat_id", table_name="invite_links")
    op.drop_table("invite_links")
