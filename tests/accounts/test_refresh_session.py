import asyncio
import base64
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from gamebuddy import db
from gamebuddy.schema.context import Services
from tests.accounts.operations import SIGN_OUT, WHO, arrive, payload, problems, refresh
from tests.api import Api
from tests.post_office import PostOffice

REVOKED = [("SESSION_REVOKED", "input")]


@pytest.fixture
async def tokens(api: Api, post_office: PostOffice) -> Any:
    return (await arrive(api, post_office))["tokens"]


async def test_a_session_goes_on_with_new_tokens(api: Api, tokens: Any) -> None:
    renewed = payload(await refresh(api, tokens["refreshToken"]))
    assert renewed["viewer"]["user"]["username"] == "nika"
    assert renewed["tokens"]["refreshToken"] != tokens["refreshToken"]
    assert renewed["tokens"]["sessionId"] == tokens["sessionId"]
    assert (await api.signed_in(renewed["tokens"]["accessToken"])(WHO))["viewer"]


async def test_a_lost_answer_does_no_harm(api: Api, tokens: Any) -> None:
    first = payload(await refresh(api, tokens["refreshToken"]))["tokens"]["refreshToken"]
    assert payload(await refresh(api, tokens["refreshToken"]))["tokens"]["refreshToken"] == first
    payload(await refresh(api, first))


async def test_twenty_at_once_have_one_successor(api: Api, tokens: Any) -> None:
    answers = await asyncio.gather(*(refresh(api, tokens["refreshToken"]) for _ in range(20)))
    assert len({payload(answer)["tokens"]["refreshToken"] for answer in answers}) == 1


async def test_a_stolen_token_ends_the_session_for_both(api: Api, tokens: Any) -> None:
    second = payload(await refresh(api, tokens["refreshToken"]))["tokens"]
    third = payload(await refresh(api, second["refreshToken"]))["tokens"]
    async with api.signed_in(third["accessToken"]).socket() as socket:
        assert problems(await refresh(api, tokens["refreshToken"])) == REVOKED
        assert await socket.closed() == 4403
    assert problems(await refresh(api, third["refreshToken"])) == REVOKED
    assert (await api.signed_in(third["accessToken"]).post(WHO)).status_code == 401


async def test_a_forged_token_changes_nothing(api: Api, tokens: Any) -> None:
    raw = base64.urlsafe_b64decode(tokens["refreshToken"] + "==")
    spelled = [
        raw[:-1] + bytes([raw[-1] ^ 1]),
        raw[:16] + (1).to_bytes(4) + raw[20:],
        raw[:16] + (2**32 - 1).to_bytes(4) + raw[20:],
        uuid.uuid4().bytes + raw[16:],
        raw[:-1],
        raw + b"x",
        b"",
    ]
    forged = [base64.urlsafe_b64encode(value).decode().rstrip("=") for value in spelled]
    forged += [tokens["refreshToken"] + "=", tokens["accessToken"], "x" * 50_000, "ключ", "%", " "]
    for token in forged:
        assert problems(await refresh(api, token)) == REVOKED
    payload(await refresh(api, tokens["refreshToken"]))


@pytest.mark.parametrize("status", [db.AccountStatus.BANNED, db.AccountStatus.DELETED])
async def test_who_may_not_sign_in_does_not_go_on(
    api: Api, tokens: Any, services: Services, status: db.AccountStatus
) -> None:
    async with services.database.write() as session:
        await session.execute(update(db.Account).values(status=status))
    assert problems(await refresh(api, tokens["refreshToken"])) == REVOKED


async def test_an_idle_session_ends(api: Api, tokens: Any, services: Services) -> None:
    async with services.database.write() as session:
        await session.execute(update(db.Session).values(expires_at=datetime.now(UTC)))
    assert problems(await refresh(api, tokens["refreshToken"])) == REVOKED


async def test_no_session_is_older_than_a_year(api: Api, tokens: Any, services: Services) -> None:
    async with services.database.write() as session:
        await session.execute(update(db.Session).values(created_at=datetime.now(UTC) - timedelta(days=364)))
    renewed = payload(await refresh(api, tokens["refreshToken"]))["tokens"]
    left = datetime.fromisoformat(renewed["refreshTokenExpiresAt"]) - datetime.now(UTC)
    assert timedelta(hours=23) < left <= timedelta(days=1)


async def test_a_refresh_notes_that_somebody_is_here(api: Api, tokens: Any, services: Services) -> None:
    async with services.database.write() as session:
        await session.execute(update(db.Account).values(last_seen_at=None))
        await session.execute(update(db.Profile).values(active_on=datetime(2020, 1, 1, tzinfo=UTC).date()))
    payload(await refresh(api, tokens["refreshToken"]))
    async with services.database.read() as session:
        row = (
            await session.execute(
                select(db.Account.last_seen_at, db.Profile.active_on).join(
                    db.Profile, db.Profile.account_id == db.Account.id
                )
            )
        ).one()
    assert row.last_seen_at is not None
    assert row.active_on.year > 2020


async def test_signing_out_beats_a_refresh_at_the_same_moment(api: Api, tokens: Any) -> None:
    mine = api.signed_in(tokens["accessToken"])
    answers = await asyncio.gather(
        refresh(api, tokens["refreshToken"]), mine(SIGN_OUT), refresh(api, tokens["refreshToken"])
    )
    for answer in answers:
        for given in filter(None, [answer.get("refreshSession", {}).get("tokens")]):
            assert (await api.signed_in(given["accessToken"]).post(WHO)).status_code == 401
            assert problems(await refresh(api, given["refreshToken"])) == REVOKED


async def test_nothing_that_signs_in_is_stored(
    api: Api, post_office: PostOffice, tokens: Any, services: Services
) -> None:
    code = await post_office.code_for("nika@example.com")
    async with services.database.read() as session:
        for name in ("accounts", "sessions", "one_time_codes", "pgqueuer", "pgqueuer_log", "rate_limits", "events"):
            dump = str((await session.execute(text(f"SELECT row_to_json({name})::text FROM {name}"))).all())
            for secret in (code, tokens["accessToken"], tokens["refreshToken"], "correct horse 7"):
                assert secret not in dump, name
