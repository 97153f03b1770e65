import asyncio

import pytest

from gamebuddy import db
from gamebuddy.schema import ids
from gamebuddy.schema.ids import Kind
from tests.chat.operations import LEAVE, is_denied, look, payload, problems, send
from tests.factories import Factory, Player

EVENTS = """
subscription($id: ID!) {
  chatEvents(chatId: $id) { __typename ... on ChatEvent { seq } ... on MemberLeft { user { username } } }
}"""


@pytest.fixture
async def owner(make: Factory) -> Player:
    return await make.player("owner")


@pytest.fixture
async def max_(make: Factory) -> Player:
    return await make.player("max")


async def roles(player: Player, chat_id: str) -> dict[str, str]:
    """Give the roles in a chat."""
    return {member["user"]["username"]: member["role"] for member in (await look(player, chat_id))["members"]["nodes"]}


async def test_who_has_left_sees_nothing_more(owner: Player, max_: Player, make: Factory) -> None:
    chat_id = await make.group(owner, max_)
    message = await make.send(owner, chat_id, "secret")
    left = payload(await max_.api(LEAVE, input={"chatId": chat_id}))["chat"]
    assert left == {
        "id": chat_id,
        "memberCount": 1,
        "viewerMembership": None,
        "lastMessage": None,
        "messages": {"nodes": []},
    }
    assert await look(max_, chat_id) is None
    query = "query($id: ID!) { message(id: $id) { text } node(id: $id) { id } }"
    assert await max_.api(query, id=message["id"]) == {"message": None, "node": None}
    assert (await max_.api("{ viewer { unreadChatCount chats { nodes { id } } } }"))["viewer"] == {
        "unreadChatCount": 0,
        "chats": {"nodes": []},
    }
    assert await roles(owner, chat_id) == {"owner": "OWNER"}


async def test_the_others_and_he_himself_hear_of_it(owner: Player, max_: Player, make: Factory) -> None:
    chat_id = await make.group(owner, max_)
    async with owner.api.socket() as one, max_.api.socket() as other:
        chat_stream = await one.subscribe(EVENTS, id=chat_id)
        own_stream = await other.subscribe("subscription { events { __typename } }")
        await chat_stream.until("CaughtUp")
        await own_stream.until("CaughtUp")
        await max_.api(LEAVE, input={"chatId": chat_id})
        assert await chat_stream.next() == {"__typename": "MemberLeft", "seq": 3, "user": {"username": "max"}}
        assert (await own_stream.next_kept())["__typename"] == "MemberLeft"


async def test_the_longest_standing_admin_follows_the_owner(owner: Player, max_: Player, make: Factory) -> None:
    admin = await make.player("admin_one")
    chat_id = await make.group(owner, max_)
    await make.teammates(owner, admin)
    await owner.api(
        "mutation($input: AddMembersInput!) { addMembers(input: $input) { userErrors { code } } }",
        input={"chatId": chat_id, "userIds": [admin.id]},
    )
    async with make.services.database.write() as session:
        member = await session.get_one(db.ChatMember, (ids.read(Kind.CHAT, chat_id), admin.account_id))
        member.role = db.MemberRole.ADMIN
    await owner.api(LEAVE, input={"chatId": chat_id})
    assert await roles(max_, chat_id) == {"max": "MEMBER", "admin_one": "OWNER"}


async def test_without_admins_the_longest_standing_member_follows(owner: Player, max_: Player, make: Factory) -> None:
    late = await make.player("late")
    chat_id = await make.group(owner, max_)
    await make.teammates(owner, late)
    await owner.api(
        "mutation($input: AddMembersInput!) { addMembers(input: $input) { userErrors { code } } }",
        input={"chatId": chat_id, "userIds": [late.id]},
    )
    await owner.api(LEAVE, input={"chatId": chat_id})
    assert await roles(late, chat_id) == {"max": "OWNER", "late": "MEMBER"}


async def test_there_is_one_owner_whoever_leaves_at_once(make: Factory) -> None:
    players = [await make.player() for _ in range(6)]
    chat_id = await make.group(*players)
    await asyncio.gather(*(player.api(LEAVE, input={"chatId": chat_id}) for player in players[:4]))
    found = await roles(players[5], chat_id)
    assert sorted(found.values()) == ["MEMBER", "OWNER"]
    assert (await look(players[5], chat_id))["memberCount"] == 2


async def test_of_many_tries_at_once_one_leaves(owner: Player, max_: Player, make: Factory) -> None:
    chat_id = await make.group(owner, max_)
    answers = await asyncio.gather(*(max_.api(LEAVE, input={"chatId": chat_id}) for _ in range(5)))
    assert sorted(len(problems(answer)) for answer in answers) == [0, 1, 1, 1, 1]
    assert (await look(owner, chat_id))["memberCount"] == 1


async def test_an_empty_group_stays_closed(owner: Player, make: Factory) -> None:
    chat_id = await make.group(owner)
    assert problems(await owner.api(LEAVE, input={"chatId": chat_id})) == []
    assert problems(await send(owner, chat_id)) == [("NOT_FOUND", "input.chatId")]


async def test_nothing_is_written_after_leaving(owner: Player, max_: Player, make: Factory) -> None:
    chat_id = await make.group(owner, max_)
    answers = await asyncio.gather(
        *(send(max_, chat_id, str(n)) for n in range(5)),
        max_.api(LEAVE, input={"chatId": chat_id}),
        *(send(max_, chat_id, str(n)) for n in range(5, 10)),
    )
    passed = [answer for answer in answers if "sendMessage" in answer and not problems(answer)]
    seen = await look(owner, chat_id)
    written = [message for message in seen["messages"]["nodes"] if message["kind"] == "TEXT"]
    assert len(written) == len(passed)
    assert seen["lastSeq"] == 2 + len(passed) + 2


async def test_a_direct_chat_stays(owner: Player, max_: Player, make: Factory) -> None:
    chat_id = await make.direct_chat(owner, max_)
    assert problems(await owner.api(LEAVE, input={"chatId": chat_id})) == [("NOT_ALLOWED", "input.chatId")]


async def test_a_chat_of_others_is_like_none(owner: Player, max_: Player, make: Factory) -> None:
    chat_id = await make.group(owner)
    assert problems(await max_.api(LEAVE, input={"chatId": chat_id})) == [("NOT_FOUND", "input.chatId")]
    anonymous = make.api
    assert await is_denied(anonymous, LEAVE, input={"chatId": chat_id}) == "UNAUTHENTICATED"
