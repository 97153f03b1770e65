import asyncio
from datetime import UTC, datetime
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
from tests.search.test_entries import DIFFERENCE

GAME = """game { id slug title platforms isCrossPlay playerCount genres { slug }
    ranks { id name level } roles { id slug name } }"""
NEW = {
    "slug": "star-siege",
    "title": "Star Siege",
    "platforms": ["XBOX", "PC"],
    "ranks": ["Bronze", "Silver", "Gold"],
    "roles": ["Pilot", "Gunner"],
}
PLAYED = """query($id: ID!) { node(id: $id) { ... on User { profile { games {
    rating rank { name } roles { name } game { slug } } } } } }"""


@pytest.fixture
async def admin(make: Factory) -> Player:
    return await make.player("boss", role=Role.ADMIN)


async def genre_id(by: Player, slug: str = "strategy") -> str:
    genres = (await by.api("{ genres { id slug } }"))["genres"]
    return str(next(genre["id"] for genre in genres if genre["slug"] == slug))


async def save(by: Player, **changes: Any) -> Any:
    return await call(by.api, "saveGame", GAME, **(NEW | {"genreIds": [await genre_id(by)]} | changes))


async def saved(by: Player, **changes: Any) -> Any:
    return payload(await save(by, **changes))["game"]


async def play(player: Player, game: Any, **choice: Any) -> None:
    changes = {"games": [{"gameId": game["id"]} | choice]}
    payload(await call(player.api, "updateProfile", "user { id }", **changes))


async def played(player: Player) -> list[tuple[str, str | None, int, list[str]]]:
    """Tell game, rank, rating and roles of everything that somebody plays."""
    rows = (await player.api(PLAYED, id=player.id))["node"]["profile"]["games"]
    return [
        (
            row["game"]["slug"],
            row["rank"]["name"] if row["rank"] else None,
            row["rating"],
            [role["name"] for role in row["roles"]],
        )
        for row in rows
    ]


async def differences(services: Services) -> list[Any]:
    async with services.database.read() as session:
        return list((await session.execute(DIFFERENCE)).all())


async def test_a_new_game_is_played_and_searched_like_any_other(
    admin: Player, make: Factory, services: Services
) -> None:
    game = await saved(admin)
    assert (game["title"], game["platforms"], game["isCrossPlay"]) == ("Star Siege", ["PC", "XBOX"], False)
    assert [(rank["name"], rank["level"]) for rank in game["ranks"]] == [("Bronze", 0), ("Silver", 0.5), ("Gold", 1)]
    assert [(role["slug"], role["name"]) for role in game["roles"]] == [("pilot", "Pilot"), ("gunner", "Gunner")]
    nika, max_ = await make.player("nika"), await make.player("max")
    for player in (nika, max_):
        await play(player, game, rankId=game["ranks"][1]["id"], roleIds=[game["roles"][1]["id"]])
    assert await played(nika) == [("star-siege", "Silver", 1500, ["Gunner"])]
    find = "query($ids: [ID!]) { teammates(filter: {gameIds: $ids}) { nodes { username } } }"
    found = (await nika.api(find, ids=[game["id"]]))["teammates"]["nodes"]
    assert [node["username"] for node in found] == ["max"]
    assert await differences(services) == []


