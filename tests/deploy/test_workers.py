"""Several processes behind one port beside a node of its own, all behind nginx: what happens in one is heard in all."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.api import Api, Socket
from tests.conftest import free_port
from tests.deploy.conftest import require_nginx
from tests.deploy.nodes import Node
from tests.deploy.proxy import Nginx
from tests.events.test_redis import PROGRAM as REDIS
from tests.events.test_redis import Redis
from tests.factories import Factory, Player

pytestmark = pytest.mark.xdist_group("deploy")

FOLLOW = "subscription { events { __typename ... on MessageSent { message { text } } } }"


@pytest.fixture(params=["database", "redis"])
async def workers(
    request: pytest.FixtureRequest, environment: dict[str, str], folder: Path, tmp_path: Path, clean: None
) -> AsyncIterator[tuple[Api, list[Node]]]:
    """Four workers of one node, and another node; gives the way in to them."""
    require_nginx()
    async with AsyncExitStack() as running:
        if request.param == "redis":
            if REDIS is None:
                pytest.skip("redis-server is not installed")
            redis = Redis(tmp_path)
            running.callback(redis.kill)
            await redis.start()
            environment = environment | {"GAMEBUDDY_BROADCAST_URL": redis.url.get_secret_value()}
        ports = [str(free_port()) for _ in range(2)]
        nodes = [
            Node(environment | {"GAMEBUDDY_PORT": port}, workers=count)
            for port, count in zip(ports, (4, 1), strict=True)
        ]
        for node in nodes:
            running.callback(node.kill)
        await asyncio.gather(*(node.start() for node in nodes))
        (folder / request.param).mkdir()
        nginx = Nginx(folder / request.param, [node.port for node in nodes])
        running.callback(nginx.stop)
        await nginx.start()
        yield await running.enter_async_context(Api.open(nginx.url, tls=nginx.tls)), nodes


async def test_what_happens_in_one_process_is_heard_in_all(make: Factory, workers: tuple[Api, list[Node]]) -> None:
    door, nodes = workers
    nika = await make.player("nika")
    chat_id = await make.group(nika)
    async with AsyncExitStack() as open_sockets:
        streams = []
        for node in nodes:
            for socket in await one_socket_a_process(node, nika, open_sockets):
                streams.append(await socket.subscribe(FOLLOW))
                await streams[-1].until("CaughtUp")
        assert len(streams) == 5
        for number in range(5):
            await make.send(replace(nika, api=door.signed_in(nika.api.token or "")), chat_id, f"message {number}")
            for stream in streams:
                assert (await stream.until("MessageSent"))["message"]["text"] == f"message {number}"


async def one_socket_a_process(node: Node, player: Player, open_sockets: AsyncExitStack) -> list[Socket]:
    """Open a socket at each worker: those that have one already are held meanwhile, so that another takes it."""
    api = replace(player.api, url=node.url)
    sockets: list[Socket] = []
    held: set[int] = set()
    try:
        for _ in range(node.workers):
            sockets.append(await open_sockets.enter_async_context(api.socket()))
            for pid in set(node.holders()) - held:
                os.kill(pid, signal.SIGSTOP)
                held.add(pid)
    finally:
        for pid in held:
            os.kill(pid, signal.SIGCONT)
    assert len(held) == node.workers
    return sockets
