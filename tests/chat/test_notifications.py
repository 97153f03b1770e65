from datetime import UTC, datetime, timedelta
from typing import Any

from tests.chat.operations import NOTIFY, payload, problems
from tests.factories import Factory, Player

LISTS = """{ viewer { unreadChatCount chats { nodes { id } } archived: chats(archived: true) { nodes { id } } } }"""
MINE = "query($id: ID!) { chat(id: $id) { members { nodes { user { username } mutedUntil isArchived } } } }"


async def notify(player: Player, chat_id: str, **changes: Any) -> Any:
    return (payload(await player.api(NOTIFY, input={"chatId": chat_id, **changes})))["chat"]["viewerMembership"]


async def test_a_chat_is_put_away_and_back(make: Factory) -> None:
    nika, max_ = await make.player(), await make.player()
    chat_id = await make.direct_chat(nika, max_)
    await make.send(max_, chat_id)
    assert await notify(nika, chat_id, isArchived=True) == {"mutedUntil": None, "isArchived": True}
    viewer = (await nika.api(LISTS))["viewer"]
    assert (viewer["chats"]["nodes"], viewer["archived"]["nodes"]) == ([], [{"id": chat_id}])
    assert viewer["unreadChatCount"] == 0
    assert (await max_.api(LISTS))["viewer"]["chats"]["nodes"] == [{"id": chat_id}]
    await notify(nika, chat_id, isArchived=False)
    viewer = (await nika.api(LISTS))["viewer"]
    assert (viewer["chats"]["nodes"], viewer["unreadChatCount"]) == ([{"id": chat_id}], 1)


async def test_muting_stays_until_its_end_and_is_ones_own_matter(make: Factory) -> None:
    nika, max_ = await make.player("nika"), await make.player("max_")
    chat_id = await make.direct_chat(nika, max_)
    until = (datetime.now(UTC) + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert await notify(nika, chat_id, mutedUntil=until) == {"mutedUntil": until, "isArchived": False}
    assert (await notify(nika, chat_id, isArchived=True))["mutedUntil"] == until
    members = (await max_.api(MINE, id=chat_id))["chat"]["members"]["nodes"]
    assert all((member["mutedUntil"], member["isArchived"]) == (None, False) for member in members)
    assert (await notify(nika, chat_id, mutedUntil=None))["mutedUntil"] is None


async def test_a_chat_of_others_is_like_none(make: Factory) -> None:
    owner, stranger = await make.player(), await make.player()
    chat_id = await make.group(owner)
    answer = await stranger.api(NOTIFY, input={"chatId": chat_id, "isArchived": True})
    assert problems(answer) == [("NOT_FOUND", "input.chatId")]