async def test_ranks_and_roles_that_stay_keep_their_players(admin: Player, make: Factory, services: Services) -> None:
    game = await saved(admin)
    by_rank, by_rating, both = await make.player("one"), await make.player("two"), await make.player("three")
    bronze, silver, gold = (rank["id"] for rank in game["ranks"])
    pilot, gunner = (role["id"] for role in game["roles"])
    await play(by_rank, game, rankId=gold, roleIds=[gunner])
    await play(by_rating, game, rankId=silver, rating=1700, roleIds=[pilot, gunner])
    await play(both, game, rankId=bronze, roleIds=[pilot])
    after = await saved(admin, gameId=game["id"], ranks=["Iron", "SILVER", "Gold", "Master"], roles=["Medic", "Gunner"])
    assert [rank["id"] in {silver, gold} for rank in after["ranks"]] == [False, True, True, False]
    assert [role["name"] for role in after["roles"]] == ["Medic", "Gunner"]
    # Placed by Gold alone, which is not the highest any more; by a rating of his own; by a rank that has vanished.
    assert await played(by_rank) == [("star-siege", "Gold", 500 + round(2000 * 2 / 3), ["Gunner"])]
    assert await played(by_rating) == [("star-siege", "SILVER", 1700, ["Gunner"])]
    assert await played(both) == [("star-siege", None, 500, [])]
    assert after["playerCount"] == 3
    assert await differences(services) == []
    again = await saved(admin, gameId=game["id"], ranks=["Gold", "Silver"], roles=["Gunner", "Medic", "Pilot"])
    assert [(rank["name"], rank["level"]) for rank in again["ranks"]] == [("Gold", 0), ("Silver", 1)]
    assert await played(by_rank) == [("star-siege", "Gold", 500, ["Gunner"])]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"slug": "Star Siege"}, [("INVALID", "input.slug")]),
        ({"slug": "a" * 65}, [("TOO_LONG", "input.slug")]),
        ({"slug": "dota-2"}, [("TAKEN", "input.slug")]),
        ({"title": " \u200b "}, [("TOO_SHORT", "input.title")]),
        ({"title": "a\nb"}, [("INVALID", "input.title")]),
        ({"platforms": []}, [("TOO_SHORT", "input.platforms")]),
        ({"ranks": ["Gold", "gold"]}, [("INVALID", "input.ranks.1")]),
        ({"ranks": ["Gold", ""]}, [("TOO_SHORT", "input.ranks.1")]),
        ({"roles": [f"Role {n}" for n in range(32)]}, [("TOO_LONG", "input.roles")]),
        ({"roles": ["x" * 41], "ranks": ["x" * 41]}, [("TOO_LONG", "input.ranks.0"), ("TOO_LONG", "input.roles.0")]),
        ({"genreIds": [ids.write(Kind.GENRE, db.new_id())]}, [("NOT_FOUND", "input.genreIds.0")]),
        ({"gameId": ids.write(Kind.GAME, db.new_id())}, [("NOT_FOUND", "input.gameId")]),
    ],
)
async def test_what_is_wrong_is_told_and_nothing_is_saved(admin: Player, changes: Any, expected: Any) -> None:
    assert problems(await save(admin, **changes)) == expected
    assert (await admin.api('{ game(by: {slug: "star-siege"}) { id } }'))["game"] is None


async def test_names_in_any_alphabet_have_short_names_of_their_own(admin: Player) -> None:
    game = await saved(admin, roles=["Снайпер", "Медик", "Medic!", "Médic"])
    assert [role["slug"] for role in game["roles"]] == ["role", "role-2", "medic", "medic-2"]


async def test_a_short_name_of_before_finds_the_game_and_is_nobody_elses(admin: Player) -> None:
    game = await saved(admin)
    await saved(admin, gameId=game["id"], slug="star-siege-2")
    for slug in ("star-siege", "star-siege-2"):
        found = (await admin.api("query($slug: String!) { game(by: {slug: $slug}) { id slug } }", slug=slug))["game"]
        assert found == {"id": game["id"], "slug": "star-siege-2"}
    assert problems(await save(admin)) == [("TAKEN", "input.slug")]
    assert (await saved(admin, gameId=game["id"]))["slug"] == "star-siege"


async def test_of_two_at_once_with_one_short_name_one_is_made(admin: Player) -> None:
    answers = [answer["saveGame"] for answer in await asyncio.gather(*(save(admin) for _ in range(4)))]
    assert sum(answer["game"] is not None for answer in answers) == 1


async def test_players_who_choose_a_rank_while_it_vanishes_have_it_or_not_at_all(admin: Player, make: Factory) -> None:
    game = await saved(admin)
    players = [await make.player() for _ in range(6)]
    gunner = game["roles"][1]["id"]
    await asyncio.gather(
        save(admin, gameId=game["id"], ranks=["Gold", "Bronze"], roles=["Gunner"]),
        *(
            call(
                player.api,
                "updateProfile",
                "user { id }",
                games=[{"gameId": game["id"], "rankId": game["ranks"][1]["id"], "roleIds": [gunner]}],
            )
            for player in players
        ),
    )
    for player in players:
        assert await played(player) in ([], [("star-siege", None, 1500, ["Gunner"])])


