"""Accounts complete: second factors, departures, sanctions, the audit log, and codes for other addresses."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


# The log outlives whoever writes to it: what stands in it is neither changed nor taken away.
APPEND_ONLY = (
    """
    CREATE FUNCTION audit_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the audit log only grows' USING ERRCODE = 'insufficient_privilege';
    END $$
    """,
    """
    CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_append_only()
    """,
)


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("actor_id", sa.UUID(), nullable=True),
        sa.Column(
            "action",
            sa.Enum(
                "SET_ROLE",
                "CREATE_USER",
                "SANCTION",
                "LIFT_SANCTION",
                "LOOK_AT_ACCOUNTS",
                "REFUSED",
                "SESSION_STOLEN",
                "CHANGE_PASSWORD",
                "RESET_PASSWORD",
                "CHANGE_EMAIL",
                "UNDO_EMAIL_CHANGE",
                "ADD_SECOND_FACTOR",
                "REMOVE_SECOND_FACTOR",
                "DELETE_ACCOUNT",
                "RESTORE_ACCOUNT",
                name="auditaction",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("target_id", sa.UUID(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
        sa.UniqueConstraint("number", name=op.f("uq_audit_log_number")),
    )
    op.create_index("ix_audit_log_actor_id_number", "audit_log", ["actor_id", "number"], unique=False)
    op.create_index("ix_audit_log_target_id_number", "audit_log", ["target_id", "number"], unique=False)
    op.create_table(
        "departures",
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column(
            "role",
            sa.Enum("GUEST", "USER", "MODERATOR", "ADMIN", name="role", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_departures_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_departures")),
    )
    op.create_index("ix_departures_email_key", "departures", ["email_key"], unique=False)
    op.create_index("ix_departures_ends_at", "departures", ["ends_at"], unique=False)
    op.create_index("ix_departures_username", "departures", ["username"], unique=False)
    op.create_table(
        "recovery_codes",
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_recovery_codes_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "digest", name=op.f("pk_recovery_codes")),
    )
    op.create_table(
        "sanctions",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Enum("MUTE", "BAN", name="sanctionkind", native_enum=False, length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by_id", sa.UUID(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_sanctions_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["by_id"], ["accounts.id"], name=op.f("fk_sanctions_by_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sanctions")),
    )
    op.create_index("ix_sanctions_account_id_id", "sanctions", ["account_id", "id"], unique=False)
    op.create_index(
        "uq_sanctions_in_force",
        "sanctions",
        ["account_id", "kind"],
        unique=True,
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_table(
        "second_factors",
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_second_factors_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_second_factors")),
    )
    op.add_column("accounts", sa.Column("banned_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("accounts", sa.Column("muted_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("accounts", sa.Column("guest_id", sa.UUID(), nullable=True))
    op.create_index(
        "ix_accounts_guest_id", "accounts", ["guest_id"], unique=False, postgresql_where=sa.text("guest_id IS NOT NULL")
    )
    op.create_index(
        "ix_accounts_role",
        "accounts",
        ["role", "id"],
        unique=False,
        postgresql_where=sa.text("role IN ('MODERATOR', 'ADMIN')"),
    )
    op.create_foreign_key(
        op.f("fk_accounts_guest_id"), "accounts", "accounts", ["guest_id"], ["id"], ondelete="SET NULL"
    )
    op.add_column("messages", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("one_time_codes", sa.Column("email", sa.Text(), nullable=True))
    op.add_column("one_time_codes", sa.Column("email_key", sa.Text(), nullable=True))
    op.add_column("one_time_codes", sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False))
    for statement in APPEND_ONLY:
        op.execute(statement)


def downgrade() -> None:
    op.drop_column("one_time_codes", "tries")
    op.drop_column("one_time_codes", "email_key")
    op.drop_column("one_time_codes", "email")
    op.drop_column("messages", "deleted_at")
    op.drop_constraint(op.f("fk_accounts_guest_id"), "accounts", type_="foreignkey")
    op.drop_index("ix_accounts_role", table_name="accounts", postgresql_where=sa.text("role IN ('MODERATOR', 'ADMIN')"))
    op.drop_index("ix_accounts_guest_id", table_name="accounts", postgresql_where=sa.text("guest_id IS NOT NULL"))
    op.drop_column("accounts", "guest_id")
    op.drop_column("accounts", "muted_until")
    op.drop_column("accounts", "banned_until")
    op.drop_table("second_factors")
    op.drop_index("uq_sanctions_in_force", table_name="sanctions", postgresql_where=sa.text("lifted_at IS NULL"))
    op.drop_index("ix_sanctions_account_id_id", table_name="sanctions")
    op.drop_table("sanctions")
    op.drop_table("recovery_codes")
    op.drop_index("ix_departures_username", table_name="departures")
    op.drop_index("ix_departures_ends_at", table_name="departures")
    op.drop_index("ix_departures_email_key", table_name="departures")
    op.drop_table("departures")
    op.drop_index("ix_audit_log_target_id_number", table_name="audit_log")
    op.drop_index("ix_audit_log_actor_id_number", table_name="audit_log")
    op.drop_table("audit_log")
    op.execute("DROP FUNCTION audit_log_is_append_only")
