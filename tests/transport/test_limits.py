"""Documents that are too much: refused by their shape, before anything is executed."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from graphql import GraphQLNamedType, OperationDefinitionNode, SelectionSetNode, parse
from strawberry.schema import schema as strawberry_schema

from gamebuddy.schema import root
from gamebuddy.schema.context import Services
from gamebuddy.schema.documents import preparing
from gamebuddy.schema.documents.walk import Walk
from gamebuddy.settings import Settings
from tests.api import Api
from tests.conftest import free_port, running
from tests.factories import Factory


def diamonds(length: int) -> str:
    """Write a query of fragments each of which spreads the next one twice."""
    chain = "".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }} " for n in range(length))
    return "{ ...f0 } " + chain + f"fragment f{length} on Query {{ genres {{ slug }} }}"


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


@pytest.mark.parametrize("length", [20, 60])
async def test_a_chain_of_fragments_that_doubles_at_every_step_is_refused_by_its_cost(api: Api, length: int) -> None:
    assert await refused(api, diamonds(length)) == "COST_LIMIT_EXCEEDED"


def test_every_fragment_is_walked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = root.build_schema()._schema
    document = parse(diamonds(60))
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    visits = []
    cost_of = Walk._cost

    def counted(walk: Walk, selections: SelectionSetNode, on: GraphQLNamedType) -> int:
        visits.append(selections)
        return cost_of(walk, selections, on)

    monkeypatch.setattr(Walk, "_cost", counted)
    walk = Walk(schema, document, {})
    assert walk.cost(operation) == 2**60 * 2
    # The operation, 61 fragments, and the selections of `genres` and `slug`.
    assert len(visits) == 1 + 61 + 2
    assert len(list(walk.fields(operation))) == 2


async def test_fragments_are_bounded_because_each_is_compared_with_each(api: Api) -> None:
    fragments = "".join(f"fragment f{n} on Query {{ __typename }} " for n in range(101))
    spread = "{ " + " ".join(f"...f{n}" for n in range(101)) + " } "
    assert await refused(api, spread + fragments) == "COST_LIMIT_EXCEEDED"


async def test_a_document_is_parsed_and_validated_once(
    api: Api, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All rules are on: Strawberry's own parsing and validation would count too."""
    counted: Counter[str] = Counter()

    def count(module: Any, name: str) -> None:
        function = getattr(module, name)

        def counting(*given: Any, **named: Any) -> Any:
            counted[f"{module.__name__.split('.')[0]}: {name}"] += 1
            return function(*given, **named)

        monkeypatch.setattr(module, name, counting)

    count(preparing, "parse")
    count(preparing, "validate")
    count(strawberry_schema, "parse")
    count(strawberry_schema, "validate_document")
    query = "query Once($x: String) { games(search: $x) { nodes { slug } } }"
    for _ in range(2):
        for x in ("dota", "valorant"):
            assert (await api(query, x=x))["games"]["nodes"]
        async with api.socket() as socket:
            await socket.start(query)
            assert (await socket.receive())["type"] == "next"
    assert counted == {"gamebuddy: parse": 1, "gamebuddy: validate": 1}


@pytest.fixture
async def closed(settings: Settings, clean: None) -> AsyncIterator[Api]:
    """A server that does not tell its schema."""
    changed = settings.model_copy(update={"port": free_port(), "introspection": False})
    async with running(changed), Api.open(changed.url) as api:
        yield api


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { types { name } } }",
        '{ __type(name: "Query") { name } }',
        "{ a: __schema { queryType { name } } }",
        '{ ...f } fragment f on Query { b: __type(name: "User") { fields { name } } }',
        "{ __typename ... { __schema { types { name } } } }",
        "{ gamez { nodes { id } } }",
        "{ games { nodes { titel } } }",
        "{ games(serch: 1) { nodes { id } } }",
        "{ games(platforms: [PCC]) { nodes { id } } }",
        "mutation { signIn(input: {logn: 1}) { userErrors { code } } }",
        "query ($x: Gam) { __typename }",
    ],
)
async def test_where_introspection_is_off_nothing_of_the_schema_is_told(closed: Api, query: str) -> None:
    error = await closed.error(query)
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert "Did you mean" not in error["message"]
    async with closed.socket() as socket:
        await socket.start(query)
        assert (await socket.receive())["payload"][0]["message"] == error["message"]


async def test_where_introspection_is_off_variables_get_no_hints_either(closed: Api) -> None:
    for query, variables in (
        ("query ($x: [Platform!]) { games(platforms: $x) { nodes { id } } }", {"x": ["PCC"]}),
        ("query ($by: GameBy!) { game(by: $by) { id } }", {"by": {"slgu": "dota-2"}}),
    ):
        error = await closed.error(query, **variables)
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert "Did you mean" not in error["message"]
    assert (await closed("{ __typename }")) == {"__typename": "Query"}
    response = await closed.http.get("/graphql/schema.graphql")
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }",
        """{ __schema { types { ...a } } } fragment a on __Type { fields { type { ...b } } }
           fragment b on __Type { fields { type { ...c } } } fragment c on __Type { fields { name } }""",
        "{ __schema { types { possibleTypes { interfaces { possibleTypes { interfaces { name } } } } } } }",
    ],
)
async def test_introspection_does_not_go_in_circles(api: Api, query: str) -> None:
    assert await refused(api, query) == "GRAPHQL_VALIDATION_FAILED"


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
