from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from gamebuddy import db
from gamebuddy.db import AuditAction, Role
from gamebuddy.resolvers import games
from gamebuddy.schema import ids
from gamebuddy.schema.context import Services
from gamebuddy.schema.ids import Kind
from tests.accounts.operations import call, payload, problems
from tests.factories import Factory, Player
from tests.games.test_save_game import differences, play, played, saved

REASON = "the same game under another name"
MERGED = "game { id slug playerCount }"


@pytest.fixture
async def admin(make: Factory) -> Player:
    return await make.player("boss", role=Role.ADMIN)


@pytest.fixture
async def gone(admin: Player) -> Any:
    return await saved(admin, slug="siege", ranks=["Wood", "Gold"], roles=["Medic", "Gunner"])


@pytest.fixture
async def stays(admin: Player) -> Any:
    return await saved(admin)


async def merge(by: Player, gone: Any, stays: Any, reason: str = REASON) -> Any:
    return await call(by.api, "mergeGames", MERGED, fromId=gone["id"], intoId=stays["id"], reason=reason)


async def test_players_go_along_with_what_has_the_same_name(
    admin: Player, make: Factory, services: Services, gone: Any, stays: Any
) -> None:
    one, two, three = await make.player("one"), await make.player("two"), await make.player("three")
    wood, gold = (rank["id"] for rank in gone["ranks"])
    both_roles = [role["id"] for role in gone["roles"]]
    await play(one, gone, rankId=gold, roleIds=both_roles)
    await play(two, gone, rankId=wood, rating=900)
    games_of_three = [
        {"gameId": gone["id"], "rating": 2000, "isFavorite": True},
        {"gameId": stays["id"], "rankId": stays["ranks"][0]["id"]},
    ]
    payload(await call(three.api, "updateProfile", "user { id }", games=games_of_three))
    merged = payload(await merge(admin, gone, stays))["game"]
    assert merged == {"id": stays["id"], "slug": "star-siege", "playerCount": 3}
    assert await played(one) == [("star-siege", "Gold", 2500, ["Gunner"])]
    assert await played(two) == [("star-siege", None, 900, [])]
    assert await played(three) == [("star-siege", "Bronze", 500, [])]
    favourite = "query($id: ID!) { node(id: $id) { ... on User { profile { games { isFavorite } } } } }"
    assert (await three.api(favourite, id=three.id))["node"]["profile"]["games"] == [{"isFavorite": True}]
    assert await differences(services) == []


async def test_everything_that_pointed_at_the_first_points_at_the_second(
    admin: Player, make: Factory, services: Services, gone: Any, stays: Any
) -> None:
    nika, max_ = await make.player("nika"), await make.player("max")
    request = "request { id game { slug } }"
    await call(nika.api, "sendTeammateRequest", request, userId=max_.id, gameId=gone["id"])
    now = datetime.now(UTC)
    lease = db.Lease(account_id=max_.account_id, node=db.new_id(), until=now + timedelta(hours=1), active_at=now)
    lease.game_id = ids.read(Kind.GAME, gone["id"])
    async with services.database.write() as session:
        session.add(lease)
    payload(await merge(admin, gone, stays))
    incoming = "{ viewer { teammateRequests(direction: INCOMING) { nodes { game { slug } } } } }"
    assert (await max_.api(incoming))["viewer"]["teammateRequests"]["nodes"] == [{"game": {"slug": "star-siege"}}]
    playing = "query($id: ID!) { user(by: {id: $id}) { presence { playing { slug } } } }"
    found = (await max_.api(playing, id=max_.id))["user"]["presence"]
    assert found == {"playing": {"slug": "star-siege"}}


async def test_the_first_is_found_by_its_short_name_alone_and_never_comes_back(
    admin: Player, services: Services, gone: Any, stays: Any
) -> None:
    await merge(admin, gone, stays)
    find = "query($slug: String!) { game(by: {slug: $slug}) { id } }"
    assert (await admin.api(find, slug="siege"))["game"] == {"id": stays["id"]}
    assert (await admin.api("query($id: ID!) { node(id: $id) { id } }", id=gone["id"]))["node"] is None
    async with services.database.write() as session:
        await games.load_catalogue(session)
    listed = (await admin.api('{ games(search: "siege", first: 50) { nodes { slug } } }'))["games"]["nodes"]
    assert "siege" not in [game["slug"] for game in listed]


async def test_what_is_wrong_is_told(admin: Player, gone: Any, stays: Any) -> None:
    nothing = {"id": ids.write(Kind.GAME, db.new_id())}
    assert problems(await merge(admin, gone, gone)) == [("INVALID", "input.intoId")]
    assert problems(await merge(admin, nothing, stays)) == [("NOT_FOUND", "input.fromId")]
    assert problems(await merge(admin, gone, nothing)) == [("NOT_FOUND", "input.intoId")]
    assert problems(await merge(admin, gone, stays, reason=" ")) == [("TOO_SHORT", "input.reason")]


async def test_a_merge_is_written_down_with_its_reason(
    admin: Player, make: Factory, services: Services, gone: Any, stays: Any
) -> None:
    await play(await make.player(), gone)
    await merge(admin, gone, stays)
    async with services.database.read() as session:
        entry = (
            await session.scalars(select(db.AuditEntry).where(db.AuditEntry.action == AuditAction.MERGE_GAMES))
        ).one()
    assert (entry.actor_id, entry.reason) == (admin.account_id, REASON)
    assert entry.detail == {"gone": "siege", "into": "star-siege", "title": "Star Siege", "players": 1}
