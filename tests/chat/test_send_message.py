import asyncio
import uuid
from datetime import timedelta
from typing import Any

import pytest

from gamebuddy import db
from gamebuddy.auth import throttle
from gamebuddy.db import Audience
from gamebuddy.schema import ids
from gamebuddy.schema.ids import Kind
from tests.chat.operations import (
    LEAVE,
    SEND,
    is_denied,
    look,
    new_id,
    payload,
    problems,
    send,
    texts,
)
from tests.factories import Factory, Player


@pytest.fixture
async def nika(make: Factory) -> Player:
    return await make.player("nika")


@pytest.fixture
async def max_(make: Factory) -> Player:
    return await make.player("max")


@pytest.fixture
async def chat_id(make: Factory, nika: Player, max_: Player) -> str:
    return await make.group(nika, max_)


async def test_the_others_read_it(nika: Player, max_: Player, chat_id: str) -> None:
    client_id = new_id()
    message = payload(await send(nika, chat_id, "Hi Max!", clientId=client_id))["message"]
    assert (message["seq"], message["kind"], message["clientId"]) == (3, "TEXT", client_id)
    assert message["author"] == {"username": "nika"}
    assert message["chat"] == {"id": chat_id, "lastSeq": 3, "viewerUnreadCount": 0, "lastMessage": {"text": "Hi Max!"}}
    seen = await look(max_, chat_id)
    assert seen["messages"]["nodes"] == [{"seq": 3, "kind": "TEXT", "text": "Hi Max!", "author": {"username": "nika"}}]
    assert seen["viewerUnreadCount"] == 1
    assert (await look(nika, chat_id))["viewerMembership"]["lastReadSeq"] == 3


async def test_a_repeated_send_is_one_message(nika: Player, chat_id: str) -> None:
    client_id = new_id()
    first = payload(await send(nika, chat_id, "once", clientId=client_id))
    await send(nika, chat_id, "later")
    again = payload(await send(nika, chat_id, "once", clientId=client_id))
    assert again["message"]["id"] == first["message"]["id"]
    assert await texts(nika, chat_id) == ["once", "later"]


async def test_twenty_repeats_at_once_are_one_message_and_leave_no_hole(
    nika: Player, max_: Player, chat_id: str
) -> None:
    async with max_.api.socket() as socket:
        stream = await socket.subscribe("subscription { events { __typename ... on ChatEvent { seq } } }")
        await stream.until("CaughtUp")
        client_id = new_id()
        answers = await asyncio.gather(*(send(nika, chat_id, "once", clientId=client_id) for _ in range(20)))
        assert len({payload(answer)["message"]["id"] for answer in answers}) == 1
        after = payload(await send(nika, chat_id, "after"))["message"]
        assert after["seq"] == 4
        assert await stream.next() == {"__typename": "MessageSent", "seq": 3}
        assert await stream.next() == {"__typename": "MessageSent", "seq": 4}
    assert await texts(max_, chat_id) == ["once", "after"]


async def test_many_at_once_stand_in_one_order_without_holes(nika: Player, max_: Player, chat_id: str) -> None:
    await asyncio.gather(*(send(player, chat_id, str(n)) for n in range(15) for player in (nika, max_)))
    one, other = await look(nika, chat_id), await look(max_, chat_id)
    assert one["messages"] == other["messages"]
    assert [message["seq"] for message in one["messages"]["nodes"]] == list(range(3, 33))
    assert one["lastSeq"] == 32


async def test_the_same_id_with_other_content_is_a_mismatch(
    nika: Player, max_: Player, chat_id: str, make: Factory
) -> None:
    client_id = new_id()
    first = payload(await send(nika, chat_id, "first", clientId=client_id))["message"]
    direct = await make.direct_chat(nika, max_)
    for other_chat, text, more in (
        (chat_id, "second", {}),
        (direct, "first", {}),
        (chat_id, "first", {"replyToId": first["id"]}),
    ):
        answer = await send(nika, other_chat, text, clientId=client_id, **more)
        assert problems(answer) == [("IDEMPOTENCY_MISMATCH", "input.clientId")]
    assert (await look(nika, direct))["lastSeq"] == 2
    assert await texts(nika, chat_id) == ["first"]


async def test_the_same_id_in_two_chats_at_once_is_one_message(
    nika: Player, max_: Player, chat_id: str, make: Factory
) -> None:
    direct = await make.direct_chat(nika, max_)
    client_id = new_id()
    answers = await asyncio.gather(*(send(nika, chat, "x", clientId=client_id) for chat in (chat_id, direct)))
    found = sorted(tuple(problems(answer)) for answer in answers)
    assert found == [(), (("IDEMPOTENCY_MISMATCH", "input.clientId"),)]
    assert sorted([len(await texts(nika, chat_id)), len(await texts(nika, direct))]) == [0, 1]


async def test_the_same_id_of_another_author_is_independent(nika: Player, max_: Player, chat_id: str) -> None:
    client_id = new_id()
    for player in (nika, max_):
        assert problems(await send(player, chat_id, "same", clientId=client_id)) == []
    assert await texts(nika, chat_id) == ["same", "same"]


