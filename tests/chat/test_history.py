import uuid
from typing import Any

import pytest

from gamebuddy.schema import ids
from gamebuddy.schema.ids import Kind
from tests.chat.operations import is_denied
from tests.factories import Factory, Player

HISTORY = """
query History($chat: ID!, $first: Int, $after: Cursor, $last: Int, $before: Cursor) {
  chat(id: $chat) {
    messages(first: $first, after: $after, last: $last, before: $before) {
      nodes { text }
      edges { cursor node { text } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
}"""


@pytest.fixture
async def nika(make: Factory) -> Player:
    return await make.player("nika")


@pytest.fixture
async def chat_id(make: Factory, nika: Player) -> str:
    """A group with seven messages."""
    chat_id = await make.group(nika, await make.player())
    for number in range(7):
        await make.send(nika, chat_id, str(number))
    return chat_id


async def page(player: Player, chat_id: str, **stretch: Any) -> tuple[str, bool, bool, Any]:
    """Give the texts of a page as one word, whether there are earlier and later ones, and the cursors."""
    found = (await player.api(HISTORY, chat=chat_id, **stretch))["chat"]["messages"]
    assert found["nodes"] == [edge["node"] for edge in found["edges"]]
    info = found["pageInfo"]
    assert [info["startCursor"], info["endCursor"]] == (
        [found["edges"][0]["cursor"], found["edges"][-1]["cursor"]] if found["edges"] else [None, None]
    )
    text = "".join(message["text"] for message in found["nodes"])
    return text, info["hasPreviousPage"], info["hasNextPage"], [edge["cursor"] for edge in found["edges"]]


async def test_it_reads_backwards(nika: Player, chat_id: str) -> None:
    *newest, cursors = await page(nika, chat_id, last=3)
    assert newest == ["456", True, False]
    *middle, cursors = await page(nika, chat_id, last=3, before=cursors[0])
    assert middle == ["123", True, True]
    *oldest, cursors = await page(nika, chat_id, last=3, before=cursors[0])
    assert oldest == ["0", False, True]
    assert (await page(nika, chat_id, last=3, before=cursors[0]))[:3] == ("", False, True)


async def test_it_reads_forwards(nika: Player, chat_id: str) -> None:
    *oldest, cursors = await page(nika, chat_id, first=3)
    assert oldest == ["012", False, True]
    *middle, cursors = await page(nika, chat_id, first=3, after=cursors[-1])
    assert middle == ["345", True, True]
    *newest, cursors = await page(nika, chat_id, first=3, after=cursors[-1])
    assert newest == ["6", True, False]
    assert (await page(nika, chat_id, first=3, after=cursors[-1]))[:3] == ("", True, False)


async def test_it_reads_between_two_places(nika: Player, chat_id: str) -> None:
    cursors = (await page(nika, chat_id, first=7))[3]
    between = {"after": cursors[0], "before": cursors[5]}
    assert (await page(nika, chat_id, first=10, **between))[0] == "1234"
    assert (await page(nika, chat_id, last=2, **between))[0] == "34"
    assert (await page(nika, chat_id, after=cursors[4]))[0] == "56"
    assert (await page(nika, chat_id, before=cursors[2]))[0] == "01"


async def test_without_a_size_it_gives_the_newest_fifty(nika: Player, chat_id: str) -> None:
    assert (await page(nika, chat_id))[:3] == ("0123456", False, False)


async def test_an_empty_chat_has_an_empty_page(nika: Player, make: Factory) -> None:
    chat_id = await make.group(nika)
    assert await page(nika, chat_id, last=10) == ("", False, False, [])


async def test_a_page_has_1_to_100(nika: Player, chat_id: str) -> None:
    for name in ("first", "last"):
        for size in (0, -1, 101, 2**31 - 1):
            assert await is_denied(nika.api, HISTORY, chat=chat_id, **{name: size}) == "BAD_USER_INPUT"
        assert (await page(nika, chat_id, **{name: 100}))[0] == "0123456"
    assert await is_denied(nika.api, HISTORY, chat=chat_id, first=1, last=1) == "BAD_USER_INPUT"


async def test_a_cursor_belongs_to_one_chat_and_one_viewer(nika: Player, chat_id: str, make: Factory) -> None:
    cursor = (await page(nika, chat_id, first=1))[3][0]
    elsewhere = await make.group(nika)
    for some_chat, place in ((elsewhere, cursor), (chat_id, "garbage"), (chat_id, cursor[:-2]), (chat_id, "")):
        for name in ("after", "before"):
            assert await is_denied(nika.api, HISTORY, chat=some_chat, **{name: place}) == "BAD_USER_INPUT"


async def test_a_message_is_there_for_members_alone(nika: Player, chat_id: str, make: Factory) -> None:
    message = await make.send(nika, chat_id, "secret")
    query = "query($id: ID!) { message(id: $id) { text chat { id } } node(id: $id) { id } }"
    assert await nika.api(query, id=message["id"]) == {
        "message": {"text": "secret", "chat": {"id": chat_id}},
        "node": {"id": message["id"]},
    }
    stranger = await make.player("stranger")
    for some_id in (message["id"], ids.write(Kind.MESSAGE, uuid.uuid4())):
        assert await stranger.api(query, id=some_id) == {"message": None, "node": None}
    assert await is_denied(stranger.api, query, id=chat_id) == "BAD_USER_INPUT"
    assert await is_denied(make.api, "query($id: ID!) { message(id: $id) { id } }", id=message["id"]) == (
        "UNAUTHENTICATED"
    )
