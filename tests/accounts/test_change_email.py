import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from gamebuddy import db
from gamebuddy.schema.context import Services
from tests.accounts.operations import (
    PASSWORD,
    call,
    done,
    is_alive,
    payload,
    problems,
    refused,
    register,
    sign_in,
    verify,
    wrong,
)
from tests.api import Api
from tests.conftest import Statements
from tests.factories import Factory, Player
from tests.post_office import PostOffice

OLD, NEW = "nika@example.com", "new@example.com"
EMAIL = "{ viewer { email } }"


async def ask(nika: Player, post_office: PostOffice, email: str = NEW) -> str:
    """Ask for another address and read the letter that comes there."""
    number = len(post_office.to(email)) + 1
    await done(nika.api, "changeEmail", newEmail=email, password=PASSWORD)
    return await post_office.code_for(email, number=number)


async def undo_code(post_office: PostOffice) -> str:
    """Read the code that came to the old address."""
    body = (await post_office.letter_to(OLD)).get_body(("plain",))
    assert body is not None
    found = re.search(r"^([a-z2-7]{4}(-[a-z2-7]{4}){3})\s*$", body.get_content(), re.MULTILINE)
    assert found
    return found.group(1)


async def test_the_old_address_stays_until_the_code_has_come_back(
    api: Api, nika: Player, post_office: PostOffice
) -> None:
    code = await ask(nika, post_office)
    assert (await nika.api(EMAIL))["viewer"]["email"] == OLD
    assert problems(await sign_in(api, NEW)) == [("WRONG_CREDENTIALS", "input")]
    await done(nika.api, "confirmEmailChange", newEmail="NEW@example.com", code=code)
    assert (await nika.api(EMAIL))["viewer"]["email"] == NEW
    payload(await sign_in(api, NEW))
    assert problems(await sign_in(api, OLD)) == [("WRONG_CREDENTIALS", "input")]
    letter = await post_office.letter_to(OLD)
    assert letter["Subject"] == "Your GameBuddy account has another address now"
    assert NEW not in letter.as_string()


async def test_the_password_is_asked_for(nika: Player, post_office: PostOffice) -> None:
    assert await refused(nika.api, "changeEmail", newEmail=NEW, password="wrong horse 7") == [
        ("WRONG_CREDENTIALS", "input.password")
    ]
    assert await refused(nika.api, "changeEmail", newEmail="a@localhost", password=PASSWORD) == [
        ("INVALID", "input.newEmail")
    ]
    assert await refused(nika.api, "changeEmail", newEmail="Nika@Example.com", password=PASSWORD) == [
        ("INVALID", "input.newEmail")
    ]


async def test_known_and_unknown_are_one(
    nika: Player, make: Factory, post_office: PostOffice, statements: Statements
) -> None:
    await make.player("owner")
    runs = []
    for email in ("owner@example.com", "nobody@example.com"):
        statements.clear()
        runs.append((await call(nika.api, "changeEmail", newEmail=email, password=PASSWORD), list(statements)))
    assert runs[0] == runs[1]
    letter = await post_office.letter_to("owner@example.com")
    assert "nothing has changed" in str(letter.get_body(("plain",)))
    assert re.search(r"\d{6}", str(letter.get_body(("plain",)))) is None
    # Without a code that works, five tries are five wrong ones there as elsewhere.
    for email in ("owner@example.com", "nobody2@example.com"):
        tries = [await refused(nika.api, "confirmEmailChange", newEmail=email, code="123456") for _ in range(6)]
        assert tries == [[("CODE_WRONG", "input.code")]] * 5 + [[("CODE_EXPIRED", "input.code")]]


async def test_the_first_who_proves_an_address_has_it(
    nika: Player, make: Factory, password_hash: str, post_office: PostOffice
) -> None:
    other = await make.player("other", password_hash=password_hash)
    codes = [await ask(nika, post_office), await ask(other, post_office)]
    answers = await asyncio.gather(
        *(
            call(player.api, "confirmEmailChange", newEmail=NEW, code=code)
            for player, code in zip((nika, other), codes, strict=True)
        )
    )
    results = [problems(a) if a["confirmEmailChange"]["userErrors"] else [] for a in answers]
    assert sorted(results) == [[], [("CONFLICT", "input")]]
    emails = [(await player.api(EMAIL))["viewer"]["email"] for player in (nika, other)]
    assert emails == ([NEW, "other@example.com"] if results[0] == [] else [OLD, NEW])


