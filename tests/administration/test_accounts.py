from typing import Any

import pytest
from sqlalchemy import select

from gamebuddy import db
from gamebuddy.db import AccountStatus, AuditAction, Role
from gamebuddy.schema import ids
from gamebuddy.schema.context import Services
from gamebuddy.schema.ids import Kind
from tests.accounts.operations import register
from tests.api import Api
from tests.conftest import Statements
from tests.factories import Factory, Player

ACCOUNTS = """query($search: String, $role: Role, $status: AccountStatus, $first: Int, $after: Cursor) {
  accounts(search: $search, role: $role, status: $status, first: $first, after: $after) {
    nodes { id email status role lastSeenAt user { username } sessions { deviceName ipAddress }
            sanctions { kind reason by { username } user { username } until liftedAt } }
    pageInfo { hasNextPage hasPreviousPage endCursor }
  }
}"""
LOG = """query($actor: ID, $target: ID, $first: Int, $after: Cursor) {
  auditLog(actorId: $actor, targetId: $target, first: $first, after: $after) {
    nodes { id action reason detail actor { username } target { username } }
    pageInfo { hasNextPage endCursor }
  }
}"""


@pytest.fixture
async def admin(make: Factory) -> Player:
    return await make.player("boss", role=Role.ADMIN)


async def names(admin: Player, **wanted: Any) -> list[str]:
    page = (await admin.api(ACCOUNTS, **wanted))["accounts"]
    return [node["user"]["username"] for node in page["nodes"]]


async def test_an_administrator_finds_everybody(admin: Player, make: Factory, api: Api) -> None:
    await make.player("nika", display_name="Ника 100%")
    await make.player("max", status=AccountStatus.BANNED)
    await make.player("mod_", role=Role.MODERATOR)
    await register(api, email="claim@example.com", username="claim")
    assert await names(admin) == ["claim", "mod_", "max", "nika", "boss"]
    assert await names(admin, search="NIKA@") == ["nika"]
    assert await names(admin, search="ника 100%") == ["nika"]
    assert await names(admin, search="%") == ["nika"]
    assert await names(admin, search="' OR 1=1--") == []
    assert await names(admin, role="MODERATOR") == ["mod_"]
    assert await names(admin, status="BANNED") == ["max"]


async def test_pages_follow_each_other_and_cursors_belong_to_their_list(admin: Player, make: Factory) -> None:
    for _ in range(4):
        await make.player()
    first = (await admin.api(ACCOUNTS, first=3))["accounts"]
    assert first["pageInfo"]["hasNextPage"]
    rest = (await admin.api(ACCOUNTS, first=3, after=first["pageInfo"]["endCursor"]))["accounts"]
    assert not rest["pageInfo"]["hasNextPage"]
    assert len({node["id"] for node in first["nodes"] + rest["nodes"]}) == 5
    error = await admin.api.error(ACCOUNTS, role="USER", after=first["pageInfo"]["endCursor"])
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_page_takes_the_same_statements_for_few_and_for_many(
    admin: Player, make: Factory, statements: Statements
) -> None:
    counts = []
    for _ in range(2):
        for _ in range(5):
            await make.player()
        statements.clear()
        await admin.api(ACCOUNTS, first=50)
        counts.append(len(statements))
    assert counts[0] == counts[1]


async def test_each_look_is_written_down_before_anything_is_seen(
    admin: Player, make: Factory, services: Services
) -> None:
    nika = await make.player("nika")
    await admin.api(ACCOUNTS, search="nika")
    account_id = ids.write(Kind.ACCOUNT, nika.account_id)
    node = "query($id: ID!) { node(id: $id) { ... on Account { email sessions { id } } } }"
    assert (await admin.api(node, id=account_id))["node"]["email"] == "nika@example.com"
    for other in (nika, await make.player("mod_", role=Role.MODERATOR)):
        assert (await other.api(node, id=account_id))["node"] is None
    async with services.database.read() as session:
        entries = (await session.scalars(select(db.AuditEntry).order_by(db.AuditEntry.number))).all()
    assert [(entry.action, entry.actor_id) for entry in entries] == [
        (AuditAction.LOOK_AT_ACCOUNTS, admin.account_id)
    ] * 2
    assert (entries[0].detail["search"], entries[1].target_id) == ("nika", nika.account_id)


async def test_the_log_shows_everybody_what_is_his(admin: Player, make: Factory, api: Api) -> None:
    mod, nika = await make.player("mod_", role=Role.MODERATOR), await make.player("nika")
    sanction = 'mutation { sanctionUser(input: {userId: "%s", kind: MUTE, reason: "loud"}) { userErrors { code } } }'
    await mod.api(sanction % nika.id)
    await admin.api(sanction % mod.id)
    seen = {
        player.username: [node["target"]["username"] for node in (await player.api(LOG))["auditLog"]["nodes"]]
        for player in (admin, mod, nika)
    }
    assert seen == {"boss": ["mod_", "nika"], "mod_": ["nika"], "nika": []}
    newest = (await admin.api(LOG, first=1))["auditLog"]
    assert newest["pageInfo"]["hasNextPage"]
    older = (await admin.api(LOG, first=5, after=newest["pageInfo"]["endCursor"]))["auditLog"]
    assert [node["actor"]["username"] for node in older["nodes"]] == ["mod_"]
    assert len((await admin.api(LOG, actor=mod.id))["auditLog"]["nodes"]) == 1
    assert len((await admin.api(LOG, target=mod.id))["auditLog"]["nodes"]) == 1
    node = "query($id: ID!) { node(id: $id) { ... on AuditEntry { action } } }"
    entry = newest["nodes"][0]["id"]
    assert (await admin.api(node, id=entry))["node"] == {"action": "SANCTION"}
    assert (await nika.api(node, id=entry))["node"] is None
