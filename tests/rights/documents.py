"""Smallest documents for every root field, made from the schema: well-formed, and about nothing that exists."""

from collections.abc import Callable, Iterator
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    is_composite_type,
    is_required_argument,
    is_required_input_field,
)

from gamebuddy import db
from gamebuddy.schema import ids, root
from gamebuddy.schema.ids import Kind

SCHEMA = build_schema(root.sdl())
ROOTS = {"Query": SCHEMA.query_type, "Mutation": SCHEMA.mutation_type, "Subscription": SCHEMA.subscription_type}
# What an argument or field of type ID points at, by its name; `id` alone means what its operation is about.
KINDS = {
    "userId": Kind.USER, "userIds": Kind.USER, "memberIds": Kind.USER, "actorId": Kind.USER, "targetId": Kind.USER,
    "gameId": Kind.GAME, "gameIds": Kind.GAME, "genreIds": Kind.GENRE, "roleIds": Kind.GAME_ROLE,
    "rankId": Kind.GAME_RANK, "sessionId": Kind.SESSION, "requestId": Kind.TEAMMATE_REQUEST, "chatId": Kind.CHAT,
    "replyToId": Kind.MESSAGE, "messageId": Kind.MESSAGE, "chat.id": Kind.CHAT, "message.id": Kind.MESSAGE,
    "user.id": Kind.USER, "game.id": Kind.GAME, "node.id": Kind.CHAT, "nodes.ids": Kind.CHAT,
}  # fmt: skip
TEXTS = {
    "EmailAddress": "somebody.new@example.com",
    "Cursor": "AAAA",
    "DateTime": "2099-01-01T00:00:00Z",
    "LanguageTag": "en",
    "CountryCode": "DE",
    "TimeZone": "Europe/Berlin",
}
NAMES = {"username": "somebody_new", "code": "123456", "birthDate": "2000-01-01"}

type Ids = Callable[[Kind], str]


def nobody(kind: Kind) -> str:
    """Give the id of nothing."""
    return ids.write(kind, db.new_id())


def operations() -> Iterator[tuple[str, GraphQLField]]:
    """Give every root field under its full name, such as Query.viewer."""
    for name, kind in ROOTS.items():
        assert isinstance(kind, GraphQLObjectType)
        for field_name, field in kind.fields.items():
            yield f"{name}.{field_name}", field


def document(operation: str, ids_of: Ids = nobody, *, everything: bool = False) -> tuple[str, dict[str, Any]]:
    """Write a document for a root field, and its variables; with `everything` also what may be left out."""
    root_name, name = operation.split(".")
    kind = ROOTS[root_name]
    assert isinstance(kind, GraphQLObjectType)
    field = kind.fields[name]
    taken = {arg: one for arg, one in field.args.items() if everything or is_required_argument(one)}
    variables = {arg: _value(one.type, f"{name}.{arg}", ids_of, everything) for arg, one in taken.items()}
    declared = ", ".join(f"${arg}: {one.type}" for arg, one in taken.items())
    passed = ", ".join(f"{arg}: ${arg}" for arg in taken)
    fields = ""
    if is_composite_type(get_named_type(field.type)):
        named = get_named_type(field.type)
        has_errors = isinstance(named, GraphQLObjectType) and "userErrors" in named.fields
        fields = "{ __typename userErrors { code path message } }" if has_errors else "{ __typename }"
    head = f"{root_name.lower()} ({declared})" if declared else root_name.lower()
    call = f"{name}({passed})" if passed else name
    return f"{head} {{ {call} {fields} }}", variables


def kinds_in(operation: str) -> set[Kind]:
    """Tell which kinds of ids an operation takes."""
    seen: set[Kind] = set()

    def note(kind: Kind) -> str:
        seen.add(kind)
        return nobody(kind)

    document(operation, note, everything=True)
    return seen


def _value(kind: GraphQLInputType, place: str, ids_of: Ids, everything: bool) -> Any:
    if isinstance(kind, GraphQLNonNull):
        return _value(kind.of_type, place, ids_of, everything)
    if isinstance(kind, GraphQLList):
        return [_value(kind.of_type, place, ids_of, everything)]
    if isinstance(kind, GraphQLInputObjectType):
        fields = list(kind.fields.items())
        chosen = fields[:1] if kind.is_one_of else [f for f in fields if everything or is_required_input_field(f[1])]
        above, _, _ = place.partition(".")
        return {name: _value(field.type, f"{above}.{name}", ids_of, everything) for name, field in chosen}
    _, _, name = place.rpartition(".")
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if kind.name == "ID":
        return ids_of(KINDS.get(name) or KINDS[place])
    plain: dict[str, Any] = {"Int": 1, "Float": 1.0, "Boolean": True, "UUID": str(db.new_id())}
    return plain.get(kind.name) or TEXTS.get(kind.name) or NAMES.get(name, "correct horse 7")
