import asyncio
import uuid

import pytest

from gamebuddy.schema import ids
from gamebuddy.schema.ids import Kind
from tests.factories import Factory, Player
from tests.teammates.operations import ANSWER, CANCEL, NOBODY, ask, lists, payload, problem


@pytest.fixture
async def nika(make: Factory) -> Player:
    return await make.player("nika")


@pytest.fixture
async def max_(make: Factory) -> Player:
    return await make.player("max")


async def test_yes_makes_teammates(nika: Player, max_: Player) -> None:
    request = await ask(nika, max_)
    answered = payload(await max_.api(ANSWER, input={"requestId": request["id"], "accept": True}))["request"]
    assert answered["status"] == "ACCEPTED"
    assert answered["answeredAt"] is not None
    assert await lists(nika) == NOBODY | {"teammates": ["max"]}
    assert await lists(max_) == NOBODY | {"teammates": ["nika"]}
    relation = "query($id: ID!) { user(by: {id: $id}) { viewerRelation } }"
    assert (await nika.api(relation, id=max_.id))["user"] == {"viewerRelation": "TEAMMATES"}


async def test_no_leaves_strangers_who_may_ask_again(nika: Player, max_: Player) -> None:
    request = await ask(nika, max_)
    answered = payload(await max_.api(ANSWER, input={"requestId": request["id"], "accept": False}))["request"]
    assert answered["status"] == "DECLINED"
    assert await lists(nika) == await lists(max_) == NOBODY
    assert (await ask(nika, max_))["id"] != request["id"]


async def test_the_same_answer_again_changes_nothing(nika: Player, max_: Player) -> None:
    answer = {"requestId": (await ask(nika, max_))["id"], "accept": True}
    first = payload(await max_.api(ANSWER, input=answer))
    assert payload(await max_.api(ANSWER, input=answer)) == first
    assert problem(await max_.api(ANSWER, input=answer | {"accept": False})) == ("CONFLICT", "input.requestId")
    assert await lists(max_) == NOBODY | {"teammates": ["nika"]}


async def test_many_answers_at_once_make_one_friendship(nika: Player, max_: Player) -> None:
    answer = {"requestId": (await ask(nika, max_))["id"], "accept": True}
    answers = await asyncio.gather(*(max_.api(ANSWER, input=answer) for _ in range(8)))
    assert all(found == answers[0] for found in answers)
    assert await lists(nika) == NOBODY | {"teammates": ["max"]}


async def test_of_accept_and_cancel_at_once_exactly_one_wins(nika: Player, max_: Player) -> None:
    for _ in range(5):
        request_id = (await ask(nika, max_))["id"]
        accepted, cancelled = await asyncio.gather(
            max_.api(ANSWER, input={"requestId": request_id, "accept": True}),
            nika.api(CANCEL, input={"requestId": request_id}),
        )
        won = [payload(answer)["userErrors"] == [] for answer in (accepted, cancelled)]
        assert sorted(won) == [False, True]
        assert (await lists(nika))["teammates"] == (["max"] if won[0] else [])
        assert (await lists(max_))["teammates"] == (["nika"] if won[0] else [])
        if won[0]:
            break


async def test_only_the_receiver_answers(nika: Player, max_: Player, make: Factory) -> None:
    request_id = (await ask(nika, max_))["id"]
    unknown = ids.write(Kind.TEAMMATE_REQUEST, uuid.uuid4())
    stranger = await make.player("stranger")
    answers = [
        await player.api(ANSWER, input={"requestId": some_id, "accept": True})
        for player, some_id in ((nika, request_id), (stranger, request_id), (max_, unknown))
    ]
    assert problem(answers[0]) == ("NOT_FOUND", "input.requestId")
    assert all(answer == answers[0] for answer in answers)
    assert await lists(max_) == NOBODY | {"incoming": ["nika"]}


async def test_both_hear_of_it(nika: Player, max_: Player) -> None:
    subscription = "subscription { events { __typename ... on TeammateRequestChanged { request { id status } } } }"
    async with nika.api.socket() as ones, max_.api.socket() as others:
        streams = [await ones.subscribe(subscription), await others.subscribe(subscription)]
        for stream in streams:
            await stream.until("CaughtUp")
        request_id = (await ask(nika, max_))["id"]
        await max_.api(ANSWER, input={"requestId": request_id, "accept": True})
        for stream in streams:
            for status in ("PENDING", "ACCEPTED"):
                event = await stream.until("TeammateRequestChanged")
                assert event["request"]["id"] == request_id
                assert event["request"]["status"] in {status, "ACCEPTED"}  # read when it is told
