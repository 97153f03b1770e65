"""A server gets a new secret, and nobody notices; it forgets the old one, and what that signed is worthless."""

import contextlib
import os
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from gamebuddy import settings as configuration
from gamebuddy.auth.codes import Codes
from gamebuddy.auth.keys import Keys, Purpose, Unsealable
from gamebuddy.cli import app
from gamebuddy.settings import Settings, SettingsError
from tests.accounts.operations import WHO, arrive, payload, problems, refresh, register, verify
from tests.api import Api
from tests.conftest import SECRET, free_port, running
from tests.post_office import PostOffice

OLD = SECRET
NEW = "the next secret of the tests, as long as the first"
OLDEST = "a secret of the tests that has been out of use for long"

GAMES = "query($after: Cursor) { games(first: 1, after: $after) { nodes { slug } pageInfo { endCursor } } }"


@dataclass(frozen=True)
class Made:
    """One of each that a server signs and somebody keeps."""

    access_token: str
    refresh_token: str
    cursor: str
    next_game: str
    code: str


async def made_by(api: Api, post_office: PostOffice) -> Made:
    tokens = (await arrive(api, post_office))["tokens"]
    payload(await register(api, email="mira@example.com", username="mira"))
    cursor = (await api(GAMES))["games"]["pageInfo"]["endCursor"]
    return Made(
        access_token=tokens["accessToken"],
        refresh_token=tokens["refreshToken"],
        cursor=cursor,
        next_game=(await api(GAMES, after=cursor))["games"]["nodes"][0]["slug"],
        code=await post_office.code_for("mira@example.com"),
    )


