import asyncio

from tests.factories import Factory
from tests.teammates.operations import NOBODY, REMOVE, lists, payload, problem


async def test_it_ends_on_both_sides(make: Factory) -> None:
    nika, max_ = await make.player("nika"), await make.player("max")
    await make.teammates(nika, max_)
    removed = payload(await nika.api(REMOVE, input={"userId": max_.id}))
    assert removed == {"user": {"username": "max", "viewerRelation": "NONE"}, "userErrors": []}
    assert await lists(nika) == await lists(max_) == NOBODY


async def test_who_is_no_teammate_cannot_be_removed(make: Factory) -> None:
    nika, max_ = await make.player("nika"), await make.player("max")
    for user_id in (max_.id, nika.id):
        assert problem(await nika.api(REMOVE, input={"userId": user_id})) == ("NOT_FOUND", "input.userId")


async def test_of_two_who_part_at_once_one_does_it(make: Factory) -> None:
    nika, max_ = await make.player("nika"), await make.player("max")
    await make.teammates(nika, max_)
    answers = await asyncio.gather(
        nika.api(REMOVE, input={"userId": max_.id}), max_.api(REMOVE, input={"userId": nika.id})
    )
    assert sorted(len(payload(answer)["userErrors"]) for answer in answers) == [0, 1]
    assert await lists(nika) == await lists(max_) == NOBODY
