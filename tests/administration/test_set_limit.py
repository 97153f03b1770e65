import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import delete, select

from gamebuddy import db
from gamebuddy.auth.throttle import AGAINST_GUESSING, RATES, Hit, Limit, Throttle, loosest, strictest
from gamebuddy.db import AuditAction, Role
from gamebuddy.resolvers.limits import ChangedLimits
from gamebuddy.schema.context import Services
from gamebuddy.settings import Settings
from tests.accounts.operations import call, payload, problems
from tests.api import Api
from tests.chat.operations import is_denied
from tests.conftest import free_port, running
from tests.factories import Factory, Player
from tests.files.operations import announce

SETTING = "limit { name rate { most intervalSeconds } builtIn { most intervalSeconds } changedAt }"
LIMITS = "{ limits { name rate { most intervalSeconds } builtIn { most intervalSeconds } changedAt } }"
SET = "mutation($input: SetLimitInput!) { setLimit(input: $input) { userErrors { code } } }"
LEFT = "{ rateLimit { budgets { name limit remaining intervalSeconds } } }"
BUILT_IN = {"most": 60, "intervalSeconds": 60.0}
TWENTY = {"most": 20, "intervalSeconds": 600.0}


@pytest.fixture
async def admin(make: Factory) -> Player:
    return await make.player("boss", role=Role.ADMIN)


@pytest.fixture(autouse=True)
async def built_in_limits_afterwards(services: Services, api: Api) -> AsyncIterator[None]:
    yield
    async with services.database.write() as session:
        await session.execute(delete(db.ChangedLimit))
        await session.execute(delete(db.RulesVersion))
    await services.limits.follow()


async def set_limit(by: Player, rate: Any = None, name: str = "UPLOAD", reason: str = "a wave of spam") -> Any:
    return await call(by.api, "setLimit", SETTING, name=name, rate=rate, reason=reason)


async def uploads(of: Player) -> Any:
    budgets = (await of.api(LEFT))["rateLimit"]["budgets"]
    return next(budget for budget in budgets if budget["name"] == "UPLOAD")


async def hits(services: Services, throttle: Throttle, key: str, count: int) -> int:
    """Tell how many of so many hits pass."""
    passed = 0
    for _ in range(count):
        async with services.database.write() as session:
            passed += await throttle.count(session, Hit(Limit.UPLOAD, key)) is None
    return passed


async def test_a_changed_limit_counts_from_then_on_and_the_built_in_one_comes_back(
    admin: Player, make: Factory, services: Services
) -> None:
    nika, throttle = await make.player("nika"), services.gate.throttle
    assert (await uploads(nika))["limit"] == 60
    changed = payload(await set_limit(admin, TWENTY))["limit"]
    assert (changed["name"], changed["rate"], changed["builtIn"]) == ("UPLOAD", TWENTY, BUILT_IN)
    assert changed["changedAt"]
    await services.limits.follow()
    assert await uploads(nika) == {"name": "UPLOAD", "limit": 20, "remaining": 20, "intervalSeconds": 600}
    assert await hits(services, throttle, str(nika.account_id), 22) == 20
    assert (await uploads(nika))["remaining"] == 0
    restored = payload(await set_limit(admin))["limit"]
    assert (restored["rate"], restored["changedAt"]) == (BUILT_IN, None)
    await services.limits.follow()
    assert (await uploads(nika))["limit"] == 60


async def test_the_api_counts_by_a_changed_limit(admin: Player, make: Factory, services: Services) -> None:
    nika, max_ = await make.player("nika"), await make.player("max")
    payload(await set_limit(admin, {"most": 6, "intervalSeconds": 600}))
    await services.limits.follow()
    answers = await asyncio.gather(*(announce(nika, b"hello") for _ in range(9)))
    refused = [answer["userErrors"] for answer in answers if answer["userErrors"]]
    assert [[error["code"] for error in errors] for errors in refused] == [["RETRY_LATER"]] * 3
    assert (await announce(max_, b"hello"))["userErrors"] == []


async def test_a_bucket_beyond_a_stricter_limit_begins_anew_and_is_counted(admin: Player, services: Services) -> None:
    throttle = services.gate.throttle
    assert await hits(services, throttle, "somebody", 60) == 60
    payload(await set_limit(admin, {"most": 6, "intervalSeconds": 60}))
    await services.limits.follow()
    assert await hits(services, throttle, "somebody", 12) == 6


async def test_every_node_follows_by_itself(
    admin: Player, make: Factory, settings: Settings, services: Services
) -> None:
    nika = await make.player("nika")
    second = settings.model_copy(update={"port": free_port()})
    async with running(second), Api.open(second.url) as elsewhere:
        there = Player(elsewhere.signed_in(nika.api.token or ""), nika.account_id, nika.session_id, "nika")
        payload(await set_limit(admin, TWENTY))
        async with asyncio.timeout(30):
            for who in (nika, there):
                while (await uploads(who))["limit"] != 20:
                    await asyncio.sleep(0.1)


