import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
from sqlalchemy import select, update

from gamebuddy import db
from gamebuddy.schema.context import Services
from tests.accounts.operations import PASSWORD, call, done, payload, problems, refused, sign_in
from tests.api import Api
from tests.factories import Player
from tests.post_office import PostOffice

HAS_TOTP = "{ viewer { hasTotp } }"
TOTP_WRONG = [("TOTP_WRONG", "input.totpCode")]


@dataclass
class App:
    """An authenticator app whose clock stands still: a test may begin at the very end of 30 seconds.

    Of its codes those of step 0 and 1 are taken for half a minute at least.
    """

    secret: str
    recovery_codes: list[str] = field(default_factory=list)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def code(self, step: int = 0) -> str:
        """Give the code of a step of 30 seconds."""
        return pyotp.TOTP(self.secret).at(self.at, counter_offset=step)


async def begin(player: Player) -> App:
    begun = payload(await call(player.api, "beginTotp", "secret uri", password=PASSWORD))
    assert begun["uri"].startswith(f"otpauth://totp/GameBuddy:{player.username}?secret={begun['secret']}")
    return App(begun["secret"])


async def enrol(player: Player, services: Services) -> App:
    """Get a second factor, long ago: the code that confirmed it may be used again."""
    app = await begin(player)
    confirmed = payload(await call(player.api, "confirmTotp", "recoveryCodes", code=app.code()))
    app.recovery_codes = confirmed["recoveryCodes"]
    async with services.database.write() as session:
        await session.execute(update(db.SecondFactor).values(last_step=None))
    return app


async def with_code(api: Api, code: str) -> Any:
    return await sign_in(api, totpCode=code)


async def test_signing_in_asks_for_it(api: Api, nika: Player, post_office: PostOffice) -> None:
    app = await begin(nika)
    assert not (await nika.api(HAS_TOTP))["viewer"]["hasTotp"]
    payload(await sign_in(api))  # it counts for nothing yet
    payload(await call(nika.api, "confirmTotp", "recoveryCodes", code=app.code()))
    assert (await nika.api(HAS_TOTP))["viewer"]["hasTotp"]
    assert problems(await sign_in(api)) == [("TOTP_REQUIRED", "input.totpCode")]
    assert problems(await sign_in(api, totpCode=" ")) == [("TOTP_REQUIRED", "input.totpCode")]
    assert problems(await sign_in(api, password="wrong horse 7")) == [("WRONG_CREDENTIALS", "input")]
    assert problems(await with_code(api, app.code())) == TOTP_WRONG  # used to confirm
    digits = app.code(1)
    payload(await with_code(api, f"{digits[:3]} {digits[3:]}"))
    assert (await post_office.letter_to("nika@example.com"))["Subject"].endswith("asks for a second factor now")


async def test_a_code_works_once_also_in_parallel_and_in_the_next_window(
    api: Api, nika: Player, services: Services
) -> None:
    app = await enrol(nika, services)
    code = app.code()
    answers = await asyncio.gather(*(with_code(api, code) for _ in range(4)))
    assert sorted(len(answer["signIn"]["userErrors"]) for answer in answers) == [0, 1, 1, 1]
    assert problems(await with_code(api, code)) == TOTP_WRONG
    # The same code half a minute later would still be within the window.
    payload(await with_code(api, app.code(1)))
    assert problems(await with_code(api, app.code(1))) == TOTP_WRONG
    assert problems(await with_code(api, app.code())) == TOTP_WRONG


@pytest.mark.parametrize("code", ["000000", "12345", "abcdef", "１２３４５６", "1" * 5_000, "aaaa-bbbb-cccc-dddd"])
async def test_what_is_no_code_is_wrong(api: Api, nika: Player, code: str, services: Services) -> None:
    await enrol(nika, services)
    assert problems(await with_code(api, code)) == TOTP_WRONG


async def test_wrong_codes_are_counted_apart_from_passwords(api: Api, nika: Player, services: Services) -> None:
    app = await enrol(nika, services)
    answers = [problems(await with_code(api, "000000"))[0][0] for _ in range(21)]
    assert Counter(answers) == {"TOTP_WRONG": 10, "RETRY_LATER": 11}
    assert problems(await with_code(api, app.code())) == [("RETRY_LATER", "input")]
    # The password's own count is untouched, and a wrong password is still told apart.
    assert problems(await sign_in(api)) == [("TOTP_REQUIRED", "input.totpCode")]
    assert problems(await sign_in(api, password="wrong horse 7")) == [("WRONG_CREDENTIALS", "input")]
    async with services.database.write() as session:
        await session.execute(
            update(db.RateLimit).values(
                theoretical_arrival_at=db.RateLimit.theoretical_arrival_at - timedelta(minutes=10)
            )
        )
    payload(await with_code(api, app.code()))


