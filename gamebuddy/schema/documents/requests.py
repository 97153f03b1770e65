"""What a client sends, on any transport, as far as GraphQL over HTTP describes it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from gamebuddy.schema.faults import BAD_INPUT, BAD_REQUEST, Refused

LONGEST_HASH = 256


def read_json(text: bytes | str) -> Any:
    """Read what a client sends.

    orjson takes no escaped half of a surrogate pair; to say which field has it, such a text is read once more by a
    reader that does.

    Raises:
        ValueError: when it is not JSON, or nested too deeply.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        if (b"\\u" if isinstance(text, bytes) else "\\u") not in text:  # type: ignore[operator]
            raise
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request: a document, or the name of one that the server knows, or both."""

    query: str | None
    persisted: str | None  # the hash or id of the document
    variables: dict[str, Any]
    operation_name: str | None
    extensions: dict[str, Any]

    @classmethod
    def read(cls, body: object) -> "Request":
        """Read the parameters of a request.

        Raises:
            Refused: BAD_REQUEST, when they are of other types than GraphQL over HTTP says.
        """
        if not isinstance(body, dict):
            raise Refused(BAD_REQUEST, "A request is one JSON object; batches are not taken.")
        query, operation_name = body.get("query"), body.get("operationName")
        variables, extensions = body.get("variables"), body.get("extensions")
        if not isinstance(operation_name, str | None):
            raise Refused(BAD_REQUEST, "`operationName` is a text.")
        if not isinstance(variables, dict | None):
            raise Refused(BAD_REQUEST, "`variables` is an object.")
        if not isinstance(extensions, dict | None):
            raise Refused(BAD_REQUEST, "`extensions` is an object.")
        persisted = _persisted((extensions or {}).get("persistedQuery"))
        if not (isinstance(query, str) and query.strip()) and (persisted is None or query not in (None, "")):
            raise Refused(BAD_REQUEST, "`query` is a text with a GraphQL document.")
        return cls(
            query=query or None,
            persisted=persisted,
            variables=variables or {},
            operation_name=operation_name or None,
            extensions=extensions or {},
        )


def _persisted(extension: object) -> str | None:
    match extension:
        case None:
            return None
        case {"version": 1, "sha256Hash": str() as name} if 0 < len(name) <= LONGEST_HASH:
            return name
        case _:
            raise Refused(BAD_REQUEST, "`persistedQuery` is an object with the version 1 and a sha256Hash.")


def require_sound_text(variables: Mapping[str, Any]) -> None:
    """Check every text in the variables, names too, once and before anything is done with them.

    Raises:
        Refused: BAD_USER_INPUT, for NUL and half of a surrogate pair.
    """
    stack: list[tuple[str, object]] = [("variables", variables)]
    while stack:
        place, value = stack.pop()
        match value:
            case str():
                require_sound(value, place.removeprefix("variables."))
            case dict():
                for name, part in value.items():
                    require_sound(name, place)
                    stack.append((f"{place}.{name}", part))
            case list():
                stack += [(f"{place}.{number}", part) for number, part in enumerate(value)]


def require_sound(text: str, place: str) -> None:
    """Check one text.

    Raises:
        Refused: BAD_USER_INPUT, for NUL and half of a surrogate pair.
    """
    if "\0" in text:
        raise Refused(BAD_INPUT, f"`{place}` has a NUL character.")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Refused(BAD_INPUT, f"`{place}` has half of a surrogate pair.") from None