async def test_a_text_comes_back_byte_for_byte(nika: Player, max_: Player, chat_id: str) -> None:
    written = [
        "  spaces around\nand\ttabs  ",
        "<script>alert(1)</script> {{7*7}} %s \\u0000",
        "e\u0301 \u202eright to left\u202c \u200d",
        "🎮" * 4000,
        "👨‍👩‍👧‍👦" * 500,
    ]
    for text in written:
        assert problems(await send(nika, chat_id, text)) == []
    assert await texts(max_, chat_id) == written


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, "TOO_SHORT"),
        ("", "TOO_SHORT"),
        (" \n\t\u00a0", "TOO_SHORT"),
        ("\u200b\u200d\u2060\ufeff", "TOO_SHORT"),
        ("x" * 4001, "TOO_LONG"),
        ("ж" * 4001, "TOO_LONG"),
        ("🎮" * 4001, "TOO_LONG"),
    ],
)
async def test_a_text_has_1_to_4000_visible_characters(nika: Player, chat_id: str, text: Any, code: str) -> None:
    assert problems(await send(nika, chat_id, text)) == [(code, "input.text")]
    seen = await look(nika, chat_id)
    assert (seen["lastSeq"], seen["messages"]["nodes"]) == (2, [])


async def test_no_nul_and_no_lone_surrogate(nika: Player, chat_id: str) -> None:
    for text in ("a\0b", "\ud800"):
        body = {"chatId": chat_id, "clientId": new_id(), "text": text}
        assert await is_denied(nika.api, SEND, input=body) == "BAD_USER_INPUT"
    assert (await look(nika, chat_id))["lastSeq"] == 2


async def test_a_chat_of_others_is_like_none(nika: Player, max_: Player, chat_id: str, make: Factory) -> None:
    stranger = await make.player("stranger")
    nowhere = ids.write(Kind.CHAT, uuid.uuid4())
    await max_.api(LEAVE, input={"chatId": chat_id})
    answers = [await send(stranger, chat_id), await send(stranger, nowhere), await send(max_, chat_id)]
    assert problems(answers[0]) == [("NOT_FOUND", "input.chatId")]
    assert all(answer == answers[0] for answer in answers)
    assert await texts(nika, chat_id) == []


async def test_an_answer_shows_what_it_answers(nika: Player, max_: Player, chat_id: str) -> None:
    asked = payload(await send(nika, chat_id, "When?"))["message"]
    answered = payload(await send(max_, chat_id, "Now", replyToId=asked["id"]))["message"]
    assert answered["replyTo"] == {"id": asked["id"], "text": "When?"}


async def test_one_answers_only_what_is_in_the_chat(nika: Player, max_: Player, chat_id: str, make: Factory) -> None:
    elsewhere = await make.send(nika, await make.direct_chat(nika, max_), "elsewhere")
    unknown = ids.write(Kind.MESSAGE, uuid.uuid4())
    for message_id in (elsewhere["id"], unknown):
        answer = await send(nika, chat_id, "Yes", replyToId=message_id)
        assert problems(answer) == [("NOT_FOUND", "input.replyToId")]
    assert (await look(nika, chat_id))["lastSeq"] == 2


async def test_a_closed_door_looks_the_same_whoever_closed_it(nika: Player, make: Factory) -> None:
    answers = []
    for reason in ("blocks", "is blocked", "nobody", "teammates", "deleted"):
        other = await make.player()
        chat_id = await make.direct_chat(nika, other)
        if reason == "blocks":
            await make.block(other, nika)
        elif reason == "is blocked":
            await make.block(nika, other)
        async with make.services.database.write() as session:
            account = await session.get_one(db.Account, other.account_id)
            if reason == "deleted":
                account.status = db.AccountStatus.DELETED
            elif reason in {"nobody", "teammates"}:
                account.who_may_write_to_me = Audience(reason.upper())
        answers.append(await send(nika, chat_id))
        can = "query($id: ID!) { chat(id: $id) { viewerCan(action: WRITE) { isAllowed reason } } }"
        permission = (await nika.api(can, id=chat_id))["chat"]["viewerCan"]
        assert permission == {"isAllowed": False, "reason": payload(answers[0])["userErrors"][0]["message"]}
        assert (await look(nika, chat_id))["lastSeq"] == 2
    assert problems(answers[0]) == [("NOT_ALLOWED", "input.chatId")]
    assert all(answer == answers[0] for answer in answers)


async def test_no_message_comes_after_a_block_that_raced_it(make: Factory) -> None:
    block = "mutation($input: BlockUserInput!) { blockUser(input: $input) { userErrors { code } } }"
    for _ in range(5):
        one, other = await make.player(), await make.player()
        chat_id = await make.direct_chat(one, other)
        answers, _ = await asyncio.gather(
            asyncio.gather(*(send(one, chat_id, str(n)) for n in range(5))),
            other.api(block, input={"userId": one.id}),
        )
        passed = [answer for answer in answers if not problems(answer)]
        assert len(await texts(other, chat_id)) == len(passed)
        assert problems(await send(one, chat_id)) == [("NOT_ALLOWED", "input.chatId")]


async def test_after_a_burst_one_has_to_wait_and_others_do_not(
    nika: Player, max_: Player, chat_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A burst of two an hour: on a slow machine the real one would have room again before it is spent.
    rates = dict(throttle.RATES) | {throttle.Limit.SEND_MESSAGE: throttle.Rate(2, timedelta(hours=1))}
    monkeypatch.setattr(throttle, "RATES", rates)
    answers = await asyncio.gather(*(send(nika, chat_id, str(number)) for number in range(8)))
    refused = [answer for answer in answers if problems(answer)]
    assert len(refused) == 6
    for answer in refused:
        (error,) = payload(answer)["userErrors"]
        assert (error["__typename"], error["code"], error["path"]) == ("RetryLater", "RETRY_LATER", ["input"])
        assert error["retryAt"]
    assert problems(await send(max_, chat_id, "me too")) == []
    assert len(await texts(max_, chat_id)) == 3


async def test_a_guest_writes_nothing(chat_id: str, make: Factory) -> None:
    guest = await make.player("guest", role=db.Role.GUEST)
    body = {"chatId": chat_id, "clientId": new_id(), "text": "hello"}
    assert await is_denied(guest.api, SEND, input=body) == "FORBIDDEN"
