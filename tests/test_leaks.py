"""The walk for secrets can fail: what is planted is found, and what only looks like a secret is not."""

import base64
import logging
from collections.abc import AsyncIterator

import asyncpg
import pytest
import structlog
from prometheus_client import REGISTRY, Counter

from tests.accounts.operations import PASSWORD, arrive
from tests.api import Api, Json
from tests.leaks import LEAKS, Leaks
from tests.post_office import PostOffice


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A look into a transaction that never happens, and a log that is empty again."""
    connection = await asyncpg.connect(database_url)
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()
    LEAKS.logs.clear()


@pytest.fixture
async def secrets(api: Api, post_office: PostOffice) -> list[str]:
    """What somebody who registers gives and gets: a password, two tokens and a code."""
    tokens: Json = (await arrive(api, post_office))["tokens"]
    code = await post_office.code_for("nika@example.com")
    return [PASSWORD, tokens["accessToken"], tokens["refreshToken"], code]


async def test_a_secret_in_a_table_is_found(secrets: list[str], connection: asyncpg.Connection) -> None:
    assert await LEAKS.find(connection) == []
    for secret in secrets:
        for text in (
            secret,
            f"it is {secret}.",
            f'{{"secret": "{secret}"}}',
            base64.b64encode(secret.encode()).decode(),
        ):
            await connection.execute("UPDATE profiles SET bio = $1", text)
            assert await LEAKS.find(connection) == ["profiles: bio"], text
    await connection.execute("UPDATE profiles SET bio = NULL")
    for secret in secrets[:3]:
        await connection.execute("UPDATE sessions SET salt = $1", b"\0" + secret.encode())
        assert await LEAKS.find(connection) == ["sessions: salt"]


async def test_a_new_table_is_walked_through_too(secrets: list[str], connection: asyncpg.Connection) -> None:
    leaks = Leaks()
    leaks.secrets |= LEAKS.secrets
    await connection.execute("CREATE TABLE planted (bytes bytea, notes jsonb, words text[])")
    signature = base64.urlsafe_b64decode(secrets[2] + "==")
    await connection.execute(
        "INSERT INTO planted VALUES ($1, $2, $3)", signature, f'{{"a": ["{secrets[3]}"]}}', ["x", f'"{PASSWORD}"']
    )
    assert await leaks.find(connection) == ["planted: bytes, notes, words"]


async def test_a_secret_in_the_log_is_found(secrets: list[str], connection: asyncpg.Connection) -> None:
    for secret in secrets:
        structlog.get_logger().warning("planted", what=f"is\n{secret}")
        logging.getLogger("planted").error("it is %s", secret)
        found = await LEAKS.find(connection)
        assert [line.partition(" ")[0] for line in found] == ["log:", "log:"], found
    assert await LEAKS.find(connection) == []  # each line is looked at once


async def test_a_secret_in_the_metrics_is_found(secrets: list[str], connection: asyncpg.Connection) -> None:
    planted = Counter("planted", "Planted.", ["what"])
    planted.labels(PASSWORD).inc()
    try:
        found = await LEAKS.find(connection)
    finally:
        REGISTRY.unregister(planted)
    assert found
    assert all(line.startswith("metrics: planted_") for line in found)


async def test_a_password_of_any_letters_is_found(secrets: list[str], connection: asyncpg.Connection) -> None:
    for secret in (
        *('quo"te\\slash', "пароль для игры", "👨\u200d👩\u200d👧 family", "two\nlines"),
        *("nul\0within", "half of a \ud800"),
    ):
        LEAKS.forget()
        LEAKS.note(secret)
        structlog.get_logger().warning("planted", what=secret)
        assert len(await LEAKS.find(connection)) == 1
        if "\0" not in secret and "\ud800" not in secret:
            await connection.execute("UPDATE profiles SET bio = $1", secret)
            assert await LEAKS.find(connection) == ["profiles: bio"]
            await connection.execute("UPDATE profiles SET bio = NULL")


async def test_six_digits_within_something_else_are_no_code(secrets: list[str], connection: asyncpg.Connection) -> None:
    LEAKS.forget()
    LEAKS.note("123 456")
    await connection.execute("UPDATE games SET player_count = 123456")
    for innocent in ("2026-11-23 10:20:30.123456+00", "a123456b", "1234567", "7-123456-8", "0.123456", "123456.5"):
        await connection.execute("UPDATE profiles SET bio = $1", innocent)
        structlog.get_logger().warning("planted", what=innocent)
        assert await LEAKS.find(connection) == []


def test_secrets_are_known_by_their_names_at_any_depth() -> None:
    leaks = Leaks()
    leaks.note_inputs({"input": [{"login": "somebody", "newPassword": "a new horse", "totpCode": "12345"}]})
    leaks.note_outputs({"data": {"x": {"recoveryCodes": ["aaaa-bbbb"], "userErrors": [{"code": "CODE_WRONG"}]}}})
    leaks.note_outputs({"errors": [{"extensions": {"code": "FORBIDDEN"}}]})
    assert leaks.secrets == {"a new horse", "aaaa-bbbb"}
