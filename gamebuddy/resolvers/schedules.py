"""Keeps everybody's week in UTC right: made from local hours and a time zone, and again when its clocks change."""

import functools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, literal, select
from sqlalchemy.dialects.postgresql import BitString

from gamebuddy import db
from gamebuddy.db import WriteSession
from gamebuddy.resolvers import week

WEEK = timedelta(days=7)
LONGEST_MEMORY = timedelta(days=400)  # of a change of clocks; a week made before is made again anyway


def place_in_week(profile: db.Profile, today: date) -> None:
    """Make the UTC week from the local one; without a time zone nobody can know it."""
    if profile.slots and profile.time_zone:
        profile.schedule = BitString(week.in_utc(profile.slots, profile.time_zone, today))
        profile.schedule_made_on = today
    else:
        profile.schedule = profile.schedule_made_on = None


async def renew_some(session: WriteSession, today: date, *, limit: int) -> int:
    """Make some weeks again whose clocks change in the next seven days, or have changed since they were made.

    In the seven days before a change some hours of the coming week are before it and some behind, so a week is made
    again on each of them. Tells how many were made.
    """
    made = 0
    for zone in await _zones(session):
        changed_on = last_change(zone, today + WEEK)
        profile = db.Profile
        due = await session.scalars(
            select(profile)
            .where(
                profile.schedule.is_not(None),
                profile.time_zone == zone,
                profile.schedule_made_on <= min(changed_on, today - timedelta(days=1)),
            )
            .limit(limit - made)
            .with_for_update(key_share=True, skip_locked=True)
        )
        for row in due:
            place_in_week(row, today)
            made += 1
        if made == limit:
            break
    return made


@functools.lru_cache(maxsize=2_000)
def last_change(zone: str, before: date) -> date:
    """Give the last day before this one on which the zone's clocks changed; of none, the first that is looked at."""
    day = before
    while day > before - LONGEST_MEMORY:
        day -= timedelta(days=1)
        midnight = datetime.combine(day, time(), UTC)
        offsets = {(midnight + timedelta(days=days)).astimezone(ZoneInfo(zone)).utcoffset() for days in (0, 1)}
        if len(offsets) > 1:
            break
    return day


async def _zones(session: WriteSession) -> list[str]:
    """List the time zones of the profiles, jumping from one to the next through the index."""
    zone, has_week = db.Profile.time_zone, db.Profile.schedule.is_not(None)
    found = select(func.min(zone).label("zone")).where(has_week).cte("zones", recursive=True)
    following = select(func.min(zone)).where(has_week, zone > found.c.zone).scalar_subquery()
    found = found.union_all(select(following).where(found.c.zone.is_not(None), literal(True)))
    return [name for name in await session.scalars(select(found.c.zone)) if name is not None]
