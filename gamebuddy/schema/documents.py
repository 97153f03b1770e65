"""What is asked for, before anything is executed: parsed, valid, within the limits.

Parsing and validating are remembered by document. Strawberry's own limiters walk fragments once for every place that
spreads them, which is exponential in a chain of them; here each fragment is walked once.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson
import strawberry
from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSyntaxError,
    InlineFragmentNode,
    IntValueNode,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    StringValueNode,
    VariableNode,
    get_named_type,
    parse,
    specified_rules,
    validate,
)
from graphql.language import Node
from strawberry.extensions import SchemaExtension

from gamebuddy.schema.faults import Refused
from gamebuddy.settings import Settings

REMEMBERED = 1_000
LONGEST_REMEMBERED = 16_384
DEEPEST = 25  # GraphiQL's introspection takes 15
MOST_DIRECTIVES = 50
MOST_NAMESAKES = 20  # fields of one name in one selection: comparing them with each other is quadratic
LARGEST_PAGE = 100  # what a field counts that asks for more than any list gives: the list itself refuses it by name
PAGE_ARGUMENTS = ("first", "last")
AUTHENTICATING = frozenset(
    {"register", "verifyEmail", "resendVerification", "signIn", "signInAsGuest", "refreshSession",
     "requestPasswordReset", "resetPassword", "recoverUsername", "changePassword", "changeEmail",
     "confirmEmailChange", "undoEmailChange", "deleteAccount", "restoreAccount", "beginTotp", "confirmTotp",
     "removeTotp", "renewRecoveryCodes", "createUser"}
)  # fmt: skip

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
UNRESOLVED = "OPERATION_RESOLUTION_FAILURE"
TOO_COSTLY = "COST_LIMIT_EXCEEDED"
BAD_INPUT = "BAD_USER_INPUT"
BAD_REQUEST = "BAD_REQUEST"


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
    """What a client sends, on any transport."""

    query: str
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
        if not isinstance(query, str) or not query.strip():
            raise Refused(BAD_REQUEST, "`query` is a text with a GraphQL document.")
        if not isinstance(operation_name, str | None):
            raise Refused(BAD_REQUEST, "`operationName` is a text.")
        if not isinstance(variables, dict | None):
            raise Refused(BAD_REQUEST, "`variables` is an object.")
        if not isinstance(extensions, dict | None):
            raise Refused(BAD_REQUEST, "`extensions` is an object.")
        return cls(
            query=query, variables=variables or {}, operation_name=operation_name or None, extensions=extensions or {}
        )


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that may be executed."""

    request: Request
    document: DocumentNode
    operation: OperationDefinitionNode
    cost: int

    @property
    def type(self) -> OperationType:
        """Query, mutation or subscription."""
        return self.operation.operation

    @property
    def extensions(self) -> dict[str, Any] | None:
        """What the answer tells besides the data: the cost, where it was asked for."""
        return {"cost": self.cost} if self.request.extensions.get("cost") else None


class UsePrepared(SchemaExtension):
    """Hands Strawberry the document that was prepared, so that it neither parses nor validates again."""

    def on_parse(self) -> Iterator[None]:
        """Set the document."""
        if prepared := getattr(self.execution_context.context, "prepared", None):
            self.execution_context.graphql_document = prepared.document
        yield

    def on_validate(self) -> Iterator[None]:
        """Say that there is nothing to complain of."""
        if getattr(self.execution_context.context, "prepared", None):
            self.execution_context.pre_execution_errors = []
        yield


