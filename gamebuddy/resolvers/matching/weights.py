"""Weights: shares of a thousand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from gamebuddy.errors import BadInput
from gamebuddy.resolvers.matching.tables import FULL, HIGHEST_MULTIPLIER, RANKING, UNASKED, Ranking, Signal


def apportion(shares: Sequence[int], total: int) -> list[int]:
    """Divide `total` in proportion to the shares, in integers that sum to it exactly.

    By largest remainder (Hamilton's method); of equal remainders the first ones are rounded up. Shares are not
    negative and not all zero.
    """
    whole = sum(shares)
    parts = [share * total // whole for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda place: -(shares[place] * total % whole))
    for place in by_remainder[: total - sum(parts)]:
        parts[place] += 1
    return parts


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each signal counts, 0 to 1000; they sum to 1000."""

    by_signal: Mapping[Signal, int]

    @classmethod
    def of(cls, multipliers: Mapping[Signal, float] | None = None, ranking: Ranking = RANKING) -> Self:
        """Multiply the usual weights, 0 to 10 each, and bring them back to a sum of 1000.

        Multipliers count in thousandths. A signal without one keeps its usual weight.

        Raises:
            BadInput: when one is out of its range or all are zero.
        """
        given = multipliers or {}
        if any(not 0 <= multiplier <= HIGHEST_MULTIPLIER for multiplier in given.values()):
            raise BadInput(f"A weight is 0 to {HIGHEST_MULTIPLIER}.", reason="INVALID")
        shares = [
            usual * round(FULL * given.get(signal, 0 if signal in UNASKED else 1))
            for signal, usual in ranking.weights.items()
        ]
        if not any(shares):
            raise BadInput("At least one weight is above 0.", reason="INVALID")
        return cls(dict(zip(ranking.weights, apportion(shares, FULL), strict=True)))

    def __getitem__(self, signal: Signal) -> int:
        """Give the weight of a signal."""
        return self.by_signal[signal]


def breadths(player_counts: Sequence[int], most: int) -> list[int]:
    """Give each of the viewer's games its share of them all, in thousandths that sum to 1000.

    A game counts the more the fewer play it, as in inverse document frequency: 1, and 1 more each time that its players
    are half as many (in binary digits, so that no logarithm is rounded). `most` is the largest count of any game.
    """
    rarities = [max(1, 1 + most.bit_length() - count.bit_length()) for count in player_counts]
    return apportion(rarities, FULL) if rarities else []
