"""GraphQL over HTTP, as well-behaved and as hostile clients speak it."""

import asyncio
import json
import re
import time
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from gamebuddy.settings import Settings
from gamebuddy.workers import STANDSTILL_SECONDS
from tests.api import PATIENCE, Api
from tests.conftest import free_port, running
from tests.factories import Factory
from tests.leaks import LEAKS

SPEC = "application/graphql-response+json"
HELLO = {"query": "{ __typename }"}


async def send(api: Api, content: bytes | str, **headers: str) -> httpx.Response:
    return await api.http.post("/graphql", content=content, headers={"Content-Type": "application/json"} | headers)


def code(response: httpx.Response) -> str:
    assert response.headers["content-type"].split(";")[0] in {"application/json", SPEC}
    found: str = response.json()["errors"][0]["extensions"]["code"]
    return found


async def test_the_answer_has_the_type_that_the_client_takes(api: Api) -> None:
    for accept, expected in ((SPEC, SPEC), ("application/json", "application/json"), ("*/*", "application/json")):
        response = await send(api, json.dumps(HELLO), Accept=accept)
        assert (response.status_code, response.json()) == (200, {"data": {"__typename": "Query"}})
        assert response.headers["content-type"] == f"{expected}; charset=utf-8"
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ __typename ...a } fragment a on Query { ...b } fragment b on Query { ...a }", "GRAPHQL_VALIDATION_FAILED"),
        ("query a { __typename } query a { __typename }", "GRAPHQL_VALIDATION_FAILED"),
        ("query a { __typename } query b { __typename }", "OPERATION_RESOLUTION_FAILURE"),
        ("fragment a on Query { __typename }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { events { id } }", "SUBSCRIPTION_TRANSPORT_REQUIRED"),
        ("query ($id: ID!) { node(id: $id) { id } }", "BAD_USER_INPUT"),
        ('{ user(by: {username: "a\\u0000b"}) { id } }', "BAD_USER_INPUT"),
    ],
)
async def test_request_errors_have_no_data_and_their_status(api: Api, query: str, expected: str) -> None:
    response = await send(api, json.dumps({"query": query}), Accept=SPEC)
    assert (response.status_code, code(response)) == (400, expected)
    assert "data" not in response.json()
    response = await send(api, json.dumps({"query": query}))
    assert (response.status_code, code(response)) == (200, expected)


@pytest.mark.parametrize(
    "body",
    [
        b"null", b"5", b'"x"', b"[]", b"[1]", b"{", b"\xff\xfe", b"", b"NaN",
        b"[" * 100_000, b'{"query": ' + b"9" * 5_000 + b"}", b"{}", b'{"query": 5}', b'{"query": " "}',
        b'{"query": "{ __typename }", "variables": []}', b'{"query": "{ __typename }", "operationName": [1]}',
        b'{"query": "{ __typename }", "extensions": 1}', b'[{"query": "{ __typename }"}]',
    ],
)  # fmt: skip
async def test_a_body_that_is_no_request_is_a_bad_request(api: Api, body: bytes) -> None:
    response = await send(api, body)
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")


async def test_deep_variables_are_refused(api: Api) -> None:
    body = b'{"query": "{ __typename }", "variables": {"a": ' + b"[" * 40_000 + b"]" * 40_000 + b"}}"
    assert code(await send(api, body)) == "BAD_REQUEST"


async def test_a_nul_or_half_a_pair_is_refused_by_the_name_of_its_field(api: Api) -> None:
    query = "query ($by: UserBy!) { user(by: $by) { id } }"
    for text in ("nul \0", "half \ud800"):
        answer = (await api.post(query, {"by": {"username": text}})).json()
        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
        assert "by.username" in answer["errors"][0]["message"]


async def test_a_large_body_is_refused_also_in_chunks(api: Api) -> None:
    body = json.dumps({"query": "{ __typename }", "variables": {"a": "x" * 101_000}}).encode()

    async def chunks() -> Any:
        for begin in range(0, len(body), 10_000):
            yield body[begin : begin + 10_000]

    for content in (body, chunks()):
        response = await api.http.post("/graphql", content=content, headers={"Content-Type": "application/json"})
        assert (response.status_code, code(response)) == (413, "PAYLOAD_TOO_LARGE")


async def test_other_types_and_encodings_are_refused(api: Api) -> None:
    for content_type in ("text/plain", "multipart/form-data", "application/x-www-form-urlencoded", ""):
        response = await send(api, b"{}", **{"Content-Type": content_type})
        assert (response.status_code, code(response)) == (415, "BAD_REQUEST")
    response = await send(api, b"{}", **{"Content-Encoding": "gzip"})
    assert (response.status_code, code(response)) == (415, "BAD_REQUEST")


async def test_get_reads_and_never_writes(api: Api) -> None:
    query = "query a($x: String!) { games(search: $x) { nodes { slug } } }"
    ok = await api.http.get(
        "/graphql?" + urlencode({"query": query, "variables": '{"x": "dota"}', "operationName": "a"})
    )
    assert ok.json()["data"]["games"]["nodes"] == [{"slug": "dota-2"}]
    write = await api.http.get("/graphql?" + urlencode({"query": "mutation { signOut { isDone } }"}))
    assert (write.status_code, code(write), write.headers["allow"]) == (405, "METHOD_NOT_ALLOWED", "POST")
    for query in ("", "query=", "query=%FF", "variables=5", "query={__typename}&variables=x", "query=a&query=b"):
        response = await api.http.get(f"/graphql?{query}")
        assert (response.status_code, code(response)) == (400, "BAD_REQUEST"), query


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS"])
async def test_other_methods_are_refused(api: Api, method: str) -> None:
    response = await api.http.request(method, "/graphql")
    assert (response.status_code, code(response)) == (405, "METHOD_NOT_ALLOWED")
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize(
    "header",
    ["Bearer", "bearer", "Bearer a b", "Basic eDp5", "bearer\tabc", "Bearer é", "Bearer null", "Bearer a.b.c", ""],
)
async def test_anything_but_a_valid_bearer_is_401_before_execution(api: Api, header: str) -> None:
    response = await send(api, json.dumps(HELLO), Authorization=header.encode("latin-1"))  # type: ignore[arg-type]
    assert (response.status_code, code(response)) == (401, "UNAUTHENTICATED")
    assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'


