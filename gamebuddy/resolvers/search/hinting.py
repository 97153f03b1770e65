"""Tells why a list is short: which limits, and which facts of one's own profile, keep how many players out of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import ReadSession
from gamebuddy.resolvers.matching import Player, Signal, Weights
from gamebuddy.resolvers.search.filtering import Filter
from gamebuddy.resolvers.search.finding import count_listed
from gamebuddy.resolvers.search.loading import load_searcher

MOST_COUNTED = 100  # players; whether there are more makes no difference to anybody who has found none


class Cause(StrEnum):
    """Where the limit comes from."""

    FILTER = "FILTER"
    PROFILE = "PROFILE"
    MISSING = "MISSING"


@dataclass(frozen=True, slots=True)
class Hint:
    """Without limits on all of these signals, so many more players would be listed: 1 to 100, 100 standing for more."""

    cause: Cause
    signals: tuple[Signal, ...]
    player_count: int


async def find_hints(
    session: ReadSession, viewer: Viewer, *, filter: Filter, weights: Weights, listed: int
) -> list[Hint]:
    """Tell what keeps players out of a list of so many, most of them first; limits that keep nobody out are not named.

    Where no limit of the filter does so alone, the first ones together that do are named, in the order in which
    widening gives them up.
    """
    me, _ = await load_searcher(session, viewer.account_id, Filter())

    async def more(me: Player, filter: Filter) -> int:
        count = await count_listed(session, viewer, me, filter, weights, most=listed + MOST_COUNTED)
        return max(0, count - listed)

    limited = tuple(filter.limited())
    hints = [Hint(_cause(signal, me), (signal,), await more(me, filter.without([signal]))) for signal in limited]
    if not any(hint.player_count for hint in hints):
        for count in range(2, len(limited) + 1):
            hint = Hint(Cause.FILTER, limited[:count], await more(me, filter.without(limited[:count])))
            hints.append(hint)
            if hint.player_count:
                break
    hints += [Hint(Cause.PROFILE, (signal,), await more(other, filter)) for signal, other in _less_strict(me, filter)]
    return sorted((hint for hint in hints if hint.player_count), key=lambda hint: -hint.player_count)


def _cause(signal: Signal, me: Player) -> Cause:
    """Tell whether it is the filter, or the viewer who has not told what the filter compares."""
    return Cause.MISSING if signal is Signal.SCHEDULE and me.schedule is None else Cause.FILTER


def _less_strict(me: Player, filter: Filter) -> Iterator[tuple[Signal, Player]]:
    """Give the viewer without each of the facts that keep others out: games, languages and platforms not shared."""
    if me.games and not filter.game_ids and not filter.role_ids:
        yield Signal.GAMES, me._replace(games=())
    if me.languages:
        yield Signal.LANGUAGE, me._replace(languages=())
    if me.platforms:
        yield Signal.PLATFORM, me._replace(platforms=frozenset())
