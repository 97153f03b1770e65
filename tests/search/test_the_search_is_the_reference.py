from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from gamebuddy import db
from gamebuddy.db import Database, WriteSession
from gamebuddy.errors import BadInput
from gamebuddy.resolvers import matching
from gamebuddy.resolvers.matching import Weights
from gamebuddy.resolvers.search import Filter, Matches, filtering, find_teammates, finding, loading
from tests.search import worlds
from tests.search.worlds import Catalogue, Person

WORLD = st.lists(worlds.PEOPLE, min_size=2, max_size=12)

QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


@pytest.fixture(autouse=True, params=["one after the other", "by streams"])
def way(request: pytest.FixtureRequest) -> Iterator[None]:
    """Few players are scored one after the other, many are found by streams with bounds: both have to be exact."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finding, "FEW", 0 if request.param == "by streams" else 6_000)
        yield


@pytest.fixture(scope="module")
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, statement_timeout_seconds=60)
    yield database
    await database.close()


@pytest.fixture(scope="module")
async def catalogue(database: Database) -> Catalogue:
    async with database.read() as session:
        return await worlds.load_catalogue(session)


@settings(max_examples=40, deadline=None, suppress_health_check=QUIET)
@given(world=WORLD, multipliers=worlds.WEIGHTS, widen=st.booleans(), limit=st.integers(1, 5), data=st.data())
async def test_pages_are_the_players_in_the_order_of_the_reference(
    database: Database,
    catalogue: Catalogue,
    world: list[Person],
    multipliers: dict[Any, float],
    widen: bool,
    limit: int,
    data: st.DataObject,
) -> None:
    wanted = data.draw(worlds.filters(catalogue))
    try:
        weights = Weights.of(multipliers)
    except BadInput:
        weights = Weights.of()
    async with database._writers() as session:  # never committed: the world is gone at the end
        ids = await worlds.settle(session, catalogue, world)
        viewer = worlds.viewer_of(ids[0], world[0])
        pages: list[Matches] = []
        while not pages or (pages[-1].has_next and viewer.role.name != "GUEST"):
            after = pages[-1].place_of(len(pages[-1].items) - 1) if pages else None
            pages.append(
                await find_teammates(
                    session, viewer, filter=wanted, weights=weights, widen=widen, limit=limit, after=after
                )
            )
        expected, relaxations = await reference(
            session, ids, world, catalogue, pages[0], wanted, weights, limit if widen else 0
        )
    found = [(fit.score, fit.candidate.account_id) for page in pages for fit in page.items]
    assert found == expected[: len(found)]
    assert len(found) == len(expected) or viewer.role.name == "GUEST"
    assert all(page.ground.relaxations == relaxations for page in pages)
    assert [len(page.items) for page in pages[:-1]] == [limit] * (len(pages) - 1)


CHANGES = st.fixed_dictionaries(
    {
        "reputation": st.none() | st.integers(0, 1000),
        "region": st.sampled_from([None, *db.Region]),
        "play_style": st.sampled_from([None, *db.PlayStyle]),
        "voice_chat": st.sampled_from([None, *db.VoiceChat]),
        "active_on": st.integers(0, 50).map(lambda days: datetime.now(UTC).date() - timedelta(days=days)),
    }
)


@settings(max_examples=40, deadline=None, suppress_health_check=QUIET)
@given(world=WORLD, limit=st.integers(1, 4), data=st.data())
async def test_however_scores_move_between_pages_everybody_comes_once(
    database: Database, catalogue: Catalogue, world: list[Person], limit: int, data: st.DataObject
) -> None:
    async with database._writers() as session:
        ids = await worlds.settle(session, catalogue, world)
        viewer, weights = worlds.viewer_of(ids[0], replace(world[0], role=db.Role.USER)), Weights.of()
        everybody = await find_teammates(
            session, viewer, filter=Filter(), weights=weights, widen=False, limit=50, after=None
        )
        pages: list[Matches] = []
        while not pages or pages[-1].has_next:
            after = pages[-1].place_of(len(pages[-1].items) - 1) if pages else None
            pages.append(
                await find_teammates(
                    session, viewer, filter=Filter(), weights=weights, widen=False, limit=limit, after=after
                )
            )
            listed = [fit.candidate.account_id for fit in everybody.items]
            for account_id in data.draw(st.lists(st.sampled_from(listed), max_size=4)) if listed else ():
                changes = data.draw(CHANGES)
                await session.execute(update(db.Profile).where(db.Profile.account_id == account_id).values(**changes))
    found = [fit.candidate.account_id for page in pages for fit in page.items]
    assert sorted(found) == sorted(fit.candidate.account_id for fit in everybody.items)


async def reference(
    session: WriteSession,
    ids: list[Any],
    world: list[Person],
    catalogue: Catalogue,
    page: Matches,
    wanted: Filter,
    weights: Weights,
    enough: int,
) -> tuple[list[tuple[int, Any]], tuple[Any, ...]]:
    """Look at everybody, with one limit less after the other until there are enough."""
    players = await loading.players_by_ids(session, ids)
    me = players[ids[0]]
    facts = await loading.load_game_facts(session, me, wanted)
    limited = tuple(signal for signal in filtering.LOOSENED if wanted.without([signal]) != wanted)
    for count in range(len(limited) + 1):
        kept = wanted.without(limited[:count])
        question = finding.question_of(me, weights, page.ground, facts, kept)
        listed = [
            (matching.fit(question, players[account_id]).score, account_id)
            for account_id, person in zip(ids[1:], world[1:], strict=True)
            if worlds.is_listed(world[0], person, kept, catalogue, page.ground.as_of, before=wanted)
        ]
        if len(listed) >= enough:
            break
    return sorted(listed, key=lambda place: (-place[0], place[1])), limited[:count]


@settings(max_examples=40, deadline=None, suppress_health_check=QUIET)
@given(world=WORLD, multipliers=worlds.WEIGHTS)
async def test_the_statement_scores_as_the_reference_to_the_last_bit(
    database: Database, catalogue: Catalogue, world: list[Person], multipliers: dict[Any, float]
) -> None:
    try:
        weights = Weights.of(multipliers)
    except BadInput:
        weights = Weights.of()
    async with database._writers() as session:
        ids = await worlds.settle(session, catalogue, world)
        players = await loading.players_by_ids(session, ids)
        viewer, me = worlds.viewer_of(ids[0], world[0]), players[ids[0]]
        facts = await loading.load_game_facts(session, me, Filter())
        question = finding.question_of(me, weights, finding.new_ground(me, facts), facts, Filter())
        rows = await finding.list_candidates(session, viewer, question, facts, Filter(), limit=50)
    for row in rows:
        fit = matching.fit(question, players[row.account_id])
        assert row.score == fit.score
        assert 0 <= fit.score <= matching.FULL**2
        assert sum(reason.contribution for reason in fit.reasons) == fit.score
        assert sum(reason.weight for reason in fit.reasons) == matching.FULL
        assert all(0 <= reason.value <= matching.FULL for reason in fit.reasons)