async def test_wrong_codes_in_parallel_are_ten(api: Api, nika: Player, services: Services) -> None:
    await enrol(nika, services)
    answers = await asyncio.gather(*(with_code(api, "000000") for _ in range(20)))
    codes = Counter(problems(answer)[0][0] for answer in answers)
    # A right password forgets its own tries; until then five of them pass at a time.
    assert codes["TOTP_WRONG"] <= 10
    assert set(codes) <= {"TOTP_WRONG", "RETRY_LATER"}


async def test_a_recovery_code_takes_its_place_once(api: Api, nika: Player, services: Services) -> None:
    app = await enrol(nika, services)
    assert len(set(app.recovery_codes)) == 10
    answers = await asyncio.gather(*(with_code(api, app.recovery_codes[0]) for _ in range(4)))
    assert sorted(len(answer["signIn"]["userErrors"]) for answer in answers) == [0, 1, 1, 1]
    assert problems(await with_code(api, app.recovery_codes[0])) == TOTP_WRONG
    payload(await with_code(api, f" {app.recovery_codes[1].upper().replace('-', '')} "))
    renewed = payload(
        await call(nika.api, "renewRecoveryCodes", "recoveryCodes", password=PASSWORD, code=app.recovery_codes[2])
    )["recoveryCodes"]
    assert problems(await with_code(api, app.recovery_codes[3])) == TOTP_WRONG
    payload(await with_code(api, renewed[0]))


async def test_a_new_password_does_not_take_it_away(
    api: Api, nika: Player, post_office: PostOffice, services: Services
) -> None:
    app = await enrol(nika, services)
    await post_office.letter_to("nika@example.com")
    await done(api, "requestPasswordReset", login="nika")
    code = await post_office.code_for("nika@example.com", number=2)
    await done(api, "resetPassword", login="nika", code=code, newPassword="another horse 8")
    assert problems(await sign_in(api, password="another horse 8")) == [("TOTP_REQUIRED", "input.totpCode")]
    payload(await sign_in(api, password="another horse 8", totpCode=app.code()))


async def test_it_goes_with_password_and_code_together(api: Api, nika: Player, services: Services) -> None:
    app = await enrol(nika, services)
    assert await refused(nika.api, "removeTotp", password="wrong horse 7", code=app.code()) == [
        ("WRONG_CREDENTIALS", "input.password")
    ]
    assert await refused(nika.api, "removeTotp", password=PASSWORD, code="000000") == [("TOTP_WRONG", "input.code")]
    await done(nika.api, "removeTotp", password=PASSWORD, code=app.code())
    payload(await sign_in(api))
    async with services.database.read() as session:
        assert await session.scalar(select(db.RecoveryCode.digest)) is None
        actions = (await session.scalars(select(db.AuditEntry.action).order_by(db.AuditEntry.number))).all()
    assert actions == [db.AuditAction.ADD_SECOND_FACTOR, db.AuditAction.REMOVE_SECOND_FACTOR]


async def test_what_does_not_fit_is_a_conflict(nika: Player) -> None:
    conflict = [("CONFLICT", "input")]
    assert await refused(nika.api, "confirmTotp", "recoveryCodes", code="123456") == conflict
    assert await refused(nika.api, "removeTotp", password=PASSWORD, code="123456") == conflict
    first, second = await begin(nika), await begin(nika)
    assert first.secret != second.secret
    assert await refused(nika.api, "confirmTotp", "recoveryCodes", code=first.code()) == [("TOTP_WRONG", "input.code")]
    payload(await call(nika.api, "confirmTotp", "recoveryCodes", code=second.code()))
    assert await refused(nika.api, "beginTotp", "secret", password=PASSWORD) == conflict
    assert await refused(nika.api, "confirmTotp", "recoveryCodes", code=second.code()) == conflict


async def test_the_secret_is_sealed(nika: Player, services: Services) -> None:
    app = await enrol(nika, services)
    async with services.database.read() as session:
        sealed = await session.scalar(select(db.SecondFactor.sealed_secret))
    assert app.secret.encode() not in sealed
    assert pyotp.TOTP(app.secret).byte_secret() not in sealed
    async with services.database.write() as session:
        await session.execute(update(db.SecondFactor).values(sealed_secret=b"unreadable"))
    assert await refused(nika.api, "removeTotp", password=PASSWORD, code=app.code()) == [("TOTP_WRONG", "input.code")]
    await done(nika.api, "removeTotp", password=PASSWORD, code=app.recovery_codes[0])
