"""What caches may keep: the catalogue, by GET, for nobody in particular; and nothing else."""

import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from gamebuddy.schema import root
from gamebuddy.schema.caching import Shared
from tests.api import Api
from tests.factories import Factory
from tests.transport.test_persisted_queries import named

GAMES = """{ games(first: 2) { nodes { ...game } edges { cursor node { slug } } pageInfo { endCursor } } }
    fragment game on Game { id slug title platforms playerCount genres { slug name } ranks { level } roles { slug } }"""


async def get(api: Api, query: str, **parameters: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {api.token}"} if api.token else {}
    return await api.http.get("/graphql?" + urlencode({"query": query} | parameters), headers=headers)


@pytest.mark.parametrize(
    "query",
    [GAMES, "{ genres { name(locale: ru) } }", '{ game(by: {slug: "dota-2"}) { title __typename } __typename }'],
)
async def test_the_catalogue_may_be_kept_for_a_while(api: Api, query: str) -> None:
    response = await get(api, query)
    assert "errors" not in response.json()
    assert response.headers["cache-control"] == "public, max-age=300"
    assert response.headers["vary"] == "Accept, Authorization, Origin"


async def test_by_its_hash_too(api: Api) -> None:
    await api.http.post("/graphql", json={"query": GAMES, "extensions": named(GAMES)})
    response = await api.http.get("/graphql?" + urlencode({"extensions": json.dumps(named(GAMES))}))
    assert response.headers["cache-control"] == "public, max-age=300"


@pytest.mark.parametrize(
    "query",
    [
        "{ genres { slug } viewer { email } }",
        '{ genres { slug } node(id: "x") { id } }',
        "{ viewer { email } }",
        "{ __typename }",
        "{ __schema { queryType { name } } genres { slug } }",
        '{ game(by: {slug: "dota-2"}) { ... on Node { id } } }',
        "{ games(first: 99) { nodes { slug } } }",
        "{ nothing }",
        "{",
    ],
)
async def test_nothing_else_is_kept(api: Api, query: str) -> None:
    assert (await get(api, query)).headers["cache-control"] == "no-store"


async def test_nothing_is_kept_of_what_was_asked_by_post_or_by_somebody(api: Api, make: Factory) -> None:
    assert (await api.post(GAMES)).headers["cache-control"] == "no-store"
    nika = await make.player("nika")
    assert (await get(nika.api, GAMES)).headers["cache-control"] == "no-store"


def test_what_may_be_kept_says_so_in_its_description() -> None:
    schema = root.build_schema()
    ages = Shared(schema)._ages
    query = schema._schema.query_type
    assert query is not None
    for name, field in query.fields.items():
        assert (name in ages) == ("caches may keep it for 300 seconds" in (field.description or "")), name
