"""What was said before somebody's time is shown to him on no path."""

from typing import Any

import pytest

from tests.chat.operations import ADD, JOIN, MAKE_LINK, PIN, UPDATE, look, payload, problems, send, texts
from tests.factories import Factory, Player

HISTORY = """query($id: ID!, $last: Int, $first: Int) { chat(id: $id) {
  viewerUnreadCount viewerUnreadMentionCount lastMessage { kind }
  messages(last: $last, first: $first) { nodes { text kind } pageInfo { hasPreviousPage hasNextPage } }
  pinnedMessages { text } } }"""


async def add(by: Player, chat_id: str, whom: Player, **more: Any) -> list[tuple[str, str]]:
    return problems(await by.api(ADD, input={"chatId": chat_id, "userIds": [whom.id], **more}))


async def newcomer(make: Factory, friend: Player) -> Player:
    player = await make.player()
    await make.teammates(friend, player)
    return player


@pytest.fixture
async def owner(make: Factory) -> Player:
    return await make.player()


async def test_the_groups_setting_decides(make: Factory, owner: Player) -> None:
    chat_id = await make.group(owner)
    for number in range(5):
        await make.send(owner, chat_id, f"{number}")
    for setting, expected in ((2, ["3", "4"]), (0, []), (None, ["0", "1", "2", "3", "4"])):
        await owner.api(UPDATE, input={"chatId": chat_id, "historyForNewcomers": setting})
        player = await newcomer(make, owner)
        assert await add(owner, chat_id, player, visibleMessageCount=setting if setting != 2 else 4) == []
        await owner.api(UPDATE, input={"chatId": chat_id, "historyForNewcomers": None})
        shown = [text for text in await texts(player, chat_id) if text in "01234"]
        assert shown == (expected if setting != 2 else ["1", "2", "3", "4"])


async def test_on_every_path(make: Factory, owner: Player) -> None:
    chat_id = await make.group(owner)
    old = await make.send(owner, chat_id, "old")
    await owner.api(PIN, input={"messageId": old["id"], "isPinned": True})
    await owner.api(UPDATE, input={"chatId": chat_id, "historyForNewcomers": 0})
    player = await newcomer(make, owner)
    assert await add(owner, chat_id, player) == []
    reply = payload(await send(owner, chat_id, "new", replyToId=old["id"]))["message"]

    seen = (await player.api(HISTORY, id=chat_id, first=1))["chat"]
    assert (seen["viewerUnreadCount"], seen["viewerUnreadMentionCount"], seen["pinnedMessages"]) == (1, 0, [])
    assert [message["kind"] for message in seen["messages"]["nodes"]] == ["SYSTEM"]
    assert seen["messages"]["pageInfo"] == {"hasPreviousPage": False, "hasNextPage": True}
    assert await texts(player, chat_id) == ["new"]
    for query in ("message(id: $id) { text }", "node(id: $id) { id }"):
        (found,) = (await player.api(f"query($id: ID!) {{ {query} }}", id=old["id"])).values()
        assert found is None
    answered = await player.api("query($id: ID!) { message(id: $id) { replyTo { text } } }", id=reply["id"])
    assert answered["message"]["replyTo"] is None
    assert problems(await send(player, chat_id, "x", replyToId=old["id"])) == [("NOT_FOUND", "input.replyToId")]
    assert problems(await send(player, chat_id, None, forwardMessageId=old["id"])) == [
        ("NOT_FOUND", "input.forwardMessageId")
    ]
    reaction = await player.api(
        "mutation($i: SetReactionInput!) { setReaction(input: $i) { userErrors { code path } } }",
        i={"messageId": old["id"], "emoji": "👍", "isOn": True},
    )
    assert problems(reaction) == [("NOT_FOUND", "input.messageId")]


async def test_events_of_before_are_not_told(make: Factory, owner: Player) -> None:
    chat_id = await make.group(owner)
    async with owner.api.socket() as socket:
        stream = await socket.subscribe(
            "subscription($id: ID!) { chatEvents(chatId: $id) { __typename cursor } }", id=chat_id
        )
        first = await stream.next()
        await make.send(owner, chat_id, "old")
        await stream.next()
    assert first["__typename"] == "CaughtUp"
    await owner.api(UPDATE, input={"chatId": chat_id, "historyForNewcomers": 0})
    player = await newcomer(make, owner)
    async with player.api.socket() as socket:
        begun = await (await socket.subscribe("subscription { events { __typename cursor } }")).next()
    await add(owner, chat_id, player)
    await make.send(owner, chat_id, "new")
    page = await player.api(
        "query($after: Cursor!) { events(after: $after) {"
        " events { __typename ... on MessageSent { message { text } } } } }",
        after=begun["cursor"],
    )
    sent = [event["message"]["text"] for event in page["events"]["events"] if event["__typename"] == "MessageSent"]
    assert "old" not in sent
    assert sent[-1] == "new"


async def test_nobody_shows_more_than_he_sees_or_may(make: Factory, owner: Player) -> None:
    chat_id = await make.group(owner)
    for number in range(4):
        await make.send(owner, chat_id, f"{number}")
    await owner.api(UPDATE, input={"chatId": chat_id, "historyForNewcomers": 1})
    member = await newcomer(make, owner)
    await add(owner, chat_id, member)
    assert await texts(member, chat_id) == ["3"]
    late = await newcomer(make, member)
    assert await add(member, chat_id, late, visibleMessageCount=100) == []
    assert await texts(late, chat_id) == [], "one message, and that is what the chat said of the one before"
    await owner.api(UPDATE, input={"chatId": chat_id, "historyForNewcomers": None})
    last = await newcomer(make, member)
    assert await add(member, chat_id, last, visibleMessageCount=100) == []
    assert await texts(last, chat_id) == ["3"], "the member himself sees no more"
    assert await add(owner, chat_id, await newcomer(make, owner), visibleMessageCount=-1) == [
        ("INVALID", "input.visibleMessageCount")
    ]


async def test_a_link_shows_what_the_group_says(make: Factory, owner: Player) -> None:
    chat_id = await make.group(owner)
    await make.send(owner, chat_id, "old")
    await owner.api(UPDATE, input={"chatId": chat_id, "historyForNewcomers": 0})
    link = payload(await owner.api(MAKE_LINK, input={"chatId": chat_id}))["inviteLink"]
    stranger = await make.player()
    await stranger.api(JOIN, input={"code": link["code"]})
    assert await texts(stranger, chat_id) == []
    assert (await look(owner, chat_id))["memberCount"] == 2
