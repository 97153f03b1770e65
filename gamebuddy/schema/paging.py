"""Connections over keysets: signed cursors that belong to one query and one viewer."""

from collections.abc import Sequence
from typing import Any

import orjson
import strawberry

from gamebuddy.auth.keys import Keys, NotVouchedFor, Purpose
from gamebuddy.errors import BadInput
from gamebuddy.schema.caching import shared
from gamebuddy.schema.scalars import Cursor

SIGNATURE_BYTES = 12  # a forged cursor only moves its owner's own page: 96 bits are plenty


class Cursors:
    """Writes and reads cursors. `scope` names the list and whatever decides its order; it is signed, not carried."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def write(self, scope: str, *place: Any) -> Cursor:
        """Write a place: strings, integers and None, in the order of the list's keys."""
        body = orjson.dumps(place)
        return Cursor(self._keys.ticket(Purpose.CURSOR, scope, body, signature_bytes=SIGNATURE_BYTES))

    def read(self, scope: str, cursor: Cursor) -> list[Any]:
        """Read a place back.

        Raises:
            BadInput: when the cursor is no cursor, or one of another list or viewer.
        """
        try:
            body = self._keys.read_ticket(Purpose.CURSOR, scope, cursor, signature_bytes=SIGNATURE_BYTES)
        except NotVouchedFor:
            raise BadInput("This is no cursor of this list.") from None
        place: list[Any] = orjson.loads(body)
        return place


def page_size(first: int | None, *, most: int = 50, default: int = 20) -> int:
    """Check how many are asked for.

    Raises:
        BadInput: when it is not 1 to `most`.
    """
    size = default if first is None else first
    if not 1 <= size <= most:
        raise BadInput(f"`first` is 1 to {most}.")
    return size


@shared
@strawberry.type(description="Where a page lies in its list. Seen by those who see the list.")
class PageInfo:
    """See the description."""

    has_next_page: bool = strawberry.field(description="Whether more follow after `endCursor`.")
    has_previous_page: bool = strawberry.field(description="Whether there are some before `startCursor`.")
    start_cursor: Cursor | None = strawberry.field(description="The place of the first item; null on an empty page.")
    end_cursor: Cursor | None = strawberry.field(description="The place of the last item; null on an empty page.")

    @classmethod
    def over(cls, cursors: Sequence[Cursor], *, has_next: bool, has_previous: bool) -> "PageInfo":
        """Describe the page that these cursors are the places of."""
        return cls(
            has_next_page=has_next,
            has_previous_page=has_previous,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        )
