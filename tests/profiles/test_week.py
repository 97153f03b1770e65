"""The week in local time and in UTC, across time zones and changes of the clocks."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from gamebuddy.resolvers import week
from gamebuddy.resolvers.week import Stretch

MONDAY = date(2026, 11, 23)
hours = st.lists(st.integers(0, 167), max_size=60)


def set_bits(bits: str) -> list[int]:
    return [place for place, bit in enumerate(bits) if bit == "1"]


@given(hours)
def test_stretches_and_hours_tell_the_same(some: list[int]) -> None:
    assert week.hours_of(week.stretches_of(some)) == sorted(set(some))


@given(hours)
def test_in_utc_the_week_is_the_same(some: list[int]) -> None:
    assert set_bits(week.in_utc(some, "UTC", MONDAY)) == sorted(set(some))


@given(hours, st.sampled_from(["Asia/Tokyo", "America/Los_Angeles", "Asia/Kolkata", "Pacific/Apia"]), st.integers(0, 6))
def test_every_hour_lands_where_the_clock_says(some: list[int], zone: str, later: int) -> None:
    on = MONDAY + timedelta(days=later)
    expected = set()
    for hour in some:
        day = on + timedelta(days=(hour // 24 - on.weekday()) % 7)
        at = datetime.combine(day, time(hour % 24), ZoneInfo(zone)).astimezone(UTC)
        expected.add(at.weekday() * 24 + at.hour)
    assert set_bits(week.in_utc(some, zone, on)) == sorted(expected)


def test_an_evening_in_berlin_moves_by_an_hour_when_the_clocks_change() -> None:
    evening = week.hours_of([Stretch(5, 20, 21)])  # Saturday
    night = week.hours_of([Stretch(0, 20, 21)])  # Monday
    before_the_change = date(2026, 10, 19)  # the clocks go back on Sunday the 25th
    assert set_bits(week.in_utc(evening, "Europe/Berlin", before_the_change)) == [5 * 24 + 18]
    assert set_bits(week.in_utc(evening, "Europe/Berlin", date(2026, 10, 26))) == [5 * 24 + 19]
    within = date(2026, 10, 24)  # the coming Monday is after the change already
    assert set_bits(week.in_utc(night, "Europe/Berlin", within)) == [19]


def test_sunday_night_in_new_york_is_monday_in_utc() -> None:
    assert set_bits(week.in_utc(week.hours_of([Stretch(6, 22, 24)]), "America/New_York", MONDAY)) == [3, 4]
