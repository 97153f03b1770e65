import asyncio
import uuid

import pytest

from gamebuddy import db
from gamebuddy.schema import ids
from gamebuddy.schema.ids import Kind
from tests.chat.operations import ADD, look, payload, problems, texts
from tests.factories import Factory, Player


@pytest.fixture
async def owner(make: Factory) -> Player:
    return await make.player("owner")


async def friend_of(make: Factory, player: Player) -> Player:
    friend = await make.player()
    await make.teammates(player, friend)
    return friend


async def test_newcomers_read_everything_and_nothing_is_unread(owner: Player, make: Factory) -> None:
    chat_id = await make.group(owner)
    await make.send(owner, chat_id, "before")
    friend = await friend_of(make, owner)
    added = payload(await owner.api(ADD, input={"chatId": chat_id, "userIds": [friend.id]}))["chat"]
    assert (added["memberCount"], added["lastSeq"]) == (2, 4)
    assert await texts(friend, chat_id) == ["before"]
    assert (await look(friend, chat_id))["viewerUnreadCount"] == 0
    assert (await friend.api("{ viewer { chats { nodes { id } } } }"))["viewer"]["chats"]["nodes"] == [{"id": chat_id}]


async def test_who_is_in_it_stays_as_he_is(owner: Player, make: Factory) -> None:
    friend = await make.player()
    chat_id = await make.group(owner, friend)
    added = payload(await owner.api(ADD, input={"chatId": chat_id, "userIds": [friend.id, owner.id, friend.id]}))
    assert added == {
        "chat": {"id": chat_id, "memberCount": 2, "lastSeq": 2, "viewerUnreadCount": 0},
        "userErrors": [],
    }


async def test_only_teammates_of_the_one_who_brings_them(owner: Player, make: Factory) -> None:
    member = await make.player()
    chat_id = await make.group(owner, member)
    friend = await friend_of(make, owner)
    nobody = ids.write(Kind.USER, uuid.uuid4())
    answer = await member.api(ADD, input={"chatId": chat_id, "userIds": [owner.id, friend.id, nobody]})
    assert problems(answer) == [("NOT_FOUND", "input.userIds.1"), ("NOT_FOUND", "input.userIds.2")]
    assert (await look(owner, chat_id))["memberCount"] == 2


async def test_the_same_one_brought_in_by_many_at_once_joins_once(owner: Player, make: Factory) -> None:
    chat_id = await make.group(owner)
    friend = await friend_of(make, owner)
    body = {"chatId": chat_id, "userIds": [friend.id]}
    answers = await asyncio.gather(*(owner.api(ADD, input=body) for _ in range(8)))
    assert all(problems(answer) == [] for answer in answers)
    seen = await look(owner, chat_id)
    assert (seen["memberCount"], seen["lastSeq"]) == (2, 3)


async def test_the_last_place_is_taken_once(owner: Player, make: Factory) -> None:
    chat_id = await make.group(owner)
    one, other = await friend_of(make, owner), await friend_of(make, owner)
    async with make.services.database.write() as session:
        accounts = [db.Account(username=f"crowd_{n}", display_name="Crowd", role=db.Role.USER) for n in range(198)]
        session.add_all(accounts)
        await session.flush()
        row_id = ids.read(Kind.CHAT, chat_id)
        session.add_all([db.ChatMember(chat_id=row_id, account_id=account.id) for account in accounts])
        (await session.get_one(db.Chat, row_id)).member_count += 198
    answers = await asyncio.gather(
        *(owner.api(ADD, input={"chatId": chat_id, "userIds": [friend.id]}) for friend in (one, other))
    )
    assert sorted(map(problems, answers)) == [[], [("LIMIT_REACHED", "input.userIds")]]
    assert (await look(owner, chat_id))["memberCount"] == 200


async def test_a_direct_chat_stays_between_two(owner: Player, make: Factory) -> None:
    friend = await friend_of(make, owner)
    chat_id = await make.direct_chat(owner, await make.player())
    answer = await owner.api(ADD, input={"chatId": chat_id, "userIds": [friend.id]})
    assert problems(answer) == [("NOT_ALLOWED", "input.chatId")]


async def test_a_chat_of_others_is_like_none(owner: Player, make: Factory) -> None:
    stranger = await make.player()
    friend = await friend_of(make, stranger)
    for chat_id in (await make.group(owner), ids.write(Kind.CHAT, uuid.uuid4())):
        answer = await stranger.api(ADD, input={"chatId": chat_id, "userIds": [friend.id]})
        assert problems(answer) == [("NOT_FOUND", "input.chatId")]
