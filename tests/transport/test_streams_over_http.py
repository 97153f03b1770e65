"""Subscriptions over multipart and server-sent events: what sockets do, without a socket."""

import asyncio
from typing import Any

import httpx
import pytest

from gamebuddy.schema.context import Services
from gamebuddy.settings import Settings
from tests.api import Api
from tests.conftest import free_port, running
from tests.factories import Factory, Player
from tests.transport.streams import APOLLO_IOS, SSE, Events, Streamed, streamed

FOLLOW = """subscription($after: Cursor) { events(after: $after) {
  __typename cursor ... on MessageSent { message { text } } } }"""
WAYS = pytest.mark.parametrize("accept", [APOLLO_IOS, SSE], ids=["multipart", "sse"])


@pytest.fixture
async def nika(make: Factory) -> Player:
    return await make.player("nika")


async def code_at_the_end(stream: Streamed) -> str:
    """Read until errors end the stream; gives their code."""
    while True:
        body = await stream.next()
        if "errors" in body:
            await stream.end()
            code: str = body["errors"][0]["extensions"]["code"]
            return code


@WAYS
async def test_events_come_as_they_happen_and_can_be_resumed(make: Factory, nika: Player, accept: str) -> None:
    chat_id = await make.group(nika)
    async with streamed(nika.api, accept, FOLLOW) as stream:
        assert stream.response.status_code == 200
        caught_up = await stream.until("CaughtUp")
        for number in range(3):
            await make.send(nika, chat_id, f"message {number}")
            assert (await stream.until("MessageSent"))["message"]["text"] == f"message {number}"
    async with streamed(nika.api, accept, FOLLOW, after=caught_up["cursor"]) as stream:
        texts = [(await stream.until("MessageSent"))["message"]["text"] for _ in range(3)]
    assert texts == [f"message {number}" for number in range(3)]


@WAYS
async def test_between_events_a_heart_beats(settings: Settings, make: Factory, nika: Player, accept: str) -> None:
    quick = settings.model_copy(update={"port": free_port(), "heartbeat_seconds": 0.05})
    async with (
        running(quick),
        Api.open(quick.url) as there,
        streamed(there.signed_in(nika.api.token or ""), accept, FOLLOW) as stream,
    ):
        await stream.until("CaughtUp")
        while stream.reader.heartbeats < 3:
            stream.reader.feed(await anext(stream.chunks))


@WAYS
async def test_an_expired_token_ends_the_stream(settings: Settings, make: Factory, nika: Player, accept: str) -> None:
    short = settings.model_copy(update={"port": free_port(), "access_token_seconds": 1})
    async with running(short) as server, Api.open(short.url) as there:
        app: Any = server.config.app
        token, _ = app.state.services.gate.tokens.issue(nika.account_id, nika.session_id)
        async with streamed(there.signed_in(token), accept, FOLLOW) as stream:
            assert await code_at_the_end(stream) == "UNAUTHENTICATED"


@WAYS
async def test_who_signs_out_elsewhere_ends_the_stream(
    make: Factory, nika: Player, services: Services, accept: str
) -> None:
    async with streamed(nika.api, accept, FOLLOW) as stream:
        await stream.until("CaughtUp")
        await nika.api("mutation { signOut { userErrors { code } } }")
        assert await code_at_the_end(stream) == "UNAUTHENTICATED"
    assert services.hub.is_listening


async def test_a_query_comes_as_one_event(make: Factory, nika: Player) -> None:
    async with streamed(nika.api, SSE, "{ viewer { user { username } } }") as stream:
        assert await stream.next() == {"data": {"viewer": {"user": {"username": "nika"}}}}
        await stream.end()
    assert isinstance(stream.reader, Events)
    assert stream.reader.is_complete


async def test_what_may_not_be_followed_is_an_error_in_the_stream(make: Factory, nika: Player) -> None:
    stranger = await make.player("stranger")
    chat_id = await make.group(nika)
    query = "subscription($id: ID!) { chatEvents(chatId: $id) { __typename } }"
    for api, code in ((stranger.api, "NOT_FOUND"), (make.api, "UNAUTHENTICATED")):
        async with streamed(api, APOLLO_IOS, query, id=chat_id) as stream:
            body = await stream.next()
            assert body["payload"]["errors"][0]["extensions"]["code"] == code
            await stream.end()


@WAYS
async def test_errors_before_the_stream_are_plain_answers(nika: Player, accept: str) -> None:
    async with httpx.AsyncClient() as http:
        url, headers = f"{nika.api.url}/graphql", {"Accept": accept, "Authorization": f"Bearer {nika.api.token}"}
        unsigned = await http.post(
            url, json={"query": "subscription { events { id } }"}, headers=headers | {"Authorization": "Bearer x"}
        )
        assert unsigned.status_code == 401
        by_get = await http.get(url, params={"query": "subscription { events { id } }"}, headers=headers)
        assert by_get.status_code == 405


async def test_a_document_that_is_refused_is_told_in_the_form_that_is_read(nika: Player) -> None:
    async with streamed(nika.api, SSE, "subscription { nothing }") as stream:
        assert (await stream.next())["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        await stream.end()
    assert isinstance(stream.reader, Events)
    assert stream.reader.is_complete
    answer = await nika.api.post("subscription { nothing }", Accept=APOLLO_IOS)
    assert answer.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


@WAYS
async def test_an_account_has_ten_streams_and_they_are_given_back(
    nika: Player, services: Services, accept: str
) -> None:
    async def open_one(held: asyncio.Event) -> int:
        async with streamed(nika.api, accept, FOLLOW) as stream:
            if stream.response.status_code == 200:
                await stream.until("CaughtUp")
            ready.release()
            await held.wait()
            return stream.response.status_code

    for _ in range(2):
        ready, held = asyncio.Semaphore(0), asyncio.Event()
        tasks = [asyncio.create_task(open_one(held)) for _ in range(12)]
        for _ in range(12):
            await ready.acquire()
        held.set()
        codes = sorted(await asyncio.gather(*tasks))
        assert codes == [200] * 10 + [429] * 2
        while services.hub.followers.by_account:
            await asyncio.sleep(0.01)
