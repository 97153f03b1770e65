"""How Apollo iOS 2 reads the parts of a subscription, rule by rule; our own writing of what its sources do.

Of its releases the strictest rule is taken each time: some let pass a line break behind the last boundary, some do not.
"""

from dataclasses import dataclass, field
from typing import Any

import orjson

LINE_BREAK = b"\r\n"
CLOSING = b"--"
PROTOCOL = "subscriptionSpec=1.0"
CONTENT_TYPES = {"application/json", "application/graphql-response+json"}


class Unreadable(AssertionError):
    """Apollo iOS would give its caller an error of its own here."""


@dataclass
class AppleParts:
    """Reads a body byte by byte: a part is there as soon as the boundary behind it has come."""

    content_type: str
    heartbeats: int = 0
    bodies: list[Any] = field(default_factory=list)
    _buffer: bytearray = field(default_factory=bytearray)
    _boundary: bytes = b""

    def __post_init__(self) -> None:
        components = [component.strip() for component in self.content_type.split(";")]
        media = [component for component in components if component.startswith("multipart/")]
        boundaries = [component for component in components if component.startswith("boundary=")]
        protocols = [component for component in components if "Spec=" in component]
        if media != ["multipart/mixed"] or len(boundaries) != 1:
            raise Unreadable(f"no boundary in {self.content_type}")
        if protocols != [PROTOCOL]:
            raise Unreadable(f"another protocol in {self.content_type}")
        self._boundary = LINE_BREAK + b"--" + boundaries[0].partition("=")[2].strip('"').encode()

    def feed(self, data: bytes) -> None:
        """Take what has come."""
        for byte in data:
            self._buffer.append(byte)
            if self._buffer.endswith(self._boundary):
                part = bytes(self._buffer[: -len(self._boundary)])
                self._buffer.clear()
                self._take(part)

    def close(self) -> None:
        """The body has ended: what is left is a part as well."""
        self._take(bytes(self._buffer))

    def _take(self, part: bytes) -> None:
        part = part.removeprefix(LINE_BREAK)
        if part in {b"", CLOSING}:
            return
        for line in part.split(LINE_BREAK * 2):
            if self._is_read(line.strip(LINE_BREAK)):
                return

    def _is_read(self, line: bytes) -> bool:
        """Read one line of a part; tell whether the rest of the part is not looked at any more."""
        if line == b"{}":
            self.heartbeats += 1
            return False
        name, colon, value = line.partition(b":")
        if colon and name.lower() == b"content-type":
            kinds = {kind.strip() for kind in value.decode().split(";")}
            if not kinds & CONTENT_TYPES:
                raise Unreadable(f"a part of {kinds}")
            return False
        try:
            body = orjson.loads(line)
        except orjson.JSONDecodeError:
            raise Unreadable(f"no JSON: {line!r}") from None
        if not isinstance(body, dict) or not isinstance(body.get("payload"), dict | None):
            raise Unreadable(f"no payload: {body}")
        # Errors beside the payload end the stream; the first of them has to say why.
        if body.get("errors") is not None and not isinstance(body["errors"][0]["message"], str):
            raise Unreadable(f"errors without a message: {body}")
        self.bodies.append(body)
        return True
