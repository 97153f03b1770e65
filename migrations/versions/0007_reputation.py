"""Reputation: what somebody is praised for most, and who may praise whom."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Those who are teammates today have become so before this was noted.
    op.execute(
        "INSERT INTO companionships (first_id, second_id, since) SELECT account_id, teammate_id, since FROM teammates"
        " WHERE account_id < teammate_id ON CONFLICT DO NOTHING"
    )
    op.create_index("ix_companionships_second_id", "companionships", ["second_id"], unique=False)
    op.add_column(
        "profiles",
        sa.Column(
            "top_traits",
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
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )


def downgrade() -> None:
    op.drop_column("profiles", "top_traits")
    op.drop_index("ix_companionships_second_id", table_name="companionships")
