"""Access tokens, which say who it is for ten minutes, and refresh tokens, which get the next one."""

import base64
import binascii
import re
import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import jwt

from gamebuddy.auth.keys import Keys, Purpose
from gamebuddy.errors import Unauthenticated

ISSUER = "gamebuddy"
AUDIENCE = "gamebuddy-api"
ALGORITHM = "HS256"
TYPE = "at+jwt"  # RFC 9068: no other kind of JWT passes for an access token
REQUIRED = ["exp", "iat", "aud", "iss", "sub", "sid", "jti"]
LEEWAY = timedelta(seconds=30)
LONGEST_TOKEN = 4_096
MOST_REMEMBERED = 4_096

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid access token says."""

    account_id: uuid.UUID
    session_id: uuid.UUID
    expires_at: datetime


class Tokens:
    """Issues and reads access tokens. `lifetime` is in seconds."""

    def __init__(self, keys: Keys, issuer: str, lifetime: int) -> None:
        self._keys = keys.by_id(Purpose.ACCESS_TOKEN)
        self._issuer = issuer
        self._lifetime = lifetime
        # A client shows its token with every request for ten minutes; to prove it takes longer than small answers do.
        self._proved = lru_cache(MOST_REMEMBERED)(self._prove)

    def issue(self, account_id: uuid.UUID, session_id: uuid.UUID) -> tuple[str, datetime]:
        """Give a token for a session, and when it expires."""
        issued = int(datetime.now(UTC).timestamp())
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": str(account_id),
            "sid": str(session_id),
            "jti": secrets.token_urlsafe(12),
            "iat": issued,
            "exp": issued + self._lifetime,
        }
        kid, key = next(iter(self._keys.items()))  # the newest
        token = jwt.encode(claims, key, ALGORITHM, headers=_header(kid))
        return token, datetime.fromtimestamp(issued + self._lifetime, UTC)

    def read(self, token: str) -> Claims:
        """Read a token.

        Raises:
            Unauthenticated: for anything but an unexpired token that was issued here.
        """
        if len(token) > LONGEST_TOKEN or not _COMPACT.fullmatch(token):
            raise Unauthenticated("The access token is not valid.")
        claims = self._proved(token)
        if datetime.now(UTC) >= claims.expires_at + LEEWAY:
            raise Unauthenticated("The access token has expired.")
        return claims

    def _prove(self, token: str) -> Claims:
        try:
            _require_canonical(token)
            # PyJWT lets pass a missing claim, any typ, and numbers that no clock shows: each is asked for by name.
            found = jwt.decode_complete(
                token,
                self._key_of(jwt.get_unverified_header(token)),
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=self._issuer,
                leeway=LEEWAY,
                options={"require": REQUIRED, "strict_aud": True, "enforce_minimum_key_length": True},
            )
            return self._claims(found["payload"])
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("The access token has expired.") from None
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            raise Unauthenticated("The access token is not valid.") from None

    def _key_of(self, header: dict[str, Any]) -> bytes:
        """Give the key that a header names; it has to be one that is written here, so no jku, x5u or crit is read.

        Raises:
            ValueError: for any other header.
        """
        for kid, key in self._keys.items():
            if header == _header(kid):
                return key
        raise ValueError("header")

    def _claims(self, payload: dict[str, Any]) -> Claims:
        issued, expires = payload["iat"], payload["exp"]
        if type(issued) is not int or type(expires) is not int or not 0 < expires - issued <= self._lifetime:
            raise ValueError("lifetime")
        return Claims(uuid.UUID(payload["sub"]), uuid.UUID(payload["sid"]), datetime.fromtimestamp(expires, UTC))


@dataclass(frozen=True, slots=True)
class Presented:
    """A refresh token as somebody presents it; whether it is genuine shows with the session's salt."""

    session_id: uuid.UUID
    generation: int
    signature: bytes


class RefreshTokens:
    """Writes and reads refresh tokens: session, generation, and an HMAC over both and the session's salt.

    Nothing of a token is stored, so nothing can be stolen from the database; every one that was ever issued can be
    told from a forged one, so a stolen one that is used late gives itself away.
    """

    _SESSION, _GENERATION, _SIGNATURE = 16, 4, 32

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def write(self, session_id: uuid.UUID, salt: bytes, generation: int) -> str:
        """Write the token of one generation of a session; the same each time."""
        body = session_id.bytes + generation.to_bytes(self._GENERATION)
        signature = self._keys.sign(Purpose.REFRESH_TOKEN, self._message(session_id, salt, generation))
        return base64.urlsafe_b64encode(body + signature).decode().rstrip("=")

    def read(self, token: str) -> Presented | None:
        """Read what somebody presents; None when no token of ours looks like this."""
        size = self._SESSION + self._GENERATION + self._SIGNATURE
        try:
            raw = _decoded(token)
        except (ValueError, binascii.Error):
            return None
        if len(raw) != size:
            return None
        session_id, rest = uuid.UUID(bytes=raw[: self._SESSION]), raw[self._SESSION :]
        return Presented(session_id, int.from_bytes(rest[: self._GENERATION]), rest[self._GENERATION :])

    def is_genuine(self, presented: Presented, salt: bytes) -> bool:
        """Tell whether it was issued here, now or earlier, for the session with this salt."""
        message = self._message(presented.session_id, salt, presented.generation)
        return self._keys.vouches(Purpose.REFRESH_TOKEN, message, presented.signature)

    def _message(self, session_id: uuid.UUID, salt: bytes, generation: int) -> bytes:
        return session_id.bytes + salt + generation.to_bytes(self._GENERATION)


def _header(kid: str) -> dict[str, str]:
    return {"alg": ALGORITHM, "typ": TYPE, "kid": kid}


def _decoded(part: str) -> bytes:
    """Decode base64url without padding; one value has one spelling.

    Raises:
        ValueError: for anything else.
    """
    if len(part) > LONGEST_TOKEN:
        raise ValueError("too long")
    raw = base64.b64decode(f"{part}{'=' * (-len(part) % 4)}", altchars=b"-_", validate=True)
    if base64.urlsafe_b64encode(raw).decode().rstrip("=") != part:
        raise ValueError("spare bits")
    return raw


def _require_canonical(token: str) -> None:
    for part in token.split("."):
        _decoded(part)
