"""What is remembered of documents, within bounds whatever clients send."""

from collections import OrderedDict
from collections.abc import Hashable

LONGEST = 16_384  # characters of one text; a longer one is not kept
SHORTEST = 250  # what a text counts at least: a value takes room for itself


class Memory[K: Hashable, V]:
    """Values made from texts; those that were used last are kept, up to `most` characters of text."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._length = 0
        self._values: OrderedDict[K, tuple[int, V]] = OrderedDict()

    def __len__(self) -> int:
        """How many values are kept."""
        return len(self._values)

    def get(self, key: K) -> V | None:
        """Give a value, if it is kept."""
        found = self._values.get(key)
        if found is None:
            return None
        self._values.move_to_end(key)
        return found[1]

    def put(self, key: K, value: V, length: int) -> None:
        """Keep a value made from a text of this length, and let others go for it; one that is too long is not kept."""
        if length > LONGEST or key in self._values:
            return
        length = max(length, SHORTEST)
        self._values[key] = (length, value)
        self._length += length
        while self._length > self._most:
            _, (freed, _) = self._values.popitem(last=False)
            self._length -= freed
