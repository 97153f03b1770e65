"""Redis as the way between nodes: two real servers, a real redis-server, which also goes away."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from gamebuddy.settings import Settings
from tests.api import PATIENCE, Api
from tests.conftest import free_port, running
from tests.factories import Factory, Player

PROGRAM = shutil.which("redis-server")
if PROGRAM is None and os.environ.get("CI"):
    pytest.fail("redis-server is missing: .ci/run installs it", pytrace=False)
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="redis-server is not installed")

FOLLOW = "subscription { events { __typename ... on MessageSent { message { text } } } }"
TYPING = "subscription { events { __typename ... on Typing { isTyping } } }"
SET_TYPING = "mutation($i: SetTypingInput!) { setTyping(input: $i) { isDone } }"


class Redis:
    """A redis-server of the test."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> SecretStr:
        return SecretStr(f"redis://127.0.0.1:{self.port}/0")

    async def start(self) -> None:
        command = [
            str(PROGRAM),
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            str(self._folder),
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: ASYNC220
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    return

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[Redis]:
    """A redis-server that runs."""
    server = Redis(tmp_path)
    await server.start()
    yield server
    server.kill()


@pytest.fixture
async def nodes(settings: Settings, redis: Redis, clean: None) -> AsyncIterator[list[Api]]:
    """Two servers that hear of each other through Redis alone."""
    first, second = (settings.model_copy(update={"port": free_port(), "broadcast_url": redis.url}) for _ in range(2))
    async with running(first), running(second), Api.open(first.url) as one, Api.open(second.url) as other:
        yield [one, other]


@pytest.fixture
async def pair(make: Factory, nodes: list[Api]) -> tuple[Player, Player, str]:
    """Two players of one chat, each at a server of his own."""
    nika, max_ = await make.player("nika"), await make.player("max_")
    chat_id = await make.direct_chat(nika, max_)
    here, there = (
        replace(player, api=node.signed_in(player.api.token or ""))
        for player, node in zip((nika, max_), nodes, strict=True)
    )
    return here, there, chat_id


async def ready(api: Api) -> dict[str, Any]:
    async with httpx.AsyncClient() as http:
        found: dict[str, Any] = (await http.get(f"{api.url}/readyz")).json()
        return found


async def test_what_happens_at_one_node_is_heard_at_the_other(make: Factory, pair: tuple[Player, Player, str]) -> None:
    here, there, chat_id = pair
    async with there.api.socket() as socket, there.api.socket() as other:
        stream, typing = await socket.subscribe(FOLLOW), await other.subscribe(TYPING)
        for one in (stream, typing):
            await one.until("CaughtUp")
        await here.api(SET_TYPING, i={"chatId": chat_id, "isTyping": True})
        assert (await typing.until("Typing"))["isTyping"] is True
        for number in range(5):
            await make.send(here, chat_id, f"message {number}")
            assert (await stream.until("MessageSent"))["message"]["text"] == f"message {number}"


async def test_nothing_is_lost_while_redis_is_away(
    make: Factory, pair: tuple[Player, Player, str], redis: Redis
) -> None:
    here, there, chat_id = pair
    async with there.api.socket() as socket:
        stream = await socket.subscribe(FOLLOW)
        await stream.until("CaughtUp")
        redis.kill()
        async with asyncio.timeout(PATIENCE):
            while (await ready(there.api))["listener"]:
                await asyncio.sleep(0.05)
        await make.send(here, chat_id, "into the silence")  # nobody waits for Redis
        await redis.start()
        assert (await stream.until("MessageSent"))["message"]["text"] == "into the silence"
        async with asyncio.timeout(PATIENCE):
            while not (await ready(there.api))["listener"]:
                await asyncio.sleep(0.05)
        await make.send(here, chat_id, "after it")
        assert (await stream.until("MessageSent"))["message"]["text"] == "after it"
