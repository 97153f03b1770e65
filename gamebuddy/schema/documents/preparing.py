"""From a request to an operation that may be executed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import strawberry
from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLSchema,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    StringValueNode,
    parse,
    specified_rules,
    validate,
)
from graphql.language import Node
from strawberry.extensions import SchemaExtension

from gamebuddy.schema.caching import Shared
from gamebuddy.schema.documents.persisted import persisted
from gamebuddy.schema.documents.requests import Request, require_sound, require_sound_text
from gamebuddy.schema.documents.walk import Walk
from gamebuddy.schema.faults import PARSE_FAILED, TOO_COSTLY, UNRESOLVED, VALIDATION_FAILED, Refused
from gamebuddy.schema.memory import Memory
from gamebuddy.settings import Settings

MOST_PARSED = 300_000  # characters of the documents that are remembered; parsed, each takes 100 to 300 bytes
DEEPEST = 25  # GraphiQL's introspection takes 15
MOST_DIRECTIVES = 50
MOST_FRAGMENTS = 100  # each is compared with each
MOST_NAMESAKES = 20  # fields of one name in one selection: comparing them with each other is quadratic


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
    """Prepares requests for one schema under the limits of the settings.

    Raises, when it is made:
        SettingsError: when a trusted document does not fit.
    """

    def __init__(self, schema: strawberry.Schema, settings: Settings) -> None:
        self._schema: GraphQLSchema = schema._schema  # noqa: SLF001 - validation needs graphql-core's own
        self._settings = settings
        rules = specified_rules if settings.introspection else (*specified_rules, NoSchemaIntrospectionCustomRule)
        self._rules = tuple(rules)
        self._parsed: Memory[str, DocumentNode] = Memory(MOST_PARSED)
        self._persisted = persisted(settings, self._read)
        self._shared = Shared(schema)

    def prepare(self, request: Request) -> Prepared:
        """Find, parse, validate and measure what is asked for.

        Raises:
            Refused: with the code of what is wrong.
        """
        text = self._persisted.find(request)
        document = self._parsed.get(text)
        if document is None:
            document = self._read(text)
            self._parsed.put(text, document, len(text))
        operation = _operation(document, request.operation_name)
        require_sound_text(request.variables)
        walk = Walk(self._schema, document, request.variables)
        walk.require_few_authentications(operation)
        cost = walk.cost(operation)
        if cost > self._settings.max_cost:
            raise Refused(TOO_COSTLY, f"This costs {cost}; at most {self._settings.max_cost} is allowed.")
        self._persisted.keep(request)
        return Prepared(replace(request, query=text), document, operation, cost)

    def age(self, prepared: Prepared) -> timedelta | None:
        """Give how long caches may keep the answer to somebody who is not signed in; None: not at all."""
        if prepared.type is not OperationType.QUERY:
            return None
        return self._shared.age(Walk(self._schema, prepared.document, {}).fields(prepared.operation))

    def _read(self, text: str) -> DocumentNode:
        """Parse and validate."""
        require_sound(text, "query")
        try:
            document = parse(text, max_tokens=self._settings.max_tokens)
        except GraphQLSyntaxError as error:
            raise Refused.of(PARSE_FAILED, [error]) from None
        except RecursionError:
            raise Refused(PARSE_FAILED, "The document is nested too deeply.") from None
        self._require_small(document)
        hide = not self._settings.introspection
        if errors := validate(self._schema, document, self._rules, max_errors=20, hide_suggestions=hide):
            raise Refused.of(VALIDATION_FAILED, errors)
        return document

    def _require_small(self, document: DocumentNode) -> None:
        """Bound what validation would be slow on."""
        aliases = directives = fragments = 0
        for node, depth in _nodes(document):
            if depth > DEEPEST:
                raise Refused(TOO_COSTLY, f"A document has at most {DEEPEST} levels.")
            aliases += isinstance(node, FieldNode) and node.alias is not None
            directives += isinstance(node, DirectiveNode)
            fragments += isinstance(node, FragmentDefinitionNode)
            if isinstance(node, SelectionSetNode):
                names = [part.name.value for part in node.selections if isinstance(part, FieldNode)]
                if len(names) - len(set(names)) > max(MOST_NAMESAKES, self._settings.max_aliases):
                    raise Refused(TOO_COSTLY, "One selection repeats a field too often.")
            if isinstance(node, StringValueNode):
                require_sound(node.value, "a text in the document")
        if aliases > self._settings.max_aliases:
            raise Refused(TOO_COSTLY, f"A document has at most {self._settings.max_aliases} aliases.")
        if fragments > MOST_FRAGMENTS:
            raise Refused(TOO_COSTLY, f"A document has at most {MOST_FRAGMENTS} fragments.")
        if directives > MOST_DIRECTIVES:
            raise Refused(TOO_COSTLY, f"A document has at most {MOST_DIRECTIVES} directives.")


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
