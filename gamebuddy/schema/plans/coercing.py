"""How leaves are written out: the usual values at once, everything else as graphql-core does it."""

from collections.abc import Callable
from enum import Enum
from math import isfinite
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLString,
    Undefined,
)
from graphql.pyutils import inspect
from graphql.type import GRAPHQL_MAX_INT, GRAPHQL_MIN_INT

type Coerce = Callable[[Any], Any]


def coercion_of(leaf: GraphQLLeafType) -> Coerce:
    """Give the function that writes a value of a leaf type out.

    It raises TypeError where nothing comes out, and whatever the type itself raises.
    """

    def coerce(value: Any) -> Any:
        found = leaf.coerce_output_value(value)
        if found is None or found is Undefined:
            raise TypeError(
                f"Expected `{inspect(leaf)}.coerce_output_value({inspect(value)})` to return non-nullable value,"
                f" returned: {inspect(found)}"
            )
        return found

    if isinstance(leaf, GraphQLEnumType):
        return _by_name(coerce)
    if leaf.name == GraphQLInt.name:
        return lambda value: (
            value if type(value) is int and GRAPHQL_MIN_INT <= value <= GRAPHQL_MAX_INT else coerce(value)
        )
    if leaf.name == GraphQLFloat.name:
        return lambda value: value if type(value) is float and isfinite(value) else coerce(value)
    return coerce


def _by_name(coerce: Coerce) -> Coerce:
    """Look members up; Strawberry tries one name after the other."""
    names: dict[Any, str] = {}

    def find(value: Any) -> Any:
        if not isinstance(value, Enum):
            return coerce(value)
        name = names.get(value)
        if name is None:
            name = names[value] = coerce(value)
        return name

    return find


# What these scalars write out as it is, whatever the value; of subclasses nobody knows.
AS_IT_IS: dict[str, type] = {GraphQLString.name: str, GraphQLID.name: str, GraphQLBoolean.name: bool}
