"""Appeals against sanctions, and the report that a sanction rests on."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sanctions", sa.Column("report_id", sa.UUID(), nullable=True))
    op.create_foreign_key(
        op.f("fk_sanctions_report_id"), "sanctions", "reports", ["report_id"], ["id"], ondelete="SET NULL"
    )
    op.create_index(
        "ix_sanctions_report_id", "sanctions", ["report_id"], postgresql_where=sa.text("report_id IS NOT NULL")
    )
    op.create_table(
        "appeals",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("sanction_id", sa.UUID(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("OPEN", "ACCEPTED", "DECLINED", name="appealstatus", native_enum=False, length=32),
            server_default="OPEN",
            nullable=False,
        ),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_by_id", sa.UUID(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["answered_by_id"], ["accounts.id"], name=op.f("fk_appeals_answered_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["sanction_id"], ["sanctions.id"], name=op.f("fk_appeals_sanction_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeals")),
        sa.UniqueConstraint("sanction_id", name=op.f("uq_appeals_sanction_id")),
    )
    op.create_index("ix_appeals_status_id", "appeals", ["status", "id"], unique=False)


def downgrade() -> None:
    op.drop_table("appeals")
    op.drop_index("ix_sanctions_report_id", "sanctions")
    op.drop_constraint(op.f("fk_sanctions_report_id"), "sanctions", type_="foreignkey")
    op.drop_column("sanctions", "report_id")
