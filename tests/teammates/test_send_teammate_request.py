import asyncio
import uuid
from datetime import UTC, date, datetime

import pytest

from gamebuddy import db
from gamebuddy.schema import ids
from gamebuddy.schema.ids import Kind
from tests.factories import Factory, Player
from tests.teammates.operations import BLOCK, NOBODY, SEND, ask, lists, payload, problem


@pytest.fixture
async def nika(make: Factory) -> Player:
    return await make.player("nika")


@pytest.fixture
async def max_(make: Factory) -> Player:
    return await make.player("max")


async def test_the_other_one_finds_the_request(nika: Player, max_: Player, make: Factory) -> None:
    game = ids.write(Kind.GAME, await make.game_id("dota-2"))
    request = await ask(nika, max_, message="Play tonight? 🎮", gameId=game)
    assert request["status"] == "PENDING"
    assert request["message"] == "Play tonight? 🎮"
    assert request["game"] == {"slug": "dota-2"}
    assert request["answeredAt"] is None
    assert await lists(nika) == NOBODY | {"outgoing": ["max"]}
    assert await lists(max_) == NOBODY | {"incoming": ["nika"]}


async def test_nobody_else_sees_the_request(nika: Player, max_: Player, make: Factory) -> None:
    request = await ask(nika, max_)
    stranger = await make.player("stranger")
    assert await lists(stranger) == NOBODY
    query = "query($id: ID!) { node(id: $id) { id } }"
    assert (await stranger.api(query, id=request["id"]))["node"] is None
    assert (await max_.api(query, id=request["id"]))["node"] == {"id": request["id"]}


async def test_a_repeat_gives_the_same_request(nika: Player, max_: Player) -> None:
    assert await ask(nika, max_, message="Hi") == await ask(nika, max_, message="Hi again")


async def test_two_who_ask_each_other_are_teammates(nika: Player, max_: Player) -> None:
    first = await ask(nika, max_)
    second = await ask(max_, nika)
    assert (second["id"], second["status"]) == (first["id"], "ACCEPTED")
    assert await lists(nika) == NOBODY | {"teammates": ["max"]}
    assert await lists(max_) == NOBODY | {"teammates": ["nika"]}


async def test_two_who_ask_each_other_at_once_make_one_friendship(nika: Player, max_: Player) -> None:
    requests = await asyncio.gather(*(ask(*pair) for pair in [(nika, max_), (max_, nika)]))
    assert len({request["id"] for request in requests}) == 1
    assert sorted(request["status"] for request in requests) == ["ACCEPTED", "PENDING"]
    assert await lists(nika) == NOBODY | {"teammates": ["max"]}
    assert await lists(max_) == NOBODY | {"teammates": ["nika"]}


async def test_many_at_once_make_one_request(nika: Player, max_: Player) -> None:
    requests = await asyncio.gather(*(ask(nika, max_) for _ in range(8)))
    assert len({request["id"] for request in requests}) == 1
    assert await lists(max_) == NOBODY | {"incoming": ["nika"]}


async def test_teammates_are_no_strangers(nika: Player, max_: Player, make: Factory) -> None:
    await make.teammates(nika, max_)
    assert problem(await nika.api(SEND, input={"userId": max_.id})) == ("CONFLICT", "input.userId")


async def test_nobody_asks_himself(nika: Player) -> None:
    assert problem(await nika.api(SEND, input={"userId": nika.id})) == ("INVALID", "input.userId")


async def test_every_reason_why_not_looks_the_same(nika: Player, make: Factory) -> None:
    nobody = ids.write(Kind.USER, uuid.uuid4())
    blocker, blocked = await make.player("blocker"), await make.player("blocked")
    await make.block(blocker, nika)
    await make.block(nika, blocked)
    gone = await make.player("gone", status=db.AccountStatus.DELETED)
    banned = await make.player("banned", status=db.AccountStatus.BANNED)
    child = await make.player("child", birth_date=date(datetime.now(UTC).year - 15, 1, 1))
    answers = [
        payload(await nika.api(SEND, input={"userId": user_id}))
        for user_id in (nobody, blocker.id, blocked.id, gone.id, banned.id, child.id)
    ]
    assert [error["code"] for error in answers[0]["userErrors"]] == ["NOT_FOUND"]
    assert all(answer == answers[0] for answer in answers)


async def test_minors_meet_minors(make: Factory) -> None:
    young = date(datetime.now(UTC).year - 15, 1, 1)
    one, other = await make.player(birth_date=young), await make.player(birth_date=young)
    assert (await ask(one, other))["status"] == "PENDING"


async def test_an_unknown_game_is_not_found(nika: Player, max_: Player) -> None:
    game = ids.write(Kind.GAME, uuid.uuid4())
    answer = await nika.api(SEND, input={"userId": max_.id, "gameId": game})
    assert problem(answer) == ("NOT_FOUND", "input.gameId")
    assert await lists(max_) == NOBODY


@pytest.mark.parametrize("letter", ["a", "ж", "🎮"])
async def test_a_message_has_300_characters(nika: Player, max_: Player, letter: str) -> None:
    answer = await nika.api(SEND, input={"userId": max_.id, "message": letter * 301})
    assert problem(answer) == ("TOO_LONG", "input.message")
    assert (await ask(nika, max_, message=letter * 300))["message"] == letter * 300


async def test_a_guest_asks_nobody(max_: Player, make: Factory) -> None:
    guest = await make.player("guest", role=db.Role.GUEST)
    assert (await guest.api.error(SEND, input={"userId": max_.id}))["extensions"]["code"] == "FORBIDDEN"
    assert problem(await max_.api(SEND, input={"userId": guest.id})) == ("NOT_FOUND", "input.userId")


async def test_an_id_of_something_else_is_bad_input(nika: Player, max_: Player) -> None:
    request = await ask(nika, max_)
    for wrong in (request["id"], "usr_", "1", "usr_" + "A" * 1000):
        assert (await nika.api.error(SEND, input={"userId": wrong}))["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_block_and_a_request_at_once_leave_no_request(make: Factory) -> None:
    for _ in range(5):
        one, other = await make.player(), await make.player()
        await asyncio.gather(one.api(SEND, input={"userId": other.id}), other.api(BLOCK, input={"userId": one.id}))
        assert await lists(one) == NOBODY
        assert (await lists(other))["incoming"] == []
