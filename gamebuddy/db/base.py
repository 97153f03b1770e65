"""What every table shares: names of constraints, column types, ids."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, dataclass_transform

from sqlalchemy import BigInteger, DateTime, Dialect, Enum, ForeignKey, MetaData, Text, func
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.dialects.postgresql.asyncpg import AsyncpgARRAY
from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass, mapped_column
from uuid_utils.compat import uuid7


def new_id() -> uuid.UUID:
    """Make an id that grows with time, so that new rows stand together in the index."""
    return uuid7()


Id = Annotated[uuid.UUID, mapped_column(UUID(as_uuid=True), primary_key=True)]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
CreatedAt = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.now())]


def account_id_column(*, on_delete: str = "CASCADE") -> ForeignKey:
    """Point at an account; its rows go with it unless said otherwise."""
    return ForeignKey("accounts.id", ondelete=on_delete)


class Items(AsyncpgARRAY):
    """An array of one dimension, read as the driver gives it; enumerations are looked up by name.

    Every column of arrays is one: the plain type asks of each array whether its items are arrays themselves, and a page
    of the search reads three hundred. It is one of asyncpg's, for whatever is not is replaced by one when it is used.
    """

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:  # noqa: ARG002
        """Give what makes a value of what the driver gives, or nothing where there is nothing to do."""
        if not isinstance(self.item_type, Enum) or self.item_type.enum_class is None:
            return None
        member = self.item_type.enum_class.__members__.__getitem__
        return lambda names: None if names is None else [*map(member, names)]


# Said again for type checkers: to them `kw_only` of a class does not reach its subclasses (PEP 681).
@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(mapped_column,))
class Row(MappedAsDataclass, DeclarativeBase, kw_only=True, eq=False, repr=False):
    """A row of a table: misspelt columns raise, identity is equality, nothing is printed by accident."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    # Enumerations are text with a check: a new value is an ordinary migration that locks nothing for long.
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own name and shape
        str: Text(),
        int: BigInteger(),
        uuid.UUID: UUID(as_uuid=True),
        datetime: DateTime(timezone=True),
        StrEnum: Enum(StrEnum, native_enum=False, create_constraint=False, length=32),
    }
