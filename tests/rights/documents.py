"""Smallest documents for every root field, made from the schema: well-formed, and about nothing that exists."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    build_schema,
    get_named_type,
    is_composite_type,
    is_required_argument,
    is_required_input_field,
)

from gamebuddy import db
from gamebuddy.schema import ids, root
from gamebuddy.schema.ids import Kind
from tests.api import Api, Json

SCHEMA = build_schema(root.sdl())
ROOTS = {"Query": SCHEMA.query_type, "Mutation": SCHEMA.mutation_type, "Subscription": SCHEMA.subscription_type}
# What an argument or input field of type ID points at, by its name; a plain `id` by that of its operation, too.
KINDS: dict[str, tuple[Kind, ...]] = {
    "userId": (Kind.USER,), "userIds": (Kind.USER,), "memberIds": (Kind.USER,), "actorId": (Kind.USER,),
    "targetId": (Kind.USER,), "gameId": (Kind.GAME,), "gameIds": (Kind.GAME,), "genreIds": (Kind.GENRE,),
    "roleIds": (Kind.GAME_ROLE,), "rankId": (Kind.GAME_RANK,), "sessionId": (Kind.SESSION,), "chatId": (Kind.CHAT,),
    "requestId": (Kind.TEAMMATE_REQUEST,), "replyToId": (Kind.MESSAGE,), "chat.id": (Kind.CHAT,),
    "message.id": (Kind.MESSAGE,), "messageId": (Kind.MESSAGE,), "forwardMessageId": (Kind.MESSAGE,),
    "reportId": (Kind.REPORT,), "appealId": (Kind.APPEAL,),
    "inviteLinkId": (Kind.INVITE_LINK,), "authorId": (Kind.USER,), "uploadId": (Kind.UPLOAD,),
    "avatarUploadId": (Kind.UPLOAD,), "attachmentUploadIds": (Kind.UPLOAD,),
    "fromId": (Kind.GAME,), "intoId": (Kind.GAME,), "genreId": (Kind.GENRE,), "ruleId": (Kind.WORD_RULE,),
    "user.id": (Kind.USER,), "game.id": (Kind.GAME,), "node.id": tuple(Kind), "nodes.ids": tuple(Kind),
}  # fmt: skip
BY_TYPE = {
    "Int": 1, "Float": 1.0, "Boolean": True, "EmailAddress": "somebody.new@example.com", "Cursor": "AAAA",
    "DateTime": "2099-01-01T00:00:00Z", "LanguageTag": "en", "CountryCode": "DE", "TimeZone": "Europe/Berlin",
}  # fmt: skip
BY_NAME = {
    "mediaType": "image/png",
    "fileName": "a.png",
    "username": "somebody_new",
    "code": "123456",
    "birthDate": "2000-01-01",
    "emoji": "👍",
    "slug": "no-such-thing",
    "phrase": "no such word",
    "reason": "why not",
    "nameEn": "Nothing",
    "nameRu": "Ничто",
}
# What the schema lets one leave out, though nothing is looked at without it.
NEEDED = {"sendMessage.text"}
# What excludes what is needed.
INSTEAD = {"forwardMessageId": "text"}
TEXT = "correct horse 7"  # long and strong enough for a password, short enough for a title

type Ids = Callable[[Kind], str]


@dataclass(frozen=True)
class Place:
    """Where an operation takes an id, and of what."""

    operation: str
    path: tuple[str, ...]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What the id may point at; several where any id is taken."""
        name, field = self.path[-1], self.operation.partition(".")[2]
        found = KINDS.get(name) or KINDS.get(f"{field}.{name}")
        assert found, f"say in KINDS of tests/rights/documents.py what the id at {self} points at"
        return found

    def __str__(self) -> str:
        """Say it like Query.user(by.id)."""
        return f"{self.operation}({'.'.join(self.path)})"


def nobody(kind: Kind) -> str:
    """Give the id of nothing."""
    return ids.write(kind, db.new_id())


def operations() -> dict[str, GraphQLField]:
    """Give every root field under its full name, such as Query.viewer."""
    found: dict[str, GraphQLField] = {}
    for name, kind in ROOTS.items():
        assert isinstance(kind, GraphQLObjectType)
        found |= {f"{name}.{field_name}": field for field_name, field in kind.fields.items()}
    return found


