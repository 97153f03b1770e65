"""Descriptions for GraphiQL and Xcode, from docstrings and beside enumerations of the domain."""

import inspect
from collections.abc import Callable
from enum import StrEnum
from typing import Any, cast

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition


def field[F: Callable[..., Any]](function: F) -> F:
    """Make a method a field; its docstring is the description."""
    return cast("F", strawberry.field(function, description=inspect.getdoc(function)))


def describe_enum(enum: type[StrEnum], description: str, *, name: str | None = None, **values: str) -> None:
    """Make an enumeration of the domain one of the schema, with a description of every value.

    Raises:
        TypeError: when a value is left out or misspelt.
    """
    strawberry.enum(enum, name=name, description=description)
    definition: StrawberryEnumDefinition = enum.__strawberry_definition__  # type: ignore[attr-defined]
    mismatched = {value.name for value in definition.values} ^ values.keys()
    if mismatched:
        raise TypeError(f"{enum.__name__}: describe each value and nothing else; mismatched: {sorted(mismatched)}")
    for value in definition.values:
        value.description = values[value.name]
