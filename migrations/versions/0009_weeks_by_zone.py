"""Profiles by time zone: weeks are made again where clocks change."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_profiles_zone",
        "profiles",
        ["time_zone", "schedule_made_on"],
        unique=False,
        postgresql_where=sa.text("schedule IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_profiles_zone", table_name="profiles", postgresql_where=sa.text("schedule IS NOT NULL"))
