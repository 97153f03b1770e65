import asyncio
import uuid

import pytest

from gamebuddy import db
from gamebuddy.schema import ids
from gamebuddy.schema.ids import Kind
from tests.api import Json
from tests.chat.operations import CREATE, look, new_id, payload, problems
from tests.factories import Factory, Player


@pytest.fixture
async def owner(make: Factory) -> Player:
    return await make.player("owner")


async def friends(make: Factory, owner: Player, count: int) -> list[Player]:
    players = [await make.player() for _ in range(count)]
    for player in players:
        await make.teammates(owner, player)
    return players


async def test_the_maker_owns_it(owner: Player, make: Factory) -> None:
    one, other = await friends(make, owner, 2)
    group = {"title": "Five stack 🎮", "memberIds": [one.id, other.id], "clientId": new_id()}
    made = payload(await owner.api(CREATE, input=group))["chat"]
    assert (made["kind"], made["title"], made["memberCount"], made["lastSeq"]) == ("GROUP", "Five stack 🎮", 3, 3)
    members = {member["user"]["username"]: member for member in made["members"]["nodes"]}
    assert {name: member["role"] for name, member in members.items()} == {
        "owner": "OWNER",
        one.username: "MEMBER",
        other.username: "MEMBER",
    }
    assert members["owner"]["invitedBy"] is None
    assert members[one.username]["invitedBy"] == {"username": "owner"}
    assert (await look(other, made["id"]))["title"] == "Five stack 🎮"


async def test_nobody_else_sees_it(owner: Player, make: Factory) -> None:
    (one,) = await friends(make, owner, 1)
    chat_id = await make.group(owner)
    assert await look(one, chat_id) is None


async def test_repeats_are_folded_and_oneself_is_there_anyway(owner: Player, make: Factory) -> None:
    (one,) = await friends(make, owner, 1)
    group = {"title": "Two", "memberIds": [one.id, owner.id, one.id], "clientId": new_id()}
    assert payload(await owner.api(CREATE, input=group))["chat"]["memberCount"] == 2


async def test_a_repeat_gives_the_same_group_also_at_once(owner: Player, make: Factory) -> None:
    one, other = await friends(make, owner, 2)
    group = {"title": "Again", "memberIds": [one.id, other.id], "clientId": new_id()}
    answers = await asyncio.gather(*(owner.api(CREATE, input=group) for _ in range(8)))
    answers.append(await owner.api(CREATE, input=group | {"memberIds": [other.id, one.id, one.id]}))
    assert len({payload(answer)["chat"]["id"] for answer in answers}) == 1
    assert payload(answers[0])["chat"]["lastSeq"] == 3


async def test_the_same_id_with_other_content_is_a_mismatch(owner: Player, make: Factory) -> None:
    one, other = await friends(make, owner, 2)
    group = {"title": "First", "memberIds": [one.id], "clientId": new_id()}
    await owner.api(CREATE, input=group)
    changes: list[Json] = [{"title": "Second"}, {"memberIds": [one.id, other.id]}, {"memberIds": []}]
    for change in changes:
        answer = await owner.api(CREATE, input=group | change)
        assert problems(answer) == [("IDEMPOTENCY_MISMATCH", "input.clientId")]


async def test_the_same_id_of_another_player_is_independent(owner: Player, make: Factory) -> None:
    other = await make.player("other")
    group = {"title": "Same", "memberIds": [], "clientId": new_id()}
    made = [payload(await player.api(CREATE, input=group))["chat"]["id"] for player in (owner, other)]
    assert made[0] != made[1]


async def test_each_who_is_no_teammate_is_named(owner: Player, make: Factory) -> None:
    (friend,) = await friends(make, owner, 1)
    stranger = await make.player("stranger")
    nobody = ids.write(Kind.USER, uuid.uuid4())
    group = {"title": "Us", "memberIds": [stranger.id, friend.id, nobody], "clientId": new_id()}
    answer = await owner.api(CREATE, input=group)
    assert problems(answer) == [("NOT_FOUND", "input.memberIds.0"), ("NOT_FOUND", "input.memberIds.2")]
    messages = {error["message"] for error in payload(answer)["userErrors"]}
    assert len(messages) == 1
    mended = await owner.api(CREATE, input=group | {"memberIds": [friend.id]})
    assert problems(mended) == []


@pytest.mark.parametrize(
    ("title", "code"),
    [("", "TOO_SHORT"), (" \u200b", "TOO_SHORT"), ("x" * 81, "TOO_LONG"), ("🎮" * 81, "TOO_LONG")],
)
async def test_a_title_has_1_to_80_characters(owner: Player, title: str, code: str) -> None:
    answer = await owner.api(CREATE, input={"title": title, "memberIds": [], "clientId": new_id()})
    assert problems(answer) == [(code, "input.title")]


async def test_a_group_has_at_most_200_members(owner: Player, make: Factory) -> None:
    async with make.services.database.write() as session:
        accounts = [
            db.Account(username=f"friend_{number}", display_name="Friend", role=db.Role.USER) for number in range(200)
        ]
        session.add_all(accounts)
        await session.flush()
        for account in accounts:
            session.add(db.Teammate(account_id=owner.account_id, teammate_id=account.id))
            session.add(db.Teammate(account_id=account.id, teammate_id=owner.account_id))
    members = [ids.write(Kind.USER, account.id) for account in accounts]
    full = await owner.api(CREATE, input={"title": "Full", "memberIds": members, "clientId": new_id()})
    assert problems(full) == [("LIMIT_REACHED", "input.memberIds")]
    large = await owner.api(CREATE, input={"title": "Large", "memberIds": members[1:], "clientId": new_id()})
    assert payload(large)["chat"]["memberCount"] == 200
