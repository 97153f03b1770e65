import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import argon2
import pytest
import uvicorn
from sqlalchemy import select, update

from gamebuddy import db
from gamebuddy.auth.passwords import Passwords
from gamebuddy.errors import Unavailable
from gamebuddy.schema.context import Services
from gamebuddy.settings import Settings
from tests.accounts.operations import PASSWORD, SIGN_IN, WHO, crowd, payload, problems, register, sign_in
from tests.api import Api
from tests.conftest import free_port, running
from tests.factories import Factory, Player


@pytest.mark.parametrize("login", ["nika", "NIKA", " nika ", "nika@example.com", "Nika@EXAMPLE.com"])
async def test_name_and_address_work_in_any_case(api: Api, nika: Player, login: str) -> None:
    signed_in = payload(await sign_in(api, login, deviceName="Phone"))
    assert signed_in["viewer"]["user"]["username"] == "nika"
    current = [session for session in signed_in["viewer"]["sessions"] if session["isCurrent"]]
    assert current == [{"id": signed_in["tokens"]["sessionId"], "deviceName": "Phone", "isCurrent": True}]
    lasts = datetime.fromisoformat(signed_in["tokens"]["accessTokenExpiresAt"]) - datetime.now(UTC)
    assert timedelta(minutes=9) < lasts <= timedelta(minutes=10)
    assert (await api.signed_in(signed_in["tokens"]["accessToken"])(WHO))["viewer"]["user"]["username"] == "nika"


async def test_unknown_and_wrong_are_one_answer(api: Api, nika: Player, make: Factory) -> None:
    await make.player("nobodys")  # has no password at all
    answers = [
        await sign_in(api, login, "wrong horse 7")
        for login in ("nika", "nika@example.com", "stranger", "stranger@example.com", "nobodys", "not@an@address", "")
    ]
    assert all(answer == answers[0] for answer in answers)
    assert problems(answers[0]) == [("WRONG_CREDENTIALS", "input")]


@pytest.mark.parametrize("password", ["", "x" * 129, "x" * 50_000])
async def test_what_is_no_password_is_wrong(api: Api, nika: Player, password: str) -> None:
    assert problems(await sign_in(api, password=password)) == [("WRONG_CREDENTIALS", "input")]


async def test_of_a_hundred_wrong_tries_five_are_checked(api: Api, nika: Player, settings: Settings) -> None:
    second = settings.model_copy(update={"port": free_port()})
    async with running(second), Api.open(second.url) as other:
        codes = await crowd(
            [sign_in((api, other)[number % 2], "Nika", f"wrong horse {number}") for number in range(100)]
        )
        late = (await sign_in(other, "nika", "wrong horse 7"))["signIn"]["userErrors"][0]
    assert codes["WRONG_CREDENTIALS"] == 5 or (codes["UNAVAILABLE"] and codes["WRONG_CREDENTIALS"] < 5)
    assert codes.keys() <= {"WRONG_CREDENTIALS", "RETRY_LATER", "UNAVAILABLE"}
    assert (late["__typename"], late["code"]) == ("RetryLater", "RETRY_LATER")
    assert datetime.fromisoformat(late["retryAt"]) > datetime.now(UTC)


async def test_the_right_password_has_to_wait_too(api: Api, nika: Player, services: Services) -> None:
    for _ in range(5):
        await sign_in(api, password="wrong horse 7")
    assert problems(await sign_in(api)) == [("RETRY_LATER", "input")]
    async with services.database.write() as session:
        await session.execute(
            update(db.RateLimit).values(
                theoretical_arrival_at=db.RateLimit.theoretical_arrival_at - timedelta(minutes=3)
            )
        )
    payload(await sign_in(api))
    # Success empties the bucket.
    codes = [problems(await sign_in(api, password="wrong horse 7"))[0][0] for _ in range(6)]
    assert codes == ["WRONG_CREDENTIALS"] * 5 + ["RETRY_LATER"]


async def test_an_unknown_login_is_limited_alike(api: Api) -> None:
    codes = [problems(await sign_in(api, "stranger"))[0][0] for _ in range(6)]
    assert codes == ["WRONG_CREDENTIALS"] * 5 + ["RETRY_LATER"]


