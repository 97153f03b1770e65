"""Every migration takes back what it did, in a database that has no rows."""

from collections.abc import Callable

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from gamebuddy.db import Database, migrations

# All that a migration can make, each in PostgreSQL's own words.
SHAPE = """
SELECT 'column', (to_jsonb(c) - 'ordinal_position' - 'dtd_identifier')::text
FROM information_schema.columns AS c WHERE table_schema = 'public'
UNION ALL SELECT 'table', concat_ws(' ', relname, relkind, relpersistence, reloptions)
FROM pg_class WHERE relnamespace = 'public'::regnamespace
UNION ALL SELECT 'constraint', concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'index', indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'view', concat_ws(' ', viewname, definition) FROM pg_views WHERE schemaname = 'public'
UNION ALL SELECT 'trigger', pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function', pg_get_functiondef(f.oid) FROM pg_proc AS f
WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
    AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = f.oid AND d.deptype = 'e')
UNION ALL SELECT 'type', concat_ws(' ', typname, string_agg(enumlabel, ' ' ORDER BY enumsortorder))
FROM pg_type AS t JOIN pg_enum AS e ON e.enumtypid = t.oid GROUP BY typname
"""


async def test_every_migration_takes_back_what_it_did(empty_database_url: str) -> None:
    revisions = [script.revision for script in ScriptDirectory.from_config(migrations._config()).walk_revisions()][::-1]
    database, connection = Database(empty_database_url), await asyncpg.connect(empty_database_url)

    async def go(there: Callable[[Config, str], None], revision: str) -> None:
        await migrations._run(database, lambda config: there(config, revision))

    async def shape() -> list[str]:
        return sorted(f"{kind} {words}" for kind, words in await connection.fetch(SHAPE))

    shapes = {}
    for revision in revisions:
        await go(command.upgrade, revision)
        shapes[revision] = await shape()
    for revision in revisions[-2::-1]:
        await go(command.downgrade, revision)
        assert await shape() == shapes[revision]
    await go(command.downgrade, "base")
    assert [thing for thing in await shape() if "alembic_version" not in thing] == []
    await go(command.upgrade, "head")
    assert await shape() == shapes[revisions[-1]]
    await connection.close()
    await database.close()
