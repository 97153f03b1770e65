"""What the tests with programs from npm share."""

from pathlib import Path

import pytest

from tests.clients import snippets
from tests.clients.node import Node


@pytest.fixture(scope="session")
def node() -> Node:
    """Node with the packages of this folder."""
    return Node.with_packages()


@pytest.fixture(scope="session")
def programs(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of docs/clients.md, beside the packages of this folder."""
    return snippets.write(tmp_path_factory.mktemp("clients"))
