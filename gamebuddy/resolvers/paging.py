"""A page of a list, before anybody makes a connection of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Page[Item]:
    """Items in the order of their list, and whether there are more on either side."""

    items: Sequence[Item]
    has_next: bool
    has_previous: bool

    @classmethod
    def of(cls, items: Sequence[Item], limit: int, *, has_previous: bool = False) -> Self:
        """Make a page of what was fetched with `limit + 1`: the one too many says that there is more."""
        return cls(items[:limit], has_next=len(items) > limit, has_previous=has_previous)
