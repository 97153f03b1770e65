"""graphql-transport-ws, as well-behaved and as hostile clients speak it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from gamebuddy.schema.sockets import MOST_NAMELESS
from gamebuddy.settings import Settings
from tests.api import PATIENCE, Api, Socket
from tests.conftest import free_port, running
from tests.factories import Factory, Player

HELLO = "{ __typename }"
EVENTS = "subscription { events { __typename } }"


@asynccontextmanager
async def raw(api: Api, **options: Any) -> AsyncIterator[ClientConnection]:
    options.setdefault("subprotocols", [Subprotocol("graphql-transport-ws")])
    async with connect(api.url.replace("http", "ws", 1) + "/graphql", **options) as connection:
        yield connection


async def closed_after(api: Api, *frames: object) -> int:
    """Send frames, texts as they are, and give the code that the socket is closed with."""
    async with raw(api) as connection:
        for frame in frames:
            await connection.send(frame if isinstance(frame, str | bytes) else orjson.dumps(frame).decode())
        return await Socket(connection).closed()


INIT: dict[str, Any] = {"type": "connection_init"}


@pytest.mark.parametrize(
    "frame",
    [
        "[]", "5", "null", '"x"', "{", "", "NaN", "[" * 30_000, '{"type": ' + "9" * 5_000 + "}", b"{ }", "{}",
        {"type": 1}, {"type": []}, {"type": "unknown"},
        {"type": "connection_init", "payload": []}, {"type": "connection_init", "payload": "x"},
        {"type": "connection_init", "payload": {"Authorization": 5}},
        {"type": "ping", "payload": []}, {"type": "pong", "payload": 5},
        {"type": "complete", "id": []}, {"type": "complete"},
    ],
)  # fmt: skip
async def test_a_malformed_frame_closes_its_socket_and_no_other(api: Api, frame: object) -> None:
    async with api.socket() as bystander:
        assert await closed_after(api, frame) == 4400
        await bystander.start(HELLO)
        assert (await bystander.receive())["payload"] == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    "frame",
    [
        {"id": [1], "payload": {"query": HELLO}}, {"id": {}, "payload": {"query": HELLO}},
        {"id": "", "payload": {"query": HELLO}}, {"id": "x" * 200, "payload": {"query": HELLO}},
        {"id": "1", "payload": None}, {"id": "1", "payload": []}, {"id": "1", "payload": {}}, {"id": "1"},
        {"id": "1", "payload": {"query": 5}}, {"id": "1", "payload": {"query": HELLO, "variables": []}},
    ],
)  # fmt: skip
async def test_a_malformed_subscribe_closes_the_socket(api: Api, frame: dict[str, Any]) -> None:
    assert await closed_after(api, INIT, {"type": "subscribe"} | frame) == 4400


async def test_the_order_of_frames_is_kept(api: Api) -> None:
    subscribe = {"id": "1", "type": "subscribe", "payload": {"query": HELLO}}
    assert await closed_after(api, subscribe) == 4401
    assert await closed_after(api, INIT, INIT) == 4429


async def test_an_id_is_used_once_at_a_time(make: Factory) -> None:
    nika = await make.player()
    async with nika.api.socket() as socket:
        for _ in range(2):
            await socket.send({"id": "a", "type": "subscribe", "payload": {"query": EVENTS}})
        assert await socket.closed() == 4409


async def test_other_subprotocols_are_not_spoken(api: Api) -> None:
    for protocols in (["graphql-ws"], None):
        async with raw(api, subprotocols=protocols) as connection:
            assert await Socket(connection).closed() == 4406


async def test_init_takes_nothing_null_and_the_key_in_any_case(api: Api, make: Factory) -> None:
    for frame in (INIT, INIT | {"payload": None}, INIT | {"payload": {}}):
        async with raw(api) as connection:
            socket = Socket(connection)
            await socket.send(frame)
            assert (await socket.receive())["payload"] == {"expiresAt": None, "heartbeatSeconds": 20}
    nika = await make.player("nika")
    async with api.socket({"aUTHORIZATION": f"Bearer {nika.api.token}"}) as socket:
        assert socket.ack["payload"]["expiresAt"].endswith("Z")
        await socket.start("{ viewer { user { username } } }")
        assert (await socket.receive())["payload"]["data"]["viewer"]["user"]["username"] == "nika"


@pytest.mark.parametrize("token", ["Bearer x", "Bearer a.b.c", "x", ""])
async def test_a_bad_token_closes_with_a_code_that_clients_retry(api: Api, token: str) -> None:
    assert await closed_after(api, INIT | {"payload": {"Authorization": token}}) == 4403


async def test_pages_of_other_sites_are_kept_out(api: Api) -> None:
    for origin in ("https://evil.example", "null", f"https://good.{api.url.split('/')[2]}.evil.example"):
        with pytest.raises(InvalidStatus) as refused:
            async with raw(api, origin=Origin(origin)):
                pass
        assert refused.value.response.status_code == 403
    async with raw(api, origin=Origin(api.url)) as connection:
        await connection.send(orjson.dumps(INIT).decode())


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { a: events { id } b: events { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { events @skip(if: false) { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription ($x: Cursor!) { events(after: $x) { id } }", "BAD_USER_INPUT"),
        (EVENTS, "UNAUTHENTICATED"),
        ('subscription { chatEvents(chatId: "x") { id } }', "UNAUTHENTICATED"),
        (" ", "BAD_REQUEST"),
    ],
)
async def test_a_wrong_operation_is_an_error_of_its_own_and_the_socket_lives(api: Api, query: str, code: str) -> None:
    async with api.socket() as socket:
        operation = await socket.start(query)
        frame = await socket.receive()
        assert (frame["type"], frame["id"]) == ("error", operation)
        assert frame["payload"][0]["extensions"]["code"] == code
        await socket.start(HELLO)
        assert (await socket.receive())["type"] == "next"


async def test_queries_and_mutations_go_over_the_socket_too(make: Factory) -> None:
    nika = await make.player()
    async with nika.api.socket() as socket:
        update = 'mutation { updateProfile(input: {bio: "by socket"}) { user { profile { bio } } } }'
        await socket.start(update)
        frame = await socket.receive()
        assert frame["payload"]["data"]["updateProfile"]["user"]["profile"]["bio"] == "by socket"
        assert (await socket.receive())["type"] == "complete"
        await socket.start("{ viewer { user { profile { bio } } } }")
        assert (await socket.receive())["payload"]["data"]["viewer"]["user"]["profile"]["bio"] == "by socket"


async def test_signing_out_ends_the_sockets_of_the_session(make: Factory) -> None:
    nika = await make.player()
    async with nika.api.socket() as one, nika.api.socket() as other:
        await one.start(EVENTS)
        await nika.api("mutation { signOut { isDone } }")
        assert await one.closed() == 4403
        assert await other.closed() == 4403
    assert await closed_after(nika.api, INIT | {"payload": {"Authorization": f"Bearer {nika.api.token}"}}) == 4403


async def test_an_account_has_ten_sockets(make: Factory) -> None:
    nika = await make.player()
    sockets = [nika.api.socket() for _ in range(10)]
    for socket in sockets:
        await socket.__aenter__()
    init = INIT | {"payload": {"Authorization": f"Bearer {nika.api.token}"}}
    assert await closed_after(nika.api, init) == 4429
    for socket in sockets:
        await socket.__aexit__(None, None, None)


async def test_a_socket_has_fifty_operations(make: Factory) -> None:
    nika = await make.player()
    async with nika.api.socket() as socket:
        for _ in range(50):
            await socket.start(EVENTS)
        refused = await socket.start(EVENTS)
        while (frame := await socket.receive())["id"] != refused:
            pass  # on a busy machine one of the fifty may find no connection in time
        assert (frame["type"], frame["payload"][0]["extensions"]["code"]) == ("error", "RATE_LIMITED")
        await socket.send({"id": "1", "type": "complete"})
        await socket.start(HELLO)
        while (frame := await socket.receive())["type"] != "complete":
            pass


async def test_a_large_frame_and_a_flood_close_the_socket(api: Api) -> None:
    assert await closed_after(api, INIT, '{"type": "ping", "payload": {"x": "' + "x" * 66_000 + '"}}') == 1009
    async with api.socket() as socket:
        with suppress(ConnectionClosed):
            for _ in range(2_000):
                await socket.send({"type": "ping"})
        assert await socket.closed() == 4429


async def test_a_thousand_short_streams_leave_nothing(make: Factory) -> None:
    nika = await make.player()
    async with nika.api.socket() as socket:
        before = len(asyncio.all_tasks())
        for _ in range(200):
            operation = await socket.start(EVENTS)
            frame = await socket.receive()
            assert frame["id"] == operation
            await socket.send({"id": operation, "type": "complete"})
        await socket.start(HELLO)
        while (await socket.receive())["type"] != "complete":
            pass
        assert len(asyncio.all_tasks()) <= before + 5
    hub = make.services.hub
    assert not hub.followers.by_account
    assert not hub.followers.by_chat


async def test_streams_that_end_amid_an_event_leave_their_places_to_others(make: Factory) -> None:
    nika = await make.player()
    chat_id = await make.group(nika)
    deep = "subscription { events { ... on MessageSent { message { author { profile { games { rating } } } } } } }"
    async with nika.api.socket() as socket:
        for _ in range(20):
            operations = [await socket.start(deep) for _ in range(10)]
            await make.send(nika, chat_id)
            for operation in operations:
                await socket.send({"id": operation, "type": "complete"})
        await socket.start(HELLO)
        while (await socket.receive())["type"] != "complete":
            pass
    database, places = make.services.database, make.services.settings.pool_size // 2
    async with asyncio.timeout(PATIENCE):
        while database._queue._value != places:
            await asyncio.sleep(0.01)


async def test_sockets_of_nobody_are_counted_by_address(settings: Settings, clean: None) -> None:
    few = settings.model_copy(update={"port": free_port(), "rate_limit_factor": 3 / MOST_NAMELESS})
    async with running(few) as server, Api.open(few.url) as there:
        make = Factory(server.config.app.state.services, there)  # type: ignore[union-attr]
        async with raw(there), raw(there), there.socket():
            for _ in range(2):
                with pytest.raises(InvalidStatus) as refused:
                    async with raw(there):
                        pass
                assert refused.value.response.status_code == 429
        nika = await make.player()
        async with nika.api.socket(), nika.api.socket(), nika.api.socket(), nika.api.socket(), there.socket():
            pass  # an account's do not count, and those that have gone have given their places back


async def test_a_frame_may_come_in_pieces_of_one_byte(api: Api) -> None:
    async with api.socket() as socket:
        frame = orjson.dumps({"id": "1", "type": "subscribe", "payload": {"query": HELLO}})
        await socket.connection.send([bytes([byte]).decode() for byte in frame])
        assert (await socket.receive())["payload"] == {"data": {"__typename": "Query"}}


async def test_compression_is_not_taken(api: Api) -> None:
    async with raw(api, compression="deflate") as connection:
        assert connection.protocol.extensions == []


@pytest.fixture
async def hasty(settings: Settings, clean: None) -> AsyncIterator[Api]:
    """A server whose patience is short."""
    quick = settings.model_copy(
        update={
            "port": free_port(),
            "socket_init_seconds": 3.0,
            "heartbeat_seconds": 0.2,
            "silence_seconds": 3.0,
            "access_token_seconds": 6,
        }
    )
    async with running(quick) as server, Api.open(quick.url) as api:
        api.http.headers["x-test"] = "hasty"
        object.__setattr__(api, "services", server.config.app.state.services)  # type: ignore[union-attr]
        yield api


async def test_who_says_nothing_is_let_go(hasty: Api) -> None:
    async with raw(hasty) as connection:
        assert await Socket(connection).closed() == 4408
    async with hasty.socket() as socket:
        assert await socket.closed() == 1001


async def test_a_socket_is_warned_and_closed_when_its_token_expires(hasty: Api) -> None:
    make = Factory(hasty.services, hasty)  # type: ignore[attr-defined]
    nika: Player = await make.player()
    async with nika.api.socket() as socket:
        pings = []
        with suppress(ConnectionClosed):
            async with asyncio.timeout(20):
                while True:
                    frame = orjson.loads(await socket.connection.recv())
                    assert frame["type"] == "ping"
                    pings.append(frame.get("payload"))
                    await socket.send({"type": "pong"})
        assert socket.connection.close_code == 4403
        warnings = [ping for ping in pings if ping]
        assert [warning["reason"] for warning in warnings] == ["token_expiring"]
        assert None in pings, "and plain heartbeats"
