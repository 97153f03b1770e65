"""The catalogue in an administrator's hand: what he has saved stays, and former short names still find their games."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("games", "genres"):
        op.add_column(table, sa.Column("saved_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "former_slugs",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("game_id", sa.UUID(), nullable=False),
        sa.ForeignKeyConstraint(["game_id"], ["games.id"], name=op.f("fk_former_slugs_game_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_former_slugs")),
    )
    op.create_index("ix_former_slugs_game_id", "former_slugs", ["game_id"], unique=False)


def downgrade() -> None:
    op.drop_table("former_slugs")
    for table in ("games", "genres"):
        op.drop_column(table, "saved_at")
