"""The hard limits of one search, and the order in which they are given up."""

import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from gamebuddy import db
from gamebuddy.errors import BadInput
from gamebuddy.resolvers.matching import Signal

MOST_ITEMS = 100  # of one list in a filter
HIGHEST_RATING = 3000
DECLINED_FOR = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Hard limits of one search; empty and None limit nothing. Whoever has not told a fact fails a limit on it."""

    game_ids: tuple[uuid.UUID, ...] = ()
    genre_ids: tuple[uuid.UUID, ...] = ()
    role_ids: tuple[uuid.UUID, ...] = ()
    regions: tuple[db.Region, ...] = ()
    platforms: tuple[db.Platform, ...] = ()
    languages: tuple[str, ...] = ()
    min_rating: int | None = None
    max_rating: int | None = None
    play_styles: tuple[db.PlayStyle, ...] = ()
    voice_chats: tuple[db.VoiceChat, ...] = ()
    age_bands: tuple[db.AgeBand, ...] = ()
    min_reputation: float | None = None
    min_overlap_hours: int | None = None
    active_within_days: int | None = None
    is_online: bool = False

    def check(self) -> None:
        """Let through what can be meant.

        Raises:
            BadInput: for over 100 items in a list, a reputation outside 0 to 1, or negative hours or days.
        """
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, tuple) and len(value) > MOST_ITEMS:
                raise BadInput(f"A list in `filter` has at most {MOST_ITEMS} items.")
        if self.min_reputation is not None and not 0 <= self.min_reputation <= 1:
            raise BadInput("`minReputation` is 0 to 1.")
        if (self.min_overlap_hours or 0) < 0 or (self.active_within_days or 0) < 0:
            raise BadInput("`minOverlapHours` and `activeWithinDays` are not negative.")

    def without(self, signals: Collection[Signal]) -> "Filter":
        """Take away the limits on these signals."""
        nothing = Filter()
        names = [name for signal in signals for name in LOOSENED[signal]]
        return replace(self, **{name: getattr(nothing, name) for name in names})

    def limited(self) -> Iterator[Signal]:
        """Give the signals that are limited, in the order in which they are loosened."""
        nothing = Filter()
        for signal, names in LOOSENED.items():
            if any(getattr(self, name) != getattr(nothing, name) for name in names):
                yield signal


# What gives way first when a list is short: what matters least for playing together, and games last.
LOOSENED: Mapping[Signal, tuple[str, ...]] = {
    Signal.ACTIVITY: ("active_within_days", "is_online"),
    Signal.REPUTATION: ("min_reputation",),
    Signal.AGE: ("age_bands",),
    Signal.GENRES: ("genre_ids",),
    Signal.VOICE_CHAT: ("voice_chats",),
    Signal.PLAY_STYLE: ("play_styles",),
    Signal.ROLES: ("role_ids",),
    Signal.RATING: ("min_rating", "max_rating"),
    Signal.SCHEDULE: ("min_overlap_hours",),
    Signal.REGION: ("regions",),
    Signal.PLATFORM: ("platforms",),
    Signal.LANGUAGE: ("languages",),
    Signal.GAMES: ("game_ids",),
}
