from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from gamebuddy import db
from gamebuddy.db import AccountStatus, AuditAction, Role
from gamebuddy.resolvers import housekeeping
from gamebuddy.schema import ids
from gamebuddy.schema.context import Services
from gamebuddy.schema.ids import Kind
from gamebuddy.schema.scalars import write_moment
from gamebuddy.settings import Settings
from tests.accounts.operations import PASSWORD, call, is_alive, payload, problems, sign_in
from tests.api import Api
from tests.conftest import free_port, running
from tests.factories import Factory, Player
from tests.moderation.operations import filed

SANCTION = "sanction { id kind reason until user { username } by { username } liftedAt }"
REASON = "called everybody names"


@pytest.fixture
async def mod(make: Factory) -> Player:
    return await make.player("mod_", role=Role.MODERATOR)


@pytest.fixture
async def nika(make: Factory, services: Services) -> Player:
    return await make.player("nika", password_hash=await services.gate.passwords.hash(PASSWORD))


def until(**delta: float) -> str:
    return write_moment(datetime.now(UTC) + timedelta(**delta))


async def sanction(by: Player, who: Player, kind: str = "BAN", **more: Any) -> Any:
    given = {"userId": who.id, "kind": kind, "reason": REASON} | ({"until": until(days=3)} if kind == "BAN" else {})
    return await call(by.api, "sanctionUser", SANCTION, **(given | more))


async def lift(by: Player, who: Player, kind: str = "BAN") -> Any:
    return await call(by.api, "liftSanction", SANCTION, userId=who.id, kind=kind, reason="time served")


async def error_of(answer: Any) -> str:
    code: str = answer.json()["errors"][0]["extensions"]["code"]
    return code


async def test_a_ban_ends_everything_on_every_node_at_once(
    api: Api, mod: Player, nika: Player, settings: Settings
) -> None:
    second = settings.model_copy(update={"port": free_port()})
    async with running(second), Api.open(second.url) as elsewhere:
        async with nika.api.socket() as here, elsewhere.signed_in(nika.api.token or "").socket() as there:
            made = payload(await sanction(mod, nika))["sanction"]
            assert [await here.closed(), await there.closed()] == [4403, 4403]
        assert not await is_alive(elsewhere.signed_in(nika.api.token or ""))
    assert (made["user"]["username"], made["by"]["username"], made["liftedAt"]) == ("nika", "mod_", None)
    refused = (await sign_in(api))["signIn"]["userErrors"][0]
    assert refused["code"] == "ACCOUNT_BANNED"
    told = await api(
        "mutation($i: SignInInput!) { signIn(input: $i) { userErrors { ... on Sanctioned { reason until } } } }",
        i={"login": "nika", "password": PASSWORD},
    )
    assert told["signIn"]["userErrors"] == [{"reason": REASON, "until": made["until"]}]
    wrong = await sign_in(api, password="wrong horse 7")
    assert REASON not in str(wrong)
    assert problems(wrong) == [("WRONG_CREDENTIALS", "input")]


async def test_a_ban_ends_by_time_at_the_next_sign_in(api: Api, mod: Player, nika: Player, services: Services) -> None:
    payload(await sanction(mod, nika))
    async with services.database.write() as session:
        await session.execute(update(db.Account).values(banned_until=datetime.now(UTC) - timedelta(seconds=1)))
    payload(await sign_in(api))
    async with services.database.read() as session:
        assert await session.scalar(select(db.Sanction.lifted_at)) is not None


async def test_sanctions_end_by_time_without_anybody(mod: Player, nika: Player, services: Services) -> None:
    payload(await sanction(mod, nika, "MUTE", until=until(hours=1)))
    payload(await sanction(mod, nika))
    async with services.database.write() as session:
        over = datetime.now(UTC) - timedelta(seconds=1)
        await session.execute(
            update(db.Account).where(db.Account.id == nika.account_id).values(banned_until=over, muted_until=over)
        )
    await housekeeping.sweep(services.database, services.files)
    async with services.database.read() as session:
        account = await session.get_one(db.Account, nika.account_id)
        assert (account.status, account.banned_until, account.muted_until) == (AccountStatus.ACTIVE, None, None)
        assert await session.scalar(select(db.Sanction.id).where(db.Sanction.lifted_at.is_(None))) is None


