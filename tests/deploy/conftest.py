"""Two nodes behind the real nginx, as docs/operations.md describes them."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gamebuddy.settings import Settings
from tests.api import Api
from tests.conftest import SECRET, free_port
from tests.deploy import proxy
from tests.deploy.nodes import Node
from tests.deploy.proxy import Nginx
from tests.post_office import PostOffice


@pytest.fixture(scope="session")
async def nodes(
    settings: Settings, post_office: PostOffice, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[list[Node]]:
    """Two servers, started as a person starts them, which believe what comes from this machine about addresses."""
    assert settings.database_url is not None
    shared = tmp_path_factory.mktemp("nodes")
    environment = {
        "GAMEBUDDY_DATABASE_URL": settings.database_url.get_secret_value(),
        "GAMEBUDDY_SECRET_KEY": SECRET,
        "GAMEBUDDY_SMTP_URL": post_office.url,
        "GAMEBUDDY_DATA_DIR": str(shared),
        "GAMEBUDDY_ENVIRONMENT": "production",
        "GAMEBUDDY_PUBLIC_URL": "https://localhost",
        "GAMEBUDDY_TRUSTED_PROXIES": "127.0.0.1/32",
    }
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
    if proxy.PROGRAM is None:
        if os.environ.get("CI"):
            pytest.fail("nginx is missing: .ci/run installs it", pytrace=False)
        pytest.skip("nginx is not installed")
    server = Nginx(folder, [node.port for node in nodes])
    await server.start()
    yield server
    server.stop()


@pytest.fixture
async def door(nginx: Nginx, nodes: list[Node], clean: None) -> AsyncIterator[Api]:
    """A client that nobody has signed in, outside; both nodes run."""
    for node in nodes:
        await node.start()
    async with Api.open(nginx.url, tls=nginx.tls) as api:
        yield api
