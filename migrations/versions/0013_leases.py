"""Who is here: leases on accounts, which no crash has to keep."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "leases",
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("node", sa.UUID(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("game_id", sa.UUID(), nullable=True),
        sa.PrimaryKeyConstraint("account_id", "node", name=op.f("pk_leases")),
        prefixes=["UNLOGGED"],
    )
    op.create_index("ix_leases_until", "leases", ["until"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_leases_until", table_name="leases")
    op.drop_table("leases")
