"""Two nodes behind the real nginx, as docs/operations.md describes them."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gamebuddy.settings import Settings
from tests.api import PATIENCE, Api
from tests.conftest import SECRET, free_port
from tests.deploy import proxy
from tests.deploy.nodes import Node
from tests.deploy.proxy import Nginx
from tests.factories import Factory, Player
from tests.post_office import PostOffice


def require_nginx() -> None:
    """Skip the test where there is no nginx; in CI that is a failure."""
    if proxy.PROGRAM is None and os.environ.get("CI"):
        pytest.fail("nginx is missing: .ci/run installs it", pytrace=False)
    if proxy.PROGRAM is None:
        pytest.skip("nginx is not installed")


@pytest.fixture(scope="session")
def environment(
    settings: Settings, post_office: PostOffice, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """What all nodes are set to, but for their ports; they believe this machine about addresses."""
    assert settings.database_url is not None
    return {
        "GAMEBUDDY_DATABASE_URL": settings.database_url.get_secret_value(),
        "GAMEBUDDY_SECRET_KEY": SECRET,
        "GAMEBUDDY_SMTP_URL": post_office.url,
        "GAMEBUDDY_DATA_DIR": str(tmp_path_factory.mktemp("nodes")),
        "GAMEBUDDY_ENVIRONMENT": "production",
        "GAMEBUDDY_PUBLIC_URL": "https://localhost",
        "GAMEBUDDY_TRUSTED_PROXIES": "127.0.0.1/32",
        "GAMEBUDDY_DRAIN_SECONDS": "3",
    }


@pytest.fixture(scope="session")
async def nodes(environment: dict[str, str]) -> AsyncIterator[list[Node]]:
    """Two servers, started as a person starts them."""
    require_nginx()
    both = [Node(environment | {"GAMEBUDDY_PORT": str(free_port())}) for _ in range(2)]
    try:
        await asyncio.gather(*(node.start() for node in both))
        yield both
    finally:
        for node in both:
            node.kill()


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """Where nginx writes; its workers run as nobody, who has to get there."""
    with tempfile.TemporaryDirectory(prefix="gamebuddy-nginx-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="session")
async def nginx(nodes: list[Node], folder: Path) -> AsyncIterator[Nginx]:
    """The way in."""
    server = Nginx(folder, [node.port for node in nodes])
    await server.start()
    yield server
    server.stop()


@pytest.fixture
async def nika(make: Factory, door: Api) -> Player:
    """Somebody who comes in through nginx."""
    player = await make.player("nika")
    return replace(player, api=door.signed_in(player.api.token or ""))


@pytest.fixture
async def door(nginx: Nginx, nodes: list[Node], clean: None) -> AsyncIterator[Api]:
    """A client that nobody has signed in, outside; both nodes run, and nginx knows it."""
    for node in nodes:
        await node.start()
    async with Api.open(nginx.url, tls=nginx.tls) as api:
        written = len(nginx.log)
        # A node that was away is left out for a while after it is back.
        async with asyncio.timeout(PATIENCE):
            while not all(f"127.0.0.1:{node.port}" in nginx.log[written:] for node in nodes):
                await api.http.get("/healthz")
        yield api