async def test_two_authorization_headers_are_no_caller(api: Api, make: Factory) -> None:
    token = (await make.player()).api.token
    for other in (f"Bearer {token}", "Bearer a.b.c", "Basic eDp5", ""):
        for values in ((f"Bearer {token}", other), (other, f"Bearer {token}")):
            headers = [("Content-Type", "application/json"), *(("Authorization", value) for value in values)]
            response = await api.http.post("/graphql", content=json.dumps(HELLO), headers=headers)
            assert (response.status_code, code(response)) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    "spelled", ["{}", "Bearer\t{}", "Bearer \t {}", "Bearer{}", "Bearer {}, Bearer {}", "Bearer {}é"]
)
async def test_a_valid_token_counts_behind_its_scheme_alone(api: Api, make: Factory, spelled: str) -> None:
    header = spelled.replace("{}", (await make.player()).api.token or "").encode("latin-1")
    answers = [await send(api, json.dumps(HELLO), Authorization=header) for _ in range(3)]  # type: ignore[arg-type]
    assert [(answer.status_code, code(answer)) for answer in answers] == [(401, "UNAUTHENTICATED")] * 3


async def test_the_scheme_is_read_in_any_case(api: Api, make: Factory) -> None:
    nika = await make.player("nika")
    response = await api.post("{ viewer { user { username } } }", Authorization=f"bEARER {nika.api.token}")
    assert response.json()["data"]["viewer"]["user"]["username"] == "nika"


async def test_without_a_token_one_is_anonymous(api: Api) -> None:
    assert await api("{ viewer { email } }") == {"viewer": None}


async def test_a_strange_host_and_an_unknown_path_get_the_same_shape(api: Api) -> None:
    strange = await api.http.get("/healthz", headers={"Host": "a/b"})
    assert (strange.status_code, code(strange)) == (400, "BAD_REQUEST")
    unknown = await api.http.get("/nothing")
    assert (unknown.status_code, code(unknown)) == (404, "NOT_FOUND")


async def test_faults_are_masked_and_found_by_their_trace(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from gamebuddy.resolvers import games

    async def broken(*_: object) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(games, "all_genres", broken)
    response = await api.post("{ genres { slug } }")
    error = response.json()["errors"][0]
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert error["extensions"]["traceId"]
    assert "hunter2" not in response.text


async def test_operators_see_life_readiness_and_numbers(api: Api) -> None:
    assert (await api.http.get("/healthz")).json() == {"status": "ok"}
    ready = await api.http.get("/readyz")
    assert (ready.status_code, ready.json()) == (
        200,
        {"database": True, "migrations": True, "listener": True, "serving": True},
    )
    assert "gamebuddy_requests_total" in (await api.http.get("/metrics")).text


async def test_the_schema_is_served_as_text(api: Api) -> None:
    text = (await api.http.get("/graphql/schema.graphql")).text
    assert "input UserBy @oneOf" in text


async def test_graphiql_and_the_start_page_are_for_people(api: Api) -> None:
    for path in ("/graphql?query=</script><script>alert(1)</script>", "/"):
        page = await api.http.get(path, headers={"Accept": "text/html"})
        assert page.status_code == 200
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "alert(1)" not in page.text


async def test_pages_of_listed_origins_may_call_and_others_may_not(settings: Settings, clean: None) -> None:
    listed, other = "https://app.example.com", "https://app.example.com.evil.example"
    open_to = settings.model_copy(update={"port": free_port(), "cors_origins": (listed,), "graphiql": False})
    async with running(open_to), Api.open(open_to.url) as api:
        for origin, allowed in ((listed, listed), (other, None), ("null", None)):
            asking = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            asked = await api.http.options("/graphql", headers=asking)
            answered = await send(api, json.dumps(HELLO), Origin=origin)
            for response in (asked, answered):
                assert response.headers.get("access-control-allow-origin") == allowed
                assert "access-control-allow-credentials" not in response.headers
        switched_off = await api.http.get("/graphql", headers={"Accept": "text/html"})
        assert (switched_off.status_code, code(switched_off)) == (404, "NOT_FOUND")


async def test_a_loop_that_stood_still_is_measured_and_told(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from gamebuddy.resolvers import games

    async def greedy(*_: object) -> list[object]:
        time.sleep(2 * STANDSTILL_SECONDS)  # noqa: ASYNC251 - this is what must not be
        return []

    monkeypatch.setattr(games, "all_genres", greedy)
    await api.post("{ genres { slug } }")
    async with asyncio.timeout(PATIENCE):
        while "the event loop stood still" not in LEAKS.logs.getvalue():
            await asyncio.sleep(0.05)
    metrics = (await api.http.get("/metrics")).text
    (total,) = re.findall(r"gamebuddy_loop_lag_seconds_sum (\S+)", metrics)
    assert float(total) > STANDSTILL_SECONDS
