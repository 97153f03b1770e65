"""A database that says nothing, or lets nobody listen: typed answers, a red light, and then everything as before."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from gamebuddy.schema.context import Services
from gamebuddy.settings import Settings
from tests.api import PATIENCE, Api, Json
from tests.conftest import free_port, running
from tests.deploy.wire import Wire
from tests.factories import Factory

FOLLOW = "subscription { events { __typename ... on MessageSent { message { text } } } }"
SEND = "mutation($i: SendMessageInput!) { sendMessage(input: $i) { message { id } } }"
MARK_READ = "mutation($i: MarkReadInput!) { markRead(input: $i) { userErrors { code } } }"


@pytest.fixture
async def wire(database_url: str) -> AsyncIterator[Wire]:
    """The wire between one node and the database."""
    async with Wire.open(database_url) as wire:
        yield wire


@pytest.fixture
async def far(settings: Settings, wire: Wire, clean: None) -> AsyncIterator[Api]:
    """A node behind the wire, with little patience."""
    changes = {"port": free_port(), "database_url": SecretStr(wire.url), "statement_timeout_seconds": 0.5}
    node = settings.model_copy(update=changes)
    async with running(node), Api.open(node.url) as api:
        yield api
        wire.release()
        wire.allow()


async def readiness(api: Api) -> Json:
    found: Json = (await api.http.get("/readyz")).json()
    return found


async def until_ready(api: Api, **expected: bool) -> None:
    """Wait until /readyz says so of these, and with them of the whole."""
    async with asyncio.timeout(PATIENCE):
        while not expected.items() <= (await readiness(api)).items():
            await asyncio.sleep(0.05)
    status = (await api.http.get("/readyz")).status_code
    assert status == (200 if all(expected.values()) else 503)


async def test_a_database_that_says_nothing_is_told_and_forgotten_when_it_speaks(
    make: Factory, far: Api, wire: Wire
) -> None:
    nika = await make.player("nika")
    chat_id = await make.group(nika)
    there = replace(nika, api=far.signed_in(nika.api.token or ""))
    async with there.api.socket() as socket:
        stream = await socket.subscribe(FOLLOW)
        await stream.until("CaughtUp")
        wire.hold()
        # More than the pool has connections, so that some wait for one in vain.
        tries = [there.api.post("{ viewer { email } }") for _ in range(15)]
        tries += [there.api.post(MARK_READ, {"i": {"chatId": chat_id, "upToSeq": 1}}) for _ in range(15)]
        tries += [far.post("{ genres { slug } }") for _ in range(15)]
        for answer in await asyncio.gather(*tries):
            assert answer.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
        await until_ready(far, database=False)
        await make.send(nika, chat_id, "into the silence")  # at another node
        wire.release()
        await until_ready(far, database=True, migrations=True, listener=True, serving=True)
        assert (await there.api("{ viewer { email } }"))["viewer"]["email"] == "nika@example.com"
        assert (await stream.until("MessageSent"))["message"]["text"] == "into the silence"


async def test_a_node_that_cannot_listen_is_not_ready_until_it_can(make: Factory, far: Api, wire: Wire) -> None:
    nika = await make.player("nika")
    chat_id = await make.group(nika)
    there = replace(nika, api=far.signed_in(nika.api.token or ""))
    async with there.api.socket() as socket:
        stream = await socket.subscribe(FOLLOW)
        await stream.until("CaughtUp")
        wire.forbid(b"gamebuddy listener")
        await until_ready(far, listener=False)
        assert (await readiness(far))["database"] is True
        await make.send(nika, chat_id, "unheard")
        wire.allow()
        await until_ready(far, listener=True)
        assert (await stream.until("MessageSent"))["message"]["text"] == "unheard"
        await make.send(nika, chat_id, "heard")
        assert (await stream.until("MessageSent"))["message"]["text"] == "heard"


async def test_a_database_that_cannot_be_written_still_answers(
    make: Factory, far: Api, wire: Wire, database_url: str
) -> None:
    nika = await make.player("nika")
    chat_id = await make.group(nika)
    there = replace(nika, api=far.signed_in(nika.api.token or ""))
    connection = await asyncpg.connect(database_url)
    here = f"ALTER DATABASE {await connection.fetchval('SELECT current_database()')}"
    try:
        await connection.execute(f"{here} SET default_transaction_read_only = on")
        wire.cut()
        await until_ready(far, database=True, listener=True)
        history = "query($id: ID!) { chat(id: $id) { lastSeq } }"
        assert (await there.api(history, id=chat_id))["chat"]["lastSeq"] >= 1
        refused = await there.api.post(SEND, {"i": {"chatId": chat_id, "clientId": str(uuid.uuid4()), "text": "hello"}})
        assert refused.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    finally:
        await connection.execute(f"{here} RESET default_transaction_read_only")
        await connection.close()
    wire.cut()
    await until_ready(far, database=True, listener=True)
    assert (await make.send(there, chat_id, "hello"))["text"] == "hello"


async def test_streams_and_clients_that_vanish_hold_no_connection(make: Factory, services: Services) -> None:
    pool: Any = services.database.engine.pool
    players = [await make.player() for _ in range(4)]
    async with AsyncExitStack() as open_sockets:
        for player in players * 5:
            socket = await open_sockets.enter_async_context(player.api.socket())
            await (await socket.subscribe(FOLLOW)).until("CaughtUp")
        async with asyncio.timeout(PATIENCE):
            while pool.checkedout():
                await asyncio.sleep(0.02)
        # Half of them go while they are asked for; everybody else is served by the same ten connections.
        tries = [asyncio.create_task(player.api("{ viewer { email } }")) for player in players for _ in range(10)]
        await asyncio.wait(tries, return_when=asyncio.FIRST_COMPLETED)
        for vanishing in tries[::2]:
            vanishing.cancel()
        await asyncio.gather(*tries, return_exceptions=True)
        assert all(one.result()["viewer"]["email"] for one in tries[1::2])
    async with asyncio.timeout(PATIENCE):
        while pool.checkedout():
            await asyncio.sleep(0.02)