class Documents:
    """Prepares requests for one schema under the limits of the settings."""

    def __init__(self, schema: strawberry.Schema, settings: Settings) -> None:
        self._schema: GraphQLSchema = schema._schema  # noqa: SLF001 - validation needs graphql-core's own
        self._settings = settings
        rules = specified_rules if settings.introspection else (*specified_rules, NoSchemaIntrospectionCustomRule)
        self._rules = tuple(rules)
        self._remembered = lru_cache(REMEMBERED)(self._read)

    def prepare(self, request: Request) -> Prepared:
        """Parse, validate and measure a request.

        Raises:
            Refused: with the code of what is wrong.
        """
        read = self._remembered if len(request.query) <= LONGEST_REMEMBERED else self._read
        document = read(request.query)
        operation = _operation(document, request.operation_name)
        _require_sound_text(request.variables)
        walk = Walk(self._schema, document, request.variables)
        walk.require_few_authentications(operation)
        cost = walk.cost(operation)
        if cost > self._settings.max_cost:
            raise Refused(TOO_COSTLY, f"This costs {cost}; at most {self._settings.max_cost} is allowed.")
        return Prepared(request, document, operation, cost)

    def _read(self, query: str) -> DocumentNode:
        """Parse and validate; what is refused is not remembered, because lru_cache keeps no exceptions."""
        _require_sound(query, "query")
        try:
            document = parse(query, max_tokens=self._settings.max_tokens)
        except GraphQLSyntaxError as error:
            raise Refused.of(PARSE_FAILED, [error]) from None
        except RecursionError:
            raise Refused(PARSE_FAILED, "The document is nested too deeply.") from None
        self._require_small(document)
        errors = validate(self._schema, document, self._rules, max_errors=20)
        if errors:
            raise Refused.of(VALIDATION_FAILED, [self._without_hints(error) for error in errors])
        return document

    def _require_small(self, document: DocumentNode) -> None:
        """Bound what validation would be slow on."""
        aliases = directives = 0
        for node, depth in _nodes(document):
            if depth > DEEPEST:
                raise Refused(TOO_COSTLY, f"A document has at most {DEEPEST} levels.")
            aliases += isinstance(node, FieldNode) and node.alias is not None
            directives += isinstance(node, DirectiveNode)
            if isinstance(node, SelectionSetNode):
                names = [part.name.value for part in node.selections if isinstance(part, FieldNode)]
                if len(names) - len(set(names)) > max(MOST_NAMESAKES, self._settings.max_aliases):
                    raise Refused(TOO_COSTLY, "One selection repeats a field too often.")
            if isinstance(node, StringValueNode):
                _require_sound(node.value, "a text in the document")
        if aliases > self._settings.max_aliases:
            raise Refused(TOO_COSTLY, f"A document has at most {self._settings.max_aliases} aliases.")
        if directives > MOST_DIRECTIVES:
            raise Refused(TOO_COSTLY, f"A document has at most {MOST_DIRECTIVES} directives.")

    def _without_hints(self, error: GraphQLError) -> GraphQLError:
        if not self._settings.introspection:
            error.message = re.sub(r" Did you mean .*\?$", "", error.message, flags=re.DOTALL)
        return error


