"""The entries that the search reads are always what profiles and games say."""

from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, text, update

from gamebuddy import db
from gamebuddy.db import WriteSession
from gamebuddy.schema.context import Services
from tests.search import worlds

COLUMNS = (
    "account_id, cell, rating, role_bits, voice, platform_bits, birth_date, active_on, reputation, genre_bits, schedule"
)
DIFFERENCE = text(
    f"(SELECT {COLUMNS} FROM search_entries EXCEPT SELECT {COLUMNS} FROM search_entry_source)"
    f" UNION ALL (SELECT {COLUMNS} FROM search_entry_source EXCEPT SELECT {COLUMNS} FROM search_entries)"
)
FACTS: dict[str, st.SearchStrategy[Any]] = {
    "is_looking_for_teammates": st.booleans(),
    "region": st.none() | st.sampled_from(db.Region),
    "play_style": st.none() | st.sampled_from(db.PlayStyle),
    "voice_chat": st.none() | st.sampled_from(db.VoiceChat),
    "languages": st.lists(st.sampled_from(["ru", "en", "pt-BR", "xx-new"]), unique=True),
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
    st.tuples(st.just("rates"), st.integers(0, 3000)),
    st.tuples(st.just("goes"), st.none()),
)
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
        case "rates":
            await session.execute(update(played).where(played.account_id == account_id).values(rating=value))
        case "goes":
            await session.execute(delete(db.Account).where(db.Account.id == account_id))
