"""What a stream tells its reader."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from gamebuddy.events.log import AccountPlace, ChatPlace
from gamebuddy.events.types import Event, Passing

type Place = AccountPlace | ChatPlace


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that happened, and the place behind it."""

    id: int
    at: datetime
    event: Event
    place: Place


@dataclass(frozen=True, slots=True)
class Passed:
    """Something happens that is not kept: there is no place behind it. `id` and `at` are of this process alone."""

    id: uuid.UUID
    at: datetime
    event: Passing


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """Everything kept up to the moment of subscribing has been sent."""

    place: Place


@dataclass(frozen=True, slots=True)
class ResyncRequired:
    """The stream cannot go on without a gap; it ends after this."""

    place: Place
    reason: str


@dataclass(frozen=True, slots=True)
class AccessRevoked:
    """The right to the stream has ended; it ends after this."""

    reason: str
    chat_id: uuid.UUID | None = None


type Notice = Happened | Passed | CaughtUp | ResyncRequired | AccessRevoked
