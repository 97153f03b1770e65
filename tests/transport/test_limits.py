"""Documents that are too much: refused by their shape, before anything is executed."""

import pytest

from tests.api import Api
from tests.factories import Factory


async def refused(api: Api, query: str, **variables: object) -> str:
    code: str = (await api.error(query, **variables))["extensions"]["code"]
    return code


async def test_aliases_directives_levels_and_namesakes_are_bounded(api: Api) -> None:
    aliases = " ".join(f"a{n}: __typename" for n in range(31))
    assert await refused(api, f"{{ {aliases} }}") == "COST_LIMIT_EXCEEDED"
    assert await refused(api, "{ __typename " + "@skip(if: false) " * 60 + "}") == "COST_LIMIT_EXCEEDED"
    deep = "{ genres { " * 1 + "... on Genre { " * 40 + "slug" + " }" * 41 + " }"
    assert await refused(api, deep) == "COST_LIMIT_EXCEEDED"
    assert await refused(api, "{ " + "genres { slug } " * 200 + "}") == "COST_LIMIT_EXCEEDED"


@pytest.mark.parametrize(
    "query",
    ["{ " + " ".join(f"a{n}: __typename" for n in range(5_000)) + " }", "{" * 5_000, "{ " + "...x " * 3_000 + "}"],
)
async def test_too_many_tokens_are_not_parsed(api: Api, query: str) -> None:
    assert await refused(api, query) == "GRAPHQL_PARSE_FAILED"


async def test_200_kb_of_commas_are_too_large(api: Api) -> None:
    assert await refused(api, "{ __typename " + "," * 200_000 + "}") == "PAYLOAD_TOO_LARGE"


async def test_nested_pages_multiply_also_by_variables(api: Api, make: Factory, statements: list[str]) -> None:
    nika = await make.player()
    query = """query ($n: Int!) { viewer { chats(first: $n) { nodes { members(first: $n) { nodes { user {
        profile { games { game { title } } } } } } } } } }"""
    statements.clear()
    assert await refused(nika.api, query, n=50) == "COST_LIMIT_EXCEEDED"
    assert len(statements) == 1, "who asks is read, and nothing more"
    assert await nika.api(query, n=5)


async def test_the_cost_is_told_on_request(api: Api) -> None:
    body = {"query": "{ games(first: 10) { nodes { slug title } } }", "extensions": {"cost": True}}
    answer = (await api.http.post("/graphql", json=body)).json()
    assert answer["extensions"] == {"cost": 1 + 10 * 3}


async def test_a_chain_of_fragments_is_walked_once(api: Api) -> None:
    chain = "".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }} " for n in range(20))
    answer = await refused(api, "{ ...f0 } " + chain + "fragment f20 on Query { genres { slug } }")
    assert answer == "COST_LIMIT_EXCEEDED"  # 2^20 fields


async def test_one_document_tries_one_secret(api: Api) -> None:
    query = """mutation { a: signIn(input: {login: "a", password: "x"}) { userErrors { code } }
        ...more } fragment more on Mutation { b: signIn(input: {login: "b", password: "x"}) { userErrors { code } } }"""
    assert await refused(api, query) == "COST_LIMIT_EXCEEDED"


async def test_pages_have_their_bounds(make: Factory) -> None:
    nika = await make.player()
    for first in (0, -1, 51, 2**31 - 1):
        query = "query ($n: Int!) { viewer { chats(first: $n) { nodes { id } } } }"
        assert await refused(nika.api, query, n=first) == "BAD_USER_INPUT"


async def test_foreign_and_broken_ids_are_bad_input_or_nothing(api: Api, make: Factory) -> None:
    nika = await make.player()
    for wrong in ("", "usr_", "cht_AAAA", "x" * 1_000, "usr_" + "=" * 22, "-1", "VXNlcjox"):
        assert await refused(api, "query ($id: ID!) { node(id: $id) { id } }", id=wrong) == "BAD_USER_INPUT"
    assert (await api("query ($id: ID!) { node(id: $id) { id } }", id=nika.id))["node"] == {"id": nika.id}
    unknown = nika.id[:-2] + ("AA" if nika.id[-2:] != "AA" else "BA")
    assert (await api("query ($id: ID!) { node(id: $id) { id } }", id=unknown))["node"] is None
