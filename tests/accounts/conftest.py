from collections.abc import Awaitable, Callable

import pytest

from gamebuddy.schema.context import Services
from tests.accounts.operations import PASSWORD
from tests.factories import Factory, Player


@pytest.fixture(scope="session")
async def password_hash(services: Services) -> str:
    """The hash of the tests' password, made once."""
    return await services.gate.passwords.hash(PASSWORD)


@pytest.fixture
def somebody(make: Factory, password_hash: str) -> Callable[[str], Awaitable[Player]]:
    """Makes verified players with the tests' password."""

    async def make_one(name: str) -> Player:
        return await make.player(name, password_hash=password_hash)

    return make_one


@pytest.fixture
async def nika(make: Factory, password_hash: str) -> Player:
    return await make.player("nika", password_hash=password_hash)
