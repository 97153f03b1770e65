"""Editing, deleting, signs under messages, pins, forwarding."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from gamebuddy import db
from gamebuddy.schema import ids
from gamebuddy.schema.ids import Kind
from tests.api import Json
from tests.chat.operations import (
    DELETE,
    EDIT,
    PIN,
    REACT,
    REMOVE,
    SET_ROLE,
    UPDATE,
    can,
    look,
    new_id,
    payload,
    problems,
    send,
    texts,
)  # fmt: skip
from tests.factories import Factory, Player

SHOWN = """query($id: ID!) { message(id: $id) {
  text editedAt deletedAt isPinned replyTo { text } forwardedFrom { username } mentions { username }
  reactions { emoji count viewerHasReacted } } }"""


@pytest.fixture
async def pair(make: Factory) -> tuple[Player, Player, str]:
    """Two in a group: its owner and a member."""
    owner, member = await make.player("owner"), await make.player("member")
    return owner, member, await make.group(owner, member)


async def edit(by: Player, message: Json, text: str) -> Json:
    return await by.api(EDIT, input={"messageId": message["id"], "text": text})


async def delete(by: Player, message: Json, *, for_everyone: bool) -> Json:
    return await by.api(DELETE, input={"messageId": message["id"], "forEveryone": for_everyone})


async def react(by: Player, message: Json, emoji: str, *, is_on: bool = True) -> Json:
    return await by.api(REACT, input={"messageId": message["id"], "emoji": emoji, "isOn": is_on})


async def pin(by: Player, message: Json, *, is_pinned: bool = True) -> Json:
    return await by.api(PIN, input={"messageId": message["id"], "isPinned": is_pinned})


async def shown(player: Player, message: Json) -> Any:
    return (await player.api(SHOWN, id=message["id"]))["message"]


async def pins(player: Player, chat_id: str) -> list[str]:
    seen = await player.api("query($id: ID!) { chat(id: $id) { pinnedMessages { text } } }", id=chat_id)
    return [message["text"] for message in seen["chat"]["pinnedMessages"]]


async def age(make: Factory, message: Json, by: timedelta) -> None:
    """Let a message be older."""
    async with make.services.database.write() as session:
        row_id = ids.read(Kind.MESSAGE, message["id"])
        await session.execute(
            update(db.Message).where(db.Message.id == row_id).values(created_at=datetime.now(UTC) - by)
        )


async def versions(make: Factory, message: Json) -> list[str]:
    async with make.services.database.read() as session:
        row_id = ids.read(Kind.MESSAGE, message["id"])
        rows = await session.scalars(
            select(db.MessageVersion.text)
            .where(db.MessageVersion.message_id == row_id)
            .order_by(db.MessageVersion.version)
        )
        return list(rows)


async def test_an_author_edits_and_moderators_keep_what_was_said(
    make: Factory, pair: tuple[Player, Player, str]
) -> None:
    owner, member, chat_id = pair
    message = await make.send(member, chat_id, "first")
    for text in ("second", "второй 🎮", "второй 🎮"):
        answer = payload(await edit(member, message, text))
        assert (answer["message"]["text"], answer["userErrors"]) == (text, [])
        assert answer["message"]["editedAt"] is not None
    assert (await shown(owner, message))["text"] == "второй 🎮"
    assert await versions(make, message) == ["first", "second"]
    seen = await look(owner, chat_id)
    assert (seen["viewerUnreadCount"], seen["lastSeq"]) == (1, 5)


async def test_what_is_not_ones_own_or_too_old_is_not_edited(make: Factory, pair: tuple[Player, Player, str]) -> None:
    owner, member, chat_id = pair
    message = await make.send(member, chat_id, "mine")
    assert problems(await edit(owner, message, "yours")) == [("NOT_ALLOWED", "input.messageId")]
    for text, code in (("", "TOO_SHORT"), ("x" * 4_001, "TOO_LONG")):
        assert problems(await edit(member, message, text)) == [(code, "input.text")]
    await age(make, message, timedelta(hours=25))
    assert problems(await edit(member, message, "late")) == [("NOT_ALLOWED", "input.messageId")]
    stranger = await make.player()
    for player in (stranger, member):
        target = message if player is stranger else {"id": ids.write(Kind.MESSAGE, uuid.uuid4())}
        assert problems(await edit(player, target, "x")) == [("NOT_FOUND", "input.messageId")]
    assert await texts(owner, chat_id) == ["mine"]


async def test_the_chats_own_words_stay(make: Factory, pair: tuple[Player, Player, str]) -> None:
    owner, member, chat_id = pair
    await owner.api(REMOVE, input={"chatId": chat_id, "userId": member.id})
    (said,) = (await owner.api("query($id: ID!) { chat(id: $id) { messages { nodes { id kind } } } }", id=chat_id))[
        "chat"
    ]["messages"]["nodes"]
    assert said["kind"] == "SYSTEM"
    assert problems(await edit(owner, said, "x")) == [("NOT_ALLOWED", "input.messageId")]
    assert problems(await delete(owner, said, for_everyone=True)) == [("NOT_ALLOWED", "input.messageId")]
    answer = await owner.api(
        "mutation($i: SendMessageInput!) { sendMessage(input: $i) { userErrors { code path } } }",
        i={"chatId": chat_id, "clientId": new_id(), "forwardMessageId": said["id"]},
    )
    assert problems(answer) == [("NOT_ALLOWED", "input.forwardMessageId")]


async def test_of_edits_at_once_the_last_stays_and_all_are_kept(
    make: Factory, pair: tuple[Player, Player, str]
) -> None:
    _, member, chat_id = pair
    message = await make.send(member, chat_id, "start")
    await asyncio.gather(*(edit(member, message, f"edit {n}") for n in range(6)))
    assert sorted([*(await versions(make, message)), (await shown(member, message))["text"]]) == sorted(
        ["start", *(f"edit {n}" for n in range(6))]
    )


async def test_a_repeated_send_of_what_was_edited_is_the_same_message(
    make: Factory, pair: tuple[Player, Player, str]
) -> None:
    _, member, chat_id = pair
    client_id = new_id()
    first = payload(await send(member, chat_id, "once", clientId=client_id))["message"]
    await edit(member, first, "twice")
    again = payload(await send(member, chat_id, "once", clientId=client_id))
    assert (again["message"]["id"], again["message"]["text"]) == (first["id"], "twice")
    assert problems(await send(member, chat_id, "other", clientId=client_id)) == [
        ("IDEMPOTENCY_MISMATCH", "input.clientId")
    ]


async def test_what_is_deleted_for_everyone_is_nowhere_readable(
    make: Factory, pair: tuple[Player, Player, str]
) -> None:
    owner, member, chat_id = pair
    message = await make.send(member, chat_id, "a secret for @owner")
    reply = payload(await send(owner, chat_id, "answer", replyToId=message["id"]))["message"]
    await react(owner, message, "👍")
    await pin(owner, message)
    for _ in range(2):
        answer = payload(await delete(member, message, for_everyone=True))
        assert answer["userErrors"] == []
        assert (answer["message"]["text"], answer["message"]["isPinned"]) == ("", False)
        assert answer["message"]["deletedAt"] is not None
    for player in (owner, member):
        seen = await shown(player, message)
        assert (seen["text"], seen["reactions"], seen["mentions"]) == ("", [], [])
        assert (await shown(player, reply))["replyTo"] == {"text": ""}
        assert await texts(player, chat_id) == ["", "answer"]
        assert await pins(player, chat_id) == []
    assert await versions(make, message) == ["a secret for @owner"]
    for answer in (
        await edit(member, message, "back"),
        await react(owner, message, "👍"),
        await pin(owner, message),
    ):
        assert problems(answer) == [("NOT_ALLOWED", "input.messageId")]


async def test_admins_delete_what_others_wrote_and_members_do_not(
    make: Factory, pair: tuple[Player, Player, str]
) -> None:
    owner, member, chat_id = pair
    old, new = await make.send(member, chat_id, "old"), await make.send(owner, chat_id, "new")
    await age(make, old, timedelta(days=9))
    assert problems(await delete(member, new, for_everyone=True)) == [("NOT_ALLOWED", "input.messageId")]
    assert problems(await delete(member, old, for_everyone=True)) == [("NOT_ALLOWED", "input.messageId")]
    assert [await can(who, chat_id, "DELETE") for who in (owner, member)] == [True, False]
    assert problems(await delete(owner, old, for_everyone=True)) == []
    await owner.api(SET_ROLE, input={"chatId": chat_id, "userId": member.id, "role": "ADMIN"})
    assert problems(await delete(member, new, for_everyone=True)) == []


async def test_what_one_deletes_for_himself_others_still_see(make: Factory, pair: tuple[Player, Player, str]) -> None:
    owner, member, chat_id = pair
    kept, gone = await make.send(owner, chat_id, "kept"), await make.send(owner, chat_id, "gone")
    reply = payload(await send(owner, chat_id, "reply", replyToId=gone["id"]))["message"]
    await pin(owner, gone)
    answer = payload(await delete(member, gone, for_everyone=False))
    assert answer["userErrors"] == []
    assert problems(await delete(member, gone, for_everyone=False)) == [], "once more changes nothing"
    assert await texts(member, chat_id) == ["kept", "reply"]
    assert await shown(member, gone) is None
    assert (await shown(member, reply))["replyTo"] is None
    assert await pins(member, chat_id) == []
    assert await texts(owner, chat_id) == ["kept", "gone", "reply"]
    assert await pins(owner, chat_id) == ["gone"]
    assert (await shown(owner, kept))["text"] == "kept"


async def test_what_is_deleted_stays_deleted_whatever_happens_at_once(
    make: Factory, pair: tuple[Player, Player, str]
) -> None:
    owner, member, chat_id = pair
    for _ in range(5):
        message = await make.send(owner, chat_id, "first")
        answers = await asyncio.gather(
            edit(owner, message, "second"),
            delete(owner, message, for_everyone=True),
            react(member, message, "👍"),
            pin(owner, message),
            edit(owner, message, "third"),
        )
        assert payload(answers[1])["userErrors"] == []
        codes = {code for answer in answers for code, _ in problems(answer)}
        assert codes <= {"NOT_ALLOWED"}
        left = await shown(member, message)
        assert (left["text"], left["reactions"]) == ("", [])
        assert await pins(member, chat_id) == []


async def test_ones_other_devices_hear_what_one_deletes_for_himself(
    make: Factory, pair: tuple[Player, Player, str]
) -> None:
    owner, member, chat_id = pair
    message = await make.send(owner, chat_id)
    follow = "subscription { events { __typename ... on MessageHidden { messageId } } }"
    async with member.api.socket() as socket, owner.api.socket() as others:
        stream, his = await socket.subscribe(follow), await others.subscribe(follow)
        for one in (stream, his):
            await one.until("CaughtUp")
        for _ in range(2):
            await delete(member, message, for_everyone=False)
        assert await stream.until("MessageHidden") == {"__typename": "MessageHidden", "messageId": message["id"]}
        await make.send(owner, chat_id)
        assert (await stream.next_kept())["__typename"] == "MessageSent"
        assert (await his.next_kept())["__typename"] == "MessageSent"


async def test_signs_are_counted_and_taken_away(make: Factory, pair: tuple[Player, Player, str]) -> None:
    owner, member, chat_id = pair
    message = await make.send(owner, chat_id)
    for _ in range(2):
        await react(member, message, "👍")
    await react(owner, message, "👍")
    await react(owner, message, "❤️")
    assert (await shown(member, message))["reactions"] == [
        {"emoji": "👍", "count": 2, "viewerHasReacted": True},
        {"emoji": "❤️", "count": 1, "viewerHasReacted": False},
    ]
    for _ in range(2):
        answer = payload(await react(member, message, "👍", is_on=False))
    assert answer["message"]["reactions"][0] == {"emoji": "👍", "count": 1, "viewerHasReacted": False}


@pytest.mark.parametrize("emoji", ["", "a", "👍👍", "👍 ", "x" * 1_000, "👍" * 40, "<b>", "🏳️‍🌈🏳️‍🌈"])
async def test_a_sign_is_one_emoji(make: Factory, pair: tuple[Player, Player, str], emoji: str) -> None:
    owner, _, chat_id = pair
    message = await make.send(owner, chat_id)
    assert problems(await react(owner, message, emoji)) == [("INVALID", "input.emoji")]


async def test_signs_are_bounded(make: Factory, pair: tuple[Player, Player, str]) -> None:
    owner, member, chat_id = pair
    message = await make.send(owner, chat_id)
    for emoji in ("👍", "👎", "🎮"):
        assert problems(await react(owner, message, emoji)) == []
    assert problems(await react(owner, message, "🔥")) == [("LIMIT_REACHED", "input.emoji")]
    async with make.services.database.write() as session:
        row_id = ids.read(Kind.MESSAGE, message["id"])
        for number in range(17):
            session.add(db.Reaction(message_id=row_id, emoji=f"{number}", account_id=owner.account_id))
    assert problems(await react(member, message, "🔥")) == [("LIMIT_REACHED", "input.emoji")]
    assert problems(await react(member, message, "👍")) == []


async def test_of_the_same_sign_by_many_devices_at_once_one_stays(
    make: Factory, pair: tuple[Player, Player, str]
) -> None:
    owner, _, chat_id = pair
    message = await make.send(owner, chat_id)
    before = (await look(owner, chat_id))["lastSeq"]
    await asyncio.gather(*(react(owner, message, "👍") for _ in range(8)))
    assert (await shown(owner, message))["reactions"] == [{"emoji": "👍", "count": 1, "viewerHasReacted": True}]
    assert (await look(owner, chat_id))["lastSeq"] == before + 1


async def test_pins_are_for_those_whom_the_group_lets(make: Factory, pair: tuple[Player, Player, str]) -> None:
    owner, member, chat_id = pair
    one, two = await make.send(member, chat_id, "one"), await make.send(member, chat_id, "two")
    assert problems(await pin(member, one)) == [("NOT_ALLOWED", "input.chatId")]
    for message in (one, two, one):
        assert payload(await pin(owner, message))["message"]["isPinned"]
    assert await pins(member, chat_id) == ["two", "one"]
    await owner.api(UPDATE, input={"chatId": chat_id, "whoMayPin": "EVERYONE"})
    assert problems(await pin(member, two, is_pinned=False)) == []
    assert await pins(owner, chat_id) == ["one"]


async def test_both_pin_in_a_direct_chat_and_there_are_at_most_fifty(make: Factory) -> None:
    nika, max_ = await make.player(), await make.player()
    chat_id = await make.direct_chat(nika, max_)
    message = await make.send(nika, chat_id)
    assert problems(await pin(max_, message)) == []
    async with make.services.database.write() as session:
        row_id = ids.read(Kind.CHAT, chat_id)
        session.add_all(
            db.Message(chat_id=row_id, seq=100 + n, number=100 + n, text="x", pinned_at=datetime.now(UTC))
            for n in range(49)
        )
    other = await make.send(nika, chat_id)
    assert problems(await pin(nika, other)) == [("LIMIT_REACHED", "input.messageId")]


async def test_a_message_is_sent_on_with_who_wrote_it(make: Factory, pair: tuple[Player, Player, str]) -> None:
    owner, member, chat_id = pair
    friend = await make.player()
    direct = await make.direct_chat(member, friend)
    message = await make.send(owner, chat_id, "news for @member")
    client_id = new_id()
    for _ in range(2):
        sent = payload(await send(member, direct, None, forwardMessageId=message["id"], clientId=client_id))
        assert (sent["userErrors"], sent["message"]["text"]) == ([], "news for @member")
    other = await make.send(owner, chat_id, "other news")
    answer = await send(member, direct, None, forwardMessageId=other["id"], clientId=client_id)
    assert problems(answer) == [("IDEMPOTENCY_MISMATCH", "input.clientId")]
    assert payload(await edit(owner, message, "no news"))["userErrors"] == []
    again = payload(await send(member, direct, None, forwardMessageId=message["id"], clientId=client_id))
    assert again["message"]["id"] == sent["message"]["id"]  # however it was changed since
    seen = await shown(friend, sent["message"])
    assert (seen["forwardedFrom"], seen["mentions"]) == ({"username": "owner"}, [])
    again = payload(await send(friend, direct, None, forwardMessageId=sent["message"]["id"]))["message"]
    assert (await shown(member, again))["forwardedFrom"] == {"username": "owner"}
    assert len(await texts(friend, direct)) == 2
    assert problems(await edit(member, sent["message"], "mine")) == [("NOT_ALLOWED", "input.messageId")]
    for given, wanted in (
        ({"forwardMessageId": message["id"]}, ("NOT_FOUND", "input.forwardMessageId")),
        ({"forwardMessageId": sent["message"]["id"], "text": "and more"}, ("INVALID", "input.text")),
    ):
        assert problems(await send(friend, direct, given.pop("text", None), **given)) == [wanted]


async def test_who_is_blocked_changes_nothing_in_the_direct_chat(make: Factory) -> None:
    nika, max_ = await make.player(), await make.player()
    chat_id = await make.direct_chat(nika, max_)
    message = await make.send(max_, chat_id, "before")
    await make.block(nika, max_)
    assert problems(await edit(max_, message, "after")) == [("NOT_ALLOWED", "input.chatId")]
    assert problems(await react(max_, message, "👍")) == [("NOT_ALLOWED", "input.messageId")]
    assert await texts(nika, chat_id) == ["before"]


async def test_signs_of_whom_one_cannot_see_do_not_count(make: Factory) -> None:
    owner, blocker, blocked = [await make.player() for _ in range(3)]
    chat_id = await make.group(owner, blocker, blocked)
    message = await make.send(owner, chat_id)
    await make.block(blocker, blocked)
    await react(blocker, message, "👍")
    assert (await shown(blocked, message))["reactions"] == []
    assert (await shown(owner, message))["reactions"][0]["count"] == 1
