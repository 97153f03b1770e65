"""What caches may keep: answers that are the same for all who are not signed in, and that may be a little old.

Only what is marked is shared: the root field, and every type on the way to what is asked of it.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from graphql import FieldNode, GraphQLNamedType
from strawberry import Schema
from strawberry.types.base import StrawberryObjectDefinition, get_object_definition

ROOT, TYPE = "shared_for", "is_shared"


def shared[T: type](kind: T) -> T:
    """Mark a type whose fields say the same to all who are not signed in."""
    setattr(kind, TYPE, True)
    return kind


def shared_for(age: timedelta, resolve: Callable[..., Any]) -> None:
    """Mark the resolver of a root field with the age at which its answer is too old."""
    setattr(resolve, ROOT, age)


def note(resolve: Callable[..., Any]) -> str | None:
    """Say of a root field how long its answer may be kept, if at all."""
    age: timedelta | None = getattr(resolve, ROOT, None)
    if age is None:
        return None
    return f"By GET, caches may keep it for {age.seconds} seconds where nobody is signed in."


class Shared:
    """What is marked in a schema."""

    def __init__(self, schema: Schema) -> None:
        self._types = {"Query"}
        self._ages: dict[str, timedelta] = {}
        for name, kind in schema.schema_converter.type_map.items():
            definition = kind.definition
            if isinstance(definition, StrawberryObjectDefinition) and TYPE in vars(definition.origin):
                self._types.add(name)
        for field in get_object_definition(schema.query, strict=True).fields:
            age = getattr(field.base_resolver and field.base_resolver.wrapped_func, ROOT, None)
            if age is not None:
                self._ages[schema.config.name_converter.get_graphql_name(field)] = age

    def age(self, fields: Iterable[tuple[GraphQLNamedType | None, FieldNode]]) -> timedelta | None:
        """Give how long the answer with these fields may be kept; None: not at all."""
        ages = []
        for on, field in fields:
            if on is None or on.name not in self._types:
                return None
            if on.name == "Query" and field.name.value != "__typename":
                if field.name.value not in self._ages:
                    return None
                ages.append(self._ages[field.name.value])
        return min(ages, default=None)
