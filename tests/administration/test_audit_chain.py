import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from gamebuddy import db
from gamebuddy.db import AuditAction, Role
from gamebuddy.resolvers import audit, chain, departure
from gamebuddy.schema.context import Services
from tests.accounts.operations import PASSWORD, call, done, payload
from tests.administration.test_accounts import LOG
from tests.conftest import SECRET
from tests.factories import Factory, Player
from tests.test_cli import command

ENTRY = "(SELECT id FROM audit_log WHERE number = $1)"


@pytest.fixture
async def admin(make: Factory) -> Player:
    return await make.player("boss", role=Role.ADMIN)


@pytest.fixture
async def nika(make: Factory, services: Services) -> Player:
    return await make.player("nika", password_hash=await services.gate.passwords.hash(PASSWORD))


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Somebody who owns the tables and has switched the triggers off."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("SET session_replication_role = replica")
    yield connection
    await connection.close()


async def mute(by: Player, who: Player, reason: str = "loud") -> None:
    payload(await call(by.api, "sanctionUser", "sanction { id }", userId=who.id, kind="MUTE", reason=reason))


async def verdict(services: Services, noted: bytes | None = None) -> chain.Verdict:
    async with services.database.read() as session:
        return await chain.verify(session, noted=noted)


async def broken(services: Services) -> str:
    found = await verdict(services)
    assert found.broken is not None
    return str(found.broken)


async def test_a_log_that_nobody_touched_holds(admin: Player, nika: Player, services: Services) -> None:
    assert await verdict(services) == chain.Verdict(0, 0, None)
    for _ in range(3):
        await mute(admin, nika)
    found = await verdict(services)
    assert (found.entries, found.forgotten, found.broken) == (3, 0, None)
    await mute(admin, nika)
    assert (await verdict(services, found.last_hash)).broken is None


async def test_entries_that_commit_at_once_stand_in_one_line(admin: Player, make: Factory, services: Services) -> None:
    players = [await make.player() for _ in range(8)]
    await asyncio.gather(*(mute(admin, player) for player in players))
    async with services.database.read() as session:
        places = (await session.scalars(select(db.AuditLink.position).order_by(db.AuditLink.position))).all()
    assert list(places) == list(range(1, 9))
    assert (await verdict(services)).broken is None


async def test_what_is_rolled_back_has_no_link(admin: Player, services: Services) -> None:
    async with services.database._writers() as session:
        await audit.record(session, AuditAction.REFUSED, actor_id=admin.account_id)
        await session.rollback()
    assert await verdict(services) == chain.Verdict(0, 0, None)


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE audit_log SET reason = 'quiet' WHERE number = $1", "reason or detail was changed"),
        ("UPDATE audit_log SET detail = '{}' WHERE number = $1", "reason or detail was changed"),
        ("UPDATE audit_log SET actor_id = target_id WHERE number = $1", "who did it was changed"),
        ("UPDATE audit_log SET target_id = NULL WHERE number = $1", "whom it was done to was changed"),
        ("UPDATE audit_log SET action = 'LIFT_SANCTION' WHERE number = $1", "its number, action, time"),
        ("UPDATE audit_log SET at = at - interval '1 hour' WHERE number = $1", "its number, action, time"),
        ("DELETE FROM audit_log WHERE number = $1", "it was taken away; its link is left"),
        (f"DELETE FROM audit_chain WHERE entry_id = {ENTRY}", "has a gap"),
        (
            f"UPDATE audit_chain SET words = audit_seal('[null, {{}}]') WHERE entry_id = {ENTRY}",
            "reason or detail was changed",
        ),
        (
            f"UPDATE audit_chain SET actor = audit_digest(actor) WHERE entry_id = {ENTRY}",
            "who did it was put in where it had been forgotten",
        ),
    ],
)
async def test_whoever_gets_past_the_triggers_is_found_out(
    admin: Player, nika: Player, services: Services, owner: asyncpg.Connection, statement: str, why: str
) -> None:
    for _ in range(3):
        await mute(admin, nika)
    number = await owner.fetchval("SELECT min(number) + 1 FROM audit_log")
    await owner.execute(statement, number)
    assert why in await broken(services)


async def test_entries_written_past_the_chain_and_ends_cut_off_are_found_out(
    admin: Player, nika: Player, services: Services, owner: asyncpg.Connection
) -> None:
    await mute(admin, nika)
    await mute(admin, nika)
    noted = (await verdict(services)).last_hash
    await owner.execute("INSERT INTO audit_log (id, action, detail) VALUES ($1, 'SET_ROLE', '{}')", uuid.uuid4())
    assert "it has no link in the chain" in await broken(services)
    await owner.execute("DELETE FROM audit_log WHERE number > (SELECT min(number) FROM audit_log)")
    await owner.execute("DELETE FROM audit_chain WHERE position > 1")
    assert (await verdict(services)).broken is None
    found = (await verdict(services, noted)).broken
    assert "entries were taken away" in str(found)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET reason = 'x'",
        "UPDATE audit_log SET actor_id = NULL",
        "UPDATE audit_log SET target_id = NULL",
        "UPDATE audit_log SET reason = NULL, detail = '{}'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log CASCADE",
        "UPDATE audit_chain SET hash = ''",
        "DELETE FROM audit_chain",
        "TRUNCATE audit_chain",
    ],
)
async def test_the_log_only_grows(admin: Player, nika: Player, services: Services, statement: str) -> None:
    await mute(admin, nika)
    with pytest.raises(DBAPIError, match="only grows"):
        async with services.database.write() as session:
            await session.execute(text(statement))
    assert (await verdict(services)).entries == 1


