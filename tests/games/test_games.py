from typing import Any

import pytest

from gamebuddy.resolvers import games
from gamebuddy.schema.context import Services
from tests.api import Api

PAGE = """
query ($first: Int, $after: Cursor, $search: String, $genres: [ID!], $platforms: [Platform!]) {
  games(first: $first, after: $after, search: $search, genreIds: $genres, platforms: $platforms) {
    edges { cursor node { slug } }
    nodes { slug title platforms genres { slug } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""


async def page(api: Api, **arguments: Any) -> Any:
    return (await api(PAGE, **arguments))["games"]


async def test_pages_follow_each_other_to_the_end(api: Api) -> None:
    seen: list[str] = []
    after = None
    while True:
        part = await page(api, first=20, after=after)
        seen += [game["title"] for game in part["nodes"]]
        assert part["pageInfo"]["hasPreviousPage"] == (after is not None)
        after = part["pageInfo"]["endCursor"]
        if not part["pageInfo"]["hasNextPage"]:
            break
    assert len(seen) == len(set(seen)) >= 60
    assert seen == sorted(seen, key=str.lower)


async def test_part_of_a_title_finds_in_any_case(api: Api) -> None:
    assert [game["slug"] for game in (await page(api, search="DOTA"))["nodes"]] == ["dota-2"]


@pytest.mark.parametrize("search", ["%", "_", "\\", "' OR 1=1--", "a & | (", ":*", '"'])
async def test_every_text_is_literal(api: Api, search: str) -> None:
    assert all(search in game["title"] for game in (await page(api, search=search))["nodes"])


async def test_genres_and_platforms_narrow(api: Api) -> None:
    genres = {genre["slug"]: genre["id"] for genre in (await api("{ genres { id slug } }"))["genres"]}
    found = (await page(api, first=50, genres=[genres["moba"]], platforms=["MOBILE"]))["nodes"]
    assert found
    assert all("moba" in [genre["slug"] for genre in game["genres"]] for game in found)
    assert all("MOBILE" in game["platforms"] for game in found)
    assert (await page(api, genres=[], platforms=[]))["nodes"] == (await page(api))["nodes"]


@pytest.mark.parametrize("first", [0, -1, 51, 2**31 - 1])
async def test_a_page_has_1_to_50(api: Api, first: int) -> None:
    assert (await api.error(PAGE, first=first))["extensions"]["code"] in {"BAD_USER_INPUT", "COST_LIMIT_EXCEEDED"}


async def test_a_cursor_of_another_list_is_bad_input(api: Api) -> None:
    cursor = (await page(api, first=1, search="a"))["pageInfo"]["endCursor"]
    for wrong in (cursor, cursor[:-2], "garbage", "x" * 2_000, "ы"):
        assert (await api.error(PAGE, after=wrong))["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_game_is_found_by_id_and_by_slug_and_names_are_in_two_languages(api: Api) -> None:
    query = 'query ($by: GameBy!) { game(by: $by) { id title genres { name(locale: "ru") en: name } } }'
    game = (await api(query, by={"slug": "valorant"}))["game"]
    assert (await api(query, by={"id": game["id"]}))["game"] == game
    assert {"name": "Тактический шутер", "en": "Tactical shooter"} in game["genres"]
    assert (await api(query, by={"slug": "no-such-game"}))["game"] is None
    for wrong in ({}, {"slug": "a", "id": game["id"]}, {"slug": None}):
        assert (await api.error(query, by=wrong))["extensions"]["code"] == "BAD_USER_INPUT"


async def test_node_finds_everything_in_the_catalogue(api: Api) -> None:
    game = (await api('{ game(by: {slug: "valorant"}) { id genres { id } ranks { id } roles { id } } }'))["game"]
    ids = [game["id"], game["genres"][0]["id"], game["ranks"][0]["id"], game["roles"][0]["id"]]
    nodes = (await api("query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", ids=ids))["nodes"]
    assert [node["__typename"] for node in nodes] == ["Game", "Genre", "GameRank", "GameRole"]
    assert [node["id"] for node in nodes] == ids


async def test_loading_the_catalogue_again_changes_nothing(api: Api, services: Services) -> None:
    before = (await page(api, first=50))["nodes"]
    for _ in range(2):
        async with services.database.write() as session:
            await games.load_catalogue(session)
    assert (await page(api, first=50))["nodes"] == before


async def test_a_page_of_games_takes_as_many_statements_whatever_its_size(api: Api, statements: list[str]) -> None:
    query = """query ($first: Int!) { games(first: $first) {
        nodes { genres { name } ranks { name } roles { name } } } }"""
    counts = []
    for first in (1, 20):
        statements.clear()
        await api(query, first=first)
        counts.append(len(statements))
    assert counts == [4, 4]
