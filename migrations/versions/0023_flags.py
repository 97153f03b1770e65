"""The word filter reports: one open report of its own about the same player or message."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("reports", sa.Column("is_by_filter", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_index(
        "uq_reports_open_of_filter_about_user",
        "reports",
        ["reported_id"],
        unique=True,
        postgresql_where=sa.text("is_by_filter AND subject = 'USER' AND closed_at IS NULL"),
    )
    op.create_index(
        "uq_reports_open_of_filter_about_message",
        "reports",
        ["message_id"],
        unique=True,
        postgresql_where=sa.text("is_by_filter AND subject = 'MESSAGE' AND closed_at IS NULL"),
    )


def downgrade() -> None:
    op.execute("DELETE FROM word_rules WHERE effect = 'FLAG'")
    op.drop_index("uq_reports_open_of_filter_about_message", table_name="reports")
    op.drop_index("uq_reports_open_of_filter_about_user", table_name="reports")
    op.drop_column("reports", "is_by_filter")