async def test_a_ban_is_lifted(api: Api, mod: Player, nika: Player, services: Services) -> None:
    payload(await sanction(mod, nika))
    assert payload(await lift(mod, nika))["sanction"]["liftedAt"]
    payload(await sign_in(api))
    assert problems(await lift(mod, nika)) == [("NOT_FOUND", "input.userId")]
    async with services.database.read() as session:
        entries = (await session.scalars(select(db.AuditEntry).order_by(db.AuditEntry.number))).all()
    assert [(entry.action, entry.reason) for entry in entries] == [
        (AuditAction.SANCTION, REASON),
        (AuditAction.LIFT_SANCTION, "time served"),
    ]


async def test_the_muted_read_and_do_not_write(make: Factory, mod: Player, nika: Player) -> None:
    friend = await make.player("friend")
    chat_id = await make.direct_chat(nika, friend)
    made = payload(await sanction(mod, nika, "MUTE", until=until(hours=1)))["sanction"]
    send = (
        "mutation($i: SendMessageInput!) { sendMessage(input: $i)"
        " { message { id } userErrors { code ... on Sanctioned { until } } } }"
    )
    message = {"chatId": chat_id, "clientId": str(db.new_id()), "text": "hello"}
    assert (await nika.api(send, i=message))["sendMessage"] == {
        "message": None,
        "userErrors": [{"code": "ACCOUNT_MUTED", "until": made["until"]}],
    }
    can = await nika.api("{ viewer { can(action: SEND_MESSAGE) { isAllowed reason until } chats { nodes { id } } } }")
    assert can["viewer"]["can"] == {
        "isAllowed": False,
        "reason": "You may not write for now.",
        "until": made["until"],
    }
    assert can["viewer"]["chats"]["nodes"] == [{"id": chat_id}]
    payload(await lift(mod, nika, "MUTE"))
    assert (await nika.api(send, i=message))["sendMessage"]["userErrors"] == []


async def test_a_mute_keeps_the_words_of_the_profile_and_nothing_else_of_it(
    api: Api, mod: Player, nika: Player
) -> None:
    made = payload(await sanction(mod, nika, "MUTE", until=until(hours=1)))["sanction"]
    change = "user { displayName profile { bio platforms } }"
    for words in ({"displayName": "Loud"}, {"bio": "loud"}, {"bio": None}):
        answer = await call(nika.api, "updateProfile", change, **words)
        (problem,) = answer["updateProfile"]["userErrors"]
        assert (problem["code"], problem["until"]) == ("ACCOUNT_MUTED", made["until"])
        assert problem["path"] == ["input", *words]
    payload(await call(nika.api, "updateProfile", change, platforms=["PC"], isLookingForTeammates=False))
    payload(await lift(mod, nika, "MUTE"))
    payload(await call(nika.api, "updateProfile", change, displayName="Nika", bio="quiet"))


async def test_a_report_that_a_sanction_rests_on_is_decided_with_it(
    make: Factory, mod: Player, nika: Player, services: Services
) -> None:
    fan, other = await make.player("fan"), await make.player("other", role=Role.MODERATOR)
    about_nika, about_fan = await filed(fan, userId=nika.id), await filed(nika, userId=fan.id)
    payload(await call(other.api, "claimReport", "report { id }", reportId=about_nika))
    for report_id, code in (
        (about_nika, "CONFLICT"),
        (about_fan, "INVALID"),
        (ids.write(Kind.REPORT, db.new_id()), "NOT_FOUND"),
    ):
        assert problems(await sanction(mod, nika, "MUTE", reportId=report_id)) == [(code, "input.reportId")]
    payload(await sanction(other, nika, "MUTE", reportId=about_nika))
    node = "query($id: ID!) { node(id: $id) { ... on Report { status resolution assignee { username } } } }"
    assert (await mod.api(node, id=about_nika))["node"] == {
        "status": "ACTIONED",
        "resolution": REASON,
        "assignee": {"username": "other"},
    }
    async with services.database.read() as session:
        entries = (await session.scalars(select(db.AuditEntry).order_by(db.AuditEntry.number))).all()
    assert [entry.action for entry in entries] == [
        AuditAction.CLAIM_REPORT,
        AuditAction.RESOLVE_REPORT,
        AuditAction.SANCTION,
    ]
    assert entries[-1].detail["report"] == str(ids.read(Kind.REPORT, about_nika))
    again = {"userId": nika.id, "kind": "BAN", "reason": "again", "until": until(days=1), "reportId": about_nika}
    made = payload(await call(mod.api, "sanctionUser", "sanction { report { id } }", **again))
    assert made["sanction"]["report"] == {"id": about_nika}


