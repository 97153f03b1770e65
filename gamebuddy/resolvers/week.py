"""When somebody plays: stretches of the local week, and the same hours of the week in UTC."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from gamebuddy.db import HOURS_A_WEEK

DAYS, HOURS = 7, 24


class Weekday(StrEnum):
    """The days in the order of ISO 8601."""

    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


@dataclass(frozen=True, slots=True, order=True)
class Stretch:
    """Hours of one day, from `start_hour` (0 to 23) up to and without `end_hour` (1 to 24); day 0 is Monday."""

    day: int
    start_hour: int
    end_hour: int


def hours_of(stretches: Iterable[Stretch]) -> list[int]:
    """Give the hours of the week, 0 to 167 from Monday 0:00, sorted, each once."""
    return sorted({s.day * HOURS + hour for s in stretches for hour in range(s.start_hour, s.end_hour)})


def stretches_of(hours: Iterable[int]) -> list[Stretch]:
    """Join hours of the week to as few stretches as there can be; none goes past midnight."""
    found: list[Stretch] = []
    for hour in sorted(hours):
        day, start = divmod(hour, HOURS)
        if found and found[-1].day == day and found[-1].end_hour == start:
            found[-1] = Stretch(day, found[-1].start_hour, start + 1)
        else:
            found.append(Stretch(day, start, start + 1))
    return found


def in_utc(hours: Iterable[int], zone: str, on: date) -> str:
    """Write local hours as 168 bits of the UTC week, Monday 0:00 first, for the seven days that begin at `on`.

    The offset is the one that holds at each hour itself, so a week in which clocks change is right on both sides. A
    local hour that begins inside an hour of UTC, as in India, counts for the hour it begins in.
    """
    bits = ["0"] * HOURS_A_WEEK
    local = ZoneInfo(zone)
    for hour in hours:
        day, start = divmod(hour, HOURS)
        when = datetime.combine(on + timedelta(days=(day - on.weekday()) % DAYS), time(start), local).astimezone(UTC)
        bits[when.weekday() * HOURS + when.hour] = "1"
    return "".join(bits)
