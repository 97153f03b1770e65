"""Words that are not said here, and the version by which processes see that they have changed."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "word_rules",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("phrase", sa.Text(), nullable=False),
        sa.Column("reading", sa.Text(), nullable=False),
        sa.Column("effect", sa.Enum("BLOCK", "MASK", name="wordeffect", native_enum=False, length=32), nullable=False),
        sa.Column(
            "match",
            sa.Enum("WHOLE_WORDS", "ANYWHERE", name="wordmatch", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_word_rules")),
        sa.UniqueConstraint("reading", name=op.f("uq_word_rules_reading")),
    )
    op.create_table(
        "rules_versions",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_rules_versions")),
    )


def downgrade() -> None:
    op.drop_table("rules_versions")
    op.drop_table("word_rules")
