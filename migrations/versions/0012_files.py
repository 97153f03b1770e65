"""Files of players: uploads, attachments, avatars."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "uploads",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=True),
        sa.Column(
            "purpose",
            sa.Enum("AVATAR", "ATTACHMENT", name="uploadpurpose", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("byte_size", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.BigInteger(), nullable=True),
        sa.Column("height", sa.BigInteger(), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("idle_since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_uploads_account_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    op.create_index("ix_uploads_account_id", "uploads", ["account_id"], unique=False)
    op.create_index(
        "ix_uploads_idle_since",
        "uploads",
        ["idle_since"],
        unique=False,
        postgresql_where=sa.text("idle_since IS NOT NULL"),
    )
    op.create_table(
        "attachments",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.Column("upload_id", sa.UUID(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_attachments_message_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["upload_id"], ["uploads.id"], name=op.f("fk_attachments_upload_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachments")),
    )
    op.create_index("ix_attachments_upload_id", "attachments", ["upload_id"], unique=False)
    op.create_index("uq_attachments_message_id_position", "attachments", ["message_id", "position"], unique=True)
    op.add_column("chats", sa.Column("avatar_id", sa.UUID(), nullable=True))
    op.create_index(
        "ix_chats_avatar_id", "chats", ["avatar_id"], unique=False, postgresql_where=sa.text("avatar_id IS NOT NULL")
    )
    op.create_foreign_key(op.f("fk_chats_avatar_id"), "chats", "uploads", ["avatar_id"], ["id"])
    op.add_column("profiles", sa.Column("avatar_id", sa.UUID(), nullable=True))
    op.create_index(
        "ix_profiles_avatar_id",
        "profiles",
        ["avatar_id"],
        unique=False,
        postgresql_where=sa.text("avatar_id IS NOT NULL"),
    )
    op.create_foreign_key(op.f("fk_profiles_avatar_id"), "profiles", "uploads", ["avatar_id"], ["id"])


def downgrade() -> None:
    op.drop_constraint(op.f("fk_profiles_avatar_id"), "profiles", type_="foreignkey")
    op.drop_index("ix_profiles_avatar_id", table_name="profiles", postgresql_where=sa.text("avatar_id IS NOT NULL"))
    op.drop_column("profiles", "avatar_id")
    op.drop_constraint(op.f("fk_chats_avatar_id"), "chats", type_="foreignkey")
    op.drop_index("ix_chats_avatar_id", table_name="chats", postgresql_where=sa.text("avatar_id IS NOT NULL"))
    op.drop_column("chats", "avatar_id")
    op.drop_index("uq_attachments_message_id_position", table_name="attachments")
    op.drop_index("ix_attachments_upload_id", table_name="attachments")
    op.drop_table("attachments")
    op.drop_index("ix_uploads_idle_since", table_name="uploads", postgresql_where=sa.text("idle_since IS NOT NULL"))
    op.drop_index("ix_uploads_account_id", table_name="uploads")
    op.drop_table("uploads")
