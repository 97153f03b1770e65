"""Reports of people and messages, and what was seen when they were made."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def one_of(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, length=32)


def upgrade() -> None:
    op.create_table(
        "reports",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("subject", one_of("reportsubject", "USER", "MESSAGE"), nullable=False),
        sa.Column("reporter_id", sa.UUID(), nullable=True),
        sa.Column("reported_id", sa.UUID(), nullable=True),
        sa.Column("message_id", sa.UUID(), nullable=True),
        sa.Column(
            "reason",
            one_of(
                "reportreason", "SPAM", "HARASSMENT", "HATE", "CHEATING", "SEXUAL_CONTENT", "UNDERAGE",
                "IMPERSONATION", "OTHER",
            ),
            nullable=False,
        ),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("profile", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column(
            "status",
            one_of("reportstatus", "OPEN", "IN_REVIEW", "ACTIONED", "DISMISSED"),
            server_default="OPEN",
            nullable=False,
        ),
        sa.Column("assignee_id", sa.UUID(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(closed_at IS NULL) = (status IN ('OPEN', 'IN_REVIEW'))", name=op.f("ck_reports_closed")
        ),
        *(
            sa.ForeignKeyConstraint(
                [column], ["accounts.id"], name=op.f(f"fk_reports_{column}"), ondelete="SET NULL"
            )
            for column in ("reporter_id", "reported_id", "assignee_id")
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_reports_message_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
    )  # fmt: skip
    for name, columns, subject in (
        ("uq_reports_open_about_user", ["reporter_id", "reported_id"], "USER"),
        ("uq_reports_open_about_message", ["reporter_id", "message_id"], "MESSAGE"),
    ):
        where = sa.text(f"subject = '{subject}' AND closed_at IS NULL")
        op.create_index(name, "reports", columns, unique=True, postgresql_where=where)
    op.create_index("ix_reports_status_id", "reports", ["status", "id"], unique=False)
    op.create_index("ix_reports_reporter_id_id", "reports", ["reporter_id", "id"], unique=False)
    op.create_index("ix_reports_reported_id_id", "reports", ["reported_id", "id"], unique=False)
    op.create_index("ix_reports_message_id", "reports", ["message_id"], unique=False)
    op.create_index("ix_reports_assignee_id", "reports", ["assignee_id"], unique=False)
    op.create_table(
        "evidence",
        sa.Column("report_id", sa.UUID(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("author_id", sa.UUID(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("is_reported", sa.Boolean(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("earlier_texts", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("file_names", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"], ["accounts.id"], name=op.f("fk_evidence_author_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["report_id"], ["reports.id"], name=op.f("fk_evidence_report_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("report_id", "position", name=op.f("pk_evidence")),
    )
    op.create_index("ix_evidence_author_id", "evidence", ["author_id"], unique=False)


def downgrade() -> None:
    op.drop_table("evidence")
    op.drop_table("reports")