@dataclass(slots=True)
class Walk:
    """One walk over an operation with its variables; every fragment is walked once for each type it stands on."""

    schema: GraphQLSchema
    document: DocumentNode
    variables: Mapping[str, Any]
    _fragments: dict[str, FragmentDefinitionNode] = field(init=False)
    _costs: dict[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find the fragments."""
        self._fragments = {
            part.name.value: part for part in self.document.definitions if isinstance(part, FragmentDefinitionNode)
        }

    def cost(self, operation: OperationDefinitionNode) -> int:
        """Give the number of fields that may be resolved: each page counts its size times what is asked of an item."""
        return self._cost(operation.selection_set, self.schema.get_root_type(operation.operation))

    def require_few_authentications(self, operation: OperationDefinitionNode) -> None:
        """Let at most one root field try a secret; and a subscription start with one field that is always there.

        Raises:
            Refused: otherwise.
        """
        fields = list(self._root_fields(operation.selection_set))
        if sum(field.name.value in AUTHENTICATING for field in fields) > 1:
            raise Refused(TOO_COSTLY, "A document signs in, registers or recovers at most once.")
        if operation.operation is OperationType.SUBSCRIPTION and any(field.directives for field in fields):
            raise Refused(VALIDATION_FAILED, "The root field of a subscription takes no @skip and no @include.")

    def _root_fields(self, selections: SelectionSetNode) -> Iterator[FieldNode]:
        seen: set[str] = set()
        stack = [selections]
        while stack:
            for part in stack.pop().selections:
                match part:
                    case FieldNode():
                        yield part
                    case InlineFragmentNode():
                        stack.append(part.selection_set)
                    case FragmentSpreadNode() if part.name.value not in seen:
                        seen.add(part.name.value)
                        stack.append(self._fragments[part.name.value].selection_set)

    def _cost(self, selections: SelectionSetNode | None, on: GraphQLNamedType | None) -> int:
        total = 0
        for part in selections.selections if selections else ():
            match part:
                case FieldNode() if not part.name.value.startswith("__"):
                    total += self._field_cost(part, on)
                case InlineFragmentNode():
                    named = part.type_condition
                    total += self._cost(part.selection_set, self.schema.get_type(named.name.value) if named else on)
                case FragmentSpreadNode():
                    total += self._fragment_cost(part.name.value)
        return total

    def _fragment_cost(self, name: str) -> int:
        fragment = self._fragments[name]
        on = fragment.type_condition.name.value
        key = (name, on)
        if key not in self._costs:
            self._costs[key] = self._cost(fragment.selection_set, self.schema.get_type(on))
        return self._costs[key]

    def _field_cost(self, node: FieldNode, on: GraphQLNamedType | None) -> int:
        if not isinstance(on, GraphQLObjectType | GraphQLInterfaceType):
            return 1
        definition = on.fields[node.name.value]
        below = self._cost(node.selection_set, get_named_type(definition.type))
        sizes = [
            self._size(node, name, definition.args[name].default_value)
            for name in PAGE_ARGUMENTS
            if name in definition.args
        ]
        return (
            1 + max((size for size in sizes if size is not None), default=1 if not sizes else LARGEST_PAGE // 2) * below
        )

    def _size(self, node: FieldNode, name: str, default: object) -> int | None:
        size: object = default
        for argument in node.arguments or ():
            if argument.name.value == name:
                value = argument.value
                if isinstance(value, VariableNode):
                    size = self.variables.get(value.name.value, default)
                elif isinstance(value, IntValueNode):
                    size = int(value.value)
        return min(LARGEST_PAGE, max(1, size)) if isinstance(size, int) else None


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operations = [part for part in document.definitions if isinstance(part, OperationDefinitionNode)]
    if name is not None:
        operations = [part for part in operations if part.name and part.name.value == name]
    if not operations:
        raise Refused(UNRESOLVED, f"There is no operation {name}." if name else "There is no operation.")
    if len(operations) > 1:
        raise Refused(UNRESOLVED, "There are several operations: `operationName` has to name one.")
    return operations[0]


def _nodes(document: DocumentNode) -> Iterator[tuple[Node, int]]:
    """Give every node with the number of selections it is below."""
    stack: list[tuple[Node, int]] = [(document, 0)]
    while stack:
        node, depth = stack.pop()
        yield node, depth
        below = depth + isinstance(node, SelectionSetNode)
        for key in node.keys:
            value = getattr(node, key)
            if isinstance(value, Node):
                stack.append((value, below))
            elif isinstance(value, list | tuple):
                stack += [(part, below) for part in value if isinstance(part, Node)]


def _require_sound_text(variables: Mapping[str, Any]) -> None:
    """Check every text in the variables, names too, once and before anything is done with them."""
    stack: list[tuple[str, object]] = [("variables", variables)]
    while stack:
        place, value = stack.pop()
        match value:
            case str():
                _require_sound(value, place.removeprefix("variables."))
            case dict():
                for name, part in value.items():
                    _require_sound(name, place)
                    stack.append((f"{place}.{name}", part))
            case list():
                stack += [(f"{place}.{number}", part) for number, part in enumerate(value)]


def _require_sound(text: str, place: str) -> None:
    if "\0" in text:
        raise Refused(BAD_INPUT, f"`{place}` has a NUL character.")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Refused(BAD_INPUT, f"`{place}` has half of a surrogate pair.") from None
