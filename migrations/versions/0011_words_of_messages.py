"""Messages by their words, in Russian and English, chat by chat."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A trusted extension: it lets an index of words begin with the chat, so that nobody's search reads others' chats.
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gin")
    op.execute(
        "CREATE FUNCTION message_words(text text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN"
        " to_tsvector('pg_catalog.russian'::regconfig, text) || to_tsvector('pg_catalog.english'::regconfig, text)"
    )
    op.execute("CREATE INDEX ix_messages_words ON messages USING gin (chat_id, message_words(text))")


def downgrade() -> None:
    op.execute("DROP INDEX ix_messages_words")
    op.execute("DROP FUNCTION message_words")
