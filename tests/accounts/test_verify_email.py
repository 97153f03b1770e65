import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from gamebuddy import db
from gamebuddy.schema.context import Services
from tests.accounts.operations import RESEND, arrive, payload, problems, register, verify, wrong
from tests.api import Api
from tests.post_office import PostOffice


async def test_the_code_signs_in(api: Api, post_office: PostOffice) -> None:
    await register(api)
    code = await post_office.code_for("nika@example.com")
    proved = payload(await verify(api, f" {code} ", "NIKA@example.com", deviceName="iPhone"))
    assert proved["viewer"]["sessions"] == [{"id": proved["tokens"]["sessionId"], "deviceName": "iPhone"}]
    me = await api.signed_in(proved["tokens"]["accessToken"])("{ viewer { user { username } } }")
    assert me["viewer"]["user"]["username"] == "nika"


async def test_a_code_works_once(api: Api, post_office: PostOffice) -> None:
    await register(api)
    code = await post_office.code_for("nika@example.com")
    answers = await asyncio.gather(*(verify(api, code) for _ in range(5)))
    assert sorted(len(answer["verifyEmail"]["userErrors"]) for answer in answers) == [0, 1, 1, 1, 1]


async def test_the_sixth_try_is_too_late_even_if_right(api: Api, post_office: PostOffice) -> None:
    await register(api)
    code = await post_office.code_for("nika@example.com")
    tries = [problems(await verify(api, wrong(code))) for _ in range(5)]
    assert tries == [[("CODE_WRONG", "input.code")]] * 5
    assert problems(await verify(api, code)) == [("CODE_EXPIRED", "input.code")]

    await api(RESEND, input={"email": "nika@example.com"})
    payload(await verify(api, await post_office.code_for("nika@example.com", number=2)))


async def test_twenty_tries_at_once_are_five(api: Api, post_office: PostOffice) -> None:
    await register(api)
    bad = wrong(await post_office.code_for("nika@example.com"))
    answers = await asyncio.gather(*(verify(api, bad) for _ in range(20)))
    codes = sorted(problems(answer)[0][0] for answer in answers)
    assert codes == ["CODE_EXPIRED"] * 15 + ["CODE_WRONG"] * 5


async def test_an_unknown_address_answers_alike(api: Api, post_office: PostOffice) -> None:
    await arrive(api, post_office, "owner")
    for address in ("nobody@example.com", "owner@example.com"):
        tries = [problems(await verify(api, "123456", address))[0][0] for _ in range(6)]
        assert tries == ["CODE_WRONG"] * 5 + ["CODE_EXPIRED"]


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "0" * 10_000])
async def test_what_is_no_code_is_a_wrong_code(api: Api, code: str) -> None:
    await register(api)
    assert problems(await verify(api, code)) == [("CODE_WRONG", "input.code")]


async def test_a_code_lives_fifteen_minutes(api: Api, post_office: PostOffice, services: Services) -> None:
    await register(api)
    code = await post_office.code_for("nika@example.com")
    async with services.database.write() as session:
        await session.execute(update(db.OneTimeCode).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    assert problems(await verify(api, code)) == [("CODE_EXPIRED", "input.code")]


async def test_the_first_who_proves_an_address_has_it(api: Api, post_office: PostOffice, services: Services) -> None:
    for name in ("first", "second", "third_"):
        await register(api, username=name)
    codes = [await post_office.code_for("nika@example.com", number=number) for number in (1, 2, 3)]
    answers = await asyncio.gather(*(verify(api, code) for code in codes))
    assert sorted(len(answer["verifyEmail"]["userErrors"]) for answer in answers) == [0, 1, 1]
    async with services.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(db.Account)) == 1


async def test_a_code_proves_no_other_address(api: Api, post_office: PostOffice) -> None:
    await register(api)
    await register(api, email="max@example.com", username="max_")
    code = await post_office.code_for("nika@example.com")
    assert problems(await verify(api, code, "max@example.com")) == [("CODE_WRONG", "input.code")]


async def test_a_device_has_a_short_name(api: Api) -> None:
    assert problems(await verify(api, "123456", deviceName="x" * 81)) == [("TOO_LONG", "input.deviceName")]
    assert problems(await verify(api, "123456", email="nobody")) == [("INVALID", "input.email")]
