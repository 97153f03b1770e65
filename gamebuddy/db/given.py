"""Values of the program in statements: as a list or a table, or given when the statement is executed."""

from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import Any, cast

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    FromClause,
    Select,
    TableValuedAlias,
    any_,
    bindparam,
    column,
    func,
    literal,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute

from gamebuddy.db.base import Row

type Like = InstrumentedAttribute[Any] | ColumnElement[Any]


def is_one_of(like: Like, values: Collection[Any]) -> ColumnElement[bool]:
    """Ask whether a column has one of some values.

    As with `given`, the statement is the same for any number of them. A list of parameters is another one for each
    length: written, parsed and prepared anew.
    """
    return like == any_(literal(list(values), ARRAY(like.type)))


def written_once[**P, S](write: Callable[P, S]) -> Callable[P, S]:
    """Keep what a function writes: a statement for each of its variants, executed with other parameters every time.

    To build a statement and to find its text among those that are known costs several times what executing it does.
    """
    return cast("Callable[P, S]", cache(write))


def is_asked_for(like: Like) -> ColumnElement[bool]:
    """Ask whether a column has one of the `ids` that the statement is executed with."""
    return like == any_(bindparam("ids", type_=ARRAY(like.type)))


def plain[R: Row](kind: type[R]) -> Select[R]:
    """Begin a statement for whole rows that nobody is going to change.

    They read like entities and are none: an entity costs three times as much.
    """
    table: FromClause = kind.__table__
    return cast("Select[R]", select(table))


def given(name: str, /, **columns: tuple[Like, Sequence[Any]]) -> TableValuedAlias:
    """Make a table of values: each column is like one of a row, and has its values in order.

    The statement stays the same however many there are, so it is prepared once.
    """
    arrays = [literal(list(values), ARRAY(like.type)) for like, values in columns.values()]
    described = [column(each, like.type) for each, (like, _) in columns.items()]
    return func.unnest(*arrays).table_valued(*described, name=name).render_derived()
