"""One secret, many keys: what is signed or sealed for one purpose is worthless for another."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from enum import StrEnum

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

SIGNATURE_BYTES = 32


class Purpose(StrEnum):
    """What a key signs or seals."""

    ACCESS_TOKEN = "access-token"  # noqa: S105 - the name of a purpose
    REFRESH_TOKEN = "refresh-token"  # noqa: S105 - the name of a purpose
    ONE_TIME_CODE = "one-time-code"
    LONG_CODE = "long-code"
    CURSOR = "cursor"
    FILE_LINK = "file-link"
    TOTP_SECRET = "totp-secret"  # noqa: S105 - the name of a purpose


class NotVouchedFor(Exception):
    """This was not made by us, or for something else."""


class Unsealable(Exception):
    """No key opens this: it was sealed with a secret that is retired, or for another purpose, or is damaged."""


class Keys:
    """Gives a key of 32 bytes for each purpose (HMAC-SHA-256 of the secret over the purpose, as in HKDF-Expand).

    Whatever is new is made with the newest secret; what was made with one of the others still counts.
    """

    def __init__(self, secret: bytes, previous: Sequence[bytes] = ()) -> None:
        secrets = (secret, *previous)
        self._keys = {name: [_sign(one, f"gamebuddy/1/{name}".encode()) for one in secrets] for name in Purpose}

    def __getitem__(self, purpose: Purpose) -> bytes:
        """Give the newest key of a purpose."""
        return self._keys[purpose][0]

    def by_id(self, purpose: Purpose) -> Mapping[str, bytes]:
        """Give the keys of a purpose, the newest first, under ids that anybody may see and learns nothing from."""
        return {_sign(key, b"gamebuddy/1/key-id").hex()[:8]: key for key in self._keys[purpose]}

    def sign(self, purpose: Purpose, message: bytes) -> bytes:
        """Give the 32 bytes of HMAC-SHA-256 that vouch for the message."""
        return _sign(self[purpose], message)

    def signatures(self, purpose: Purpose, message: bytes) -> Sequence[bytes]:
        """Give what each key signs the message with, the newest first."""
        return [_sign(key, message) for key in self._keys[purpose]]

    def vouches(
        self, purpose: Purpose, message: bytes, signature: bytes, *, signature_bytes: int = SIGNATURE_BYTES
    ) -> bool:
        """Tell whether one of the keys signed the message; `signature_bytes` is how much of a signature was kept."""
        return any(
            hmac.compare_digest(expected[:signature_bytes], signature) for expected in self.signatures(purpose, message)
        )

    def ticket(self, purpose: Purpose, scope: str, body: bytes, *, signature_bytes: int) -> str:
        """Write what clients bring back as it was given to them, in a URL too; the scope is signed, not carried."""
        signature = self.sign(purpose, _ticket(scope, body))[:signature_bytes]
        return base64.urlsafe_b64encode(signature + body).decode().rstrip("=")

    def read_ticket(self, purpose: Purpose, scope: str, ticket: str, *, signature_bytes: int) -> bytes:
        """Give the body of a ticket.

        Raises:
            NotVouchedFor: when it is none, or one of another scope.
        """
        try:
            raw = base64.b64decode(ticket + "=" * (-len(ticket) % 4), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            raise NotVouchedFor from None
        signature, body = raw[:signature_bytes], raw[signature_bytes:]
        if not self.vouches(purpose, _ticket(scope, body), signature, signature_bytes=signature_bytes):
            raise NotVouchedFor
        return body

    def seal(self, purpose: Purpose, data: bytes) -> bytes:
        """Encrypt what has to be read again, so that nobody reads or changes it where it is kept."""
        return self._fernet(purpose).encrypt(data)

    def unseal(self, purpose: Purpose, sealed: bytes) -> bytes:
        """Give back what was sealed for this purpose.

        Raises:
            Unsealable: when no key opens it.
        """
        try:
            return self._fernet(purpose).decrypt(sealed)
        except InvalidToken:
            raise Unsealable from None

    def _fernet(self, purpose: Purpose) -> MultiFernet:
        return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in self._keys[purpose]])


def _ticket(scope: str, body: bytes) -> bytes:
    return scope.encode() + b"\0" + body


def _sign(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, hashlib.sha256)
