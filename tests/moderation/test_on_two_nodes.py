"""What moderators do on one node, felt on the other: two real server processes that share nothing but the database."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from gamebuddy import db
from gamebuddy.db import AccountStatus, AuditAction, Role
from gamebuddy.schema.context import Services
from gamebuddy.schema.scalars import write_moment
from tests.accounts.operations import PASSWORD, call, is_alive, payload, problems, sign_in
from tests.api import Api, Json
from tests.chat.operations import new_id
from tests.factories import Factory, Player

SEND = "message { id }"
ROUNDS = 25  # of four acts each


@pytest.fixture
async def mods(make: Factory, nodes: list[Api]) -> list[Api]:
    """A moderator at each node."""
    return [node.signed_in((await make.player(role=Role.MODERATOR)).api.token or "") for node in nodes]


@pytest.fixture
async def nika(make: Factory, services: Services) -> Player:
    return await make.player("nika", password_hash=await services.gate.passwords.hash(PASSWORD))


def until() -> str:
    return write_moment(datetime.now(UTC) + timedelta(days=1))


async def impose(mod: Api, who: Player, kind: str) -> Json:
    given = {"userId": who.id, "kind": kind, "reason": "loud", "until": until()}
    return await call(mod, "sanctionUser", "sanction { id }", **given)


async def lift(mod: Api, who: Player, kind: str) -> Json:
    return await call(mod, "liftSanction", "sanction { id }", userId=who.id, kind=kind, reason="quiet")


async def test_a_ban_ends_streams_sockets_and_tokens_on_both(nodes: list[Api], mods: list[Api], nika: Player) -> None:
    phones = [node.signed_in(nika.api.token or "") for node in nodes]
    async with phones[0].socket() as one, phones[1].socket() as other:
        streams = [await socket.subscribe("subscription { events { __typename } }") for socket in (one, other)]
        for stream in streams:
            await stream.until("CaughtUp")
        payload(await impose(mods[0], nika, "BAN"))
        assert [await phone_is_dead(phone) for phone in phones] == [True, True]
        assert [await one.closed(), await other.closed()] == [4403, 4403]
    for node in nodes:
        assert problems(await sign_in(node)) == [("ACCOUNT_BANNED", "input")]
    payload(await lift(mods[1], nika, "BAN"))
    assert [await phone_is_dead(phone) for phone in phones] == [True, True]  # what a ban has ended stays ended
    payload(await sign_in(nodes[0]))


async def test_a_mute_holds_on_both_and_ends_on_both(
    nodes: list[Api], mods: list[Api], make: Factory, nika: Player
) -> None:
    chat_id = await make.direct_chat(nika, await make.player())
    phones = [node.signed_in(nika.api.token or "") for node in nodes]

    async def send(phone: Api) -> list[tuple[str, str]]:
        answer = await call(phone, "sendMessage", SEND, chatId=chat_id, clientId=new_id(), text="hello")
        return [(error["code"], ".".join(error["path"])) for error in answer["sendMessage"]["userErrors"]]

    payload(await impose(mods[0], nika, "MUTE"))
    assert [await send(phone) for phone in phones] == [[("ACCOUNT_MUTED", "input")]] * 2
    payload(await lift(mods[1], nika, "MUTE"))
    assert [await send(phone) for phone in phones] == [[], []]


async def test_two_who_ban_and_lift_a_hundred_times_leave_what_the_last_entry_says(
    mods: list[Api], nika: Player, services: Services
) -> None:
    for _ in range(ROUNDS):
        await asyncio.gather(
            impose(mods[0], nika, "BAN"), lift(mods[1], nika, "BAN"),
            impose(mods[1], nika, "BAN"), lift(mods[0], nika, "BAN"),
        )  # fmt: skip
    async with services.database.read() as session:
        entries = (await session.scalars(select(db.AuditEntry).order_by(db.AuditEntry.number))).all()
        account = await session.get_one(db.Account, nika.account_id)
        sanctions = (await session.scalars(select(db.Sanction).order_by(db.Sanction.id))).all()
    imposed = [entry for entry in entries if entry.action is AuditAction.SANCTION]
    assert len(imposed) == len(sanctions) == 2 * ROUNDS
    is_banned = entries[-1].action is AuditAction.SANCTION
    assert account.status is (AccountStatus.BANNED if is_banned else AccountStatus.ACTIVE)
    assert sum(row.lifted_at is None for row in sanctions) == is_banned
    assert (account.banned_until is not None) is is_banned


async def phone_is_dead(phone: Api) -> bool:
    """Tell whether a token works no more."""
    return not await is_alive(phone)
