"""Values of the program as a table, for statements about many rows at once."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, TableValuedAlias, any_, column, func, literal
from sqlalchemy.orm import InstrumentedAttribute

type Like = InstrumentedAttribute[Any] | ColumnElement[Any]


def is_one_of(like: Like, values: Collection[Any]) -> ColumnElement[bool]:
    """Ask whether a column has one of some values.

    As with `given`, the statement is the same for any number of them. A list of parameters is another one for each
    length: written, parsed and prepared anew.
    """
    return like == any_(literal(list(values), ARRAY(like.type)))


def given(name: str, /, **columns: tuple[Like, Sequence[Any]]) -> TableValuedAlias:
    """Make a table of values: each column is like one of a row, and has its values in order.

    The statement stays the same however many there are, so it is prepared once.
    """
    arrays = [literal(list(values), ARRAY(like.type)) for like, values in columns.values()]
    described = [column(each, like.type) for each, (like, _) in columns.items()]
    return func.unnest(*arrays).table_valued(*described, name=name).render_derived()
