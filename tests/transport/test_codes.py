"""What leaves the server when something goes wrong: on every transport the same code, and nothing of ours."""

import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from graphql import GraphQLInputObjectType, build_schema

from gamebuddy.errors import Forbidden, NotFound, Refusal, Unavailable
from gamebuddy.events.hub import Hub
from gamebuddy.resolvers import games
from gamebuddy.schema import root
from gamebuddy.schema.documents.walk import AUTHENTICATING
from gamebuddy.schema.faults import MASKED
from tests.api import Api, Json
from tests.factories import Factory
from tests.leaks import LEAKS
from tests.transport.streams import APOLLO_IOS, SSE, streamed

SECRET = "password=hunter2 at /srv/app.py"
GENRES = "{ genres { slug } }"
EVENTS = "subscription { events { __typename } }"


async def by_post(api: Api, query: str) -> Json:
    """Ask over HTTP; gives the first error."""
    error: Json = (await api.post(query)).json()["errors"][0]
    return error


async def by_get(api: Api, query: str) -> Json:
    headers = {"Authorization": f"Bearer {api.token}"} if api.token else {}
    error: Json = (await api.http.get("/graphql?" + urlencode({"query": query}), headers=headers)).json()["errors"][0]
    return error


async def by_socket(api: Api, query: str) -> Json:
    async with api.socket() as socket:
        await socket.start(query)
        payload: Any = (await socket.receive())["payload"]
        error: Json = payload[0] if isinstance(payload, list) else payload["errors"][0]
        return error


async def by_sse(api: Api, query: str) -> Json:
    async with streamed(api, SSE, query) as stream:
        if stream.response.headers["content-type"].startswith("application/json"):
            await stream.response.aread()
            errors: list[Json] = stream.response.json()["errors"]
            return errors[0]
        error: Json = (await stream.next())["errors"][0]
        return error


async def by_multipart(api: Api, query: str) -> Json:
    async with streamed(api, APOLLO_IOS, query) as stream:
        body = await stream.next()
        found = body.get("errors") or body["payload"]["errors"]
        error: Json = found[0]
        return error


type Ask = Callable[[Api, str], Awaitable[Json]]
OPERATIONS = pytest.mark.parametrize("ask", [by_post, by_get, by_socket, by_sse])
STREAMS = pytest.mark.parametrize("ask", [by_socket, by_sse, by_multipart])


def require_masked(error: Json) -> None:
    """The error tells nothing but where to look, and the log has it there."""
    assert error["message"] == MASKED
    assert error["extensions"].keys() == {"code", "traceId"}
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    (line,) = [line for line in LEAKS.logs.getvalue().splitlines() if error["extensions"]["traceId"] in line]
    assert "hunter2" in line


@OPERATIONS
async def test_a_fault_of_a_field_is_masked(api: Api, monkeypatch: pytest.MonkeyPatch, ask: Ask) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(games, "all_genres", broken)
    error = await ask(api, GENRES)
    assert error["path"] == ["genres"]
    require_masked(error)


@STREAMS
async def test_a_fault_of_a_stream_is_masked(make: Factory, monkeypatch: pytest.MonkeyPatch, ask: Ask) -> None:
    async def broken(*_: object) -> Any:
        raise RuntimeError(SECRET)
        yield

    nika = await make.player("nika")
    monkeypatch.setattr(Hub, "follow_account", broken)
    require_masked(await ask(nika.api, EVENTS))


@OPERATIONS
async def test_a_fault_before_the_operation_is_masked(make: Factory, monkeypatch: pytest.MonkeyPatch, ask: Ask) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(type(make.services.documents), "prepare", broken)
    require_masked(await ask(make.api, GENRES))


@OPERATIONS
@pytest.mark.parametrize("refusal", [NotFound(), Forbidden(), Unavailable("The database is away.")])
async def test_a_refusal_of_the_domain_keeps_its_code_and_its_words(
    api: Api, monkeypatch: pytest.MonkeyPatch, ask: Ask, refusal: Refusal
) -> None:
    async def refuse(*_: object) -> None:
        raise refusal

    monkeypatch.setattr(games, "all_genres", refuse)
    error = await ask(api, GENRES)
    assert (error["message"], error["extensions"]) == (str(refusal), {"code": refusal.code})


@OPERATIONS
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("query a { __typename } query b { __typename }", "OPERATION_RESOLUTION_FAILURE"),
        ("{ games(first: 99) { nodes { id } } }", "BAD_USER_INPUT"),
        ('{ node(id: "x") { id } }', "BAD_USER_INPUT"),
        ("query ($x: Int!) { games(first: $x) { nodes { id } } }", "BAD_USER_INPUT"),
        ("{ " + " ".join(f"a{n}: __typename" for n in range(31)) + " }", "COST_LIMIT_EXCEEDED"),
        ('{ users(search: "x") { nodes { id } } }', "UNAUTHENTICATED"),
        (" ", "BAD_REQUEST"),
    ],
)
async def test_what_a_caller_does_wrong_has_one_code_everywhere(api: Api, ask: Ask, query: str, code: str) -> None:
    error = await ask(api, query)
    assert error["extensions"] == {"code": code}
    assert not re.search(r"Traceback|\.py|0x[0-9a-f]{6}", error["message"])


def test_every_mutation_that_takes_a_secret_is_counted_as_one_try() -> None:
    """A document tries one secret: whatever takes a password, a code or a token has to be in the list of the walk."""
    schema = build_schema(root.sdl())
    assert schema.mutation_type is not None
    secret = re.compile(r"password|code$|refreshToken", re.IGNORECASE)
    harmless = {"joinByInvite"}  # the code of an invite link, limited by its own bucket
    for name, mutation in schema.mutation_type.fields.items():
        given = mutation.args["input"].type.of_type if "input" in mutation.args else None
        if isinstance(given, GraphQLInputObjectType) and any(secret.search(field) for field in given.fields):
            assert name in AUTHENTICATING | harmless, f"{name} belongs to AUTHENTICATING in schema/documents/walk.py"
    assert schema.mutation_type.fields.keys() >= AUTHENTICATING
