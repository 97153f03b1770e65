import base64
import hashlib
import hmac
import json
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gamebuddy.auth import tokens
from gamebuddy.auth.keys import Keys, Purpose
from gamebuddy.auth.tokens import ALGORITHM, AUDIENCE, ISSUER, TYPE, Tokens
from gamebuddy.errors import Unauthenticated
from tests.accounts.operations import WHO
from tests.api import Api
from tests.conftest import SECRET, Statements
from tests.factories import Factory, Player

KEYS = Keys(SECRET.encode())
((KID, KEY),) = KEYS.by_id(Purpose.ACCESS_TOKEN).items()
HEADER = {"alg": ALGORITHM, "typ": TYPE, "kid": KID}
PUBLIC_KEY = b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END"
LEFT_OUT = object()


def encoded(value: object) -> str:
    """Write a part of a token."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed(header: object, claims: object, key: bytes = KEY) -> str:
    """Sign whatever it is, as no library would."""
    body = f"{encoded(header)}.{encoded(claims)}"
    return f"{body}.{encoded(hmac.digest(key, body.encode(), hashlib.sha256))}"


def forged(player: Player, header: dict[str, Any] | None = None, key: bytes = KEY, **changes: Any) -> str:
    """Make a token that is right but for the changes."""
    now = int(datetime.now(UTC).timestamp())
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(player.account_id),
        "sid": str(player.session_id),
        "jti": "one",
        "iat": now,
        "exp": now + 600,
    }
    claims |= changes
    head = HEADER | (header or {})
    return signed(
        {name: value for name, value in head.items() if value is not LEFT_OUT},
        {name: value for name, value in claims.items() if value is not LEFT_OUT},
        key,
    )


@pytest.fixture
async def nika(make: Factory) -> Player:
    return await make.player("nika")


async def is_refused(api: Api, token: str) -> bool:
    answer = await api.post(WHO, Authorization=f"Bearer {token}")
    assert answer.status_code in {200, 401}, answer.text
    if answer.status_code == 401:
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
        assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    return answer.status_code == 401


async def test_what_the_forger_starts_from_is_accepted(api: Api, nika: Player) -> None:
    assert not await is_refused(api, forged(nika))
    now = int(datetime.now(UTC).timestamp())
    assert not await is_refused(api, forged(nika, iat=now + 3, exp=now + 500))  # clocks differ


async def test_missing_and_foreign_claims(api: Api, nika: Player) -> None:
    now = int(datetime.now(UTC).timestamp())
    changes: list[dict[str, Any]] = [{name: LEFT_OUT} for name in ("exp", "aud", "iss", "sub", "jti", "sid", "iat")]
    changes += [
        {"aud": f"{AUDIENCE}-evil"},
        {"aud": [AUDIENCE, "other"]},
        {"iss": "other"},
        {"iss": [ISSUER]},
        {"sub": "nobody"},
        {"sub": 5},
        {"sid": str(uuid.uuid4())},
        {"sid": {"id": 1}},
        {"jti": 5},
        {"exp": 10**400},
        {"exp": now + 3600},
        {"exp": True},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"exp": str(now + 600)},
        {"exp": now + 600.5},
        {"exp": now - 31, "iat": now - 600},
        {"exp": None},
        {"exp": -(10**30)},
        {"iat": 10**30},
        {"iat": True},
        {"iat": now + 300},
        {"nbf": now + 300},
        {"nbf": "soon"},
    ]
    accepted = [change for change in changes if not await is_refused(api, forged(nika, **change))]
    assert accepted == []


async def test_headers_that_ask_for_something_else(api: Api, nika: Player) -> None:
    headers: list[dict[str, Any]] = [
        {"alg": "none"},
        {"alg": "nOnE"},
        {"alg": ["HS256"]},
        {"alg": "HS512"},
        {"alg": "RS256"},
        {"alg": LEFT_OUT},
        {"typ": "JWT"},
        {"typ": LEFT_OUT},
        {"crit": ["b64"], "b64": False},
        {"crit": ["unknown"]},
        {"kid": LEFT_OUT},
        {"kid": ""},
        {"kid": "00000000"},
        {"kid": KID.upper() + " "},
        {"kid": "../../dev/null"},
        {"kid": "' OR 1=1--"},
        {"kid": 5},
        {"kid": [KID]},
        {"kid": {KID: KID}},
        {"kid": None},
        {"kid": True},
        {"kid": next(iter(KEYS.by_id(Purpose.REFRESH_TOKEN)))},
        {"kid": next(iter(Keys(b"x" * 32).by_id(Purpose.ACCESS_TOKEN)))},
        {"cty": "JWT"},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/chain"},
        {"jwk": {"kty": "oct", "k": encoded(b"x" * 32)}},
        {"zip": "DEF"},
    ]
    accepted = [header for header in headers if not await is_refused(api, forged(nika, header))]
    assert accepted == []


async def test_other_keys_and_other_shapes(api: Api, nika: Player) -> None:
    token = forged(nika)
    head, body, signature = token.split(".")
    tokens = [
        forged(nika, key=b"x" * 32),
        forged(nika, key=SECRET.encode()),
        forged(nika, key=KEYS[Purpose.REFRESH_TOKEN]),
        forged(nika, {"kid": next(iter(KEYS.by_id(Purpose.REFRESH_TOKEN)))}, key=KEYS[Purpose.REFRESH_TOKEN]),
        forged(nika, key=b""),
        forged(nika, key=KID.encode()),
        forged(nika, key=PUBLIC_KEY),
        f"{token}=",
        f"{token}.",
        f"{head}.{body}.",
        f"{head}.{body}",
        f"{head}.{body}.{signature}.{signature}",
        token[:-1] + ("B" if token[-1] == "A" else chr(ord(token[-1]) ^ 1)),
        token.upper(),
        signed([], {}),
        signed(HEADER, []),
        signed(HEADER, 5),
        signed(b"[" * 2_000, {}),
        signed(HEADER, b"[" * 2_000),
        signed(HEADER, b"\xff\xfe"),
        signed(HEADER, b'{"exp":' + b"9" * 2_500 + b"}"),
        "x",
        "..",
        "a.b.c",
        "x" * 5_000,
    ]
    accepted = [other for other in tokens if not await is_refused(api, other)]
    assert accepted == []


async def test_the_last_character_has_one_spelling(api: Api, nika: Player) -> None:
    token = forged(nika)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    accepted = [last for last in alphabet if not await is_refused(api, token[:-1] + last)]
    assert accepted == [token[-1]]


@pytest.mark.parametrize(
    "token",
    ["e30." * 250_000, signed(b"[" * 100_000, {}), signed(HEADER, b"[" * 100_000)],
    ids=["long", "deep header", "deep claims"],
)
async def test_a_megabyte_is_not_looked_at(api: Api, token: str) -> None:
    began = time.perf_counter()
    with pytest.raises(Unauthenticated):
        Tokens(KEYS, ISSUER, 600).read(token)
    assert time.perf_counter() - began < 0.05
    assert (await api.post(WHO, Authorization=f"Bearer {token}")).status_code in {401, 431}
    assert await api(WHO) == {"viewer": None}


async def test_what_a_header_names_is_looked_up_nowhere(api: Api, nika: Player, statements: Statements) -> None:
    tokens = [
        forged(nika, header)
        for header in (
            {"kid": "../../dev/null"},
            {"kid": "' OR 1=1--"},
            {"kid": "unknown"},
            {"jku": "https://evil.example/keys"},
            {"x5u": "file:///etc/passwd"},
        )
    ]
    reader = Tokens(KEYS, ISSUER, 600)
    statements.clear()
    for token in tokens:
        assert await is_refused(api, token)
        with watched() as touched, pytest.raises(Unauthenticated):
            reader.read(token)
        assert touched == []
    assert statements == []


def test_a_token_that_was_proved_ends_at_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Tokens(KEYS, ISSUER, 600)
    token, _ = reader.issue(uuid.uuid4(), uuid.uuid4())
    assert reader.read(token) == reader.read(token)
    monkeypatch.setattr(tokens, "LEEWAY", timedelta(seconds=-601))  # as if as much time had passed
    with pytest.raises(Unauthenticated, match="expired"):
        reader.read(token)


@contextmanager
def watched() -> Iterator[list[str]]:
    """Collect what Python opens or connects to meanwhile."""
    touched: list[str] = []
    is_over = False

    def note(event: str, _: object) -> None:
        if not is_over and (event == "open" or event.startswith(("socket.", "subprocess.", "sqlite3."))):
            touched.append(event)

    sys.addaudithook(note)  # can never be taken away again
    yield touched
    is_over = True
