"""The executor that Strawberry is given: by plan where there can be one, else as graphql-core does it."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import orjson
from graphql import (
    Executor,
    FieldNode,
    GraphQLAbstractType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    Node,
    VariableNode,
)
from graphql.execution.collect_fields import GroupedFieldSet
from graphql.execution.executor import invalid_return_type_error, to_nodes
from graphql.execution.values import get_argument_values
from graphql.pyutils import AwaitableOrValue, Path
from strawberry import Info
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.schema_converter import get_arguments

from gamebuddy.schema.plans.planning import Planner, Plans
from gamebuddy.schema.plans.shapes import Called, Field, Object


class PlannedExecution(StrawberryGraphQLCoreExecutionContext):
    """One execution: of a query, of a mutation, or of one event of a subscription."""

    _arguments: dict[Called, Mapping[str, Any]]
    _document: Hashable = None  # of a subscription: what is the same for all who follow by the same words

    def build_per_event_executor(self, payload: Any) -> Executor[Any]:
        """Make the executor of one event."""
        if self._document is None:
            self._document = document_of(self)
        return super().build_per_event_executor(payload)

    def execute_operation(self, serially: bool | None = None) -> AwaitableOrValue[Any]:
        """Execute: an event that many follow together with them."""
        if self._document is None or not getattr(self.root_value, "has_audience", False):
            return super().execute_operation(serially)
        context = self.context_value
        return context.services.sharing.result(context, self._document, self.root_value, self._execute_event)

    async def _execute_event(self, event: Any) -> Any:
        self.root_value = event
        result = super().execute_operation(False)
        return await result if self.is_awaitable(result) else result

    def execute_root_grouped_field_set(
        self,
        root_type: GraphQLObjectType,
        root_value: Any,
        grouped_field_set: GroupedFieldSet,
        serially: bool,
        position_context: Any,
    ) -> AwaitableOrValue[dict[str, Any]]:
        """Execute by plan, if there is one."""
        plan = self._plan(root_type, grouped_field_set)
        if plan is None:
            return super().execute_root_grouped_field_set(
                root_type, root_value, grouped_field_set, serially, position_context
            )
        self._arguments = {}
        if not plan.is_async:
            return plan.resolve(self, root_value, None)
        if serially:
            return plan.resolve_in_turn(self, root_value)
        return plan.resolve_later(self, root_value, None)

    def arguments_of(self, field: Called) -> Mapping[str, Any]:
        """Give what a function is called with besides the object: read once an execution, whatever the objects."""
        found = self._arguments.get(field)
        if found is None:
            found = self._arguments[field] = self._read_arguments(field)
        return found

    def kind_of(self, value: object, field: Field, abstract: GraphQLAbstractType) -> GraphQLObjectType:
        """Find the type of an object behind an interface or a union."""
        info = self._info(field)
        name = (abstract.resolve_type or self.type_resolver)(value, info, abstract)
        return self.ensure_valid_runtime_type(name, abstract, field.details, info, value)

    def require_kind(self, value: object, field: Field, kind: GraphQLObjectType) -> None:
        """Make sure that an object is of its type.

        Raises:
            GraphQLError: when it is not.
        """
        if kind.is_type_of is not None and not kind.is_type_of(value, self._info(field)):
            raise invalid_return_type_error(kind, value, field.details)

    def _plan(self, root_type: GraphQLObjectType, grouped_field_set: GroupedFieldSet) -> Object | None:
        prepared = getattr(self.context_value, "prepared", None)
        if prepared is None:
            return None
        # Which fields are asked for may depend on variables, but on no others.
        switches = tuple(sorted(item for item in self.variable_values.coerced.items() if isinstance(item[1], bool)))
        name = self.operation.name.value if self.operation.name else None
        plans: Plans = self.schema._strawberry_schema.plans  # type: ignore[attr-defined]  # noqa: SLF001
        key = prepared.request.query, name, switches
        return plans.find(key, Planner(self.schema, self.collect_subfields), root_type, grouped_field_set)

    def _read_arguments(self, field: Called) -> Mapping[str, Any]:
        """Read them as graphql-core and Strawberry do."""
        node, definition = field.details[0].node, field.definition
        given: dict[str, Any] = {}
        if definition.args or node.arguments:
            given = get_argument_values(definition, node, self.variable_values, None, self.hide_suggestions)
        converter = self.schema._strawberry_schema.schema_converter  # type: ignore[attr-defined]  # noqa: SLF001
        _, arguments = get_arguments(
            field=field.strawberry_field,
            source=None,
            info=Info(_raw_info=self._info(field), _field=field.strawberry_field),
            kwargs=given,
            config=converter.config,
            scalar_registry=converter.scalar_registry,
        )
        return arguments

    def _info(self, field: Field) -> GraphQLResolveInfo[Any]:
        """Tell a function about its field. The path is no object's: the same is told for all of them."""
        path = Path(None, field.key, field.parent.name)
        return self.build_resolve_info(field.definition, to_nodes(field.details), field.parent, path)


def document_of(executor: Executor[Any]) -> Hashable:
    """Name what a subscription shows of its events: text, operation, and the variables below its root field.

    Those of the root field itself, the place to go on from for one, decide which events there are, not how they look.
    """
    prepared = executor.context_value.prepared
    if prepared is None:
        return None
    given = prepared.request.variables or {}
    inner = {name: given[name] for name in sorted(set(_inner_variables(executor))) if name in given}
    return prepared.request.query, prepared.request.operation_name, orjson.dumps(inner)


def _inner_variables(executor: Executor[Any]) -> Iterator[str]:
    for selection in executor.operation.selection_set.selections:
        parts = [selection.directives, selection.selection_set] if isinstance(selection, FieldNode) else [selection]
        yield from _variables(parts)
    for fragment in executor.fragments.values():
        yield from _variables(fragment.definition)


def _variables(found: object) -> Iterator[str]:
    """Give the names of the variables in a node, or in nodes."""
    if isinstance(found, VariableNode):
        yield found.name.value
    elif isinstance(found, Node):
        for key in found.keys:
            yield from _variables(getattr(found, key))
    elif isinstance(found, list | tuple):
        for one in found:
            yield from _variables(one)
