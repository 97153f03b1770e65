import asyncio
import uuid

import pytest

from gamebuddy.schema import ids
from gamebuddy.schema.ids import Kind
from tests.chat.operations import READ, look, payload, problems
from tests.factories import Factory, Player

UNREAD = "query($id: ID!) { viewer { unreadChatCount } chat(id: $id) { viewerUnreadCount } }"


@pytest.fixture
async def nika(make: Factory) -> Player:
    return await make.player("nika")


@pytest.fixture
async def max_(make: Factory) -> Player:
    return await make.player("max")


@pytest.fixture
async def chat_id(make: Factory, nika: Player, max_: Player) -> str:
    """A group with events 1 and 2 for its members, and four messages, 3 to 6."""
    chat_id = await make.group(nika, max_)
    for text in ("one", "two", "three", "four"):
        await make.send(nika, chat_id, text)
    return chat_id


async def unread(player: Player, chat_id: str) -> tuple[int, int]:
    """Give how many messages in the chat and how many chats are unread."""
    found = await player.api(UNREAD, id=chat_id)
    return found["chat"]["viewerUnreadCount"], found["viewer"]["unreadChatCount"]


async def test_counts_go_down_and_the_others_see_how_far(nika: Player, max_: Player, chat_id: str) -> None:
    assert await unread(max_, chat_id) == (4, 1)
    marked = payload(await max_.api(READ, input={"chatId": chat_id, "upToSeq": 4}))["chat"]
    assert marked == {"lastSeq": 7, "viewerUnreadCount": 2, "viewerMembership": {"lastReadSeq": 4}}
    await max_.api(READ, input={"chatId": chat_id, "upToSeq": 7})
    assert await unread(max_, chat_id) == (0, 0)
    query = "query($id: ID!) { chat(id: $id) { members { nodes { lastReadSeq user { username } } } } }"
    members = (await nika.api(query, id=chat_id))["chat"]["members"]["nodes"]
    assert {member["user"]["username"]: member["lastReadSeq"] for member in members} == {"nika": 6, "max": 7}


async def test_the_mark_never_goes_back(max_: Player, chat_id: str) -> None:
    first = payload(await max_.api(READ, input={"chatId": chat_id, "upToSeq": 5}))
    for earlier in (5, 4, 0):
        assert payload(await max_.api(READ, input={"chatId": chat_id, "upToSeq": earlier})) == first


async def test_of_several_devices_at_once_the_furthest_wins(max_: Player, chat_id: str) -> None:
    await asyncio.gather(*(max_.api(READ, input={"chatId": chat_id, "upToSeq": seq}) for seq in (3, 6, 4, 5, 2)))
    seen = await look(max_, chat_id)
    assert (seen["viewerMembership"]["lastReadSeq"], seen["viewerUnreadCount"]) == (6, 0)


async def test_only_what_passes_a_message_is_an_event(max_: Player, chat_id: str) -> None:
    for seq, last_seq in ((1, 6), (2, 6), (3, 7), (3, 7), (7, 8), (8, 8)):
        marked = payload(await max_.api(READ, input={"chatId": chat_id, "upToSeq": seq}))["chat"]
        assert (marked["lastSeq"], marked["viewerMembership"]["lastReadSeq"]) == (last_seq, max(seq, 2))


async def test_the_others_hear_of_it(nika: Player, max_: Player, chat_id: str) -> None:
    async with nika.api.socket() as socket:
        stream = await socket.subscribe(
            "subscription($id: ID!) { chatEvents(chatId: $id) {"
            " __typename ... on MessagesRead { seq upToSeq user { username } } } }",
            id=chat_id,
        )
        await stream.until("CaughtUp")
        await max_.api(READ, input={"chatId": chat_id, "upToSeq": 5})
        assert await stream.next() == {
            "__typename": "MessagesRead",
            "seq": 7,
            "upToSeq": 5,
            "user": {"username": "max"},
        }


async def test_the_future_and_the_negative_are_invalid(max_: Player, chat_id: str) -> None:
    for seq in (-1, 7, 2**31 - 1):
        answer = await max_.api(READ, input={"chatId": chat_id, "upToSeq": seq})
        assert problems(answer) == [("INVALID", "input.upToSeq")]
    assert await unread(max_, chat_id) == (4, 1)


async def test_a_chat_of_others_is_like_none(chat_id: str, make: Factory) -> None:
    stranger = await make.player("stranger")
    for some_id in (chat_id, ids.write(Kind.CHAT, uuid.uuid4())):
        answer = await stranger.api(READ, input={"chatId": some_id, "upToSeq": 1})
        assert problems(answer) == [("NOT_FOUND", "input.chatId")]
