"""One-time codes: six digits that are made from a row's id and the server's key, and stand nowhere."""

import hmac
import uuid
from datetime import timedelta

from gamebuddy.auth.keys import Keys, Purpose

DIGITS = 6
LIFETIME = timedelta(minutes=15)


class Codes:
    """Knows the code of every row in one_time_codes."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def code_of(self, row_id: uuid.UUID) -> str:
        """Give the six digits that belong to a row."""
        number = int.from_bytes(self._keys.sign(Purpose.ONE_TIME_CODE, row_id.bytes)) % 10**DIGITS
        return f"{number:0{DIGITS}}"

    def is_code_of(self, row_id: uuid.UUID, given: str) -> bool:
        """Tell whether somebody gives the code of a row; spaces around it do not count."""
        return hmac.compare_digest(self.code_of(row_id).encode(), given.strip().encode("utf-8", "surrogatepass"))
