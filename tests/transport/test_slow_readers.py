"""Who does not read is let go, costs nobody else anything, and goes on from his last cursor."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable

import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from gamebuddy.errors import TooSlow
from gamebuddy.events import followers
from gamebuddy.schema import sockets
from gamebuddy.schema.context import Services
from tests.api import PATIENCE
from tests.factories import Factory, Player
from tests.transport.streams import APOLLO_IOS, SSE, streamed

TEXTS = " ".join(f"t{number}: text" for number in range(10))
SHOWN = f"__typename cursor ... on MessageSent {{ message {{ {TEXTS} }} }}"
# Of one chat: nothing small, such as who has come, shall be what an operation waits with.
FOLLOW = f"subscription($chat: ID!) {{ chatEvents(chatId: $chat) {{ {SHOWN} }} }}"
EVENTS = "subscription { events { __typename ... on MessageSent { message { text } } } }"
RESUME = (
    "subscription($chat: ID!, $after: Cursor) { chatEvents(chatId: $chat, after: $after)"
    " { __typename ... on MessageSent { message { text } } } }"
)
OPERATIONS = 10
LONG = "🎮" * 4_000  # 16,000 bytes; ten times in ten operations: 1.6 million a message


@pytest.fixture
async def nika(make: Factory) -> Player:
    return await make.player("nika")


@pytest.fixture
async def max_(make: Factory) -> Player:
    return await make.player("max")


def follows(services: Services, player: Player) -> bool:
    return any(follower.viewer.account_id == player.account_id for follower in services.hub.followers)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def sleepy(player: Player, chat_id: str) -> AsyncIterator[ClientConnection]:
    """Follow a chat many times on one socket, over a narrow way, and read nothing that comes."""
    address = player.api.url.replace("http://", "").split(":")
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    narrow.connect((address[0], int(address[1])))
    narrow.setblocking(False)
    async with connect(
        player.api.url.replace("http", "ws", 1) + "/graphql",
        sock=narrow,
        max_queue=1,
        subprotocols=[Subprotocol("graphql-transport-ws")],
    ) as connection:
        init = {"type": "connection_init", "payload": {"Authorization": f"Bearer {player.api.token}"}}
        await connection.send(orjson.dumps(init).decode())
        await connection.recv()
        for number in range(OPERATIONS):
            payload = {"query": FOLLOW, "variables": {"chat": chat_id}}
            subscribe = {"id": str(number), "type": "subscribe", "payload": payload}
            await connection.send(orjson.dumps(subscribe).decode())
            while b'"CaughtUp"' not in await connection.recv(decode=False):
                pass
        connection.transport.pause_reading()  # the library alone would read on for a while
        yield connection


async def last_words(connection: ClientConnection) -> int | None:
    """Read what is left; gives the code that the socket was closed with."""
    connection.transport.resume_reading()
    async with asyncio.timeout(PATIENCE):
        with contextlib.suppress(ConnectionClosed):
            while True:
                await connection.recv()
    return connection.close_code


async def test_who_lets_a_megabyte_wait_is_let_go_and_the_others_hear_everything(
    make: Factory, services: Services, nika: Player, max_: Player
) -> None:
    chat_id = await make.group(nika, max_)
    async with nika.api.socket() as bystander, sleepy(max_, chat_id) as slow:
        stream = await bystander.subscribe(EVENTS)
        await stream.until("CaughtUp")
        sent = 0
        while follows(services, max_):
            await make.send(nika, chat_id, LONG)
            assert (await stream.until("MessageSent"))["message"]["text"] == LONG
            sent += 1
            assert sent < 30, "he is still there"
            with contextlib.suppress(TimeoutError):  # the bystander is quicker than ten operations
                async with asyncio.timeout(0.5):
                    await until(lambda: not follows(services, max_))
        assert await last_words(slow) == 1013
    async with max_.api.socket() as again:
        await (await again.subscribe(EVENTS)).until("CaughtUp")


async def test_who_takes_nothing_for_long_is_let_go(
    make: Factory, services: Services, nika: Player, max_: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "STALLED_SECONDS", 0.5)
    monkeypatch.setattr(sockets, "MOST_UNSENT", 1_000_000_000)
    chat_id = await make.group(nika, max_)
    async with sleepy(max_, chat_id) as slow:
        for _ in range(8):
            await make.send(nika, chat_id, LONG)
        await until(lambda: not follows(services, max_))
        assert await last_words(slow) == 1013


async def test_who_falls_behind_is_told_where_to_go_on_and_let_go(
    make: Factory, nika: Player, max_: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followers, "LONGEST_QUEUE", 5)
    monkeypatch.setattr(sockets, "MOST_UNSENT", 1_000_000_000)
    chat_id = await make.group(nika, max_)
    async with sleepy(max_, chat_id) as slow:
        for number in range(14):
            await make.send(nika, chat_id, LONG if number < 8 else str(number))
        events = []
        slow.transport.resume_reading()
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionClosed):
                while True:
                    frame = orjson.loads(await slow.recv())
                    if frame["type"] == "next":
                        events.append(frame["payload"]["data"]["chatEvents"])
        assert slow.close_code == 1013
    resyncs = [event for event in events if event["__typename"] == "ResyncRequired"]
    assert resyncs, "it still fitted"
    async with max_.api.socket() as again:
        stream = await again.subscribe(RESUME, chat=chat_id, after=resyncs[0]["cursor"])
        assert (await stream.until("MessageSent"))["message"]["text"] != LONG
        await stream.until("CaughtUp")


@pytest.mark.parametrize("accept", [APOLLO_IOS, SSE], ids=["multipart", "sse"])
async def test_without_a_socket_falling_behind_is_told_in_the_stream(
    accept: str, make: Factory, services: Services, nika: Player, max_: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followers, "LONGEST_QUEUE", 0)
    chat_id = await make.group(nika, max_)
    async with streamed(max_.api, accept, EVENTS) as stream:
        await stream.until("CaughtUp")
        await make.send(nika, chat_id)
        await stream.until("ResyncRequired")
        body = await stream.next()
        assert (body.get("payload") or body)["errors"][0]["extensions"]["code"] == TooSlow.code
        await stream.end()
    await until(lambda: not services.hub.followers.by_account)