async def test_the_staff_sees_sanctions_of_those_who_have_blocked_it(make: Factory, mod: Player, nika: Player) -> None:
    await make.block(nika, mod)
    assert payload(await sanction(mod, nika))["sanction"]["user"]["username"] == "nika"


async def test_a_mute_for_ever_has_no_end(mod: Player, nika: Player) -> None:
    assert payload(await sanction(mod, nika, "MUTE"))["sanction"]["until"] is None
    can = await nika.api("{ viewer { can(action: CREATE_GROUP) { isAllowed until } } }")
    assert can["viewer"]["can"] == {"isAllowed": False, "until": None}


async def test_who_may_act_on_whom(make: Factory, mod: Player, services: Services) -> None:
    admin, other_admin = await make.player(role=Role.ADMIN), await make.player(role=Role.ADMIN)
    other_mod, player = await make.player(role=Role.MODERATOR), await make.player()
    allowed = {(mod, player), (admin, player), (admin, mod), (admin, other_mod)}
    document = "mutation($i: SanctionUserInput!) { sanctionUser(input: $i) { userErrors { code } } }"
    refusals = 0
    for by in (mod, admin):
        for who in (player, mod, other_mod, admin, other_admin):
            given = {"userId": who.id, "kind": "MUTE", "reason": REASON, "until": until(minutes=1)}
            answer = await by.api.post(document, {"i": given})
            if (by, who) in allowed:
                assert answer.json()["data"]["sanctionUser"]["userErrors"] == []
            else:
                assert await error_of(answer) == "FORBIDDEN"
                refusals += 1
    async with services.database.read() as session:
        entries = (
            await session.scalars(select(db.AuditEntry).where(db.AuditEntry.action == AuditAction.REFUSED))
        ).all()
    assert len(entries) == refusals == 6
    assert {entry.detail["tried"] for entry in entries} == {"SANCTION"}


async def test_nobody_lifts_his_own_mute(make: Factory, mod: Player) -> None:
    admin = await make.player(role=Role.ADMIN)
    payload(await sanction(admin, mod, "MUTE"))
    answer = await mod.api.post(
        "mutation($i: LiftSanctionInput!) { liftSanction(input: $i) { userErrors { code } } }",
        {"i": {"userId": mod.id, "kind": "MUTE", "reason": "me"}},
    )
    assert await error_of(answer) == "FORBIDDEN"


async def test_a_moderator_bans_for_thirty_days_at_most(make: Factory, mod: Player, nika: Player) -> None:
    assert problems(await sanction(mod, nika, until=None)) == [("NOT_ALLOWED", "input.until")]
    assert problems(await sanction(mod, nika, until=until(days=31))) == [("NOT_ALLOWED", "input.until")]
    assert problems(await sanction(mod, nika, until=until(seconds=-1))) == [("INVALID", "input.until")]
    assert problems(await sanction(mod, nika, reason="")) == [("TOO_SHORT", "input.reason")]
    nobody = ids.write(Kind.USER, db.new_id())
    assert problems(await sanction(mod, nika, userId=nobody)) == [("NOT_FOUND", "input.userId")]
    payload(await sanction(mod, nika, until=until(days=29)))
    admin = await make.player(role=Role.ADMIN)
    assert payload(await sanction(admin, nika, until=None))["sanction"]["until"] is None
