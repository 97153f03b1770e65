"""Rates of limits that administrators have set in place of the built-in ones."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "changed_limits",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("burst", sa.BigInteger(), nullable=False),
        sa.Column("interval", sa.Interval(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_changed_limits")),
    )


def downgrade() -> None:
    op.drop_table("changed_limits")
