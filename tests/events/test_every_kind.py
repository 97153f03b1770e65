"""Every kind of lasting event comes live, is replayed to whoever comes later, and stands on the page, each once."""

from collections.abc import Awaitable, Callable
from typing import Any

from gamebuddy.events import types
from tests.api import Json, Stream
from tests.chat.operations import ADD, DELETE, EDIT, LEAVE, PIN, REACT, READ, SEND, SET_ROLE, UPDATE, new_id, payload
from tests.factories import Factory, Player
from tests.teammates.operations import SEND as ASK

SHOWN = "__typename id cursor ... on ChatEvent { seq }"
EVENTS = f"subscription ($after: Cursor) {{ events(after: $after) {{ {SHOWN} }} }}"
CHAT = f"subscription ($chat: ID!, $after: Cursor) {{ chatEvents(chatId: $chat, after: $after) {{ {SHOWN} }} }}"
PAGE = f"query ($after: Cursor!) {{ events(after: $after, first: 50) {{ events {{ {SHOWN} }} hasMore }} }}"


async def do(player: Player, mutation: str, **given: Any) -> Json:
    answer: Json = payload(await player.api(mutation, input=given))
    assert answer["userErrors"] == []
    return answer


async def do_everything(
    reader: Player, other: Player, third: Player, chat_id: str, before_one_is_hidden: Callable[[], Awaitable[None]]
) -> None:
    """Do one thing of each kind; the last is a message."""
    message = await do(other, SEND, chatId=chat_id, clientId=new_id(), text="hello")
    about: Json = {"messageId": message["message"]["id"]}
    await do(other, EDIT, **about, text="hello there")
    await do(other, REACT, **about, emoji="👍", isOn=True)
    await do(other, PIN, **about, isPinned=True)
    await do(reader, READ, chatId=chat_id, upToSeq=message["message"]["seq"])
    unwanted = await do(other, SEND, chatId=chat_id, clientId=new_id(), text="unwanted")
    await before_one_is_hidden()
    await do(reader, DELETE, messageId=unwanted["message"]["id"], forEveryone=False)
    gone = await do(other, SEND, chatId=chat_id, clientId=new_id(), text="a mistake")
    await do(other, DELETE, messageId=gone["message"]["id"], forEveryone=True)
    await do(other, ADD, chatId=chat_id, userIds=[third.id])
    await do(other, SET_ROLE, chatId=chat_id, userId=third.id, role="ADMIN")
    await do(other, UPDATE, chatId=chat_id, slowModeSeconds=5)
    await do(third, LEAVE, chatId=chat_id)
    await do(third, ASK, userId=reader.id)
    await do(other, SEND, chatId=chat_id, clientId=new_id(), text="the last")


async def read(stream: Stream, count: int) -> list[tuple[str, str]]:
    """Read so many lasting events; gives their types and ids."""
    found: list[tuple[str, str]] = []
    while len(found) < count:
        event = await stream.next()
        if event["cursor"] is not None and event["__typename"] != "CaughtUp":
            found.append((event["__typename"], event["id"]))
    return found


async def test_every_kind_is_live_replayed_and_on_the_page(make: Factory) -> None:
    reader, other, third = [await make.player(name) for name in ("reader", "other", "third")]
    chat_id = await make.group(other, reader)
    await make.teammates(other, third)
    start = (await reader.api("{ viewer { eventCursor } }"))["viewer"]["eventCursor"]
    async with reader.api.socket() as a, reader.api.socket() as b:
        live, one = await a.subscribe(EVENTS), await b.subscribe(CHAT, chat=chat_id)
        await live.until("CaughtUp")
        begun = await one.until("CaughtUp")
        came: list[tuple[str, str]] = []
        came_in_chat: list[tuple[str, str]] = []

        async def all_has_come() -> None:
            so_far = (await reader.api(PAGE, after=start))["events"]["events"]
            came.extend(await read(live, len(so_far)))
            came_in_chat.extend(await read(one, len(so_far)))

        await do_everything(reader, other, third, chat_id, all_has_come)
        page = (await reader.api(PAGE, after=start))["events"]
        kept = [(event["__typename"], event["id"]) for event in page["events"]]
        came += await read(live, len(kept) + 1 - len(came))
        assert {name for name, _ in kept} == {name for name, _ in came} == types.KINDS.keys()
        assert page["hasMore"] is False
        (not_replayed,) = set(came) - set(kept)
        assert not_replayed[0] == "MessageSent", "of a message that the reader has hidden since"
        assert [event for event in came if event != not_replayed] == kept
        of_chat = [event for event in came if event[0] not in {"MessageHidden", "TeammateRequestChanged"}]
        assert came_in_chat + await read(one, len(of_chat) - len(came_in_chat)) == of_chat
    await replays(reader, EVENTS, start, kept)
    await replays(reader, CHAT, begun["cursor"], [event for event in of_chat if event in kept], chat=chat_id)


async def replays(reader: Player, query: str, after: str, kept: list[tuple[str, str]], **variables: Any) -> None:
    """Come back with a cursor: the same events, then CaughtUp."""
    async with reader.api.socket() as socket:
        stream = await socket.subscribe(query, after=after, **variables)
        assert await read(stream, len(kept)) == kept
        assert (await stream.next())["__typename"] == "CaughtUp"
