from tests.factories import Factory
from tests.teammates.operations import ANSWER, CANCEL, NOBODY, ask, lists, payload, problem


async def test_what_is_taken_back_cannot_be_answered(make: Factory) -> None:
    nika, max_ = await make.player("nika"), await make.player("max")
    request_id = (await ask(nika, max_))["id"]
    cancelled = payload(await nika.api(CANCEL, input={"requestId": request_id}))
    assert cancelled["request"]["status"] == "CANCELLED"
    assert payload(await nika.api(CANCEL, input={"requestId": request_id})) == cancelled
    answer = await max_.api(ANSWER, input={"requestId": request_id, "accept": True})
    assert problem(answer) == ("CONFLICT", "input.requestId")
    assert await lists(max_) == await lists(nika) == NOBODY


async def test_only_the_sender_takes_it_back(make: Factory) -> None:
    nika, max_, stranger = await make.player("nika"), await make.player("max"), await make.player("stranger")
    request_id = (await ask(nika, max_))["id"]
    for player in (max_, stranger):
        assert problem(await player.api(CANCEL, input={"requestId": request_id})) == ("NOT_FOUND", "input.requestId")
    assert await lists(max_) == NOBODY | {"incoming": ["nika"]}


async def test_what_was_answered_stays_answered(make: Factory) -> None:
    nika, max_ = await make.player("nika"), await make.player("max")
    request_id = (await ask(nika, max_))["id"]
    await max_.api(ANSWER, input={"requestId": request_id, "accept": True})
    assert problem(await nika.api(CANCEL, input={"requestId": request_id})) == ("CONFLICT", "input.requestId")
    assert await lists(nika) == NOBODY | {"teammates": ["max"]}
