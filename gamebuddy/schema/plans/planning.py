"""Makes the plan of an operation: everything that can be known before there are values."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, cast

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution.collect_fields import CollectedFields, FieldDetailsList, GroupedFieldSet
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from gamebuddy.schema.memory import Memory
from gamebuddy.schema.plans.coercing import AS_IT_IS, coercion_of
from gamebuddy.schema.plans.shapes import (
    Abstract,
    Attribute,
    Awaited,
    Called,
    Field,
    Happened,
    Items,
    Leaf,
    Object,
    Plain,
    Shape,
    Typename,
)

type Collect = Callable[[GraphQLObjectType, FieldDetailsList], CollectedFields]

TYPENAME = "__typename"
MOST_FIELDS = 1_500  # of a plan, each counted once for every type that it may stand on
FIELD = 10  # characters of text that a planned field counts for; it takes about half a kilobyte
MOST_KEPT = 300_000  # characters


class Unplanned(Exception):
    """An operation that is interpreted: introspection, what no field here does yet, or far too many fields."""


@dataclass(slots=True)
class Planner:
    """Plans one operation; `collect` merges what is asked for below a field, as graphql-core does."""

    schema: GraphQLSchema
    collect: Collect
    size: int = 0  # fields so far
    _objects: dict[tuple[GraphQLObjectType, tuple[int, ...]], Object] = field(default_factory=dict)

    def root(self, kind: GraphQLObjectType, grouped: GroupedFieldSet) -> Object:
        """Plan the root fields.

        Raises:
            Unplanned: see there.
        """
        shape = Object(kind=kind)
        shape.fill(self._fields(kind, grouped))
        return shape

    def _fields(self, kind: GraphQLObjectType, grouped: GroupedFieldSet) -> list[Field]:
        self.size += len(grouped)
        if self.size > MOST_FIELDS:
            raise Unplanned
        return [self._field(kind, key, details) for key, details in grouped.items()]

    def _field(self, parent: GraphQLObjectType, key: str, details: FieldDetailsList) -> Field:
        name = details[0].node.name.value
        definition = self.schema.get_field(parent, name)
        if definition is None or (name.startswith("__") and name != TYPENAME):
            raise Unplanned
        shape = self._shape(definition.type, details)
        common: dict[str, Any] = {
            "key": key,
            "name": name,
            "parent": parent,
            "definition": definition,
            "details": details,
            "shape": shape,
        }
        if name == TYPENAME:
            return Typename(**common)
        if definition.subscribe is not None:
            return Happened(**common)
        return self._found(definition, shape, common)

    def _found(self, definition: GraphQLField, shape: Shape, common: dict[str, Any]) -> Field:
        """Plan how a value is found: as Strawberry does it."""
        how = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if not isinstance(how, StrawberryField) or how.extensions:
            raise Unplanned
        resolver = how.base_resolver
        if resolver is None:
            if how.default_resolver is not getattr:
                raise Unplanned
            if isinstance(shape, Leaf):
                return Plain(**common, attribute=how.python_name, coerce=shape.coerce)
            return Attribute(**common, attribute=how.python_name)
        if resolver.parent_parameter or resolver.root_parameter:
            raise Unplanned
        call = Awaited if how.is_async else Called
        return call(
            **common,
            function=cast("Callable[..., Any]", resolver.wrapped_func),
            takes_source=resolver.self_parameter is not None,
            strawberry_field=how,
        )

    def _shape(self, kind: GraphQLOutputType, details: FieldDetailsList) -> Shape:
        if is_non_null_type(kind):
            return self._shape(kind.of_type, details)
        if is_list_type(kind):
            return Items(item=self._shape(kind.of_type, details), item_type=kind.of_type)
        if is_leaf_type(kind):
            return Leaf(coerce=coercion_of(kind), as_it_is=AS_IT_IS.get(kind.name))
        if is_object_type(kind):
            return self._object(kind, details)
        if is_abstract_type(kind):
            abstract = Abstract(kind=kind)
            abstract.fill({one: self._object(one, details) for one in self.schema.get_possible_types(kind)})
            return abstract
        raise Unplanned

    def _object(self, kind: GraphQLObjectType, details: FieldDetailsList) -> Object:
        """Plan an object; the same fields of the same type, behind however many interfaces, are planned once."""
        key = kind, tuple(id(detail.node) for detail in details)
        found = self._objects.get(key)
        if found is None:
            found = self._objects[key] = Object(kind=kind)
            found.fill(self._fields(kind, self.collect(kind, details).grouped_field_set))
        return found


class Plans:
    """The plans of a process, those that were used last."""

    def __init__(self) -> None:
        self._kept: Memory[Hashable, Object] = Memory(MOST_KEPT)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._kept)

    def find(self, key: Hashable, planner: Planner, kind: GraphQLObjectType, grouped: GroupedFieldSet) -> Object | None:
        """Give the plan of an operation, made now if it was not kept; None where it has to be interpreted."""
        found = self._kept.get(key)
        if found is None:
            try:
                found = planner.root(kind, grouped)
            except Unplanned:
                return None
            self._kept.put(key, found, planner.size * FIELD)
        return found
