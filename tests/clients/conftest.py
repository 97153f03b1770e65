"""What the tests with programs from npm share."""

import pytest

from tests.clients.node import Node


@pytest.fixture(scope="session")
def node() -> Node:
    """Node with the packages of this folder."""
    return Node.with_packages()
