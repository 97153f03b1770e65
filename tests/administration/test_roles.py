import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from gamebuddy import db
from gamebuddy.db import AuditAction, Role
from gamebuddy.schema import ids
from gamebuddy.schema.context import Services
from gamebuddy.schema.ids import Kind
from tests.accounts.operations import PASSWORD, call, payload, problems, refused, register, sign_in
from tests.api import Api
from tests.factories import Factory, Player
from tests.post_office import PostOffice

USER = "user { username role }"
REASON = "because it is a test"


@pytest.fixture
async def admin(make: Factory) -> Player:
    return await make.player("boss", role=Role.ADMIN)


async def set_role(by: Player, who: Player, role: str, **more: Any) -> Any:
    return await call(by.api, "setUserRole", USER, **({"userId": who.id, "role": role, "reason": REASON} | more))


async def test_a_role_holds_from_the_next_operation_on(admin: Player, make: Factory, services: Services) -> None:
    nika = await make.player("nika")
    async with nika.api.socket() as socket:
        stream = await socket.subscribe("subscription { events { __typename } }")
        await stream.until("CaughtUp")
        assert payload(await set_role(admin, nika, "MODERATOR"))["user"] == {"username": "nika", "role": "MODERATOR"}
        await stream.until("AccessRevoked")  # it begins anew with the new rights
    can = "{ viewer { role moderate: can(action: MODERATE) { isAllowed } } }"
    assert (await nika.api(can))["viewer"] == {"role": "MODERATOR", "moderate": {"isAllowed": True}}
    async with services.database.read() as session:
        entry = (await session.scalars(select(db.AuditEntry))).one()
    assert (entry.action, entry.actor_id, entry.target_id) == (AuditAction.SET_ROLE, admin.account_id, nika.account_id)
    assert (entry.reason, entry.detail) == (REASON, {"before": "USER", "after": "MODERATOR"})


async def test_a_demoted_administrator_is_refused_at_once(admin: Player, make: Factory) -> None:
    other = await make.player("other", role=Role.ADMIN)
    payload(await set_role(admin, other, "USER"))
    error = await other.api.error("{ accounts { nodes { id } } }")
    assert error["extensions"]["code"] == "FORBIDDEN"


async def test_the_last_administrator_stays(admin: Player, make: Factory, api: Api, services: Services) -> None:
    assert problems(await set_role(admin, admin, "USER")) == [("NOT_ALLOWED", "input")]
    async with services.database.write() as session:
        account = await session.get_one(db.Account, admin.account_id)
        account.password_hash = await services.gate.passwords.hash(PASSWORD)
    assert await refused(admin.api, "deleteAccount", password=PASSWORD) == [("NOT_ALLOWED", "input")]
    other = await make.player("other", role=Role.ADMIN)
    payload(await set_role(admin, admin, "USER"))
    assert problems(await set_role(other, other, "MODERATOR")) == [("NOT_ALLOWED", "input")]


async def test_of_two_who_demote_each_other_one_stays(make: Factory, services: Services) -> None:
    for _ in range(5):
        one, other = await make.player(role=Role.ADMIN), await make.player(role=Role.ADMIN)
        document = "mutation($i: SetUserRoleInput!) { setUserRole(input: $i) { user { id } userErrors { code } } }"
        answers = await asyncio.gather(
            *(
                by.api.post(document, {"i": {"userId": who.id, "role": "USER", "reason": REASON}})
                for by, who in ((one, other), (other, one))
            )
        )
        assert sum(bool((answer.json()["data"] or {}).get("setUserRole", {}).get("user")) for answer in answers) == 1
        async with services.database.write() as session:
            admins = (await session.scalars(select(db.Account).where(db.Account.role == Role.ADMIN))).all()
            assert len(admins) == 1
            admins[0].role = Role.USER


async def test_an_administrator_who_deletes_himself_leaves_another(make: Factory, services: Services) -> None:
    stored = await services.gate.passwords.hash(PASSWORD)
    one, other = [await make.player(role=Role.ADMIN, password_hash=stored) for _ in range(2)]
    answers = await asyncio.gather(*(call(p.api, "deleteAccount", password=PASSWORD) for p in (one, other)))
    assert sorted(answer["deleteAccount"]["isDone"] for answer in answers) == [False, True]


async def test_what_makes_no_sense_is_told(admin: Player, make: Factory, api: Api) -> None:
    nika = await make.player("nika")
    await register(api, email="claim@example.com", username="claim")
    guest = payload(await call(api, "signInAsGuest", "viewer { user { id } }"))["viewer"]["user"]["id"]
    assert problems(await set_role(admin, nika, "GUEST")) == [("INVALID", "input.role")]
    assert problems(await set_role(admin, nika, "MODERATOR", userId=guest)) == [("INVALID", "input.userId")]
    nobody = ids.write(Kind.USER, db.new_id())
    assert problems(await set_role(admin, nika, "USER", userId=nobody)) == [("NOT_FOUND", "input.userId")]
    assert problems(await set_role(admin, nika, "USER", reason=" ")) == [("TOO_SHORT", "input.reason")]
    assert problems(await set_role(admin, nika, "USER", reason="x" * 501)) == [("TOO_LONG", "input.reason")]
    payload(await set_role(admin, nika, "USER"))  # the same role again changes nothing


async def test_nobody_else_gives_roles(make: Factory) -> None:
    nika = await make.player("nika")
    for role in (Role.USER, Role.MODERATOR):
        somebody = await make.player(role=role)
        for target in (somebody, nika):
            error = await somebody.api.error(
                f'mutation {{ setUserRole(input: {{userId: "{target.id}", role: ADMIN, reason: "x"}})'
                " { user { id } } }"
            )
            assert error["extensions"]["code"] == "FORBIDDEN"


async def test_an_account_is_made_for_somebody(
    api: Api, admin: Player, post_office: PostOffice, services: Services
) -> None:
    new = {"email": "Mod@example.com", "username": "Support", "password": PASSWORD, "role": "MODERATOR"}
    made = payload(await call(admin.api, "createUser", USER, **new))
    assert made["user"] == {"username": "support", "role": "MODERATOR"}
    payload(await sign_in(api, "mod@example.com"))
    letter = await post_office.letter_to("Mod@example.com")
    assert letter["Subject"] == "You have a GameBuddy account"
    assert await refused(admin.api, "createUser", USER, **new) == [("TAKEN", "input.username")]
    assert await refused(admin.api, "createUser", USER, **(new | {"username": "else_"})) == [("TAKEN", "input.email")]
    assert await refused(admin.api, "createUser", USER, **(new | {"username": "x", "email": "y", "password": "z"})) == [
        ("INVALID", "input.email"),
        ("TOO_SHORT", "input.username"),
        ("TOO_SHORT", "input.password"),
    ]
    assert await refused(admin.api, "createUser", USER, **(new | {"role": "GUEST"})) == [("INVALID", "input.role")]
    async with services.database.read() as session:
        entry = (await session.scalars(select(db.AuditEntry))).one()
    assert (entry.action, entry.detail) == (AuditAction.CREATE_USER, {"role": "MODERATOR"})
