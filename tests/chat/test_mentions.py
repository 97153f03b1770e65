import pytest

from tests.chat.operations import READ, SET_ROLE, problems, send
from tests.factories import Factory, Player

COUNTS = "query($id: ID!) { chat(id: $id) { viewerUnreadCount viewerUnreadMentionCount } }"
NAMED = "query($id: ID!) { message(id: $id) { mentions { username } } }"


async def count(player: Player, chat_id: str) -> int:
    """Give how many unread messages name the player."""
    found: int = (await player.api(COUNTS, id=chat_id))["chat"]["viewerUnreadMentionCount"]
    return found


async def read(player: Player, chat_id: str, seq: int) -> None:
    """Read up to a number."""
    await player.api(READ, input={"chatId": chat_id, "upToSeq": seq})


async def test_who_is_named_is_told_until_he_has_read(make: Factory) -> None:
    owner, anna, boris = await make.player("owner"), await make.player("anna"), await make.player("boris_77")
    chat_id = await make.group(owner, anna, boris)
    first = await make.send(owner, chat_id, "hi @Anna, @boris_77! and @anna again; mail me: x@anna or @nobody @owner")
    second = await make.send(owner, chat_id, "(@anna)")
    assert [await count(player, chat_id) for player in (owner, anna, boris)] == [0, 2, 1]
    seen = await owner.api(NAMED, id=first["id"])
    assert sorted(user["username"] for user in seen["message"]["mentions"]) == ["anna", "boris_77"]
    await read(anna, chat_id, first["seq"])
    assert await count(anna, chat_id) == 1
    await read(anna, chat_id, second["seq"])
    assert await count(anna, chat_id) == 0


async def test_an_edit_names_others_and_a_deleted_message_nobody(make: Factory) -> None:
    owner, anna, boris = await make.player("owner"), await make.player("anna"), await make.player("boris")
    chat_id = await make.group(owner, anna, boris)
    message = await make.send(owner, chat_id, "@anna")
    await owner.api(
        'mutation($id: ID!) { editMessage(input: {messageId: $id, text: "@boris"}) { userErrors { code } } }',
        id=message["id"],
    )
    assert [await count(player, chat_id) for player in (anna, boris)] == [0, 1]
    await owner.api(
        "mutation($id: ID!) { deleteMessage(input: {messageId: $id, forEveryone: true}) { userErrors { code } } }",
        id=message["id"],
    )
    assert await count(boris, chat_id) == 0


@pytest.mark.parametrize("word", ["@everyone", "@ALL"])
async def test_everyone_is_called_by_those_who_may(make: Factory, word: str) -> None:
    owner, admin, member = [await make.player() for _ in range(3)]
    chat_id = await make.group(owner, admin, member)
    assert problems(await send(member, chat_id, f"hey {word}")) == [("NOT_ALLOWED", "input.text")]
    await owner.api(SET_ROLE, input={"chatId": chat_id, "userId": admin.id, "role": "ADMIN"})
    await send(admin, chat_id, f"raid, {word}! @{member.username}")
    assert [await count(player, chat_id) for player in (owner, admin, member)] == [1, 0, 1]


async def test_everyone_is_no_word_of_a_direct_chat(make: Factory) -> None:
    nika, max_ = await make.player("nika"), await make.player("max_")
    chat_id = await make.direct_chat(nika, max_)
    await make.send(nika, chat_id, "@everyone and @max_")
    assert await count(max_, chat_id) == 1


async def test_names_are_bounded(make: Factory) -> None:
    owner = await make.player()
    chat_id = await make.group(owner)
    names = " ".join(f"@name_{n}" for n in range(51))
    assert problems(await send(owner, chat_id, names)) == [("TOO_LONG", "input.text")]
    assert problems(await send(owner, chat_id, " ".join(["@name"] * 500))) == []


async def test_who_has_blocked_the_author_is_not_named_by_him(make: Factory) -> None:
    owner, author, blocker = await make.player(), await make.player(), await make.player("blocker")
    chat_id = await make.group(owner, author, blocker)
    await make.block(blocker, author)
    message = await make.send(author, chat_id, "@blocker")
    assert await count(blocker, chat_id) == 0
    assert (await owner.api(NAMED, id=message["id"]))["message"]["mentions"] == []
