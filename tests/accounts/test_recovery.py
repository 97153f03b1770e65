import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text, update

from gamebuddy import db
from gamebuddy.schema.context import Services
from tests.accounts.operations import (
    PASSWORD,
    arrive,
    call,
    done,
    is_alive,
    payload,
    problems,
    refresh,
    refused,
    register,
    sign_in,
    wrong,
)
from tests.api import Api
from tests.conftest import Statements
from tests.factories import Factory, Player
from tests.post_office import PostOffice

NEW = "another horse 8"
NIKA = "nika@example.com"
CODE_WRONG, CODE_EXPIRED = [("CODE_WRONG", "input.code")], [("CODE_EXPIRED", "input.code")]


async def code_for_nika(api: Api, post_office: PostOffice, login: str = "nika") -> str:
    """Ask for a code and read the letter."""
    number = len(post_office.to(NIKA)) + 1
    await done(api, "requestPasswordReset", login=login)
    return await post_office.code_for(NIKA, number=number)


@pytest.mark.parametrize("login", ["nika", " NIKA ", "Nika@EXAMPLE.com"])
async def test_a_code_allows_a_new_password(api: Api, nika: Player, post_office: PostOffice, login: str) -> None:
    code = await code_for_nika(api, post_office, login)
    letter = post_office.to(NIKA)[0]
    assert letter["Subject"] == "A new password for GameBuddy"
    await done(api, "resetPassword", login=login, code=code, newPassword=NEW)
    assert problems(await sign_in(api, password=PASSWORD)) == [("WRONG_CREDENTIALS", "input")]
    payload(await sign_in(api, password=NEW))
    assert (await post_office.letter_to(NIKA, number=2))["Subject"] == "Your GameBuddy password has changed"


async def test_every_session_ends_and_nobody_is_signed_in(api: Api, post_office: PostOffice) -> None:
    tokens = (await arrive(api, post_office))["tokens"]
    there = api.signed_in(tokens["accessToken"])
    code = await code_for_nika(api, post_office)
    async with there.socket() as socket:
        await done(there, "resetPassword", login="nika", code=code, newPassword=NEW)
        assert await socket.closed() == 4403
    assert not await is_alive(there)
    assert problems(await refresh(api, tokens["refreshToken"])) == [("SESSION_REVOKED", "input")]


async def test_known_and_unknown_are_one(
    api: Api, nika: Player, make: Factory, post_office: PostOffice, statements: Statements
) -> None:
    await register(api, email="claim@example.com", username="claim")
    await post_office.letter_to("claim@example.com")
    runs = []
    for login in ("nika", NIKA, "nobody", "nobody@example.com", "claim", "claim@example.com", "", "a@b@c"):
        statements.clear()
        runs.append((await call(api, "requestPasswordReset", login=login), list(statements)))
    names, addresses = runs[::2], runs[1::2]  # they are looked up in different columns
    assert names[0] == names[1] == names[2] == names[3]
    assert addresses[0] == addresses[1] == addresses[2] == addresses[3]
    assert names[0][0] == addresses[0][0]
    runs = []
    for email in (NIKA, "nobody@example.com", "claim@example.com"):
        statements.clear()
        runs.append((await call(api, "recoverUsername", email=email), list(statements)))
    assert runs[0] == runs[1] == runs[2]
    await post_office.letter_to(NIKA, number=3)
    assert post_office.to("nobody@example.com") == []
    assert len(post_office.to("claim@example.com")) == 1


async def test_a_user_name_comes_by_letter_alone(api: Api, nika: Player, post_office: PostOffice) -> None:
    assert await call(api, "recoverUsername", email="NIKA@example.com") == {
        "recoverUsername": {"isDone": True, "userErrors": []}
    }
    letter = await post_office.letter_to(NIKA)
    assert "user name nika." in str(letter.get_body(("plain",)))
    assert await refused(api, "recoverUsername", email="a@localhost") == [("INVALID", "input.email")]


async def test_of_ten_at_once_one_resets(api: Api, nika: Player, post_office: PostOffice) -> None:
    code = await code_for_nika(api, post_office)
    answers = await asyncio.gather(
        *(call(api, "resetPassword", login="nika", code=code, newPassword=f"{NEW} {n}") for n in range(10))
    )
    won = [n for n, answer in enumerate(answers) if answer["resetPassword"]["isDone"]]
    assert len(won) <= 1
    passwords = [PASSWORD, *(f"{NEW} {n}" for n in won)]
    payload(await sign_in(api, password=passwords[-1]))
    assert await refused(api, "resetPassword", login="nika", code=code, newPassword=NEW) in (CODE_WRONG, CODE_EXPIRED)


async def test_of_four_at_once_one_resets(api: Api, nika: Player, post_office: PostOffice) -> None:
    code = await code_for_nika(api, post_office)
    answers = await asyncio.gather(
        *(call(api, "resetPassword", login="nika", code=code, newPassword=f"{NEW} {n}") for n in range(4))
    )
    assert sum(answer["resetPassword"]["isDone"] for answer in answers) == 1


