from typing import Any

import pytest

from tests.chat.operations import ADD, REMOVE, UPDATE
from tests.conftest import Statements
from tests.factories import Factory, Player

SEARCH = """query($text: String!, $chat: ID, $author: ID, $first: Int, $after: Cursor) {
  searchMessages(text: $text, chatId: $chat, authorId: $author, first: $first, after: $after) {
    nodes { text } pageInfo { hasNextPage endCursor } } }"""


async def found(player: Player, text: str, **more: Any) -> list[str]:
    """Give the texts of the first page."""
    page = (await player.api(SEARCH, text=text, **more))["searchMessages"]
    return [node["text"] for node in page["nodes"]]


@pytest.fixture
async def nika(make: Factory) -> Player:
    return await make.player("nika")


@pytest.mark.parametrize(
    ("said", "sought"),
    [
        ("Завтра играем в рейде", "рейды"),
        ("Завтра играем в рейде", "ИГРАТЬ завтра"),
        ("The raiders were running late", "raider run"),
        ("Старый рейд and a new raid", "raids рейдов"),
        ("meet at the bank, then the bridge", '"the bridge"'),
        ("Ёжик в тумане", "ёжика"),
    ],
)
async def test_words_are_found_in_any_form_and_either_language(
    make: Factory, nika: Player, said: str, sought: str
) -> None:
    chat_id = await make.group(nika)
    await make.send(nika, chat_id, "что-то совсем другое, something else")
    await make.send(nika, chat_id, said)
    assert await found(nika, sought) == [said]


async def test_the_best_first_then_the_newest_page_by_page(make: Factory, nika: Player) -> None:
    chat_id = await make.group(nika)
    await make.send(nika, chat_id, "raid raid raid")
    for number in range(3):
        await make.send(nika, chat_id, f"a raid, in the evening of day {number}")
    await make.send(nika, chat_id, "raid")
    seen: list[str] = []
    after = None
    while True:
        page = (await nika.api(SEARCH, text="raid", first=2, after=after))["searchMessages"]
        seen += [node["text"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert len(seen) == 5
    assert seen[-3:] == [f"a raid, in the evening of day {number}" for number in (2, 1, 0)]
    error = await nika.api.error(SEARCH, text="another", after=after)
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_only_what_the_viewer_may_see(make: Factory, nika: Player) -> None:
    owner, stranger = await make.player(), await make.player()
    chat_id = await make.group(owner)
    await make.send(owner, chat_id, "treasure one")
    await owner.api(UPDATE, input={"chatId": chat_id, "historyForNewcomers": 0})
    await make.teammates(owner, nika)
    await owner.api(ADD, input={"chatId": chat_id, "userIds": [nika.id]})
    for number in ("two", "three", "four"):
        message = await make.send(owner, chat_id, f"treasure {number}")
        if number != "two":
            await (nika if number == "three" else owner).api(
                "mutation($i: DeleteMessageInput!) { deleteMessage(input: $i) { userErrors { code } } }",
                i={"messageId": message["id"], "forEveryone": number == "four"},
            )
    assert await found(nika, "treasure") == ["treasure two"]
    assert sorted(await found(owner, "treasure")) == ["treasure one", "treasure three", "treasure two"]
    assert await found(stranger, "treasure") == []
    assert await found(stranger, "treasure", chat=chat_id) == []
    await owner.api(REMOVE, input={"chatId": chat_id, "userId": nika.id})
    assert await found(nika, "treasure") == []


async def test_in_one_chat_and_by_one_author(make: Factory, nika: Player) -> None:
    max_ = await make.player("max_")
    group, direct = await make.group(nika, max_), await make.direct_chat(nika, max_)
    await make.send(nika, group, "boss one")
    await make.send(max_, group, "boss two")
    await make.send(max_, direct, "boss three")
    assert await found(nika, "boss", chat=direct) == ["boss three"]
    assert await found(nika, "boss", author=nika.id) == ["boss one"]
    assert await found(nika, "boss", author=max_.id, chat=group) == ["boss two"]
    assert sorted(await found(nika, "boss one or three")) == ["boss one", "boss three"]
    assert sorted(await found(nika, "boss -one")) == ["boss three", "boss two"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "%",
        "_",
        "\\",
        "' OR 1=1 --",
        "a & | (",
        ":*",
        '"',
        '"""',
        "!!!",
        "<->",
        "the",
        "и в на",
        "🎮",
        "x" * 200,
    ],
)
async def test_any_text_is_only_words(make: Factory, nika: Player, text: str) -> None:
    chat_id = await make.group(nika)
    await make.send(nika, chat_id, "nothing of it")
    assert await found(nika, text) == []


async def test_what_is_no_search_is_refused(make: Factory, nika: Player) -> None:
    for variables in ({"text": "x" * 201}, {"text": "a\0"}, {"text": "a", "first": 101}, {"text": "a", "after": "x"}):
        error = await nika.api.error(SEARCH, **variables)
        assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_an_edit_is_found_under_its_new_words(make: Factory, nika: Player) -> None:
    chat_id = await make.group(nika)
    message = await make.send(nika, chat_id, "dragon")
    await nika.api(
        "mutation($i: EditMessageInput!) { editMessage(input: $i) { userErrors { code } } }",
        i={"messageId": message["id"], "text": "wyvern"},
    )
    assert (await found(nika, "dragons"), await found(nika, "wyverns")) == ([], ["wyvern"])


async def test_a_page_takes_as_many_statements_as_one_message(
    make: Factory, nika: Player, statements: Statements
) -> None:
    chat_id = await make.group(nika)
    counts = []
    for number in (1, 9):
        for _ in range(number):
            await make.send(nika, chat_id, "same words")
        statements.clear()
        await found(nika, "words")
        counts.append(len(statements))
    assert counts[0] == counts[1]
