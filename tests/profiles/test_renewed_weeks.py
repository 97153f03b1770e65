"""Weeks stay right when clocks change, and entries of those who are long gone go."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from gamebuddy import db
from gamebuddy.resolvers import housekeeping, schedules
from gamebuddy.schema.context import Services
from tests.factories import Factory, Player

EVENING = (
    "mutation($zone: TimeZone) { updateProfile(input: {timeZone: $zone, availability:"
    " [{weekday: MONDAY, startHour: 20, endHour: 22}]}) { userErrors { message } } }"
)
CHANGE = date(2027, 3, 28)  # a Sunday: from then on Berlin is two hours ahead of UTC
FREE = date(2027, 6, 1)


async def hours(services: Services, player: Player) -> list[int]:
    """Give the hours of the UTC week that the search compares."""
    async with services.database.read() as session:
        bits = await session.scalar(select(db.Profile.schedule).where(db.Profile.account_id == player.account_id))
    return [hour for hour, bit in enumerate(str(bits)) if bit == "1"]


async def renew(services: Services, today: date) -> int:
    """Do what housekeeping does on a day."""
    async with services.database.write() as session:
        return await schedules.renew_some(session, today, limit=1000)


async def test_weeks_are_made_again_around_a_change_of_clocks(make: Factory, services: Services) -> None:
    berlin, tokyo = await make.player(), await make.player()
    for player, zone in ((berlin, "Europe/Berlin"), (tokyo, "Asia/Tokyo")):
        await player.api(EVENING, zone=zone)
    async with services.database.write() as session:
        await session.execute(update(db.Profile).values(schedule_made_on=date(2027, 1, 15)))
    assert await hours(services, berlin) == [19, 20]
    assert await renew(services, CHANGE - timedelta(days=10)) == 0
    assert await hours(services, berlin) == [19, 20]
    # On the Tuesday before, the next Monday is already one of summer.
    assert await renew(services, CHANGE - timedelta(days=5)) == 1
    assert await hours(services, berlin) == [18, 19]
    assert await renew(services, CHANGE - timedelta(days=5)) == 0
    assert await renew(services, CHANGE + timedelta(days=1)) == 1
    assert await renew(services, FREE) == 0
    assert await hours(services, berlin) == [18, 19]
    assert await hours(services, tokyo) == [11, 12]


async def test_the_search_compares_the_new_hours(make: Factory, services: Services) -> None:
    player = await make.player()
    await player.api(EVENING, zone="Europe/Berlin")
    async with services.database.write() as session:
        await session.execute(update(db.Profile).values(schedule_made_on=date(2027, 3, 1)))
    await renew(services, CHANGE + timedelta(days=1))
    async with services.database.read() as session:
        of_profile = await session.scalar(select(db.Profile.schedule))
        assert await session.scalar(select(db.SearchEntry.schedule)) == of_profile


@pytest.mark.parametrize(
    ("zone", "before", "expected"),
    [
        ("Europe/Berlin", FREE, CHANGE),
        ("Europe/Berlin", CHANGE + timedelta(days=1), CHANGE),
        ("Asia/Tokyo", FREE, FREE - schedules.LONGEST_MEMORY),
        ("America/New_York", date(2027, 3, 20), date(2027, 3, 14)),
    ],
)
def test_the_last_change_of_a_zone(zone: str, before: date, expected: date) -> None:
    assert schedules.last_change(zone, before) == expected


async def test_entries_of_those_who_are_long_gone_go_and_come_back(make: Factory, services: Services) -> None:
    gone, here = await make.player(), await make.player()
    today = datetime.now(UTC).date()

    async def entries(player: Player) -> int | None:
        async with services.database.read() as session:
            of_player = db.SearchEntry.account_id == player.account_id
            count: int | None = await session.scalar(select(func.count()).where(of_player))
            return count

    async def visit(player: Player, on: date) -> None:
        async with services.database.write() as session:
            await session.execute(
                update(db.Profile).where(db.Profile.account_id == player.account_id).values(active_on=on)
            )

    await visit(gone, today - timedelta(days=61))
    assert await entries(gone) == 1
    async with services.database.write() as session:  # the days pass
        connection = await session.connection()
        await connection.exec_driver_sql("ALTER TABLE profiles DISABLE TRIGGER USER")
        await session.execute(
            update(db.Profile)
            .where(db.Profile.account_id == gone.account_id)
            .values(active_on=today - timedelta(days=63))
        )
        await connection.exec_driver_sql("ALTER TABLE profiles ENABLE TRIGGER USER")
    assert (await housekeeping.sweep(services.database, services.files))["drop_search_entries"] == 1
    assert [await entries(player) for player in (gone, here)] == [0, 1]
    await visit(gone, today)
    assert await entries(gone) == 1
