"""Nodes come and go behind nginx, in order and otherwise; people outside lose nothing."""

import asyncio
import signal
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from tests.api import PATIENCE, Stream
from tests.deploy.nodes import Node
from tests.factories import Factory, Player

pytestmark = pytest.mark.xdist_group("deploy")

FOLLOW = """subscription($after: Cursor) { events(after: $after) {
  __typename cursor ... on MessageSent { message { text } } } }"""
SEND = """mutation($input: SendMessageInput!) {
  sendMessage(input: $input) { message { text } userErrors { code } } }"""
MARK_READ = "mutation($i: MarkReadInput!) { markRead(input: $i) { userErrors { code } } }"
WHO = "{ viewer { user { username } } }"


async def send(author: Player, chat_id: str, text: str, client_id: str | None = None) -> httpx.Response:
    given = {"chatId": chat_id, "clientId": client_id or str(uuid.uuid4()), "text": text}
    return await author.api.post(SEND, {"input": given})


@dataclass
class Follower:
    """Somebody's phone: follows his account, and comes back with its cursor whenever its socket ends."""

    player: Player
    texts: list[str] = field(default_factory=list)
    closed_with: list[int | None] = field(default_factory=list)
    cursor: str | None = None

    @classmethod
    @asynccontextmanager
    async def of(cls, player: Player) -> "AsyncIterator[Follower]":
        """Follow, from the moment that it has caught up."""
        follower = cls(player)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(follower._follow())
            await until(lambda: follower.cursor is not None)
            yield follower
            task.cancel()

    async def has(self, texts: list[str]) -> None:
        """Wait until as many messages are here, and compare them."""
        await until(lambda: len(self.texts) >= len(texts))
        assert self.texts == texts

    async def _follow(self) -> None:
        while True:
            async with self.player.api.socket() as socket:
                try:
                    await self._take(await socket.subscribe(FOLLOW, after=self.cursor))
                except ConnectionClosed as closed:
                    self.closed_with.append(closed.rcvd.code if closed.rcvd else None)

    async def _take(self, stream: Stream) -> None:
        while True:
            try:
                event = await stream.next()
            except TimeoutError:  # nothing has happened
                continue
            self.cursor = event["cursor"]
            if event["__typename"] == "MessageSent":
                self.texts.append(event["message"]["text"])


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not happened():
            await asyncio.sleep(0.02)


async def test_a_node_is_killed_in_the_middle_and_nothing_is_lost_or_doubled(
    make: Factory, nika: Player, nodes: list[Node]
) -> None:
    chat_id = await make.group(nika)
    async with AsyncExitStack() as following:
        followers = [await following.enter_async_context(Follower.of(nika)) for _ in range(4)]
        texts = [f"message {number}" for number in range(12)]
        for text in texts:
            if text == texts[4]:
                nodes[0].kill()
            client_id = str(uuid.uuid4())
            answer = await send(nika, chat_id, text, client_id)
            while answer.status_code == 503:  # it was in the hands of the node that died
                assert answer.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
                answer = await send(nika, chat_id, text, client_id)
            assert answer.json()["data"]["sendMessage"]["userErrors"] == []
        for follower in followers:
            await follower.has(texts)
        assert [None] in [follower.closed_with for follower in followers], "nobody was there"