async def test_later_releases_leave_alone_what_was_saved(admin: Player, services: Services) -> None:
    game = await saved(admin)
    dota = (await admin.api('{ game(by: {slug: "dota-2"}) { id title ranks { id } } }'))["game"]
    try:
        await saved(admin, gameId=dota["id"], slug="dota-2", title="Dota Two", ranks=["Herald"], roles=[])
        async with services.database.write() as session:
            await games.load_catalogue(session)
        query = "query($id: ID!) { node(id: $id) { ... on Game { title ranks { name } } } }"
        assert (await admin.api(query, id=dota["id"]))["node"] == {"title": "Dota Two", "ranks": [{"name": "Herald"}]}
        assert (await admin.api(query, id=game["id"]))["node"]["title"] == "Star Siege"
    finally:
        async with services.database.write() as session:
            row = await session.get_one(db.Game, ids.read(Kind.GAME, dota["id"]))
            for table in (db.GameRank, db.GameRole):
                for step in await session.scalars(select(table).where(table.game_id == row.id)):
                    await session.delete(step)
            row.saved_at = None
        async with services.database.write() as session:
            await games.load_catalogue(session)


async def test_loading_the_catalogue_uses_up_no_numbers(admin: Player, services: Services) -> None:
    async def number() -> int:
        made = await saved(admin, slug=f"game-{len(numbers)}")
        async with services.database.read() as session:
            return (await session.get_one(db.Game, ids.read(Kind.GAME, made["id"]))).number

    numbers: list[int] = []
    numbers.append(await number())
    async with services.database.write() as session:
        await games.load_catalogue(session)
    numbers.append(await number())
    assert numbers[1] == numbers[0] + 1


async def test_saving_is_written_down_with_what_has_changed(admin: Player, services: Services) -> None:
    game = await saved(admin)
    await saved(admin, gameId=game["id"], title="Star Siege II")
    async with services.database.read() as session:
        made, changed = (await session.scalars(select(db.AuditEntry).order_by(db.AuditEntry.number))).all()
    assert (made.action, made.actor_id, made.detail["before"]) == (AuditAction.SAVE_GAME, admin.account_id, {})
    assert made.detail["after"]["ranks"] == NEW["ranks"]
    assert changed.detail == {
        "game": "star-siege",
        "before": {"title": "Star Siege"},
        "after": {"title": "Star Siege II"},
    }


async def test_a_genre_is_made_and_renamed(admin: Player, services: Services) -> None:
    genre = 'genre { id slug ru: name(locale: "ru") en: name(locale: "en") }'
    given = {"slug": "cosy", "nameEn": "Cosy", "nameRu": "Уютные"}
    made = payload(await call(admin.api, "saveGenre", genre, **given))["genre"]
    assert made == {"id": made["id"], "slug": "cosy", "ru": "Уютные", "en": "Cosy"}
    assert problems(await call(admin.api, "saveGenre", genre, **given)) == [("TAKEN", "input.slug")]
    renamed = await call(admin.api, "saveGenre", genre, **given | {"genreId": made["id"], "nameEn": "Cozy"})
    assert payload(renamed)["genre"]["en"] == "Cozy"
    other = await call(admin.api, "saveGenre", genre, **given | {"genreId": made["id"], "slug": "cozy"})
    assert problems(other) == [("NOT_ALLOWED", "input.slug")]
    nobody = await call(admin.api, "saveGenre", genre, **given | {"genreId": ids.write(Kind.GENRE, db.new_id())})
    assert problems(nobody) == [("NOT_FOUND", "input.genreId")]
    assert (await saved(admin, genreIds=[made["id"]]))["genres"] == [{"slug": "cosy"}]


async def test_there_are_at_most_63_genres(admin: Player, services: Services) -> None:
    genres = len((await admin.api("{ genres { id } }"))["genres"])
    async with services.database.write() as session:
        session.add_all(
            db.Genre(
                id=db.new_id(), number=n, slug=f"g{n}", name_en=f"G{n}", name_ru=f"Ж{n}", saved_at=datetime.now(UTC)
            )
            for n in range(genres, 63)
        )
    answer = await call(admin.api, "saveGenre", "genre { id }", slug="more", nameEn="More", nameRu="Ещё")
    assert problems(answer) == [("LIMIT_REACHED", "input")]
