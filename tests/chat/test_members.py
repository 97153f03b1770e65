"""Removing members, giving roles, handing a group over."""

import asyncio

import pytest

from tests.chat.operations import LEAVE, REMOVE, SET_ROLE, can, look, news, payload, problems, send
from tests.factories import Factory, Player


async def remove(by: Player, chat_id: str, whom: Player) -> list[tuple[str, str]]:
    return problems(await by.api(REMOVE, input={"chatId": chat_id, "userId": whom.id}))


async def give(by: Player, chat_id: str, whom: Player, role: str) -> list[tuple[str, str]]:
    return problems(await by.api(SET_ROLE, input={"chatId": chat_id, "userId": whom.id, "role": role}))


async def roles(player: Player, chat_id: str) -> dict[str, str]:
    members = (await look(player, chat_id))["members"]["nodes"]
    return {member["user"]["username"]: member["role"] for member in members}


async def test_owner_and_admins_remove_those_below_them(make: Factory) -> None:
    owner, admin, other, member, second = [await make.player(f"mem{n}") for n in range(5)]
    chat_id = await make.group(owner, admin, other, member, second)
    for who in (admin, other):
        assert await give(owner, chat_id, who, "ADMIN") == []
    assert await remove(member, chat_id, second) == [("NOT_ALLOWED", "input.chatId")]
    assert await remove(admin, chat_id, other) == [("NOT_ALLOWED", "input.userId")]
    assert await remove(admin, chat_id, owner) == [("NOT_ALLOWED", "input.userId")]
    assert await remove(admin, chat_id, admin) == [("INVALID", "input.userId")]
    assert await remove(admin, chat_id, member) == []
    assert await remove(owner, chat_id, other) == []
    assert await remove(owner, chat_id, other) == [("NOT_FOUND", "input.userId")]
    assert await roles(owner, chat_id) == {"mem0": "OWNER", "mem1": "ADMIN", "mem4": "MEMBER"}
    assert await news(owner, chat_id) == ["Mem1 removed Mem3", "Mem0 removed Mem2"]
    assert [await can(who, chat_id, "MANAGE_MEMBERS") for who in (owner, admin, second)] == [True, True, False]


async def test_who_was_removed_sees_nothing_more(make: Factory) -> None:
    owner, member = await make.player(), await make.player()
    chat_id = await make.group(owner, member)
    message = await make.send(owner, chat_id)
    await remove(owner, chat_id, member)
    assert await look(member, chat_id) is None
    seen = await member.api("query($id: ID!) { message(id: $id) { text } }", id=message["id"])
    assert seen["message"] is None
    assert problems(await send(member, chat_id)) == [("NOT_FOUND", "input.chatId")]
    assert await remove(member, chat_id, owner) == [("NOT_FOUND", "input.chatId")]


async def test_roles_are_the_owners_to_give(make: Factory) -> None:
    owner, admin, member = [await make.player(f"rol{n}") for n in range(3)]
    chat_id = await make.group(owner, admin, member)
    stranger = await make.player()
    assert await give(owner, chat_id, admin, "ADMIN") == []
    for by, whom in ((admin, member), (member, member)):
        assert await give(by, chat_id, whom, "ADMIN") == [("NOT_ALLOWED", "input.chatId")]
    assert await give(owner, chat_id, owner, "MEMBER") == [("INVALID", "input.userId")]
    assert await give(owner, chat_id, stranger, "ADMIN") == [("NOT_FOUND", "input.userId")]
    assert await give(stranger, chat_id, owner, "ADMIN") == [("NOT_FOUND", "input.chatId")]
    assert await give(owner, chat_id, admin, "MEMBER") == []
    assert await roles(member, chat_id) == {"rol0": "OWNER", "rol1": "MEMBER", "rol2": "MEMBER"}


async def test_a_group_is_handed_over_and_has_one_owner_also_when_two_try(make: Factory) -> None:
    owner, one, other = [await make.player(f"own{n}") for n in range(3)]
    chat_id = await make.group(owner, one, other)
    answers = await asyncio.gather(give(owner, chat_id, one, "OWNER"), give(owner, chat_id, other, "OWNER"))
    assert sorted(answers) == [[], [("NOT_ALLOWED", "input.chatId")]]
    found = await roles(owner, chat_id)
    assert sorted(found.values()) == ["ADMIN", "MEMBER", "OWNER"]
    assert found["own0"] == "ADMIN"


@pytest.mark.parametrize("times", range(3))
async def test_whoever_goes_at_once_a_group_with_members_has_one_owner(make: Factory, times: int) -> None:
    owner, one, other, last = [await make.player() for _ in range(4)]
    chat_id = await make.group(owner, one, other, last)
    await give(owner, chat_id, one, "ADMIN")
    await asyncio.gather(
        owner.api(LEAVE, input={"chatId": chat_id}),
        one.api(LEAVE, input={"chatId": chat_id}),
        give(owner, chat_id, other, "OWNER"),
        remove(owner, chat_id, one),
    )
    found = await roles(last, chat_id)
    assert list(found.values()).count("OWNER") == 1
    assert (await look(last, chat_id))["memberCount"] == len(found)


async def test_the_longest_standing_admin_follows(make: Factory) -> None:
    owner, member, admin = [await make.player(f"suc{n}") for n in range(3)]
    chat_id = await make.group(owner, member, admin)
    await give(owner, chat_id, admin, "ADMIN")
    left = payload(await owner.api(LEAVE, input={"chatId": chat_id}))["chat"]
    assert left["viewerMembership"] is None
    assert await roles(member, chat_id) == {"suc1": "MEMBER", "suc2": "OWNER"}
    assert await news(member, chat_id) == ["Suc0 left"]


async def test_a_direct_chat_has_no_members_to_manage(make: Factory) -> None:
    nika, max_ = await make.player(), await make.player()
    chat_id = await make.direct_chat(nika, max_)
    assert await remove(nika, chat_id, max_) == [("NOT_ALLOWED", "input.chatId")]
    assert await give(nika, chat_id, max_, "ADMIN") == [("NOT_ALLOWED", "input.chatId")]
