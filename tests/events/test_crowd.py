"""Those who follow one chat are shown an event with the statements of one, each with his own eyes."""

from contextlib import AsyncExitStack

from tests.api import Stream
from tests.conftest import Statements
from tests.factories import Factory, Player

SHOWN = "__typename ... on MessageSent { chat { title } message { text author { username displayName } } }"
FOLLOW = f"subscription($chat: ID!) {{ chatEvents(chatId: $chat) {{ {SHOWN} }} }}"
EVERYTHING = f"subscription {{ events {{ {SHOWN} }} }}"


async def followed(stack: AsyncExitStack, player: Player, chat_id: str) -> list[Stream]:
    streams = []
    for query, given in ((FOLLOW, {"chat": chat_id}), (EVERYTHING, {})):
        stream = await (await stack.enter_async_context(player.api.socket())).subscribe(query, **given)
        await stream.until("CaughtUp")
        streams.append(stream)
    return streams


async def test_an_event_takes_the_same_statements_for_few_and_for_many(make: Factory, statements: Statements) -> None:
    author = await make.player("author")
    taken = []
    for count in (2, 12):
        members = [await make.player() for _ in range(count)]
        chat_id = await make.group(author, *members)
        async with AsyncExitStack() as stack:
            streams = [stream for member in members for stream in await followed(stack, member, chat_id)]
            statements.clear()
            await make.send(author, chat_id, "to all of you")
            for stream in streams:
                assert (await stream.until("MessageSent"))["message"]["text"] == "to all of you"
            taken.append(len(statements))
    assert taken[1] <= taken[0] + 4, "the streams of two queries need not wake in one turn of the loop"


async def test_each_sees_with_his_own_eyes(make: Factory) -> None:
    author, friend, blocked = await make.player("author"), await make.player("friend"), await make.player("blocked")
    chat_id = await make.group(author, friend, blocked)
    await make.block(author, blocked)
    async with AsyncExitStack() as stack:
        seen = {player.api.token: [*await followed(stack, player, chat_id)] for player in (author, friend, blocked)}
        await make.send(author, chat_id, "who reads this?")
        names = {
            token: {(await stream.until("MessageSent"))["message"]["author"]["displayName"] for stream in streams}
            for token, streams in seen.items()
        }
    assert names[author.api.token] == names[friend.api.token] == {"Author"}
    assert names[blocked.api.token] != {"Author"}
