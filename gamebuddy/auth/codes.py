"""One-time codes: made from a row's id and the server's key, and standing nowhere."""

import base64
import hmac
import uuid
from datetime import timedelta

from gamebuddy.auth.keys import Keys, Purpose

DIGITS = 6
LONG_CODE_BYTES = 10  # 80 bits: what works for days is not six digits
LIFETIME = timedelta(minutes=15)


class Codes:
    """Knows the code of every row in one_time_codes."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def code_of(self, row_id: uuid.UUID) -> str:
        """Give the six digits that belong to a row."""
        return _code(self._keys.sign(Purpose.ONE_TIME_CODE, row_id.bytes))

    def is_code_of(self, row_id: uuid.UUID, given: str) -> bool:
        """Tell whether somebody gives the code of a row; spaces around it do not count."""
        bare = given.strip().encode("utf-8", "surrogatepass")
        signatures = self._keys.signatures(Purpose.ONE_TIME_CODE, row_id.bytes)
        return any(hmac.compare_digest(_code(signature).encode(), bare) for signature in signatures)

    def long_code_of(self, row_id: uuid.UUID) -> str:
        """Give the code of a row that works for days, such as `abcd-efgh-ijkl-mnop`."""
        letters = _letters(self._keys.sign(Purpose.LONG_CODE, row_id.bytes))
        return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))

    def is_long_code_of(self, row_id: uuid.UUID, given: str) -> bool:
        """Tell whether somebody gives the long code of a row; spaces around it, case and dashes do not count."""
        bare = given.strip().lower().replace("-", "").encode("utf-8", "replace")
        signatures = self._keys.signatures(Purpose.LONG_CODE, row_id.bytes)
        return any(hmac.compare_digest(_letters(signature).encode(), bare) for signature in signatures)


def _code(signature: bytes) -> str:
    return f"{int.from_bytes(signature) % 10**DIGITS:0{DIGITS}}"


def _letters(signature: bytes) -> str:
    return base64.b32encode(signature[:LONG_CODE_BYTES]).decode().lower()
