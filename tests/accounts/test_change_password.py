import asyncio

from sqlalchemy import select

from gamebuddy import db
from gamebuddy.schema.context import Services
from tests.accounts.operations import (
    PASSWORD,
    call,
    done,
    is_alive,
    payload,
    problems,
    refresh,
    refused,
    sign_in,
)
from tests.api import Api
from tests.conftest import Statements
from tests.factories import Player
from tests.post_office import PostOffice

NEW = "another horse 8"


async def test_the_others_are_signed_out_and_this_one_goes_on(
    api: Api, nika: Player, post_office: PostOffice, services: Services
) -> None:
    tokens = payload(await sign_in(api))["tokens"]
    async with api.signed_in(tokens["accessToken"]).socket() as other, nika.api.socket() as own:
        await done(nika.api, "changePassword", currentPassword=PASSWORD, newPassword=NEW)
        assert await other.closed() == 4403
        await own.send({"type": "ping"})
        assert (await own.receive())["type"] == "pong"
    assert await is_alive(nika.api)
    assert problems(await refresh(api, tokens["refreshToken"])) == [("SESSION_REVOKED", "input")]
    assert problems(await sign_in(api, password=PASSWORD)) == [("WRONG_CREDENTIALS", "input")]
    payload(await sign_in(api, password=NEW))
    letter = await post_office.letter_to("nika@example.com")
    assert letter["Subject"] == "Your GameBuddy password has changed"
    async with services.database.read() as session:
        entry = (await session.scalars(select(db.AuditEntry))).one()
        assert (entry.action, entry.actor_id) == (db.AuditAction.CHANGE_PASSWORD, nika.account_id)


async def test_the_old_password_is_asked_for_and_tries_are_few(nika: Player) -> None:
    refusals = [
        await refused(nika.api, "changePassword", currentPassword=f"wrong horse {n}", newPassword=NEW) for n in range(6)
    ]
    assert refusals == [[("WRONG_CREDENTIALS", "input.currentPassword")]] * 5 + [[("RETRY_LATER", "input")]]
    assert await refused(nika.api, "changePassword", currentPassword=PASSWORD, newPassword=NEW) == [
        ("RETRY_LATER", "input")
    ]


async def test_tries_of_strangers_do_not_count_here(api: Api, nika: Player) -> None:
    for number in range(6):
        await sign_in(api, password=f"wrong horse {number}")
    await done(nika.api, "changePassword", currentPassword=PASSWORD, newPassword=NEW)


async def test_aliases_meet_the_same_limits(nika: Player) -> None:
    one = 'changePassword(input: {currentPassword: "wrong horse", newPassword: "another horse 8"}) { isDone }'
    error = await nika.api.error(f"mutation {{ a: {one} b: {one} }}")
    assert error["extensions"]["code"] == "COST_LIMIT_EXCEEDED"


async def test_a_bad_new_password_is_told_before_any_work(nika: Player, statements: Statements) -> None:
    cases = {"short 7": "TOO_SHORT", "x" * 129: "TOO_LONG", "password1": "WEAK_PASSWORD"}
    for password, code in cases.items():
        assert await refused(nika.api, "changePassword", currentPassword=PASSWORD, newPassword=password) == [
            (code, "input.newPassword")
        ]
    assert not any("rate_limits" in statement for statement in statements)
    for own in ("nika1234", "nika@example.com", "Nika!2026"):
        assert await refused(nika.api, "changePassword", currentPassword=PASSWORD, newPassword=own) == [
            ("WEAK_PASSWORD", "input.newPassword")
        ]


async def test_of_two_changes_at_once_one_wins(api: Api, nika: Player) -> None:
    answers = await asyncio.gather(
        *(call(nika.api, "changePassword", currentPassword=PASSWORD, newPassword=f"{NEW} {n}") for n in range(4))
    )
    won = [n for n, answer in enumerate(answers) if answer["changePassword"]["isDone"]]
    assert len(won) == 1
    payload(await sign_in(api, password=f"{NEW} {won[0]}"))
