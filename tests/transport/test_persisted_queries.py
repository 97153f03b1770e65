"""Documents by their hash: learnt as Apollo clients teach them, and those of manifests alone."""

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from gamebuddy.schema import root
from gamebuddy.schema.context import Services
from gamebuddy.schema.documents import Documents, Request
from gamebuddy.schema.documents.persisted import Automatic
from gamebuddy.schema.memory import SHORTEST
from gamebuddy.settings import PersistedQueries, Settings, SettingsError
from tests.api import Api
from tests.conftest import free_port, running
from tests.factories import Factory
from tests.transport.streams import APOLLO_IOS, SSE, streamed

SCHEMA = root.build_schema()


def digest(query: str) -> str:
    return hashlib.sha256(query.encode()).hexdigest()


def named(query: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": digest(query)}}


def code(response: httpx.Response) -> str:
    found: str = response.json()["errors"][0]["extensions"]["code"]
    return found


async def by_post(api: Api, **body: Any) -> httpx.Response:
    return await api.http.post("/graphql", json=body, headers={"Accept": APOLLO_IOS})


async def by_get(api: Api, **parameters: Any) -> httpx.Response:
    written = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
    return await api.http.get("/graphql?" + urlencode(written), headers={"Accept": APOLLO_IOS})


@pytest.fixture
def fresh(request: pytest.FixtureRequest) -> str:
    """A query that no other test sends."""
    return f"query Fresh($x: String) {{ games(search: $x) {{ nodes {{ slug }} }} }} # {request.node.name}"


@pytest.mark.parametrize("ask", [by_post, by_get])
async def test_a_document_is_sent_once_and_named_afterwards(api: Api, fresh: str, ask: Any) -> None:
    extensions, variables = named(fresh), {"x": "dota"}
    unknown = await ask(api, extensions=extensions, variables=variables, operationName="Fresh")
    assert (unknown.status_code, code(unknown)) == (200, "PERSISTED_QUERY_NOT_FOUND")
    assert unknown.json()["errors"][0]["message"] == "PersistedQueryNotFound"
    assert unknown.headers["cache-control"] == "private, no-cache, must-revalidate"
    expected = {"data": {"games": {"nodes": [{"slug": "dota-2"}]}}}
    taught = await ask(api, query=fresh, extensions=extensions, variables=variables)
    assert taught.json() == expected
    for again in (by_post, by_get):
        known = await again(api, extensions=extensions, variables=variables, operationName="Fresh")
        assert (known.status_code, known.json()) == (200, expected)


async def test_sockets_and_streams_know_what_was_taught_elsewhere(api: Api, fresh: str) -> None:
    async with api.socket() as socket:
        subscribe = {"id": "1", "type": "subscribe", "payload": {"extensions": named(fresh), "query": None}}
        await socket.send(subscribe)
        frame = await socket.receive()
        assert (frame["type"], frame["id"]) == ("error", "1")
        assert frame["payload"][0]["message"] == "PersistedQueryNotFound"
        await by_post(api, query=fresh, extensions=named(fresh))
        await socket.send(subscribe)
        assert (await socket.receive())["payload"]["data"]["games"]["nodes"]
    async with streamed(api, SSE, fresh) as stream:
        assert (await stream.next())["data"]["games"]["nodes"]
    response = await api.http.post("/graphql", json={"extensions": named(fresh)}, headers={"Accept": SSE})
    assert response.text.startswith(":\n\nevent: next\n")


async def test_a_mutation_may_be_named_but_not_by_get(make: Factory) -> None:
    nika = await make.player("nika")
    mutation = 'mutation { updateProfile(input: {bio: "by hash"}) { user { profile { bio } } } }'
    headers = {"Authorization": f"Bearer {nika.api.token}"}
    for body in ({"query": mutation, "extensions": named(mutation)}, {"extensions": named(mutation)}):
        answer = (await nika.api.http.post("/graphql", json=body, headers=headers)).json()
        assert answer["data"]["updateProfile"]["user"]["profile"]["bio"] == "by hash"
    refused = await by_get(nika.api, extensions=named(mutation))
    assert (refused.status_code, code(refused)) == (405, "METHOD_NOT_ALLOWED")


async def test_a_password_is_tried_in_one_bucket_however_the_document_comes(api: Api) -> None:
    sign_in = """mutation { signIn(input: {login: "nobody_here", password: "wrong password"}) {
        userErrors { code } } }"""

    async def by_socket() -> Any:
        async with api.socket() as socket:
            await socket.start(sign_in)
            return (await socket.receive())["payload"]["data"]

    async def by_stream() -> Any:
        async with streamed(api, SSE, sign_in) as stream:
            return (await stream.next())["data"]

    async def by_text() -> Any:
        return (await by_post(api, query=sign_in, extensions=named(sign_in))).json()["data"]

    async def by_hash() -> Any:
        return (await by_post(api, extensions=named(sign_in))).json()["data"]

    codes = []
    for ask in (by_text, by_hash, by_socket, by_stream, by_text, by_hash, by_socket, by_stream, by_text):
        (error,) = (await ask())["signIn"]["userErrors"]
        codes.append(error["code"])
    assert codes == ["WRONG_CREDENTIALS"] * 5 + ["RETRY_LATER"] * 4


@pytest.mark.parametrize(
    "extension",
    [5, "x", [], {}, {"version": 2, "sha256Hash": "a"}, {"version": 1}, {"version": 1, "sha256Hash": 5},
     {"version": 1, "sha256Hash": ""}, {"version": 1, "sha256Hash": "a" * 1_000}, {"version": "1", "sha256Hash": "a"}],
)  # fmt: skip
async def test_a_name_of_another_shape_is_a_bad_request(api: Api, extension: object) -> None:
    for body in ({}, {"query": "{ __typename }"}):
        response = await by_post(api, extensions={"persistedQuery": extension}, **body)
        assert (response.status_code, code(response)) == (400, "BAD_REQUEST")
    async with api.socket() as socket:
        payload = {"extensions": {"persistedQuery": extension}}
        await socket.send({"id": "1", "type": "subscribe", "payload": payload})
        assert (await socket.receive())["payload"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_a_document_under_the_hash_of_another_is_not_learnt(api: Api, fresh: str) -> None:
    response = await by_post(api, query="{ __typename }", extensions=named(fresh))
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")
    assert code(await by_post(api, extensions=named(fresh))) == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.parametrize(
    ("query", "variables", "expected"),
    [
        ("{", {}, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("{ " + " ".join(f"a{n}: __typename" for n in range(31)) + " }", {}, "COST_LIMIT_EXCEEDED"),
        (
            "query ($n: Int) { viewer { chats(first: $n) { nodes { members(first: $n) { nodes { role } } } } } }",
            {"n": 50},
            "COST_LIMIT_EXCEEDED",
        ),
    ],
)
async def test_what_is_refused_is_not_learnt(api: Api, query: str, variables: dict[str, int], expected: str) -> None:
    assert code(await by_post(api, query=query, variables=variables, extensions=named(query))) == expected
    assert code(await by_post(api, extensions=named(query))) == "PERSISTED_QUERY_NOT_FOUND"


async def test_a_known_document_meets_the_limits_with_every_set_of_variables(make: Factory) -> None:
    nika = await make.player("nika")
    query = "query ($n: Int) { viewer { chats(first: $n) { nodes { members(first: $n) { nodes { role } } } } } }"
    headers = {"Authorization": f"Bearer {nika.api.token}"}

    async def ask(**body: Any) -> httpx.Response:
        return await nika.api.http.post("/graphql", json=body | {"extensions": named(query)}, headers=headers)

    assert "data" in (await ask(query=query, variables={"n": 2})).json()
    assert code(await ask(variables={"n": 50})) == "COST_LIMIT_EXCEEDED"
    assert "data" in (await ask(variables={"n": 2})).json()


async def test_a_million_hashes_take_no_room(api: Api, services: Services) -> None:
    texts = services.documents._persisted.texts  # type: ignore[attr-defined]
    before = len(texts)
    for number in range(50):
        assert code(await by_post(api, extensions=named(f"{number}"))) == "PERSISTED_QUERY_NOT_FOUND"
    assert len(texts) == before


def test_what_is_learnt_stays_within_its_bound_and_what_is_used_stays() -> None:
    way = Automatic(most=10 * SHORTEST)

    def request(query: str | None, name: str) -> Request:
        return Request(query=query, persisted=digest(name), variables={}, operation_name=None, extensions={})

    used = "{ used }"
    way.keep(request(used, used))
    for number in range(1_000):
        query = f"{{ a{number} }}"
        way.keep(request(query, query))
        assert way.find(request(None, used)) == used
    assert len(way.texts) == 10
    way.keep(request("x" * 20_000, "x" * 20_000))
    assert len(way.texts) == 10, "a text that is too long drives nobody out"


def manifest(*operations: tuple[str, str, str], **changes: Any) -> dict[str, Any]:
    return {
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": [
            {"id": digest(body), "name": name, "type": kind, "body": body} for name, kind, body in operations
        ],
    } | changes


SLUGS = "query Slugs($x: String) {\n  games(search: $x) {\n    nodes {\n      slug\n    }\n  }\n}"
BIO = "mutation Bio($bio: String) {\n  updateProfile(input: {bio: $bio}) {\n    user {\n      id\n    }\n  }\n}"


async def server_with(settings: Settings, **changes: Any) -> AsyncIterator[Api]:
    changed = settings.model_copy(update={"port": free_port()} | changes)
    async with running(changed), Api.open(changed.url) as api:
        yield api


@pytest.fixture
async def trusting(settings: Settings, tmp_path: Path, clean: None) -> AsyncIterator[Api]:
    """A server with the manifests of two clients."""
    ios, web = tmp_path / "ios.json", tmp_path / "web.json"
    ios.write_text(json.dumps(manifest(("Slugs", "query", SLUGS))))
    web.write_text(json.dumps(manifest(("Slugs", "query", SLUGS), ("Bio", "mutation", BIO), madeBy="a test")))
    async for api in server_with(settings, persisted_queries=PersistedQueries.TRUSTED, trusted_documents=(ios, web)):
        yield api


async def test_trusted_documents_are_taken_by_id_and_word_by_word(trusting: Api) -> None:
    expected = {"data": {"games": {"nodes": [{"slug": "dota-2"}]}}}
    variables = {"x": "dota"}
    for ask in (by_post, by_get):
        assert (await ask(trusting, extensions=named(SLUGS), variables=variables)).json() == expected
        assert (await ask(trusting, query=SLUGS, variables=variables)).json() == expected
        assert (await ask(trusting, query=SLUGS, extensions=named(SLUGS), variables=variables)).json() == expected


async def test_everything_else_is_refused_on_every_transport(trusting: Api) -> None:
    other = SLUGS.replace("slug", "title")
    for query in (other, "{ __typename }", "{ __schema { types { name } } }", "{", SLUGS + " "):
        for extensions in ({}, named(query), named(SLUGS)):
            response = await by_post(trusting, query=query, extensions=extensions)
            assert (response.status_code, code(response)) == (400, "FORBIDDEN")
    assert code(await by_get(trusting, query=other)) == "FORBIDDEN"
    assert code(await by_post(trusting, extensions=named(other))) == "PERSISTED_QUERY_NOT_FOUND"
    async with streamed(trusting, SSE, other) as stream:
        assert (await stream.next())["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    async with trusting.socket() as socket:
        await socket.start(other)
        assert (await socket.receive())["payload"][0]["extensions"]["code"] == "FORBIDDEN"
        await socket.start(SLUGS)
        assert (await socket.receive())["payload"]["data"]["games"]["nodes"]


async def test_switched_off_clients_are_told_to_send_documents(settings: Settings, clean: None) -> None:
    async for api in server_with(settings, persisted_queries=PersistedQueries.OFF):
        response = await by_post(api, extensions=named(SLUGS))
        assert (response.status_code, code(response)) == (200, "PERSISTED_QUERY_NOT_SUPPORTED")
        assert response.json()["errors"][0]["message"] == "PersistedQueryNotSupported"
        assert "data" in (await by_post(api, query=SLUGS, extensions=named(SLUGS))).json()
        assert code(await by_post(api, extensions=named(SLUGS))) == "PERSISTED_QUERY_NOT_SUPPORTED"


@pytest.mark.parametrize(
    ("written", "line"),
    [
        (None, "No such file"),
        ("{", "Invalid JSON"),
        ("[]", "object"),
        (json.dumps(manifest(format="relay")), "format"),
        (json.dumps(manifest(version=2)), "version"),
        (json.dumps(manifest(operations={})), "operations"),
        (json.dumps(manifest(operations=[{"id": "a", "name": "A", "type": "query"}])), "operations.0.body"),
        (json.dumps(manifest(("A", "fragment", "{ __typename }"))), "operations.0.type"),
        (json.dumps(manifest(("A", "query", "{ nothing }"))), "A is not taken: Cannot query field"),
        (json.dumps(manifest(("A", "query", "{"))), "A is not taken: Syntax Error"),
        (json.dumps(manifest(("Gone", "query", SLUGS))), "no query Gone"),
        (json.dumps(manifest(("Slugs", "mutation", SLUGS))), "no mutation Slugs"),
        (
            json.dumps(manifest(operations=[
                {"id": "a", "name": "A", "type": "query", "body": "query A { __typename }"},
                {"id": "a", "name": "B", "type": "query", "body": "query B { __typename }"},
            ])),
            "B has the id of another operation",
        ),
    ],
)  # fmt: skip
def test_a_wrong_manifest_is_told_in_one_line(
    settings: Settings, tmp_path: Path, written: str | None, line: str
) -> None:
    path = tmp_path / "manifest.json"
    if written is not None:
        path.write_text(written)
    changes = {"persisted_queries": PersistedQueries.TRUSTED, "trusted_documents": (path,)}
    with pytest.raises(SettingsError) as wrong:
        Documents(SCHEMA, settings.model_copy(update=changes))
    (told,) = str(wrong.value).splitlines()
    assert str(path) in told
    assert line in told