async def test_a_rolling_restart_costs_no_request_and_a_socket_comes_back_at_once(
    make: Factory, nika: Player, nodes: list[Node]
) -> None:
    chat_id = await make.group(nika)
    answers: Counter[object] = Counter()
    mark_read = {"i": {"chatId": chat_id, "upToSeq": 1}}
    is_over = False

    async def ask(document: str, variables: dict[str, Any]) -> None:
        while not is_over:
            answer = await nika.api.post(document, variables)
            answers[answer.status_code if "errors" not in answer.json() else answer.text] += 1

    async with asyncio.TaskGroup() as crowd, AsyncExitStack() as following:
        crowd.create_task(ask(WHO, {}))
        crowd.create_task(ask(MARK_READ, mark_read))
        followers = [await following.enter_async_context(Follower.of(nika)) for _ in range(4)]
        texts: list[str] = []
        for node in nodes:
            stopping = asyncio.create_task(node.stop())
            while not stopping.done():
                texts.append(f"message {len(texts)}")
                sent = await send(nika, chat_id, texts[-1])
                answers[sent.status_code if "errors" not in sent.json() else sent.text] += 1
                for follower in followers:
                    await follower.has(texts)
                await asyncio.wait([stopping], timeout=0.2)  # more often than that nobody may send
            assert stopping.result() == 0
            await node.start()
        is_over = True
    assert set(answers) == {200}
    assert answers[200] > 50
    for follower in followers:
        assert follower.texts == texts
        assert set(follower.closed_with) <= {1012}
        assert len(follower.closed_with) <= len(nodes)
    assert sum(len(follower.closed_with) for follower in followers) >= len(followers), "nobody was there"


async def test_a_frozen_node_keeps_only_those_waiting_whom_it_has(nika: Player, nodes: list[Node]) -> None:
    frozen = nodes[0].process
    assert frozen is not None
    frozen.send_signal(signal.SIGSTOP)
    try:
        crowd = [asyncio.create_task(nika.api(WHO)) for _ in range(10)]
        # Those of the other node are answered; the frozen one has the most to do from then on.
        answered, _ = await asyncio.wait(crowd, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        before, waiting = len(crowd), len(crowd) - len(answered)
        while waiting < before:
            before, waiting = waiting, len((await asyncio.wait(crowd, timeout=2))[1])
        assert 0 < waiting < len(crowd)
        for _ in range(10):
            assert (await nika.api(WHO))["viewer"]["user"]["username"] == "nika"
    finally:
        frozen.send_signal(signal.SIGCONT)
    answers = await asyncio.gather(*crowd)
    assert [answer["viewer"]["user"]["username"] for answer in answers] == ["nika"] * len(crowd)


async def test_a_node_that_stood_still_answers_on_the_connections_it_had(nika: Player, nodes: list[Node]) -> None:
    node = nodes[0]
    assert node.process is not None
    request = f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{node.port}\r\n\r\n".encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
    writer.write(request)
    await reader.readuntil(b'{"status":"ok"}')
    await asyncio.sleep(0.2)  # it waits for the next request
    node.process.send_signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(0.1)  # it stands still
        writer.write(request)
        await asyncio.sleep(6)
    finally:
        node.process.send_signal(signal.SIGCONT)
    async with asyncio.timeout(PATIENCE):
        await reader.readuntil(b'{"status":"ok"}')
    writer.close()


async def test_a_node_that_leaves_takes_nobody_in_and_serves_whom_it_has(nika: Player, nodes: list[Node]) -> None:
    node = nodes[0]
    request = f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{node.port}\r\n\r\n".encode()
    kept, to_kept = await asyncio.open_connection("127.0.0.1", node.port)
    to_kept.write(request)
    assert b"connection: close" not in (await kept.readuntil(b'{"status":"ok"}')).lower()
    async with replace(nika.api, url=node.url, tls=None).socket():
        assert node.process is not None
        node.process.send_signal(signal.SIGSTOP)
        # The kernel has taken these in; the node has not looked yet, and finds the signal first or last.
        early = [await asyncio.open_connection("127.0.0.1", node.port) for _ in range(20)]
        for _, writer in early:
            writer.write(request)
        stopping = asyncio.create_task(node.stop())
        await asyncio.sleep(0)
        node.process.send_signal(signal.SIGCONT)
        for reader, writer in early:
            assert b"200 OK" in await reader.readuntil(b'{"status":"ok"}')
            writer.close()
        async with asyncio.timeout(PATIENCE):
            while await is_let_in(node):
                await asyncio.sleep(0.01)
        to_kept.write(request)
        async with asyncio.timeout(PATIENCE):
            assert b"connection: close" in (await kept.read()).lower()
    assert await stopping == 0
    to_kept.close()


async def is_let_in(node: Node) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", node.port)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True
