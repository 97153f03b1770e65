"""Names by what they begin with."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_accounts_display_name_prefix",
        "accounts",
        [sa.literal_column("lower(display_name)").label("shown")],
        unique=False,
        postgresql_ops={"shown": "text_pattern_ops"},
    )
    op.create_index(
        "ix_accounts_username_prefix",
        "accounts",
        ["username"],
        unique=False,
        postgresql_ops={"username": "text_pattern_ops"},
    )


def downgrade() -> None:
    op.drop_index("ix_accounts_username_prefix", table_name="accounts", postgresql_ops={"username": "text_pattern_ops"})
    op.drop_index(
        "ix_accounts_display_name_prefix", table_name="accounts", postgresql_ops={"shown": "text_pattern_ops"}
    )
