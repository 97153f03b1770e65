"""Values of the program as a table, for statements about many rows at once."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, TableValuedAlias, column, func, literal
from sqlalchemy.orm import InstrumentedAttribute

type Like = InstrumentedAttribute[Any] | ColumnElement[Any]


def given(name: str, /, **columns: tuple[Like, Sequence[Any]]) -> TableValuedAlias:
    """Make a table of values: each column is like one of a row, and has its values in order.

    The statement stays the same however many there are, so it is prepared once.
    """
    arrays = [literal(list(values), ARRAY(like.type)) for like, values in columns.values()]
    described = [column(each, like.type) for each, (like, _) in columns.items()]
    return func.unnest(*arrays).table_valued(*described, name=name).render_derived()