async def test_the_sixth_try_is_too_late_even_if_right(api: Api, nika: Player, post_office: PostOffice) -> None:
    code = await code_for_nika(api, post_office)
    tries = [await refused(api, "resetPassword", login="nika", code=wrong(code), newPassword=NEW) for _ in range(5)]
    assert tries == [CODE_WRONG] * 5
    assert await refused(api, "resetPassword", login="nika", code=code, newPassword=NEW) == CODE_EXPIRED
    payload(await sign_in(api))  # nobody is locked out by that
    again = await code_for_nika(api, post_office)
    await done(api, "resetPassword", login="nika", code=again, newPassword=NEW)


async def test_name_and_address_do_not_double_the_tries(api: Api, nika: Player, post_office: PostOffice) -> None:
    code = await code_for_nika(api, post_office)
    for login in ("nika", NIKA):
        for _ in range(3):
            assert await refused(api, "resetPassword", login=login, code=wrong(code), newPassword=NEW) == CODE_WRONG
    assert await refused(api, "resetPassword", login="nika", code=code, newPassword=NEW) == CODE_EXPIRED


async def test_tries_of_an_unknown_login_look_alike(api: Api) -> None:
    tries = [await refused(api, "resetPassword", login="nobody", code="123456", newPassword=NEW) for _ in range(6)]
    assert tries == [CODE_WRONG] * 5 + [CODE_EXPIRED]


async def test_a_code_dies_of_age_of_a_newer_one_and_of_a_change(
    api: Api, nika: Player, post_office: PostOffice, services: Services
) -> None:
    first = await code_for_nika(api, post_office)
    second = await code_for_nika(api, post_office)
    assert await refused(api, "resetPassword", login="nika", code=first, newPassword=NEW) == CODE_WRONG
    await done(nika.api, "changePassword", currentPassword=PASSWORD, newPassword=NEW)
    await post_office.letter_to(NIKA, number=3)  # tells of it
    assert await refused(api, "resetPassword", login="nika", code=second, newPassword=PASSWORD) == CODE_WRONG
    third = await code_for_nika(api, post_office)
    async with services.database.write() as session:
        await session.execute(update(db.OneTimeCode).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    assert await refused(api, "resetPassword", login="nika", code=third, newPassword=PASSWORD) == CODE_EXPIRED


async def test_a_flood_sends_three_letters(api: Api, nika: Player, post_office: PostOffice) -> None:
    answers = [await call(api, "requestPasswordReset", login=login) for login in ("nika", NIKA) * 4]
    answers += [await call(api, "recoverUsername", email=NIKA) for _ in range(3)]
    assert all(next(iter(answer.values())) == {"isDone": True, "userErrors": []} for answer in answers)
    await register(api, email="last@example.com", username="last_one")
    await post_office.letter_to("last@example.com")
    assert len(post_office.to(NIKA)) == 3
    payload(await sign_in(api))


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short 7", "TOO_SHORT"),
        ("x" * 129, "TOO_LONG"),
        ("password1", "WEAK_PASSWORD"),
        ("nika@example.com", "WEAK_PASSWORD"),
        ("nika1234", "WEAK_PASSWORD"),
        ("gamebuddy2026", "WEAK_PASSWORD"),
    ],
)
async def test_a_bad_password_is_refused_and_the_code_goes_on(
    api: Api, nika: Player, post_office: PostOffice, password: str, code: str
) -> None:
    six = await code_for_nika(api, post_office, NIKA)
    assert await refused(api, "resetPassword", login=NIKA, code=six, newPassword=password) == [
        (code, "input.newPassword")
    ]
    await done(api, "resetPassword", login=NIKA, code=six, newPassword=NEW)


async def test_a_hostile_host_changes_no_letter(api: Api, nika: Player, post_office: PostOffice) -> None:
    query = 'mutation { requestPasswordReset(input: {login: "nika"}) { isDone } }'
    hostile: dict[str, Any] = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    answer = await api.post(query, **hostile)
    assert answer.json()["data"]["requestPasswordReset"]["isDone"]
    letter = await post_office.letter_to(NIKA)
    assert "evil" not in letter.as_string()
    assert api.url in str(letter.get_body(("plain",)))


async def test_a_banned_account_gets_a_password_and_stays_banned(
    api: Api, make: Factory, password_hash: str, post_office: PostOffice
) -> None:
    await make.player("nika", password_hash=password_hash, status=db.AccountStatus.BANNED)
    code = await code_for_nika(api, post_office)
    await done(api, "resetPassword", login="nika", code=code, newPassword=NEW)
    assert problems(await sign_in(api, password=NEW)) == [("ACCOUNT_BANNED", "input")]


async def test_nothing_is_stored_that_could_be_used(
    api: Api, nika: Player, post_office: PostOffice, services: Services
) -> None:
    code = await code_for_nika(api, post_office)
    async with services.database.read() as session:
        rows = await session.scalars(text("SELECT one_time_codes::text FROM one_time_codes"))
    assert not any(code in row for row in rows)
