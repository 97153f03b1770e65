"""Selections made from the schema: everything that can be asked of a type without arguments, down to some depth."""

from graphql import (
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_required_argument,
)


def selection(schema: GraphQLSchema, kind: GraphQLNamedType, depth: int, label: str = "") -> str:
    """Give the fields to ask of a type; below `depth` objects only leaves. Pages within are of two.

    Fields of different types that may stand in one place get a label: they need not be of one type.
    """
    parts = ["__typename"]
    if is_abstract_type(kind):
        parts += [
            f"... on {one.name} {selection(schema, one, depth, f'_{one.name}: ')}"
            for one in schema.get_possible_types(kind)
        ]
    elif isinstance(kind, GraphQLObjectType):
        for name, field in kind.fields.items():
            below = get_named_type(field.type)
            if any(is_required_argument(argument) for argument in field.args.values()):
                continue
            shown = f"{name}{label}{name}" if label else name
            if is_leaf_type(below):
                parts.append(shown)
            elif depth > 0:
                page = "(first: 2)" if "first" in field.args else ""
                parts.append(f"{shown}{page} {selection(schema, below, depth - 1)}")
    return "{ " + " ".join(parts) + " }"