async def test_a_process_that_starts_later_knows_what_was_changed(admin: Player, services: Services) -> None:
    payload(await set_limit(admin, TWENTY))
    throttle = Throttle()
    await ChangedLimits(services.database, throttle).follow()
    assert await hits(services, throttle, "somebody", 22) == 20


async def test_what_no_limit_can_be_is_told_and_changes_nothing(admin: Player, services: Services) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"most": 5, "intervalSeconds": 60}, "most"),
        ({"most": 601, "intervalSeconds": 60}, "most"),
        ({"most": 0, "intervalSeconds": 60}, "most"),
        ({"most": -1, "intervalSeconds": 60}, "most"),
        ({"most": 60, "intervalSeconds": 5.9}, "intervalSeconds"),
        ({"most": 60, "intervalSeconds": 601}, "intervalSeconds"),
        ({"most": 60, "intervalSeconds": -60}, "intervalSeconds"),
        ({"most": 60, "intervalSeconds": 1e300}, "intervalSeconds"),
    ]
    for rate, field in wrong:
        assert problems(await set_limit(admin, rate)) == [("INVALID", f"input.rate.{field}")]
    assert problems(await set_limit(admin, TWENTY, reason=" ")) == [("TOO_SHORT", "input.reason")]
    assert problems(await set_limit(admin, TWENTY, reason="x" * 501)) == [("TOO_LONG", "input.reason")]
    settings = (await admin.api(LIMITS))["limits"]
    assert [setting["name"] for setting in settings] == [limit.value for limit in Limit]
    assert all(setting["rate"] == setting["builtIn"] for setting in settings)
    async with services.database.read() as session:
        assert (await session.scalars(select(db.AuditEntry.action))).all().count(AuditAction.SET_LIMIT) == 0


@pytest.mark.parametrize("limit", list(Limit))
async def test_every_limit_can_be_made_stricter_and_looser_unless_it_keeps_guessers_out(
    limit: Limit, admin: Player
) -> None:
    built_in = RATES[limit]
    for bound in (strictest(limit), loosest(limit)):
        rate = {"most": bound.burst, "intervalSeconds": bound.interval.total_seconds()}
        assert payload(await set_limit(admin, rate, name=limit.value))["limit"]["rate"] == rate
    looser = {"most": built_in.burst + 1, "intervalSeconds": built_in.interval.total_seconds()}
    faster = {"most": built_in.burst, "intervalSeconds": built_in.interval.total_seconds() * 0.9}
    for rate, field in ((looser, "most"), (faster, "intervalSeconds")):
        (answer,) = (await set_limit(admin, rate, name=limit.value)).values()
        found = [".".join(error["path"]) for error in answer["userErrors"]]
        assert found == ([f"input.rate.{field}"] if limit in AGAINST_GUESSING else [])


async def test_only_administrators_see_and_change_limits(make: Factory, api: Api) -> None:
    given = {"name": "UPLOAD", "rate": TWENTY, "reason": "why not"}
    for role in (Role.MODERATOR, Role.USER, Role.GUEST):
        somebody = await make.player(role=role)
        assert await is_denied(somebody.api, LIMITS) == "FORBIDDEN"
        assert await is_denied(somebody.api, SET, input=given) == "FORBIDDEN"
    assert await is_denied(api, LIMITS) == await is_denied(api, SET, input=given) == "UNAUTHENTICATED"


async def test_each_change_is_in_the_audit_log_with_what_was_before(admin: Player, services: Services) -> None:
    await asyncio.gather(
        *(set_limit(admin, {"most": most, "intervalSeconds": 60}, reason="at once") for most in (10, 20, 30))
    )
    payload(await set_limit(admin, reason="over"))
    async with services.database.read() as session:
        entries = (
            await session.scalars(
                select(db.AuditEntry)
                .where(db.AuditEntry.action == AuditAction.SET_LIMIT)
                .order_by(db.AuditEntry.number)
            )
        ).all()
    assert [(entry.actor_id, entry.reason) for entry in entries] == [(admin.account_id, "at once")] * 3 + [
        (admin.account_id, "over")
    ]
    built_in = {"most": 60, "interval_seconds": 60.0, "is_built_in": True}
    assert (entries[0].detail["limit"], entries[0].detail["before"]) == ("UPLOAD", built_in)
    for earlier, later in itertools.pairwise(entries):
        assert later.detail["before"] == earlier.detail["after"], "the row of the version makes one wait for the other"
    assert entries[-1].detail["after"] == built_in