async def test_a_full_bucket_does_not_tell_that_name_and_address_belong_together(api: Api, nika: Player) -> None:
    for _ in range(6):
        await sign_in(api, "nika", "wrong horse 7")
    assert problems(await sign_in(api, "nika@example.com", "wrong horse 7")) == [("WRONG_CREDENTIALS", "input")]


async def test_sockets_and_requests_share_a_bucket(api: Api, nika: Player) -> None:
    wrong = {"login": "nika", "password": "wrong horse 7"}
    async with api.socket() as socket:
        for _ in range(5):
            await socket.start(SIGN_IN, input=wrong)
            frames = [await socket.receive(), await socket.receive()]
            assert [frame["type"] for frame in frames] == ["next", "complete"]
    assert problems(await sign_in(api)) == [("RETRY_LATER", "input")]


async def test_one_network_address_tries_thirty_accounts(api: Api, settings: Settings, server: uvicorn.Server) -> None:
    strict = settings.model_copy(update={"port": free_port(), "rate_limit_factor": 1})
    async with running(strict), Api.open(strict.url) as client:
        answers = await asyncio.gather(*(sign_in(client, f"player_{number}") for number in range(40)))
    codes = Counter(problems(answer)[0][0] for answer in answers)
    assert codes["RETRY_LATER"] >= 5
    assert codes["WRONG_CREDENTIALS"] >= 30


async def test_only_the_right_password_learns_of_a_ban(api: Api, make: Factory, password_hash: str) -> None:
    await make.player("nika", password_hash=password_hash, status=db.AccountStatus.BANNED)
    assert problems(await sign_in(api)) == [("ACCOUNT_BANNED", "input")]
    assert problems(await sign_in(api, password="wrong horse 7")) == [("WRONG_CREDENTIALS", "input")]


async def test_a_deleted_account_is_unknown(api: Api, make: Factory, password_hash: str) -> None:
    await make.player("nika", password_hash=password_hash, status=db.AccountStatus.DELETED)
    assert problems(await sign_in(api)) == [("WRONG_CREDENTIALS", "input")]


async def test_an_unproved_account_is_told_so_after_the_right_password(api: Api) -> None:
    await register(api)
    assert problems(await sign_in(api)) == [("EMAIL_NOT_VERIFIED", "input")]
    assert problems(await sign_in(api, password="wrong horse 7")) == [("WRONG_CREDENTIALS", "input")]


@pytest.mark.parametrize(
    "stored", ["", "nonsense", "$argon2id$v=19$m=19456,t=2,p=1$AAAA$BBBB", "$2b$12$abcdefghijklmno"]
)
async def test_a_damaged_hash_lets_nobody_in(api: Api, make: Factory, stored: str) -> None:
    await make.player("nika", password_hash=stored)
    assert problems(await sign_in(api)) == [("WRONG_CREDENTIALS", "input")]
    assert problems(await sign_in(api, password="")) == [("WRONG_CREDENTIALS", "input")]


async def test_an_old_hash_is_replaced_at_the_next_sign_in(api: Api, make: Factory, services: Services) -> None:
    old = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    await make.player("nika", password_hash=old)
    for answer in await asyncio.gather(*(sign_in(api) for _ in range(4))):
        payload(answer)
    async with services.database.read() as session:
        stored = await session.scalar(select(db.Account.password_hash))
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    payload(await sign_in(api))


async def test_the_twenty_first_session_ends_the_one_idle_longest(api: Api, nika: Player) -> None:
    signed_in: list[Any] = [payload(await sign_in(api))["tokens"] for _ in range(20)]
    assert (await api.signed_in(signed_in[0]["accessToken"])(WHO))["viewer"]
    # The session of the fixture was the first; signing in twenty times has ended it.
    assert (await nika.api.post(WHO)).status_code == 401
    payload(await sign_in(api))
    assert (await api.signed_in(signed_in[0]["accessToken"]).post(WHO)).status_code == 401
    assert (await api.signed_in(signed_in[1]["accessToken"])(WHO))["viewer"]


async def test_a_crowd_is_refused_at_once_and_not_queued_for_ever() -> None:
    passwords = Passwords()
    results = await asyncio.gather(*(passwords.verify(PASSWORD, None) for _ in range(200)), return_exceptions=True)
    assert Counter(repr(result) for result in results if result is False) == {"False": 66}
    assert sum(isinstance(result, Unavailable) for result in results) == 134
    await passwords.close()
