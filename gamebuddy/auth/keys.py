"""One secret, many keys: what is signed for one purpose is worthless for another."""

import hashlib
import hmac
from enum import StrEnum


class Purpose(StrEnum):
    """What a key signs."""

    ACCESS_TOKEN = "access-token"  # noqa: S105 - the name of a purpose
    REFRESH_TOKEN = "refresh-token"  # noqa: S105 - the name of a purpose
    ONE_TIME_CODE = "one-time-code"
    CURSOR = "cursor"


class Keys:
    """Gives a key of 32 bytes for each purpose (HMAC-SHA-256 of the secret over the purpose, as in HKDF-Expand)."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def __getitem__(self, purpose: Purpose) -> bytes:
        """Give the key of a purpose."""
        return hmac.digest(self._secret, f"gamebuddy/1/{purpose}".encode(), hashlib.sha256)

    def sign(self, purpose: Purpose, message: bytes) -> bytes:
        """Give the 32 bytes of HMAC-SHA-256 that vouch for the message."""
        return hmac.digest(self[purpose], message, hashlib.sha256)
