"""Every error that leaves, on every transport: its code, and nothing that is nobody's business."""

import secrets
from collections.abc import Iterable
from typing import Any

import structlog
from graphql import GraphQLError

from gamebuddy.errors import BadInput, Refusal, Rejected

log = structlog.get_logger(__name__)

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
UNRESOLVED = "OPERATION_RESOLUTION_FAILURE"
TOO_COSTLY = "COST_LIMIT_EXCEEDED"
BAD_INPUT = "BAD_USER_INPUT"
BAD_REQUEST = "BAD_REQUEST"

MASKED = "Something went wrong on our side. The trace id finds it in the log."

type Formatted = dict[str, Any]


class Refused(Exception):
    """A request that is refused before it is executed; `errors` are ready to be sent."""

    def __init__(self, code: str, *messages: str, status: int = 400, **headers: str) -> None:
        super().__init__(*messages)
        self.code = code
        self.errors: list[Formatted] = [error(message, code) for message in messages]
        self.status = status
        self.headers = headers

    @classmethod
    def of(cls, code: str, errors: Iterable[GraphQLError]) -> "Refused":
        """Refuse with errors that know where in the document they are."""
        refused = cls(code)
        refused.errors = [_formatted(found, found.message, {"code": code}) for found in errors]
        return refused


def error(message: str, code: str, **extensions: object) -> Formatted:
    """Write an error that is nowhere in a document."""
    return {"message": message, "extensions": {"code": code, **extensions}}


def refusal(refused: Refusal) -> Formatted:
    """Write a refusal of the domain that no field raised."""
    return error(str(refused), refused.code, **refused.extensions)


def executed(errors: Iterable[GraphQLError] | None) -> list[Formatted]:
    """Write the errors of an execution; what is a fault of ours is logged under a trace id and masked."""
    return [_executed(found) for found in errors or ()]


def masked(fault: BaseException) -> Formatted:
    """Log a fault of ours and write what a client may know of it."""
    trace_id = secrets.token_hex(8)
    log.error("fault", trace_id=trace_id, exc_info=fault)
    return error(MASKED, "INTERNAL_SERVER_ERROR", traceId=trace_id)


def cause_of(found: GraphQLError) -> Exception | None:
    """Give what was raised, below what graphql-core has wrapped around it."""
    cause = found.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _executed(found: GraphQLError) -> Formatted:
    cause = cause_of(found)
    if isinstance(cause, Refusal):
        return _formatted(found, str(cause), {"code": cause.code, **cause.extensions})
    if isinstance(cause, Rejected):
        return _formatted(found, cause.problems[0].message, {"code": BadInput.code})
    # Variables and arguments that do not fit their types: graphql-core says so before any field of ours runs. What
    # breaks a stream has no path either, but no place in the document.
    does_not_fit = found.path is None and bool(found.nodes)
    if cause is None or isinstance(cause, GraphQLError) or does_not_fit:
        # Names that come near are not told where introspection is off; who validates a document gets them from there.
        return _formatted(found, found.message.partition(" Did you mean ")[0], {"code": BadInput.code})
    hidden = masked(cause)
    return _formatted(found, hidden["message"], hidden["extensions"])


def _formatted(found: GraphQLError, message: str, extensions: dict[str, object]) -> Formatted:
    formatted: Formatted = {"message": message}
    if found.locations:
        formatted["locations"] = [{"line": place.line, "column": place.column} for place in found.locations]
    if found.path is not None:
        formatted["path"] = list(found.path)
    formatted["extensions"] = extensions
    return formatted
