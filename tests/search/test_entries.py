"""The entries that the search reads are always what profiles and games say."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from gamebuddy import db
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import WriteSession
from gamebuddy.resolvers import profiles
from gamebuddy.resolvers.profiles import GameChoice
from gamebuddy.schema.context import Services
from tests.factories import Factory, Player
from tests.search import worlds

COLUMNS = (
    "account_id, cell, rating, role_bits, voice, platform_bits, birth_date, active_on, reputation, genre_bits,"
    " schedule, game_bits"
)
HERE = f"SELECT {COLUMNS} FROM search_entries WHERE account_id IN (SELECT account_id FROM leases)"
DIFFERENCE = text(
    f"(SELECT {COLUMNS} FROM search_entries EXCEPT SELECT {COLUMNS} FROM search_entry_source)"
    f" UNION ALL (SELECT {COLUMNS} FROM search_entry_source EXCEPT SELECT {COLUMNS} FROM search_entries)"
    f" UNION ALL (SELECT {COLUMNS} FROM search_entries_here EXCEPT {HERE})"
    f" UNION ALL ({HERE} EXCEPT SELECT {COLUMNS} FROM search_entries_here)"
    f" UNION ALL SELECT {COLUMNS} FROM search_entries WHERE cell NOT IN (SELECT cell FROM search_cells)"
)
FACTS: dict[str, st.SearchStrategy[Any]] = {
    "is_looking_for_teammates": st.booleans(),
    "region": st.none() | st.sampled_from(db.Region),
    "play_style": st.none() | st.sampled_from(db.PlayStyle),
    "voice_chat": st.none() | st.sampled_from(db.VoiceChat),
    "languages": st.lists(st.sampled_from(["ru", "en", "en-US", "pt-BR", "xx-new"]), unique=True),
    "platforms": st.lists(st.sampled_from(db.Platform), unique=True),
    "genre_bits": st.integers(0, 2**40),
    "reputation": st.none() | st.integers(0, 1000),
    "birth_date": st.none() | st.just(date(2001, 5, 31)),
    "active_on": st.integers(0, 90).map(lambda days: date(2026, 1, 1) + timedelta(days=days)),
    "bio": st.just("nothing that is searched"),
}
CHANGE = st.lists(st.sampled_from(sorted(FACTS)), min_size=1, max_size=4, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: FACTS[name] for name in names})
)
STEP = st.one_of(
    st.tuples(st.just("profile"), CHANGE),
    st.tuples(st.just("everybody"), CHANGE),
    st.tuples(st.just("plays"), st.integers(0, 3)),
    st.tuples(st.just("stops"), st.integers(0, 3)),
    st.tuples(st.just("plays only"), st.integers(0, 3)),
    st.tuples(st.just("rates"), st.integers(0, 3000)),
    st.tuples(st.just("comes"), st.integers(0, 1)),
    st.tuples(st.just("leaves"), st.integers(0, 1)),
    st.tuples(st.just("goes"), st.none()),
)
NODES = [uuid.uuid4(), uuid.uuid4()]
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


@settings(max_examples=40, deadline=None, suppress_health_check=QUIET)
@given(
    world=st.lists(worlds.PEOPLE, min_size=2, max_size=4),
    steps=st.lists(st.tuples(st.integers(0, 1), STEP), min_size=1, max_size=12),
)
async def test_entries_follow_every_change(services: Services, world: list[worlds.Person], steps: list[Any]) -> None:
    async with services.database._writers() as session:  # never committed: the world is gone at the end
        catalogue = await worlds.load_catalogue(session)
        ids = await worlds.settle(session, catalogue, world)
        assert (await session.execute(DIFFERENCE)).all() == []
        gone = set()
        for place, (what, value) in steps:
            if place not in gone:
                await _take(session, catalogue, ids[place], what, value)
            gone |= {place} if what == "goes" else set()
            assert (await session.execute(DIFFERENCE)).all() == [], (what, value)


def _lease(account_id: uuid.UUID, node: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {"account_id": account_id, "node": NODES[node], "until": now + timedelta(minutes=1), "active_at": now}


async def _take(session: WriteSession, catalogue: worlds.Catalogue, account_id: Any, what: str, value: Any) -> None:
    played, profile = db.PlayerGame, db.Profile
    match what:
        case "profile":
            await session.execute(update(profile).where(profile.account_id == account_id).values(value))
        case "everybody":
            await session.execute(update(profile).values(value))
        case "plays":
            game_id = catalogue.games[value].id
            await session.execute(delete(played).where(played.account_id == account_id, played.game_id == game_id))
            row = {"account_id": account_id, "game_id": game_id, "position": value, "rating": 100 * value}
            await session.execute(insert(played), [row | {"role_bits": value, "is_favorite": False}])
        case "stops":
            game_id = catalogue.games[value].id
            await session.execute(delete(played).where(played.account_id == account_id, played.game_id == game_id))
        case "plays only":  # in one statement, as a profile is changed
            game_id = catalogue.games[value].id
            row = {"account_id": account_id, "game_id": game_id, "position": 0, "rating": 100 * value}
            others = delete(played).where(played.account_id == account_id, played.game_id != game_id).cte("others")
            plays = insert(played).values([row | {"role_bits": value, "is_favorite": False}]).add_cte(others)
            await session.execute(
                plays.on_conflict_do_update(
                    index_elements=["account_id", "game_id"], set_={"rating": 3000 - 100 * value}
                )
            )
        case "rates":
            await session.execute(update(played).where(played.account_id == account_id).values(rating=value))
        case "comes":
            await session.execute(insert(db.Lease).values(_lease(account_id, value)).on_conflict_do_nothing())
        case "leaves":
            await session.execute(
                delete(db.Lease).where(db.Lease.account_id == account_id, db.Lease.node == NODES[value])
            )
        case "goes":
            await session.execute(delete(db.Account).where(db.Account.id == account_id))


type Change = Callable[[WriteSession, Player], Awaitable[None]]


async def _comes(session: WriteSession, player: Player) -> None:
    await session.execute(insert(db.Lease).values(_lease(player.account_id, 0)))


async def _leaves(session: WriteSession, player: Player) -> None:
    await session.execute(delete(db.Lease).where(db.Lease.account_id == player.account_id))


async def _changes_the_profile(session: WriteSession, player: Player) -> None:
    await session.execute(
        update(db.Profile).where(db.Profile.account_id == player.account_id).values(voice_chat=db.VoiceChat.REQUIRED)
    )


async def _moves(session: WriteSession, player: Player) -> None:
    await session.execute(
        update(db.Profile).where(db.Profile.account_id == player.account_id).values(region=db.Region.AFRICA)
    )


async def _is_rated(session: WriteSession, player: Player) -> None:
    await session.execute(
        update(db.PlayerGame).where(db.PlayerGame.account_id == player.account_id).values(rating=2000)
    )


@pytest.mark.parametrize("change", [_changes_the_profile, _moves, _is_rated])
@pytest.mark.parametrize("turn", [_comes, _leaves])
@pytest.mark.parametrize("is_turn_first", [True, False])
async def test_who_comes_or_goes_while_the_profile_changes_is_entered_as_he_is_then(
    services: Services, make: Factory, change: Change, turn: Change, is_turn_first: bool
) -> None:
    player = await make.player("nika", games={"valorant": 1700})
    if turn is _leaves:
        async with services.database.write() as before:
            await _comes(before, player)
    first, second = (turn, change) if is_turn_first else (change, turn)
    did_first, may_commit = asyncio.Event(), asyncio.Event()

    async def begin() -> None:
        async with services.database.write() as session:
            await first(session, player)
            did_first.set()
            await may_commit.wait()

    async def follow() -> None:
        await did_first.wait()
        async with services.database.write() as session:
            await second(session, player)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(begin())
        following = tasks.create_task(follow())
        await did_first.wait()
        await asyncio.wait([following], timeout=0.3)  # it is through, or waits for the first
        may_commit.set()
    async with services.database.read() as session:
        assert (await session.execute(DIFFERENCE)).all() == []


async def test_whoever_plays_other_games_is_entered_once(services: Services, make: Factory) -> None:
    nika = await make.player("nika", games={"valorant": 1700, "dota-2": 1500})
    entered = text("SELECT pg_stat_get_xact_tuples_inserted('search_entries'::regclass)")
    async with services.database.write() as session:
        slugs = ["dota-2", "apex-legends", "minecraft"]
        new = (await session.scalars(select(db.Game.id).where(db.Game.slug.in_(slugs)))).all()
        viewer = Viewer(account_id=nika.account_id, session_id=nika.session_id, role=db.Role.USER, locale="en")
        games = [GameChoice(game_id=game_id, rating=1000) for game_id in new]
        before = await session.scalar(entered)  # it may count what the connection did before
        await profiles.update_profile(session, viewer, {"games": games}, words=services.words)
        mine = select(func.count()).where(db.SearchEntry.account_id == nika.account_id)
        assert await session.scalar(entered) - before == await session.scalar(mine) == len(slugs) + 1
        assert (await session.execute(DIFFERENCE)).all() == []


async def test_a_language_costs_no_number_until_it_is_kept(services: Services, make: Factory) -> None:
    nika = await make.player("nika", languages=["en"])
    speaks = update(db.Profile).where(db.Profile.account_id == nika.account_id)
    highest = select(func.max(db.Language.number))
    async with services.database.write() as session:
        before = await session.scalar(highest)
    for _ in range(3):
        async with services.database._writers() as session:
            await session.execute(speaks.values(languages=["tlh"]))
    async with services.database.write() as session:
        await session.execute(speaks.values(languages=["tlh", "en-GB", "en-US"]))
    async with services.database.read() as session:
        assert await session.scalar(highest) == before + 1
        assert (await session.execute(DIFFERENCE)).all() == []


async def test_new_languages_at_once_get_a_number_each(services: Services, make: Factory) -> None:
    tags = ["vo", "ia", "ie", "io"]
    players = [await make.player(f"player_{number}") for number in range(len(tags))]

    async def learn(player: Player, tag: str) -> None:
        async with services.database.write() as session:
            await session.execute(
                update(db.Profile).where(db.Profile.account_id == player.account_id).values(languages=[tag])
            )

    await asyncio.gather(*map(learn, players, tags))
    async with services.database.read() as session:
        numbers = (await session.scalars(select(db.Language.number).where(db.Language.tag.in_(tags)))).all()
        assert len(numbers) == len(tags)  # the column is unique
        assert (await session.execute(DIFFERENCE)).all() == []
