from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, text, update

from gamebuddy import db
from gamebuddy.resolvers import housekeeping
from gamebuddy.schema.context import Services
from tests.accounts.operations import call, done, is_alive, payload, register, sign_in
from tests.api import Api
from tests.factories import Factory, Player

LONG_AGO = datetime.now(UTC) - timedelta(days=400)


async def count(services: Services, table: type[db.Row]) -> int:
    async with services.database.read() as session:
        found: int = await session.scalar(select(func.count()).select_from(table))
        return found


async def test_what_is_needed_stays(api: Api, nika: Player, services: Services) -> None:
    await register(api, email="claim@example.com", username="claim")
    await done(api, "requestPasswordReset", login="nika")
    guest = payload(await call(api, "signInAsGuest", "tokens { accessToken }"))["tokens"]["accessToken"]
    await sign_in(api, password="wrong horse 7")
    await housekeeping.sweep(services.database, services.files)
    tables = (db.Account, db.Session, db.OneTimeCode)
    assert [await count(services, table) for table in tables] == [3, 2, 2]
    assert await count(services, db.RateLimit) > 0
    assert await is_alive(api.signed_in(guest))


async def test_what_is_over_goes(api: Api, make: Factory, nika: Player, services: Services) -> None:
    await register(api, email="claim@example.com", username="claim")
    payload(await call(api, "signInAsGuest", "viewer { role }"))
    await done(api, "requestPasswordReset", login="nika")
    guest_game = await make.game_id("dota-2")
    async with services.database.write() as session:
        guest_id = await session.scalar(select(db.Account.id).where(db.Account.email.is_(None)))
        session.add(db.PlayerGame(account_id=guest_id, game_id=guest_game, position=0))
        await session.flush()
        await session.execute(update(db.Game).where(db.Game.id == guest_game).values(player_count=1))
        await session.execute(update(db.Account).values(created_at=LONG_AGO))
        await session.execute(update(db.Session).values(expires_at=LONG_AGO, last_used_at=LONG_AGO))
        await session.execute(update(db.OneTimeCode).values(expires_at=LONG_AGO))
        await session.execute(update(db.RateLimit).values(theoretical_arrival_at=LONG_AGO))
        await session.execute(text("UPDATE pgqueuer_log SET created = :at"), {"at": LONG_AGO})
    taken = await housekeeping.sweep(services.database, services.files)
    assert taken["drop_guests"] == taken["drop_claims"] == 1
    async with services.database.read() as session:
        assert (await session.scalars(select(db.Account.username))).all() == ["nika"]
        assert await session.scalar(select(db.Game.player_count).where(db.Game.id == guest_game)) == 0
    tables = (db.Session, db.OneTimeCode, db.RateLimit)
    assert [await count(services, table) for table in tables] == [0, 0, 0]


async def test_two_houses_are_kept_by_one(api: Api, services: Services) -> None:
    async with services.database.write() as session:
        await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('gamebuddy sweeps'))"))
        assert not any((await housekeeping.sweep(services.database, services.files)).values())


async def test_the_housekeeper_comes_by_itself(api: Api, services: Services) -> None:
    await register(api)
    async with services.database.write() as session:
        await session.execute(update(db.Account).values(created_at=LONG_AGO))
    keeper = housekeeping.housekeeper(services.database, services.files, pause_seconds=0.01)
    await keeper.start()
    while await count(services, db.Account):
        pass
    await keeper.stop()
    await keeper.stop()
