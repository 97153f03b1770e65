"""Frames of graphql-transport-ws: what a socket hears and why it is closed."""

from enum import IntEnum
from typing import Any

from gamebuddy.schema.documents import read_json

LONGEST_ID = 128

type Frame = dict[str, Any]


class Close(IntEnum):
    """Why a socket is closed. Clients retry 4403 and the codes below 2000, and take the others as final."""

    GOING_AWAY = 1001
    TOO_LARGE = 1009
    RESTARTING = 1012
    TRY_AGAIN_LATER = 1013
    BAD_FRAME = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    NO_SUBPROTOCOL = 4406
    NO_INIT_IN_TIME = 4408
    SAME_ID = 4409
    TOO_MANY = 4429


class Closed(Exception):
    """The socket is to be closed."""

    def __init__(self, code: Close, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def read_frame(text: str | None, most: int) -> Frame:
    """Read what came; `text` is None for bytes.

    Raises:
        Closed: for what is no frame, or has more than `most` characters.
    """
    if text is None:
        raise Closed(Close.BAD_FRAME, "Frames are text.")
    if len(text) > most:
        raise Closed(Close.TOO_LARGE, "The frame is too large.")
    try:
        frame = read_json(text)
    except ValueError:
        raise Closed(Close.BAD_FRAME, "The frame is not JSON.") from None
    if not isinstance(frame, dict) or not isinstance(frame.get("type"), str):
        raise Closed(Close.BAD_FRAME, "A frame is an object with a type.")
    return frame


def id_of(frame: Frame) -> str:
    """Give the id of an operation.

    Raises:
        Closed: when there is none.
    """
    operation_id = frame.get("id")
    if not isinstance(operation_id, str) or not 0 < len(operation_id) <= LONGEST_ID:
        raise Closed(Close.BAD_FRAME, f"An id is a text of 1 to {LONGEST_ID} characters.")
    return operation_id


def names_a_document(payload: dict[str, Any]) -> bool:
    """Tell whether a subscribe says what to execute: by a text or by a hash."""
    if payload.get("query") is None:
        extensions = payload.get("extensions")
        return isinstance(extensions, dict) and "persistedQuery" in extensions
    return isinstance(payload["query"], str)


def payload_of(frame: Frame) -> dict[str, Any]:
    """Give the payload under its name, where there is one: an object or null.

    Raises:
        Closed: for anything else.
    """
    if frame.get("payload") is None:
        return {}
    if not isinstance(frame["payload"], dict):
        raise Closed(Close.BAD_FRAME, "A payload is an object.")
    return {"payload": frame["payload"]}