def places() -> list[Place]:
    """Give every argument and input field of type ID, however deep it lies."""
    return [
        Place(operation, path)
        for operation, field in operations().items()
        for name, argument in field.args.items()
        for path in _ids_below(argument.type, (name,))
    ]


def document(
    operation: str, *, place: Place | None = None, given: object = "", ids_of: Ids = nobody, depth: int = 0
) -> tuple[str, Json]:
    """Write a document for a root field, and its variables.

    What may be left out is left out, but for the way to `place`, where `given` stands. `depth` is how far the answer
    is asked for: 0 for its type and its userErrors alone.
    """
    root_name, _, name = operation.partition(".")
    field = operations()[operation]
    values = _Values(place.path if place else (), given, ids_of, name)
    taken = {
        arg: definition
        for arg, definition in field.args.items()
        if is_required_argument(definition) or values.is_on_the_way((arg,))
    }
    variables = {arg: values.value(definition.type, (arg,)) for arg, definition in taken.items()}
    declared = ", ".join(f"${arg}: {definition.type}" for arg, definition in taken.items())
    passed = ", ".join(f"{arg}: ${arg}" for arg in taken)
    head = f"{root_name.lower()}({declared})" if declared else root_name.lower()
    call = f"{name}({passed})" if passed else name
    return f"{head} {{ {call} {_selection(field.type, depth)} }}", variables


async def send(api: Api, operation: str, text: str, variables: Json) -> Json:
    """Send a document the way it has to go; gives body and status of the answer, of a stream what comes first."""
    if not operation.startswith("Subscription."):
        answer = await api.post(text, variables)
        return {**answer.json(), "status": answer.status_code}
    async with api.socket() as socket:
        await socket.start(text, **variables)
        frame = await socket.receive()
    return {"errors": frame["payload"]} if frame["type"] == "error" else dict(frame["payload"])


@dataclass(frozen=True)
class _Values:
    """Makes values for inputs; `path` leads to where `given` stands."""

    path: tuple[str, ...]
    given: object
    ids_of: Ids
    field: str

    def is_on_the_way(self, path: tuple[str, ...]) -> bool:
        return self.path[: len(path)] == path

    def value(self, kind: GraphQLInputType, path: tuple[str, ...]) -> Any:
        if isinstance(kind, GraphQLNonNull):
            return self.value(kind.of_type, path)
        if isinstance(kind, GraphQLList):
            return [self.value(kind.of_type, path)]
        if isinstance(kind, GraphQLInputObjectType):
            return {name: self.value(kind.fields[name].type, (*path, name)) for name in self._chosen(kind, path)}
        return self._leaf(kind, path)

    def _leaf(self, kind: GraphQLScalarType | GraphQLEnumType, path: tuple[str, ...]) -> Any:
        if isinstance(kind, GraphQLEnumType):
            return next(iter(kind.values))
        if kind.name == "ID":
            return self.given if path == self.path else self.ids_of(Place(f".{self.field}", path).kinds[0])
        if kind.name == "UUID":
            return str(db.new_id())
        return BY_TYPE.get(kind.name) or BY_NAME.get(path[-1], TEXT)

    def _chosen(self, kind: GraphQLInputObjectType, path: tuple[str, ...]) -> list[str]:
        on_the_way = [name for name in kind.fields if self.is_on_the_way((*path, name))]
        if kind.is_one_of:
            return on_the_way or list(kind.fields)[:1]
        return [
            name
            for name, field in kind.fields.items()
            if is_required_input_field(field)
            or name in on_the_way
            or (f"{self.field}.{name}" in NEEDED and name not in map(INSTEAD.get, on_the_way))
        ]


def _ids_below(kind: GraphQLInputType, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    named = get_named_type(kind)
    if named.name == "ID":
        yield path
    elif isinstance(named, GraphQLInputObjectType):
        for name, field in named.fields.items():
            yield from _ids_below(field.type, (*path, name))


def _selection(kind: GraphQLOutputType, depth: int) -> str:
    named = get_named_type(kind)
    if not is_composite_type(named):
        return ""
    parts = ["__typename"]
    if isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
        for name, field in named.fields.items():
            if name == "userErrors":
                parts.append("userErrors { code path message }")
            elif depth and not any(map(is_required_argument, field.args.values())):
                parts.append(f"{name} {_selection(field.type, depth - 1)}".strip())
    return f"{{ {' '.join(parts)} }}"
