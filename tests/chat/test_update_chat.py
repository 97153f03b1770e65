import asyncio
from typing import Any

import pytest

from tests.api import Json
from tests.chat.operations import ADD, UPDATE, can, look, news, payload, problems, send, texts
from tests.factories import Factory, Player

SETTINGS: Json = {
    "whoMayInvite": "EVERYONE", "whoMayPin": "ADMINS", "whoMayEditInfo": "ADMINS", "whoMayWrite": "EVERYONE",
    "historyForNewcomers": None, "slowModeSeconds": 0,
}  # fmt: skip


async def update(by: Player, chat_id: str, **changes: Any) -> Json:
    return await by.api(UPDATE, input={"chatId": chat_id, **changes})


async def test_the_owner_changes_what_he_names_and_nothing_else(make: Factory) -> None:
    owner, member = await make.player("owner"), await make.player()
    chat_id = await make.group(owner, member, title="Before")
    first = payload(await update(owner, chat_id, whoMayPin="EVERYONE", slowModeSeconds=30))["chat"]
    assert first["settings"] == SETTINGS | {"whoMayPin": "EVERYONE", "slowModeSeconds": 30}
    assert first["title"] == "Before"
    second = payload(await update(owner, chat_id, title="После 🎮", historyForNewcomers=5))["chat"]
    assert second["title"] == "После 🎮"
    assert second["settings"]["historyForNewcomers"] == 5
    third = payload(await update(owner, chat_id, historyForNewcomers=None))["chat"]
    assert third["settings"]["historyForNewcomers"] is None
    assert (await look(member, chat_id))["title"] == "После 🎮"
    assert await news(member, chat_id) == ["Owner called the chat “После 🎮”"]


async def test_what_is_as_it_was_tells_nobody(make: Factory) -> None:
    owner = await make.player()
    chat_id = await make.group(owner, title="Same")
    before = (await look(owner, chat_id))["lastSeq"]
    answer = payload(await update(owner, chat_id, title="Same", whoMayInvite="EVERYONE", historyForNewcomers=None))
    assert (answer["chat"]["lastSeq"], answer["userErrors"]) == (before, [])


async def test_settings_are_the_owners_and_titles_of_those_he_lets(make: Factory) -> None:
    owner, member = await make.player(), await make.player()
    chat_id = await make.group(owner, member)
    for changes in ({"title": "Mine"}, {"whoMayWrite": "OWNER"}, {"slowModeSeconds": 1}):
        assert problems(await update(member, chat_id, **changes)) == [("NOT_ALLOWED", "input.chatId")]
    assert not await can(member, chat_id, "EDIT_INFO")
    await update(owner, chat_id, whoMayEditInfo="EVERYONE")
    assert await can(member, chat_id, "EDIT_INFO")
    assert problems(await update(member, chat_id, title="Mine")) == []
    assert problems(await update(member, chat_id, title="Both", whoMayWrite="OWNER")) == [
        ("NOT_ALLOWED", "input.chatId")
    ]
    assert (await look(owner, chat_id))["title"] == "Mine"


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"title": ""}, "TOO_SHORT", "title"),
        ({"title": None}, "INVALID", "title"),
        ({"title": "x" * 81}, "TOO_LONG", "title"),
        ({"whoMayWrite": None}, "INVALID", "whoMayWrite"),
        ({"slowModeSeconds": -1}, "INVALID", "slowModeSeconds"),
        ({"slowModeSeconds": 21_601}, "INVALID", "slowModeSeconds"),
        ({"slowModeSeconds": None}, "INVALID", "slowModeSeconds"),
        ({"historyForNewcomers": -1}, "INVALID", "historyForNewcomers"),
    ],
)
async def test_wrong_values_change_nothing(make: Factory, changes: Json, code: str, field: str) -> None:
    owner = await make.player()
    chat_id = await make.group(owner, title="Kept")
    assert problems(await update(owner, chat_id, **changes)) == [(code, f"input.{field}")]
    assert (await look(owner, chat_id))["title"] == "Kept"


async def test_direct_chats_and_chats_of_others_have_no_settings(make: Factory) -> None:
    nika, max_ = await make.player(), await make.player()
    direct, group = await make.direct_chat(nika, max_), await make.group(nika)
    assert problems(await update(nika, direct, title="x")) == [("NOT_ALLOWED", "input.chatId")]
    assert problems(await update(max_, group, title="x")) == [("NOT_FOUND", "input.chatId")]


async def test_two_devices_that_change_different_things_at_once_keep_both(make: Factory) -> None:
    owner = await make.player()
    chat_id = await make.group(owner)
    await asyncio.gather(
        update(owner, chat_id, title="New"),
        update(owner, chat_id, slowModeSeconds=9),
        update(owner, chat_id, whoMayPin="OWNER"),
    )
    answer = payload(await update(owner, chat_id))["chat"]
    assert answer["title"] == "New"
    assert answer["settings"] == SETTINGS | {"slowModeSeconds": 9, "whoMayPin": "OWNER"}


async def test_who_may_write_and_invite_is_held(make: Factory) -> None:
    owner, member, friend = [await make.player() for _ in range(3)]
    await make.teammates(member, friend)
    chat_id = await make.group(owner, member)
    await update(owner, chat_id, whoMayWrite="ADMINS", whoMayInvite="OWNER")
    assert problems(await send(member, chat_id)) == [("NOT_ALLOWED", "input.chatId")]
    answer = await member.api(ADD, input={"chatId": chat_id, "userIds": [friend.id]})
    assert problems(answer) == [("NOT_ALLOWED", "input.chatId")]
    assert [await can(member, chat_id, action) for action in ("WRITE", "INVITE", "LEAVE")] == [False, False, True]
    assert problems(await send(owner, chat_id, "still")) == []
    assert await texts(member, chat_id) == ["still"]


async def test_slow_mode_holds_members_and_nobody_else(make: Factory) -> None:
    owner, member = await make.player(), await make.player()
    chat_id = await make.group(owner, member)
    await update(owner, chat_id, slowModeSeconds=3_600)
    assert problems(await send(member, chat_id, "one")) == []
    assert problems(await send(member, chat_id, "two")) == [("RETRY_LATER", "input.chatId")]
    assert not await can(member, chat_id, "WRITE")
    for text in ("a", "b"):
        assert problems(await send(owner, chat_id, text)) == []
    await update(owner, chat_id, slowModeSeconds=0)
    assert problems(await send(member, chat_id, "two")) == []


async def test_of_many_messages_at_once_slow_mode_lets_one_through(make: Factory) -> None:
    owner, member = await make.player(), await make.player()
    chat_id = await make.group(owner, member)
    await update(owner, chat_id, slowModeSeconds=3_600)
    answers = await asyncio.gather(*(send(member, chat_id, f"{n}") for n in range(8)))
    assert sorted(problems(answer) == [] for answer in answers) == [False] * 7 + [True]
