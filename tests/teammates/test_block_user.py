import uuid

from gamebuddy.schema import ids
from gamebuddy.schema.ids import Kind
from tests.factories import Factory
from tests.teammates.operations import BLOCK, NOBODY, SEND, UNBLOCK, ask, lists, payload, problem


async def test_a_block_ends_everything_on_both_sides(make: Factory) -> None:
    nika, max_ = await make.player("nika"), await make.player("max")
    await make.teammates(nika, max_)
    blocked = payload(await nika.api(BLOCK, input={"userId": max_.id}))
    assert blocked["user"] == {"username": "max", "viewerHasBlocked": True, "viewerRelation": "NONE"}
    assert await lists(nika) == NOBODY | {"blocked": ["max"]}
    assert await lists(max_) == NOBODY
    assert payload(await nika.api(BLOCK, input={"userId": max_.id})) == blocked


async def test_a_block_takes_requests_back_in_either_direction(make: Factory) -> None:
    nika, max_, olga = await make.player("nika"), await make.player("max"), await make.player("olga")
    await ask(nika, max_)
    await ask(olga, nika)
    for other in (max_, olga):
        await nika.api(BLOCK, input={"userId": other.id})
        assert await lists(other) == NOBODY
    assert await lists(nika) == NOBODY | {"blocked": ["olga", "max"]}


async def test_the_blocked_one_finds_nobody(make: Factory) -> None:
    nika, max_ = await make.player("nika"), await make.player("max")
    await nika.api(BLOCK, input={"userId": max_.id})
    nobody = ids.write(Kind.USER, uuid.uuid4())
    query = "query($id: ID!) { user(by: {id: $id}) { username } node(id: $id) { id } }"
    assert await max_.api(query, id=nika.id) == await max_.api(query, id=nobody)
    by_name = "query($name: String!) { user(by: {username: $name}) { username } }"
    assert await max_.api(by_name, name="nika") == {"user": None}
    for operation in (SEND, BLOCK, UNBLOCK):
        answer = await max_.api(operation, input={"userId": nika.id})
        assert answer == await max_.api(operation, input={"userId": nobody})
        assert problem(answer) == ("NOT_FOUND", "input.userId")


async def test_the_blocked_one_hears_nothing(make: Factory) -> None:
    nika, max_, olga = await make.player("nika"), await make.player("max"), await make.player("olga")
    await make.teammates(nika, max_)
    async with max_.api.socket() as socket:
        stream = await socket.subscribe("subscription { events { __typename } }")
        await stream.until("CaughtUp")
        await nika.api(BLOCK, input={"userId": max_.id})
        await ask(olga, max_)
        assert (await stream.next_kept())["__typename"] == "TeammateRequestChanged"


async def test_nobody_blocks_himself(make: Factory) -> None:
    nika = await make.player("nika")
    assert problem(await nika.api(BLOCK, input={"userId": nika.id})) == ("INVALID", "input.userId")


async def test_unblocking_lets_them_meet_again(make: Factory) -> None:
    nika, max_ = await make.player("nika"), await make.player("max")
    await make.teammates(nika, max_)
    await nika.api(BLOCK, input={"userId": max_.id})
    unblocked = payload(await nika.api(UNBLOCK, input={"userId": max_.id}))
    assert unblocked == {"user": {"username": "max", "viewerHasBlocked": False}, "userErrors": []}
    assert payload(await nika.api(UNBLOCK, input={"userId": max_.id})) == unblocked
    assert await lists(nika) == NOBODY
    assert (await ask(max_, nika))["status"] == "PENDING"


async def test_a_block_that_both_set_stays_until_both_take_it_back(make: Factory) -> None:
    nika, max_ = await make.player("nika"), await make.player("max")
    await make.block(nika, max_)
    await make.block(max_, nika)
    await nika.api(UNBLOCK, input={"userId": max_.id})
    assert problem(await nika.api(SEND, input={"userId": max_.id})) == ("NOT_FOUND", "input.userId")
    assert payload(await max_.api(UNBLOCK, input={"userId": nika.id}))["userErrors"] == []
    assert (await ask(max_, nika))["status"] == "PENDING"
