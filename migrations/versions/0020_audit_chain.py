"""The audit log as a chain: each entry's hash covers the one before; an erased account leaves it, and it still holds.

Why it is made so is told in docs/decisions/0025-a-chain-that-can-forget.md.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


# A seal is a salt of 16 bytes and the SHA-256 digest of salt and value. Without its salt it says nothing any more.
SEAL = """
CREATE FUNCTION audit_seal(value text) RETURNS bytea LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    salt bytea := uuid_send(gen_random_uuid());
BEGIN
    RETURN salt || sha256(salt || convert_to(coalesce(value, ''), 'UTF8'));
END $$
"""
# The lock is taken when the transaction commits, after every other one: who holds it waits for nobody.
LINK = """
CREATE FUNCTION audit_link(entry audit_log) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    head record;
    link audit_chain;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('gamebuddy audit chain'));
    SELECT position, hash INTO head FROM audit_chain ORDER BY position DESC LIMIT 1;
    link.position := coalesce(head.position, 0) + 1;
    link.entry_id := entry.id;
    link.actor := audit_seal(entry.actor_id::text);
    link.target := audit_seal(entry.target_id::text);
    link.words := audit_seal(jsonb_build_array(entry.reason, entry.detail)::text);
    link.hash := sha256(coalesce(head.hash, ''::bytea) || convert_to(concat_ws(
        ' ', link.position, entry.id, entry.number, entry.action,
        to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
        encode(substr(link.actor, 17), 'hex'), encode(substr(link.target, 17), 'hex'),
        encode(substr(link.words, 17), 'hex')
    ), 'UTF8'));
    INSERT INTO audit_chain SELECT link.*;
END $$
"""
ON_COMMIT = (
    """
    CREATE FUNCTION audit_log_is_chained() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    BEGIN
        PERFORM audit_link(NEW);
        RETURN NULL;
    END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER audit_log_is_chained AFTER INSERT ON audit_log
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_log_is_chained()
    """,
)

# The narrow way: of an account that is gone for good, the id and the words about it are taken out. Nothing else changes.
GONE = """
CREATE FUNCTION audit_is_gone(account uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT account IS NOT NULL
        AND NOT EXISTS (SELECT FROM accounts WHERE id = account AND status <> 'DELETED')
        AND NOT EXISTS (SELECT FROM departures WHERE account_id = account AND ends_at > now())
$$
"""
GUARDS = (
    "DROP TRIGGER audit_log_is_append_only ON audit_log",
    """
    CREATE TRIGGER audit_log_is_append_only BEFORE DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_append_only()
    """,
    """
    CREATE TRIGGER audit_chain_is_append_only BEFORE DELETE OR TRUNCATE ON audit_chain
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_append_only()
    """,
    """
    CREATE FUNCTION audit_log_forgets_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (NEW.id, NEW.number, NEW.action, NEW.at) IS DISTINCT FROM (OLD.id, OLD.number, OLD.action, OLD.at)
            OR (NEW.actor_id IS DISTINCT FROM OLD.actor_id
                AND NOT (NEW.actor_id IS NULL AND audit_is_gone(OLD.actor_id)))
            OR (NEW.target_id IS DISTINCT FROM OLD.target_id
                AND NOT (NEW.target_id IS NULL AND audit_is_gone(OLD.target_id)))
            OR ((NEW.reason, NEW.detail) IS DISTINCT FROM (OLD.reason, OLD.detail)
                AND NOT (NEW.reason IS NULL AND NEW.detail = '{}'
                    AND (audit_is_gone(OLD.target_id) OR OLD.action = 'LOOK_AT_ACCOUNTS')))
        THEN
            RAISE EXCEPTION 'the audit log only grows' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER audit_log_forgets_only BEFORE UPDATE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_log_forgets_only()
    """,
    """
    CREATE FUNCTION audit_chain_forgets_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (NEW.position, NEW.entry_id, NEW.hash) IS DISTINCT FROM (OLD.position, OLD.entry_id, OLD.hash)
            OR NEW.actor NOT IN (OLD.actor, audit_digest(OLD.actor))
            OR NEW.target NOT IN (OLD.target, audit_digest(OLD.target))
            OR NEW.words NOT IN (OLD.words, audit_digest(OLD.words))
        THEN
            RAISE EXCEPTION 'the audit log only grows' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER audit_chain_forgets_only BEFORE UPDATE ON audit_chain
    FOR EACH ROW EXECUTE FUNCTION audit_chain_forgets_only()
    """,
)
DIGEST = """
CREATE FUNCTION audit_digest(seal bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN length(seal) = 48 THEN substr(seal, 17) ELSE seal END
$$
"""
FORGET = """
CREATE FUNCTION audit_forget(account uuid, names text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    spoken uuid[];
BEGIN
    SELECT array_agg(e.id) INTO spoken FROM audit_log AS e
    WHERE e.target_id = account OR (e.action = 'LOOK_AT_ACCOUNTS' AND EXISTS (
        SELECT FROM unnest(names) AS name WHERE name <> '' AND strpos(lower(e.detail::text), lower(name)) > 0
    ));
    UPDATE audit_chain AS c SET actor = audit_digest(c.actor)
    FROM audit_log AS e WHERE e.id = c.entry_id AND e.actor_id = account;
    UPDATE audit_chain AS c SET target = audit_digest(c.target)
    FROM audit_log AS e WHERE e.id = c.entry_id AND e.target_id = account;
    UPDATE audit_chain AS c SET words = audit_digest(c.words) WHERE c.entry_id = ANY (spoken);
    UPDATE audit_log SET reason = NULL, detail = '{}' WHERE id = ANY (spoken);
    UPDATE audit_log SET actor_id = NULL WHERE actor_id = account;
    UPDATE audit_log SET target_id = NULL WHERE target_id = account;
END $$
"""
FUNCTIONS = (
    "audit_forget(uuid, text[])", "audit_chain_forgets_only()", "audit_log_forgets_only()", "audit_is_gone(uuid)",
    "audit_digest(bytea)", "audit_log_is_chained()", "audit_link(audit_log)", "audit_seal(text)",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "audit_chain",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.UUID(), nullable=False),
        sa.Column("actor", sa.LargeBinary(), nullable=False),
        sa.Column("target", sa.LargeBinary(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["audit_log.id"], name=op.f("fk_audit_chain_entry_id")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_audit_chain")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_audit_chain_entry_id")),
    )
    for statement in (SEAL, LINK, *ON_COMMIT, GONE, DIGEST, *GUARDS, FORGET):
        op.execute(statement)
    op.execute(
        "DO $$ DECLARE entry audit_log; BEGIN"
        " FOR entry IN SELECT * FROM audit_log ORDER BY number LOOP PERFORM audit_link(entry); END LOOP; END $$"
    )


def downgrade() -> None:
    for trigger in ("audit_log_is_chained", "audit_log_forgets_only", "audit_log_is_append_only"):
        op.execute(f"DROP TRIGGER {trigger} ON audit_log")
    op.drop_table("audit_chain")
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
    op.execute(
        "CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_append_only()"
    )
