"""Walks over an operation with its variables: each fragment once, however many places spread it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)

from gamebuddy.schema.faults import TOO_COSTLY, VALIDATION_FAILED, Refused

LARGEST_PAGE = 100  # what a field counts that asks for more than any list gives: the list itself refuses it by name
PAGE_ARGUMENTS = ("first", "last")
AUTHENTICATING = frozenset(
    {"register", "verifyEmail", "resendVerification", "signIn", "signInAsGuest", "refreshSession",
     "requestPasswordReset", "resetPassword", "recoverUsername", "changePassword", "changeEmail",
     "confirmEmailChange", "undoEmailChange", "deleteAccount", "restoreAccount", "beginTotp", "confirmTotp",
     "removeTotp", "renewRecoveryCodes", "createUser", "appealBan"}
)  # fmt: skip


@dataclass(slots=True)
class Walk:
    """One document with its variables; the document is valid."""

    schema: GraphQLSchema
    document: DocumentNode
    variables: Mapping[str, Any]
    _fragments: dict[str, FragmentDefinitionNode] = field(init=False)
    _costs: dict[str, int] = field(default_factory=dict)  # by fragment

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
        root = self.schema.get_root_type(operation.operation)
        fields = [found for on, found in self.fields(operation) if on is root]
        if sum(found.name.value in AUTHENTICATING for found in fields) > 1:
            raise Refused(TOO_COSTLY, "A document signs in, registers or recovers at most once.")
        if operation.operation is OperationType.SUBSCRIPTION and any(found.directives for found in fields):
            raise Refused(VALIDATION_FAILED, "The root field of a subscription takes no @skip and no @include.")

    def fields(self, operation: OperationDefinitionNode) -> Iterator[tuple[GraphQLNamedType | None, FieldNode]]:
        """Give every field below an operation, with the type it stands on; those of introspection have none."""
        seen: set[str] = set()
        root: GraphQLNamedType | None = self.schema.get_root_type(operation.operation)
        stack = [(operation.selection_set, root)]
        while stack:
            selections, on = stack.pop()
            for part in selections.selections:
                match part:
                    case FieldNode():
                        yield on, part
                        if part.selection_set:
                            stack.append((part.selection_set, self._type_of(part, on)))
                    case InlineFragmentNode():
                        stack.append((part.selection_set, self._narrowed(part, on)))
                    case FragmentSpreadNode() if part.name.value not in seen:
                        seen.add(part.name.value)
                        fragment = self._fragments[part.name.value]
                        stack.append((fragment.selection_set, self._narrowed(fragment, on)))

    def _cost(self, selections: SelectionSetNode | None, on: GraphQLNamedType | None) -> int:
        total = 0
        for part in selections.selections if selections else ():
            match part:
                case FieldNode() if not part.name.value.startswith("__"):
                    total += self._field_cost(part, on)
                case InlineFragmentNode():
                    total += self._cost(part.selection_set, self._narrowed(part, on))
                case FragmentSpreadNode():
                    total += self._fragment_cost(part.name.value)
        return total

    def _fragment_cost(self, name: str) -> int:
        if name not in self._costs:
            fragment = self._fragments[name]
            self._costs[name] = self._cost(fragment.selection_set, self._narrowed(fragment, None))
        return self._costs[name]

    def _field_cost(self, node: FieldNode, on: GraphQLNamedType | None) -> int:
        if not isinstance(on, GraphQLObjectType | GraphQLInterfaceType):
            return 1
        arguments = on.fields[node.name.value].args
        sizes = [self._size(node, name, arguments[name].default_value) for name in PAGE_ARGUMENTS if name in arguments]
        told = [size for size in sizes if size is not None]
        times = max(told, default=1 if not sizes else LARGEST_PAGE // 2)
        return 1 + times * self._cost(node.selection_set, self._type_of(node, on))

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

    def _type_of(self, node: FieldNode, on: GraphQLNamedType | None) -> GraphQLNamedType | None:
        """Give the type of what a field gives; None within introspection, whose fields stand on no type of ours."""
        if not isinstance(on, GraphQLObjectType | GraphQLInterfaceType) or node.name.value not in on.fields:
            return None
        kind: GraphQLNamedType = get_named_type(on.fields[node.name.value].type)
        return kind

    def _narrowed(
        self, part: InlineFragmentNode | FragmentDefinitionNode, on: GraphQLNamedType | None
    ) -> GraphQLNamedType | None:
        return self.schema.get_type(part.type_condition.name.value) if part.type_condition else on
