import asyncio
import uuid
from datetime import UTC, date, datetime

import pytest

from gamebuddy import db
from gamebuddy.db import Audience
from gamebuddy.schema import ids
from gamebuddy.schema.ids import Kind
from tests.chat.operations import OPEN, is_denied, look, payload, problems, send, texts
from tests.factories import Factory, Player


@pytest.fixture
async def nika(make: Factory) -> Player:
    return await make.player("nika")


@pytest.fixture
async def max_(make: Factory) -> Player:
    return await make.player("max")


async def test_each_sees_the_other_ones_name(nika: Player, max_: Player) -> None:
    opened = payload(await nika.api(OPEN, input={"userId": max_.id}))["chat"]
    assert (opened["kind"], opened["title"], opened["memberCount"], opened["lastSeq"]) == ("DIRECT", "Max", 2, 2)
    assert {member["user"]["username"] for member in opened["members"]["nodes"]} == {"nika", "max"}
    assert (await look(max_, opened["id"]))["title"] == "Nika"


async def test_there_is_one_for_ever_from_either_side(nika: Player, max_: Player) -> None:
    opened = [
        payload(await player.api(OPEN, input={"userId": other.id}))["chat"]["id"]
        for player, other in ((nika, max_), (max_, nika), (nika, max_))
    ]
    assert len(set(opened)) == 1


async def test_both_open_it_ten_times_at_once(nika: Player, max_: Player, make: Factory) -> None:
    answers = await asyncio.gather(
        *(player.api(OPEN, input={"userId": other.id}) for player, other in [(nika, max_), (max_, nika)] * 10)
    )
    assert len({payload(answer)["chat"]["id"] for answer in answers}) == 1
    assert (await look(nika, payload(answers[0])["chat"]["id"]))["lastSeq"] == 2


async def test_nobody_else_sees_it(nika: Player, max_: Player, make: Factory) -> None:
    chat_id = await make.direct_chat(nika, max_)
    stranger = await make.player("stranger")
    assert await look(stranger, chat_id) is None
    assert (await stranger.api("query($id: ID!) { node(id: $id) { id } }", id=chat_id))["node"] is None


async def test_every_reason_why_not_looks_the_same(nika: Player, make: Factory) -> None:
    blocker, blocked = await make.player("blocker"), await make.player("blocked")
    await make.block(blocker, nika)
    await make.block(nika, blocked)
    closed = await make.player("closed", who_may_write_to_me=Audience.NOBODY)
    friends_only = await make.player("friends_only", who_may_write_to_me=Audience.TEAMMATES)
    gone = await make.player("gone", status=db.AccountStatus.DELETED)
    child = await make.player("child", birth_date=date(datetime.now(UTC).year - 15, 1, 1))
    nobody = ids.write(Kind.USER, uuid.uuid4())
    answers = [
        await nika.api(OPEN, input={"userId": user_id})
        for user_id in (nobody, blocker.id, blocked.id, closed.id, friends_only.id, gone.id, child.id)
    ]
    assert problems(answers[0]) == [("NOT_FOUND", "input.userId")]
    assert all(answer == answers[0] for answer in answers)


async def test_teammates_may_write_where_teammates_may(nika: Player, make: Factory) -> None:
    friend = await make.player("friend", who_may_write_to_me=Audience.TEAMMATES)
    await make.teammates(nika, friend)
    assert problems(await nika.api(OPEN, input={"userId": friend.id})) == []


async def test_an_open_chat_stays_after_a_block_but_no_message_passes(
    nika: Player, max_: Player, make: Factory
) -> None:
    chat_id = await make.direct_chat(nika, max_)
    await make.send(nika, chat_id, "before")
    await make.block(max_, nika)
    for player in (nika, max_):
        assert problems(await send(player, chat_id)) == [("NOT_ALLOWED", "input.chatId")]
        assert await texts(player, chat_id) == ["before"]
    assert payload(await max_.api(OPEN, input={"userId": nika.id}))["chat"]["id"] == chat_id


async def test_an_open_chat_does_not_tell_a_block_from_absence(nika: Player, make: Factory) -> None:
    blocker, gone = await make.player("blocker"), await make.player("gone")
    for other in (blocker, gone):
        await make.direct_chat(nika, other)
    await make.block(blocker, nika)
    async with make.services.database.write() as session:
        (await session.get_one(db.Account, gone.account_id)).status = db.AccountStatus.DELETED
    nobody = ids.write(Kind.USER, uuid.uuid4())
    answers = [await nika.api(OPEN, input={"userId": user_id}) for user_id in (nobody, blocker.id, gone.id)]
    assert problems(answers[0]) == [("NOT_FOUND", "input.userId")]
    assert all(answer == answers[0] for answer in answers)


async def test_nobody_writes_to_himself(nika: Player) -> None:
    assert problems(await nika.api(OPEN, input={"userId": nika.id})) == [("INVALID", "input.userId")]


async def test_a_guest_opens_no_chat(max_: Player, make: Factory) -> None:
    guest = await make.player("guest", role=db.Role.GUEST)
    assert await is_denied(guest.api, OPEN, input={"userId": max_.id}) == "FORBIDDEN"