async def works(api: Api, made: Made) -> dict[str, bool]:
    """Tell what of it a server takes; what works once is used up."""
    page = (await api.post(GAMES, {"after": made.cursor})).json()
    proved = await verify(api, made.code, "mira@example.com")
    renewed = await refresh(api, made.refresh_token)
    found = {
        "access token": (await api.signed_in(made.access_token).post(WHO)).status_code == 200,
        "refresh token": bool(renewed["refreshSession"]["tokens"]),
        "cursor": "errors" not in page,
        "code": bool(proved["verifyEmail"]["tokens"]),
    }
    # What does not work is refused as any forgery is.
    if not found["refresh token"]:
        assert problems(renewed) == [("SESSION_REVOKED", "input")]
    if not found["cursor"]:
        assert page["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    else:
        assert page["data"]["games"]["nodes"] == [{"slug": made.next_game}]
    if not found["code"]:
        assert problems(proved) == [("CODE_WRONG", "input.code")]
    return found


EVERYTHING = dict.fromkeys(("access token", "refresh token", "cursor", "code"), True)
NOTHING = dict.fromkeys(EVERYTHING, False)


@contextlib.asynccontextmanager
async def node(settings: Settings, secret: str, *previous: str) -> AsyncIterator[Api]:
    """Run one more server over the same data, with these secrets."""
    keys = {"secret_key": SecretStr(secret), "previous_secret_keys": tuple(SecretStr(key) for key in previous)}
    changed = settings.model_copy(update={"port": free_port()} | keys)
    async with running(changed), Api.open(changed.url) as api:
        yield api


async def test_what_the_old_secret_signed_works_while_it_is_listed(
    api: Api, post_office: PostOffice, settings: Settings
) -> None:
    made = await made_by(api, post_office)
    async with node(settings, NEW, OLD, OLDEST) as rotated:
        assert await works(rotated, made) == EVERYTHING


async def test_nothing_of_a_retired_secret_works(api: Api, post_office: PostOffice, settings: Settings) -> None:
    made = await made_by(api, post_office)
    async with node(settings, NEW, OLDEST) as retired:
        assert await works(retired, made) == NOTHING
    assert await works(api, made) == EVERYTHING  # being refused has used nothing up


async def test_what_a_rotated_server_makes_outlives_the_old_secret(
    api: Api, post_office: PostOffice, settings: Settings
) -> None:
    before = (await arrive(api, post_office))["tokens"]
    async with node(settings, NEW, OLD) as rotated:
        after = payload(await refresh(rotated, before["refreshToken"]))["tokens"]
        again = payload(await refresh(rotated, before["refreshToken"]))["tokens"]
        cursor = (await rotated(GAMES))["games"]["pageInfo"]["endCursor"]
    assert again["refreshToken"] == after["refreshToken"]  # an answer lost on its way does no harm here either
    async with node(settings, NEW) as retired:
        assert (await retired.signed_in(after["accessToken"])(WHO))["viewer"]["user"]["username"] == "nika"
        assert (await retired(GAMES, after=cursor))["games"]["nodes"]
        renewed = payload(await refresh(retired, after["refreshToken"]))["tokens"]
    assert renewed["sessionId"] == before["sessionId"]


async def test_a_stolen_token_gives_itself_away_after_a_rotation_too(
    api: Api, post_office: PostOffice, settings: Settings
) -> None:
    first = (await arrive(api, post_office))["tokens"]["refreshToken"]
    second = payload(await refresh(api, first))["tokens"]["refreshToken"]
    async with node(settings, NEW, OLD) as rotated:
        third = payload(await refresh(rotated, second))["tokens"]["refreshToken"]
        for token in (first, third):
            assert problems(await refresh(rotated, token)) == [("SESSION_REVOKED", "input")]


async def test_nodes_can_be_restarted_one_by_one(api: Api, post_office: PostOffice, settings: Settings) -> None:
    async with node(settings, NEW, OLD) as rotated:
        made = await made_by(rotated, post_office)
    # A node that was told of the new secret beforehand takes what the others sign with it, one that was not does not.
    assert (await api.signed_in(made.access_token).post(WHO)).status_code == 401
    assert problems(await refresh(api, made.refresh_token)) == [("SESSION_REVOKED", "input")]
    async with node(settings, OLD, NEW) as prepared:
        assert await works(prepared, made) == EVERYTHING


def test_a_code_of_days_works_while_its_secret_is_listed() -> None:
    row_id = uuid.uuid4()
    code = Codes(Keys(OLD.encode())).long_code_of(row_id)
    rotated, retired = Codes(Keys(NEW.encode(), [OLD.encode()])), Codes(Keys(NEW.encode()))
    assert rotated.is_long_code_of(row_id, f" {code.upper()} ")
    assert rotated.is_long_code_of(row_id, rotated.long_code_of(row_id))
    assert rotated.long_code_of(row_id) == retired.long_code_of(row_id) != code
    assert not retired.is_long_code_of(row_id, code)
    assert not rotated.is_long_code_of(uuid.uuid4(), code)


def test_a_signature_is_vouched_for_whole_and_for_its_purpose_alone() -> None:
    keys = Keys(NEW.encode(), [OLD.encode()])
    for secret in (NEW, OLD):
        signature = Keys(secret.encode()).sign(Purpose.CURSOR, b"message")
        assert keys.vouches(Purpose.CURSOR, b"message", signature)
        assert keys.vouches(Purpose.CURSOR, b"message", signature[:12], signature_bytes=12)
        assert not keys.vouches(Purpose.REFRESH_TOKEN, b"message", signature)
        assert not keys.vouches(Purpose.CURSOR, b"other", signature)
        for part in (b"", signature[:12], signature[:-1], signature + b"x"):
            assert not keys.vouches(Purpose.CURSOR, b"message", part)
            assert not keys.vouches(Purpose.CURSOR, b"message", part[:11], signature_bytes=12)


def test_what_is_sealed_is_opened_by_every_listed_secret_and_no_other() -> None:
    old, rotated, new = Keys(OLD.encode()), Keys(NEW.encode(), [OLD.encode()]), Keys(NEW.encode())
    sealed = old.seal(Purpose.TOTP_SECRET, b"secret of the app")
    assert b"secret" not in sealed
    assert sealed != old.seal(Purpose.TOTP_SECRET, b"secret of the app")
    assert rotated.unseal(Purpose.TOTP_SECRET, sealed) == b"secret of the app"
    resealed = rotated.seal(Purpose.TOTP_SECRET, rotated.unseal(Purpose.TOTP_SECRET, sealed))
    assert new.unseal(Purpose.TOTP_SECRET, resealed) == b"secret of the app"
    damaged = sealed[:40] + bytes([sealed[40] ^ 1]) + sealed[41:]
    for keys, purpose, unknown in (
        (new, Purpose.TOTP_SECRET, sealed),
        (old, Purpose.TOTP_SECRET, resealed),
        (old, Purpose.CURSOR, sealed),
        (old, Purpose.TOTP_SECRET, damaged),
        (old, Purpose.TOTP_SECRET, b""),
        (old, Purpose.TOTP_SECRET, b"\xff\0"),
    ):
        with pytest.raises(Unsealable):
            keys.unseal(purpose, unknown)


def test_the_ids_of_keys_differ_and_show_nothing() -> None:
    keys = Keys(NEW.encode(), [OLD.encode()])
    ids = [key_id for purpose in Purpose for key_id in keys.by_id(purpose)]
    assert len(ids) == len(set(ids)) == 2 * len(Purpose)
    assert all(key_id not in key.hex() for purpose in Purpose for key_id, key in keys.by_id(purpose).items())
    newest, _ = keys.by_id(Purpose.ACCESS_TOKEN).values()
    assert newest == keys[Purpose.ACCESS_TOKEN]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment with a secret and nothing else of ours, in a folder without `.env`."""
    for name in [name for name in os.environ if name.startswith(configuration.PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GAMEBUDDY_SECRET_KEY", NEW)
    return monkeypatch


def test_secrets_are_listed_newest_first_and_never_shown(environment: pytest.MonkeyPatch) -> None:
    assert configuration.load().known_secrets() == (NEW.encode(),)
    environment.setenv("GAMEBUDDY_PREVIOUS_SECRET_KEYS", "")
    assert configuration.load().known_secrets() == (NEW.encode(),)
    without_comma = OLD.replace(",", " "), OLDEST
    environment.setenv("GAMEBUDDY_PREVIOUS_SECRET_KEYS", " , ".join(without_comma) + ",")
    settings = configuration.load()
    assert settings.known_secrets() == tuple(secret.encode() for secret in (NEW, *without_comma))
    assert not any(secret in f"{settings!r} {settings} {settings.model_dump()}" for secret in (NEW, *without_comma))


@pytest.mark.parametrize("value", ["hunter2", f"{OLDEST},hunter2", f"hunter2,{OLDEST}", OLDEST + "\udcffhunter2"])
def test_a_wrong_previous_secret_ends_the_start_with_one_line(environment: pytest.MonkeyPatch, value: str) -> None:
    environment.setenv("GAMEBUDDY_PREVIOUS_SECRET_KEYS", value)
    with pytest.raises(SettingsError) as caught:
        configuration.load()
    done: Any = CliRunner().invoke(app, ["serve"])
    assert done.exit_code == 2
    for line in (str(caught.value), done.stderr.strip()):
        assert "GAMEBUDDY_PREVIOUS_SECRET_KEYS" in line
        assert len(line.splitlines()) == 1
        assert "hunter2" not in line
        assert OLDEST not in line


@pytest.mark.parametrize("secret", ["x" * 31, "short", "ж" * 15])
def test_a_secret_under_32_bytes_ends_the_start(environment: pytest.MonkeyPatch, secret: str) -> None:
    environment.setenv("GAMEBUDDY_SECRET_KEY", secret)
    done = CliRunner().invoke(app, ["serve"])
    assert done.exit_code == 2
    assert "GAMEBUDDY_SECRET_KEY has to have at least 32 bytes" in done.stderr
    assert secret not in done.output
