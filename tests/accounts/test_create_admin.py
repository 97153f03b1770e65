import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select

from gamebuddy import db
from gamebuddy.errors import Rejected
from gamebuddy.resolvers import administration
from gamebuddy.schema.context import Services
from tests.accounts.operations import PASSWORD, payload, register, sign_in
from tests.api import Api
from tests.factories import Factory


async def create(services: Services, username: str = "boss", email: str = "boss@example.com", **more: Any) -> list[str]:
    """Make an administrator as the command line does; gives what was wrong."""
    try:
        async with services.database.write() as session:
            more.setdefault("password", PASSWORD)
            await administration.create_admin(session, services.gate, username=username, email=email, **more)
    except Rejected as rejected:
        return [f"{problem.code} {problem.field[0]}" for problem in rejected.problems]
    return []


@pytest.mark.parametrize("username", ["boss", "Admin"])
async def test_an_administrator_signs_in_at_once(api: Api, services: Services, username: str) -> None:
    assert await create(services, username) == []
    token = payload(await sign_in(api, username))["tokens"]["accessToken"]
    me = await api.signed_in(token)("{ viewer { role email user { username } } }")
    assert me["viewer"] == {"role": "ADMIN", "email": "boss@example.com", "user": {"username": username.lower()}}


async def test_of_two_at_once_one_is_made(api: Api, services: Services) -> None:
    results = await asyncio.gather(create(services), create(services, "BOSS", "other@example.com"))
    assert sorted(results) == [[], ["TAKEN username"]]
    async with services.database.read() as session:
        assert await session.scalar(select(func.count()).where(db.Account.role == db.Role.ADMIN)) == 1


async def test_a_name_or_a_proved_address_that_exists_is_refused(api: Api, services: Services, make: Factory) -> None:
    await make.player("nika")
    assert await create(services, "Nika") == ["TAKEN username"]
    assert await create(services, "boss", "NIKA@example.com") == ["TAKEN email"]


async def test_a_claim_of_the_address_does_not_stand_in_the_way(api: Api, services: Services) -> None:
    await register(api, email="boss@example.com", username="squatter")
    assert await create(services) == []
    async with services.database.read() as session:
        assert (await session.scalars(select(db.Account.username))).all() == ["boss"]


async def test_everything_wrong_is_told_at_once(api: Api, services: Services) -> None:
    assert await create(services, "!", "nowhere", password="admin123") == [
        "INVALID email",
        "INVALID username",
        "WEAK_PASSWORD password",
    ]
