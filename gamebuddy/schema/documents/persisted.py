"""Documents that a request names by a hash instead of sending them, as Apollo clients do.

`off`: none are known. `apq`: whatever was sent once with its hash, valid and within the limits, is known afterwards
(https://www.apollographql.com/docs/apollo-server/performance/apq). `trusted`: the documents of the manifests that the
makers of clients hand over are known, and everything else is refused.
"""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal, Protocol

from graphql import DocumentNode, OperationDefinitionNode
from pydantic import BaseModel, Field, ValidationError

from gamebuddy.schema.documents.requests import Request
from gamebuddy.schema.faults import BAD_REQUEST, Refused
from gamebuddy.schema.memory import Memory
from gamebuddy.settings import PREFIX, PersistedQueries, Settings, SettingsError

MOST_TEXT = 8_000_000  # characters; thousands of operations of real clients


def _unknown(code: str, message: str) -> Refused:
    """Say it in the words that Apollo clients look for; Apollo iOS takes any other status for a broken connection."""
    return Refused(code, message, status=200, **{"Cache-Control": "private, no-cache, must-revalidate"})


class Persisted(Protocol):
    """A way to find documents."""

    def find(self, request: Request) -> str:
        """Give the text that a request stands for.

        Raises:
            Refused: when it is not known, or may not be sent.
        """

    def keep(self, request: Request) -> None:
        """Learn a document that has been found valid and within the limits."""


class Off:
    """Documents are sent; a hash beside one is not looked at."""

    def find(self, request: Request) -> str:
        """Give the text that was sent."""
        if request.query is None:
            raise _unknown("PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported")
        return request.query

    def keep(self, request: Request) -> None:
        """Learn nothing."""


class Automatic:
    """Documents are sent once with their hash; each process learns for itself, and forgets what nobody used."""

    def __init__(self, most: int = MOST_TEXT) -> None:
        self.texts: Memory[str, str] = Memory(most)

    def find(self, request: Request) -> str:
        """Give the text that was sent, or the one that has the hash."""
        if request.query is not None:
            if request.persisted is not None and request.persisted != _digest(request.query):
                raise Refused(BAD_REQUEST, "The sha256Hash is not the hash of the query.")
            return request.query
        text = self.texts.get(request.persisted or "")
        if text is None:
            raise _unknown("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
        return text

    def keep(self, request: Request) -> None:
        """Learn a document that came with its hash."""
        if request.query is not None and request.persisted is not None:
            self.texts.put(request.persisted, request.query, len(request.query))


class Operation(BaseModel):
    """An operation of a manifest with the fragments it needs."""

    id: str = Field(min_length=1)
    name: str = Field(min_length=1)
    type: Literal["query", "mutation", "subscription"]
    body: str

    def stands_in(self, document: DocumentNode) -> bool:
        """Tell whether the body is what it is called."""
        return any(
            isinstance(part, OperationDefinitionNode)
            and part.operation.value == self.type
            and part.name is not None
            and part.name.value == self.name
            for part in document.definitions
        )


class Manifest(BaseModel):
    """What Apollo's tools write for clients of the web, iOS and Kotlin."""

    format: Literal["apollo-persisted-query-manifest"]
    version: Literal[1]
    operations: list[Operation]


class Trusted:
    """Only what stands in the manifests, by its id or word by word.

    Raises, when it is made:
        SettingsError: with one line that names the file and what is wrong with it.
    """

    def __init__(self, manifests: Iterable[Path], read: Callable[[str], DocumentNode]) -> None:
        self._texts: dict[str, str] = {}
        for path in manifests:
            for operation in _manifest(path).operations:
                if self._texts.setdefault(operation.id, operation.body) != operation.body:
                    raise SettingsError(f"{_named(path)}: {operation.name} has the id of another operation")
                try:
                    is_sound = operation.stands_in(read(operation.body))
                except Refused as refused:
                    message = refused.errors[0]["message"]
                    raise SettingsError(f"{_named(path)}: {operation.name} is not taken: {message}") from None
                if not is_sound:
                    raise SettingsError(f"{_named(path)}: the body has no {operation.type} {operation.name}")
        self._known = frozenset(self._texts.values())

    def find(self, request: Request) -> str:
        """Give the text that has the id, or the one that was sent if it is one of them."""
        if request.query is not None:
            if request.query not in self._known:
                raise Refused("FORBIDDEN", "Only documents that this server was told of are taken.")
            return request.query
        text = self._texts.get(request.persisted or "")
        if text is None:
            raise _unknown("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
        return text

    def keep(self, request: Request) -> None:
        """Learn nothing."""


def _manifest(path: Path) -> Manifest:
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise SettingsError(f"{_named(path)}: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"{_named(path)}: {place} {first['msg']}".replace(":  ", ": ")) from None


def _named(path: Path) -> str:
    return f"{PREFIX}TRUSTED_DOCUMENTS {path}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def persisted(settings: Settings, read: Callable[[str], DocumentNode]) -> Persisted:
    """Choose the way of the settings; `read` parses a document, or refuses what fits neither schema nor limits.

    Raises:
        SettingsError: with one line that names the manifest and what is wrong with it.
    """
    match settings.persisted_queries:
        case PersistedQueries.OFF:
            return Off()
        case PersistedQueries.APQ:
            return Automatic()
        case PersistedQueries.TRUSTED:
            return Trusted(settings.trusted_documents, read)