async def test_an_account_that_is_erased_leaves_the_log_and_the_chain_holds(
    admin: Player, nika: Player, services: Services, owner: asyncpg.Connection
) -> None:
    await mute(admin, nika, reason="nika was loud")
    await admin.api('{ accounts(search: "NIKA@example.com") { nodes { id } } }')
    await done(nika.api, "deleteAccount", password=PASSWORD)
    async with services.database.write() as session:
        past = datetime.now(UTC) - timedelta(seconds=1)
        await session.execute(update(db.Departure).values(ends_at=past))
        assert await departure.erase_one(session) == nika.account_id
    stored = [str(dict(row)) for row in await owner.fetch("SELECT * FROM audit_log")]
    assert len(stored) == 3
    for trace in ("nika", "Nika", str(nika.account_id)):
        assert [row for row in stored if trace in row] == []
    found = await verdict(services)
    assert (found.entries, found.forgotten, found.broken) == (3, 3, None)
    seen = (await admin.api(LOG))["auditLog"]["nodes"]
    assert [(node["action"], node["actor"], node["target"], node["reason"]) for node in seen] == [
        ("DELETE_ACCOUNT", None, None, None),
        ("LOOK_AT_ACCOUNTS", {"username": "boss"}, None, None),
        ("SANCTION", {"username": "boss"}, None, None),
    ]
    # What was forgotten cannot be made up again.
    await owner.execute("UPDATE audit_log SET reason = 'polite' WHERE action = 'SANCTION'")
    assert "put in where it had been forgotten" in await broken(services)


async def test_of_an_account_that_can_still_come_back_nothing_is_forgotten(
    admin: Player, nika: Player, services: Services
) -> None:
    await mute(admin, nika)
    await done(nika.api, "deleteAccount", password=PASSWORD)
    with pytest.raises(DBAPIError, match="only grows"):
        async with services.database.write() as session:
            await audit.forget(session, nika.account_id, [])


async def test_the_command_says_whether_it_holds_and_names_what_does_not(
    admin: Player, nika: Player, services: Services, owner: asyncpg.Connection, database_url: str
) -> None:
    await mute(admin, nika)
    await mute(admin, nika)
    surroundings = {"GAMEBUDDY_DATABASE_URL": database_url, "GAMEBUDDY_SECRET_KEY": SECRET}
    holds = await asyncio.to_thread(command, "audit", "verify", **surroundings)
    assert (holds.returncode, holds.stdout.splitlines()[0]) == (
        0,
        "The audit log holds: 2 entries, 0 with something forgotten.",
    )
    noted = holds.stdout.split()[-1]
    assert (await asyncio.to_thread(command, "audit", "verify", "--noted", noted, **surroundings)).returncode == 0
    number = await owner.fetchval("SELECT min(number) FROM audit_log")
    await owner.execute("UPDATE audit_log SET reason = 'x' WHERE number = $1", number)
    fails = await asyncio.to_thread(command, "audit", "verify", **surroundings)
    assert fails.returncode == 1
    assert f"the audit log is broken: entry {number} (" in fails.stderr


async def test_a_role_of_its_own_writes_the_log_and_forgets_but_changes_nothing(
    admin: Player, services: Services, database_url: str, worker_id: str
) -> None:
    role = f"gamebuddy_app_{worker_id}"
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(f"""
            CREATE ROLE {role};
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
            GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role};
            REVOKE UPDATE, DELETE ON audit_log FROM {role};
            REVOKE INSERT, UPDATE, DELETE ON audit_chain FROM {role};
            SET ROLE {role};
        """)
        gone = uuid.uuid4()
        insert = (
            "INSERT INTO audit_log (id, action, target_id, reason, detail) VALUES ($1, 'SET_ROLE', $2, 'why', '{}')"
        )
        await connection.execute(insert, uuid.uuid4(), gone)
        for statement in ("UPDATE audit_log SET reason = NULL", "INSERT INTO audit_chain SELECT * FROM audit_chain"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
                await connection.execute(statement)
        await connection.execute("SELECT audit_forget($1, '{}')", gone)
        assert await connection.fetchval("SELECT reason FROM audit_log") is None
        found = await verdict(services)
        assert (found.entries, found.forgotten, found.broken) == (1, 1, None)
    finally:
        await connection.execute(f"RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}")
        await connection.close()
