"""What a client can do wrong, as one tree.

GameBuddyError
├── Rejected          the caller can mend it: becomes `userErrors`, made of Problems
└── Refusal           a bug of the caller, a missing right, a limit or a fault: becomes a top-level error
    ├── BadInput            BAD_USER_INPUT
    ├── BadRequest          BAD_REQUEST
    ├── Unauthenticated     UNAUTHENTICATED
    ├── Forbidden           FORBIDDEN
    ├── NotFound            NOT_FOUND
    ├── RateLimited         RATE_LIMITED
    └── Unavailable         UNAVAILABLE
        └── TooSlow         the same, for a reader who has fallen behind

Everything else that is raised is a fault of ours: logged with a trace id and masked as INTERNAL_SERVER_ERROR.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar


class Code(StrEnum):
    """Why an input was rejected."""

    INVALID = "INVALID"
    TOO_SHORT = "TOO_SHORT"
    TOO_LONG = "TOO_LONG"
    TAKEN = "TAKEN"
    NOT_FOUND = "NOT_FOUND"
    NOT_ALLOWED = "NOT_ALLOWED"
    WEAK_PASSWORD = "WEAK_PASSWORD"  # noqa: S105 - the name of a code
    WRONG_CREDENTIALS = "WRONG_CREDENTIALS"
    EMAIL_NOT_VERIFIED = "EMAIL_NOT_VERIFIED"
    CODE_WRONG = "CODE_WRONG"
    CODE_EXPIRED = "CODE_EXPIRED"
    TOTP_REQUIRED = "TOTP_REQUIRED"
    TOTP_WRONG = "TOTP_WRONG"
    SESSION_REVOKED = "SESSION_REVOKED"
    ACCOUNT_BANNED = "ACCOUNT_BANNED"
    ACCOUNT_MUTED = "ACCOUNT_MUTED"
    RETRY_LATER = "RETRY_LATER"
    LIMIT_REACHED = "LIMIT_REACHED"
    CONFLICT = "CONFLICT"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"
    UNSUPPORTED = "UNSUPPORTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong with an input; `field` is the path below the input in snake case, list places as numbers.

    `retry_at` comes with RETRY_LATER; `reason` and `until` (None: for ever) with ACCOUNT_BANNED and ACCOUNT_MUTED.
    """

    code: Code
    message: str
    field: tuple[str | int, ...] = ()
    retry_at: datetime | None = None
    reason: str | None = None
    until: datetime | None = None


class GameBuddyError(Exception):
    """Whatever the server says no with."""


class Rejected(GameBuddyError):
    """The caller can mend every one of the problems."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(f"{p.code}: {p.message}" for p in problems))
        self.problems = problems


def reject(code: Code, message: str, *field: str | int) -> Rejected:
    """Make the usual rejection: one problem with one field."""
    return Rejected(Problem(code=code, message=message, field=field))


def retry_later(message: str, retry_at: datetime) -> Rejected:
    """Make the rejection of somebody who has to wait until `retry_at`."""
    return Rejected(Problem(code=Code.RETRY_LATER, message=message, retry_at=retry_at))


class Refusal(GameBuddyError):
    """The operation, or one field of it, is refused."""

    code: ClassVar[str]
    default_message: ClassVar[str]

    def __init__(self, message: str | None = None, **extensions: object) -> None:
        super().__init__(message or self.default_message)
        self.extensions = extensions


class BadInput(Refusal):
    """A value that no valid client sends."""

    code = "BAD_USER_INPUT"
    default_message = "The input is not valid."


class BadRequest(Refusal):
    """A request that is no GraphQL request."""

    code = "BAD_REQUEST"
    default_message = "The request is not valid."


class Unauthenticated(Refusal):
    """The caller has to sign in first, or again."""

    code = "UNAUTHENTICATED"
    default_message = "Sign in first."


class Forbidden(Refusal):
    """The caller's role or state does not allow it."""

    code = "FORBIDDEN"
    default_message = "You may not do this."


class NotFound(Refusal):
    """Unknown, hidden and forbidden objects alike."""

    code = "NOT_FOUND"
    default_message = "There is no such thing."


class RateLimited(Refusal):
    """Too much in too short a time."""

    code = "RATE_LIMITED"
    default_message = "Too many requests."

    def __init__(self, retry_at: datetime) -> None:
        super().__init__(None, retryAt=retry_at.isoformat())
        self.retry_at = retry_at


class Unavailable(Refusal):
    """The database, or room in a bounded queue, is missing for a moment."""

    code = "UNAVAILABLE"
    default_message = "The service is busy. Try again in a moment."


class TooSlow(Unavailable):
    """A reader has fallen too far behind; he comes back with his last place."""

    default_message = "You read too slowly. Come back with your last cursor."
