"""Erasing an account finds what names it by indexes: forwarded messages, invitations, direct chats, news of groups."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_messages_forwarded_from_id",
        "messages",
        ["forwarded_from_id"],
        postgresql_where=sa.text("forwarded_from_id IS NOT NULL"),
    )
    op.create_index(
        "ix_messages_news",
        "messages",
        ["news"],
        postgresql_using="gin",
        postgresql_ops={"news": "jsonb_path_ops"},
        postgresql_where=sa.text("news IS NOT NULL"),
    )
    op.create_index(
        "ix_chat_members_invited_by_id",
        "chat_members",
        ["invited_by_id"],
        postgresql_where=sa.text("invited_by_id IS NOT NULL"),
    )
    op.create_index(
        "ix_chats_second_account_id",
        "chats",
        ["second_account_id"],
        postgresql_where=sa.text("second_account_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_chats_second_account_id", table_name="chats")
    op.drop_index("ix_chat_members_invited_by_id", table_name="chat_members")
    op.drop_index("ix_messages_news", table_name="messages")
    op.drop_index("ix_messages_forwarded_from_id", table_name="messages")
