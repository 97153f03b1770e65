"""What GraphQL clients see of the tree in gamebuddy.errors."""

import strawberry
from strawberry.utils.str_converters import to_camel_case

from gamebuddy.errors import Code, Problem, Rejected
from gamebuddy.schema.describe import describe_enum
from gamebuddy.schema.scalars import Moment

describe_enum(
    Code,
    "Why an input was rejected. New values may come.",
    name="UserErrorCode",
    INVALID="The value breaks a rule that the message names.",
    TOO_SHORT="The text has too few characters.",
    TOO_LONG="The text has too many characters, or the list too many items.",
    TAKEN="Somebody else has it already.",
    NOT_FOUND="There is no such thing, or it is hidden from you.",
    NOT_ALLOWED="You may not do this to this object.",
    WEAK_PASSWORD="The password is well known or made of your own names.",  # noqa: S106 - a description
    WRONG_CREDENTIALS="Login and password do not belong together.",
    EMAIL_NOT_VERIFIED="The password is right, the e-mail address is not confirmed yet.",
    CODE_WRONG="The code is not the one that was sent last.",
    CODE_EXPIRED="The code is too old, used, or was tried too often: ask for a new one.",
    TOTP_REQUIRED="The account asks for a second factor.",
    TOTP_WRONG="The second factor is wrong or was used already.",
    SESSION_REVOKED="The session has ended: sign in again.",
    ACCOUNT_BANNED="The account is banned; `Sanctioned` says why and until when.",
    ACCOUNT_MUTED="The account may not write for now; `Sanctioned` says until when.",
    RETRY_LATER="Too many tries: `retryAt` of RetryLater says when the next one counts.",
    LIMIT_REACHED="A limit on how many there may be is reached.",
    CONFLICT="It has changed meanwhile: load it again.",
    IDEMPOTENCY_MISMATCH="This clientId was used before with other content.",
    UNSUPPORTED="A file of a type that is not taken, or whose bytes are something else.",
)


@strawberry.interface(
    description='What the caller can mend. `path` leads to the input field at fault and starts with "input". '
    "A mutation has succeeded exactly when `userErrors` is empty. Seen by the caller."
)
class UserError:
    """See the description."""

    code: Code = strawberry.field(description="Why, for programs.")
    message: str = strawberry.field(description="Why, for people, in English.")
    path: list[str] = strawberry.field(description="The way to the field at fault, list places as numbers.")


@strawberry.type(description="A value that can be mended at once.")
class InputError(UserError):
    """See the description."""


@strawberry.type(description="Too many tries: nothing was checked.")
class RetryLater(UserError):
    """See the description."""

    retry_at: Moment = strawberry.field(description="From when on a try counts again.")


@strawberry.type(description="The account is banned or muted. A ban is told of after the right password only.")
class Sanctioned(UserError):
    """See the description."""

    reason: str | None = strawberry.field(description="Why, in the words of the staff.")
    until: Moment | None = strawberry.field(description="Until when; null for ever.")


def user_errors(rejected: Rejected) -> list[UserError]:
    """Say to a client what it can mend."""
    return [_user_error(problem) for problem in rejected.problems]


def _user_error(problem: Problem) -> UserError:
    path = ["input", *(to_camel_case(part) if isinstance(part, str) else str(part) for part in problem.field)]
    if problem.retry_at is not None:
        return RetryLater(code=problem.code, message=problem.message, path=path, retry_at=Moment(problem.retry_at))
    if problem.code in {Code.ACCOUNT_BANNED, Code.ACCOUNT_MUTED}:
        return Sanctioned(
            code=problem.code,
            message=problem.message,
            path=path,
            reason=problem.reason,
            until=Moment(problem.until) if problem.until else None,
        )
    return InputError(code=problem.code, message=problem.message, path=path)


@strawberry.type(description="Nothing to give back but what went wrong.")
class DonePayload:
    """See the description."""

    is_done: bool = strawberry.field(description="True exactly when `userErrors` is empty.", default=False)
    user_errors: list[UserError] = strawberry.field(
        description="What to mend; empty exactly on success.", default_factory=list
    )
