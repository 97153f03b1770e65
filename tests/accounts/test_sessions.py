import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update

from gamebuddy import db
from gamebuddy.schema import ids
from gamebuddy.schema.context import Services
from gamebuddy.schema.ids import Kind
from gamebuddy.settings import Settings
from tests.accounts.operations import (
    SIGN_OUT,
    arrive,
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
from tests.conftest import free_port, running
from tests.factories import Factory, Player
from tests.post_office import PostOffice

SESSIONS = "{ viewer { sessions { id deviceName userAgent ipAddress createdAt lastUsedAt isCurrent } } }"
REVOKED = [("SESSION_REVOKED", "input")]


async def test_the_list_shows_devices_and_no_token(api: Api, nika: Player) -> None:
    tokens = payload(await sign_in(api, deviceName="Phone"))["tokens"]
    answer = await api.signed_in(tokens["accessToken"]).post(SESSIONS)
    listed = answer.json()["data"]["viewer"]["sessions"]
    assert [(item["deviceName"], item["isCurrent"]) for item in listed] == [("Phone", True), ("test", False)]
    assert listed[0]["ipAddress"] == "127.0.0.1"
    assert listed[0]["userAgent"].startswith("python-httpx")
    assert not any(token in answer.text for token in (tokens["accessToken"], tokens["refreshToken"]))


async def test_a_revoked_session_is_dead_on_every_node_at_once(api: Api, nika: Player, settings: Settings) -> None:
    second = settings.model_copy(update={"port": free_port()})
    tokens = payload(await sign_in(api, deviceName="Phone"))["tokens"]
    phone = api.signed_in(tokens["accessToken"])
    async with running(second), Api.open(second.url) as elsewhere:
        phone_elsewhere = elsewhere.signed_in(tokens["accessToken"])
        async with phone.socket() as one, phone_elsewhere.socket() as other:
            await done(nika.api, "revokeSession", sessionId=tokens["sessionId"])
            assert not await is_alive(phone)
            assert not await is_alive(phone_elsewhere)
            assert [await one.closed(), await other.closed()] == [4403, 4403]
    assert problems(await refresh(api, tokens["refreshToken"])) == REVOKED
    assert await is_alive(nika.api)


async def test_all_others_end_and_this_one_lives(api: Api, nika: Player) -> None:
    others = [payload(await sign_in(api))["tokens"] for _ in range(3)]
    answer = await nika.api("mutation { revokeOtherSessions { isDone userErrors { code } } }")
    assert answer["revokeOtherSessions"] == {"isDone": True, "userErrors": []}
    assert not any([await is_alive(api.signed_in(other["accessToken"])) for other in others])
    assert await is_alive(nika.api)


async def test_ones_own_session_ends_too(api: Api, nika: Player) -> None:
    answer = await call(nika.api, "revokeSession", sessionId=ids.write(Kind.SESSION, nika.session_id))
    assert answer["revokeSession"]["isDone"]
    assert not await is_alive(nika.api)


async def test_a_foreign_session_is_not_found(nika: Player, make: Factory) -> None:
    other = await make.player("other")
    for session_id in (other.session_id, db.new_id()):
        assert await refused(nika.api, "revokeSession", sessionId=ids.write(Kind.SESSION, session_id)) == [
            ("NOT_FOUND", "input.sessionId")
        ]
    assert await is_alive(other.api)


async def test_twenty_refreshes_on_two_nodes_have_one_successor(
    api: Api, post_office: PostOffice, settings: Settings
) -> None:
    tokens = (await arrive(api, post_office))["tokens"]
    second = settings.model_copy(update={"port": free_port()})
    async with running(second), Api.open(second.url) as other:
        answers = await asyncio.gather(*(refresh((api, other)[n % 2], tokens["refreshToken"]) for n in range(20)))
        successors = {payload(answer)["tokens"]["refreshToken"] for answer in answers}
        assert len(successors) == 1
        payload(await refresh(other, successors.pop()))


async def test_an_answer_that_was_lost_an_hour_ago_is_forgiven(
    api: Api, post_office: PostOffice, services: Services
) -> None:
    tokens = (await arrive(api, post_office))["tokens"]
    lost = payload(await refresh(api, tokens["refreshToken"]))["tokens"]["refreshToken"]
    async with services.database.write() as session:
        await session.execute(update(db.Session).values(last_used_at=datetime.now(UTC) - timedelta(hours=1)))
    assert payload(await refresh(api, tokens["refreshToken"]))["tokens"]["refreshToken"] == lost


async def test_the_owner_hears_of_a_stolen_token(api: Api, post_office: PostOffice, services: Services) -> None:
    tokens = (await arrive(api, post_office))["tokens"]
    newest = tokens
    for _ in range(2):
        newest = payload(await refresh(api, newest["refreshToken"]))["tokens"]
    assert problems(await refresh(api, tokens["refreshToken"])) == REVOKED
    assert problems(await refresh(api, newest["refreshToken"])) == REVOKED
    assert not await is_alive(api.signed_in(newest["accessToken"]))
    letter = await post_office.letter_to("nika@example.com", number=2)
    assert letter["Subject"] == "Somebody may have had a copy of your GameBuddy session"
    async with services.database.read() as session:
        (entry,) = (await session.scalars(select(db.AuditEntry))).all()
        assert (entry.action, entry.actor_id) == (db.AuditAction.SESSION_STOLEN, None)
        assert entry.target_id == await session.scalar(select(db.Account.id))


async def test_signing_out_wins_every_race_against_refreshing(api: Api, nika: Player) -> None:
    for _ in range(20):
        tokens = payload(await sign_in(api))["tokens"]
        here = api.signed_in(tokens["accessToken"])
        leaving = asyncio.create_task(here.post(SIGN_OUT))
        answers = await asyncio.gather(*(refresh(api, tokens["refreshToken"]) for _ in range(5)))
        await leaving
        renewed = [tokens] + [a["refreshSession"]["tokens"] for a in answers if a["refreshSession"]["tokens"]]
        for found in renewed:
            assert not await is_alive(api.signed_in(found["accessToken"]))
            assert problems(await refresh(api, found["refreshToken"])) == REVOKED


async def test_lifetimes_hold_under_constant_refreshing(api: Api, post_office: PostOffice, services: Services) -> None:
    tokens = (await arrive(api, post_office))["tokens"]
    async with services.database.write() as session:
        born = datetime.now(UTC) - timedelta(days=364, hours=23)
        await session.execute(update(db.Session).values(created_at=born))
    tokens = payload(await refresh(api, tokens["refreshToken"]))["tokens"]
    assert datetime.fromisoformat(tokens["refreshTokenExpiresAt"]) <= born + timedelta(days=365, seconds=1)
    async with services.database.write() as session:
        await session.execute(update(db.Session).values(created_at=born - timedelta(hours=2)))
    tokens = payload(await refresh(api, tokens["refreshToken"]))["tokens"]
    assert problems(await refresh(api, tokens["refreshToken"])) == REVOKED  # its year is over


async def test_a_stranger_does_not_lock_a_known_device_out(api: Api, nika: Player, settings: Settings) -> None:
    behind_a_proxy = settings.model_copy(update={"port": free_port(), "trusted_proxies": ("127.0.0.1/32",)})
    async with running(behind_a_proxy), Api.open(behind_a_proxy.url) as client:
        document = "mutation($i: SignInInput!) { signIn(input: $i) { tokens { sessionId } userErrors { code } } }"

        async def from_(address: str, password: str) -> str | None:
            answer = await client.post(
                document, {"i": {"login": "nika", "password": password}}, **{"X-Forwarded-For": address}
            )
            errors = answer.json()["data"]["signIn"]["userErrors"]
            return errors[0]["code"] if errors else None

        right, wrong = "correct horse 7", "wrong horse 7"
        assert await from_("2001:db8:1:1::5", right) is None  # from now on the owner's home is known
        # Strangers share one count, whatever they write into the header before the proxy's own entry.
        codes = [await from_(f"198.51.100.{n}, 203.0.113.9", wrong) for n in range(6)]
        assert codes == ["WRONG_CREDENTIALS"] * 5 + ["RETRY_LATER"]
        assert await from_("203.0.113.77", right) == "RETRY_LATER"
        # The owner comes in, from another address of the same home network too; and his tries are counted as well.
        assert await from_("2001:db8:1:1:ffff::6", right) is None
        assert [await from_("2001:db8:1:1::7", wrong) for _ in range(6)] == codes
        assert await from_("2001:db8:1:2::5", right) == "RETRY_LATER"