async def test_a_claim_does_not_stand_in_the_way(api: Api, nika: Player, post_office: PostOffice) -> None:
    await register(api, email=NEW, username="squatter")
    code = await post_office.code_for(NEW)
    await done(nika.api, "confirmEmailChange", newEmail=NEW, code=await ask(nika, post_office))
    assert problems(await verify(api, code, NEW)) == [("CODE_WRONG", "input.code")]


async def test_codes_are_ones_own_and_die(
    nika: Player, make: Factory, post_office: PostOffice, services: Services
) -> None:
    other = await make.player("other")
    code = await ask(nika, post_office)
    assert await refused(other.api, "confirmEmailChange", newEmail=NEW, code=code) == [("CODE_WRONG", "input.code")]
    assert await refused(nika.api, "confirmEmailChange", newEmail=NEW, code=wrong(code)) == [
        ("CODE_WRONG", "input.code")
    ]
    assert await refused(nika.api, "confirmEmailChange", newEmail="x@example.com", code=code) == [
        ("CODE_WRONG", "input.code")
    ]
    async with services.database.write() as session:
        await session.execute(update(db.OneTimeCode).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    assert await refused(nika.api, "confirmEmailChange", newEmail=NEW, code=code) == [("CODE_EXPIRED", "input.code")]


async def test_a_code_for_a_password_dies_with_the_address(api: Api, nika: Player, post_office: PostOffice) -> None:
    await done(api, "requestPasswordReset", login="nika")
    code = await post_office.code_for(OLD)
    await done(nika.api, "confirmEmailChange", newEmail=NEW, code=await ask(nika, post_office))
    assert await refused(api, "resetPassword", login="nika", code=code, newPassword="another horse 8") == [
        ("CODE_WRONG", "input.code")
    ]


async def test_the_owner_takes_it_back(api: Api, nika: Player, post_office: PostOffice, services: Services) -> None:
    await done(nika.api, "confirmEmailChange", newEmail=NEW, code=await ask(nika, post_office))
    code = await undo_code(post_office)
    # Whoever stole the account changes more: neither another address nor another password makes the way back longer.
    later = await ask(nika, post_office, "later@example.com")
    await done(nika.api, "confirmEmailChange", newEmail="later@example.com", code=later)
    await done(nika.api, "changePassword", currentPassword=PASSWORD, newPassword="another horse 8")
    async with services.database.write() as session:
        session.add(
            db.SecondFactor(account_id=nika.account_id, sealed_secret=b"thief's", confirmed_at=datetime.now(UTC))
        )

    await done(api, "undoEmailChange", email=OLD, code=f" {code.upper()} ")
    assert not await is_alive(nika.api)
    assert problems(await sign_in(api, "nika", "another horse 8")) == [("WRONG_CREDENTIALS", "input")]
    number = next(n for n, letter in enumerate(post_office.to(OLD), 1) if "new password" in letter["Subject"])
    six = await post_office.code_for(OLD, number=number)
    await done(api, "resetPassword", login=OLD, code=six, newPassword="third horse 9")
    signed_in = payload(await sign_in(api, OLD, "third horse 9"))
    assert (await api.signed_in(signed_in["tokens"]["accessToken"])(EMAIL))["viewer"]["email"] == OLD
    assert await refused(api, "undoEmailChange", email=OLD, code=code) == [("CODE_EXPIRED", "input.code")]


@pytest.mark.parametrize("code", ["", "123456", "aaaa-bbbb-cccc-dddd", "x" * 5_000])
async def test_nobody_guesses_the_way_back(api: Api, nika: Player, post_office: PostOffice, code: str) -> None:
    await done(nika.api, "confirmEmailChange", newEmail=NEW, code=await ask(nika, post_office))
    assert await refused(api, "undoEmailChange", email=OLD, code=code) == [("CODE_WRONG", "input.code")]
    assert await refused(api, "undoEmailChange", email="nobody@example.com", code=code) == [
        ("CODE_WRONG", "input.code")
    ]
