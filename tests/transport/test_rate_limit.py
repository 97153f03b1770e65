"""What is left of the limits, as the caller is told."""

from datetime import datetime

from gamebuddy.auth.throttle import BY_ACCOUNT, BY_ADDRESS, Hit, Limit
from gamebuddy.schema.context import Services
from gamebuddy.schema.limits import BudgetName
from tests.api import Api, Json
from tests.factories import Factory

LEFT = "{ rateLimit { cost costLimit budgets { name limit remaining intervalSeconds resetAt } } }"


async def budgets(api: Api) -> dict[str, Json]:
    return {budget["name"]: budget for budget in (await api(LEFT))["rateLimit"]["budgets"]}


async def test_every_message_takes_one_and_nobody_else_s(make: Factory) -> None:
    nika, other = await make.player("nika"), await make.player("other")
    before = (await budgets(nika.api))["SEND_MESSAGE"]
    assert (before["limit"], before["remaining"], before["intervalSeconds"]) == (60, 60, 0.2)
    chat_id = await make.group(nika)
    await make.send(nika, chat_id, "hello")
    throttle, bucket = make.services.gate.throttle, Hit(Limit.UPLOAD, str(nika.account_id))
    async with make.services.database.write() as session:
        for _ in range(60):
            assert await throttle.count(session, bucket) is None
    uploads = (await budgets(nika.api))["UPLOAD"]
    assert uploads["remaining"] <= 5, "one comes back each minute"
    assert datetime.fromisoformat(uploads["resetAt"]) > datetime.fromisoformat(before["resetAt"])
    assert (await budgets(other.api))["UPLOAD"]["remaining"] == 60


async def test_asking_takes_nothing(make: Factory) -> None:
    nika = await make.player("nika")
    for _ in range(3):
        left = await budgets(nika.api)
        assert {name for name, budget in left.items() if budget["remaining"] == budget["limit"]} == set(BudgetName)


async def test_who_is_not_signed_in_sees_what_counts_his_address(api: Api) -> None:
    assert {Limit(name) for name in await budgets(api)} == BY_ADDRESS


async def test_the_cost_is_that_of_the_whole_operation(api: Api, services: Services) -> None:
    answer = await api("{ rateLimit { cost costLimit } games(first: 10) { nodes { slug } } }")
    assert answer["rateLimit"] == {"cost": 3 + 1 + 10 * 2, "costLimit": services.settings.max_cost}
    async with api.socket() as socket:
        await socket.start("{ rateLimit { cost } }")
        assert (await socket.receive())["payload"]["data"]["rateLimit"]["cost"] == 2


async def test_it_is_one_statement_whatever_there_is(make: Factory, statements: list[str]) -> None:
    nika = await make.player("nika")
    statements.clear()
    await nika.api(LEFT)
    assert len([statement for statement in statements if "rate_limits" in statement]) == 1


def test_every_limit_of_accounts_and_addresses_has_a_name_in_the_api() -> None:
    assert {name.limit for name in BudgetName} == BY_ACCOUNT | BY_ADDRESS, "add it to gamebuddy/schema/limits.py"
