"""Whoever loses a right while others write hears of nothing that came after, on no node and by no way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from gamebuddy.db import Role
from gamebuddy.settings import Settings
from tests.api import PATIENCE, Api, Json, Socket, Stream
from tests.chat.operations import ADD, REMOVE, payload, problems, send
from tests.conftest import free_port, running
from tests.factories import Factory, Player
from tests.transport.streams import APOLLO_IOS, SSE, streamed

SHOWN = "__typename cursor ... on ChatEvent { seq chat { id } } ... on MemberLeft { user { username } }"
EVENTS = f"subscription ($after: Cursor) {{ events(after: $after) {{ {SHOWN} }} }}"
CHAT = f"subscription ($chat: ID!) {{ chatEvents(chatId: $chat) {{ {SHOWN} }} }}"
PAGE = f"query ($after: Cursor!) {{ events(after: $after) {{ events {{ {SHOWN} }} }} }}"
LAST = "query ($id: ID!) { chat(id: $id) { lastSeq } }"
TURNS, POSTS = 3, 8
ENDS = ("signs out", "is banned", "is demoted")


@pytest.fixture
async def owner(make: Factory) -> Player:
    return await make.player("owner")


@pytest.fixture
async def elsewhere(settings: Settings, clean: None) -> AsyncIterator[Api]:
    """A second node on the same database."""
    other = settings.model_copy(update={"port": free_port()})
    async with running(other), Api.open(other.url) as api:
        yield api


async def caught_up(api: Api, stack: AsyncExitStack, query: str, **variables: Any) -> Stream:
    stream = await (await stack.enter_async_context(api.socket())).subscribe(query, **variables)
    await stream.until("CaughtUp")
    return stream


async def write(author: Player, chat_id: str, count: int = POSTS) -> None:
    for number in range(count):
        assert problems(await send(author, chat_id, str(number))) == []


async def until_revoked(stream: Stream) -> list[Json]:
    """Read to the end of a stream; gives what came before AccessRevoked."""
    events = []
    while (event := await stream.next())["__typename"] != "AccessRevoked":
        events.append(event)
    await stream.completed()
    return events


async def until_in(stream: Stream, chat_id: str) -> list[Json]:
    """Read until something happens in a chat; gives what came before."""
    events = []
    while (event := await stream.next())["chat"]["id"] != chat_id:
        events.append(event)
    return events


def is_whole_up_to_the_removal(events: list[Json], last: int) -> bool:
    """Tell whether events come in their order and the last one removes the reader.

    What was posted before may be missing: whatever is only shown when he is out already is not for him any more.
    """
    seqs = [event["seq"] for event in events]
    end = events[-1]
    removes_him = end["__typename"] == "MemberLeft" and end["user"]["username"] == "max"
    return removes_him and seqs[-1] == last and seqs == sorted(set(seqs))


async def test_posts_that_race_a_removal_never_reach_the_removed(make: Factory, owner: Player, elsewhere: Api) -> None:
    max_, writers = await make.player("max"), [await make.player(), await make.player()]
    chat_id = await make.group(owner, max_, *writers)
    other_chat = await make.direct_chat(owner, max_)
    there = elsewhere.signed_in(max_.api.token or "")
    for _ in range(TURNS):
        async with AsyncExitStack() as stack:
            ones = [await caught_up(api, stack, CHAT, chat=chat_id) for api in (max_.api, there)]
            everything = [await caught_up(api, stack, EVENTS) for api in (max_.api, there)]
            start = (await max_.api("{ viewer { eventCursor } }"))["viewer"]["eventCursor"]

            async def remove() -> None:
                await write(owner, chat_id, POSTS // 2)
                await payload_of(owner, REMOVE, {"chatId": chat_id, "userId": max_.id})
                await write(owner, chat_id, POSTS // 2)

            await asyncio.gather(*(write(writer, chat_id) for writer in writers), remove())
            await write(owner, other_chat, 1)
            seen = [await until_revoked(stream) for stream in ones]
            seen += [await until_in(stream, other_chat) for stream in everything]
            again = await caught_up_to(max_.api, stack, start)
            page = (await max_.api(PAGE, after=start))["events"]["events"]
            last = max(event["seq"] for event in page if event["chat"]["id"] == chat_id)  # his leaving
            assert all(is_whole_up_to_the_removal(events, last) for events in seen), (last, seen)
            for replayed in (again, page):  # what is not his any more is not replayed, but for his leaving
                of_chat = [event for event in replayed if event["chat"]["id"] == chat_id]
                assert all(event["seq"] <= last for event in of_chat)
        await payload_of(owner, ADD, {"chatId": chat_id, "userIds": [max_.id]})


async def payload_of(player: Player, mutation: str, given: Json) -> None:
    answer = payload(await player.api(mutation, input=given))
    assert answer["userErrors"] == []


async def caught_up_to(api: Api, stack: AsyncExitStack, start: str) -> list[Json]:
    """Replay what happened since a cursor."""
    stream = await (await stack.enter_async_context(api.socket())).subscribe(EVENTS, after=start)
    events = []
    while (event := await stream.next())["__typename"] != "CaughtUp":
        events.append(event)
    return events


async def end(how: str, who: Player, admin: Player) -> None:
    """Take the right to a stream from somebody."""
    if how == "signs out":
        await who.api("mutation { signOut { isDone } }")
        return
    if how == "is banned":
        until = (datetime.now(UTC) + timedelta(days=3)).isoformat()
        document = "mutation($i: SanctionUserInput!) { sanctionUser(input: $i) { userErrors { code } } }"
        given = {"userId": who.id, "kind": "BAN", "reason": "of a test", "until": until}
    else:
        document = "mutation($i: SetUserRoleInput!) { setUserRole(input: $i) { userErrors { code } } }"
        given = {"userId": who.id, "role": "USER", "reason": "of a test"}
    (answer,) = (await admin.api(document, i=given)).values()
    assert answer["userErrors"] == []


async def all_that_comes(socket: Socket) -> list[Json]:
    """Read the events that a socket still gives, until its stream ends or it is closed."""
    events: list[Json] = []
    async with asyncio.timeout(PATIENCE):
        with suppress(ConnectionClosed):
            while (frame := await socket.receive())["type"] == "next":
                (event,) = frame["payload"]["data"].values()
                events.append(event)
    return events


@pytest.mark.parametrize("how", ENDS)
async def test_posts_that_race_the_end_of_a_session_never_reach_it(
    how: str, make: Factory, owner: Player, elsewhere: Api
) -> None:
    admin = await make.player("admin", role=Role.ADMIN)
    who = await make.player("max", role=Role.MODERATOR if how == "is demoted" else Role.USER)
    writer = await make.player("writer")
    chat_id = await make.group(owner, who, writer)
    async with AsyncExitStack() as stack:
        nodes = (who.api, elsewhere.signed_in(who.api.token or ""))
        streams = [await caught_up(api, stack, EVENTS) for api in nodes]
        streams += [await caught_up(api, stack, CHAT, chat=chat_id) for api in nodes]
        writing = asyncio.create_task(write(writer, chat_id, 2 * POSTS))
        await write(owner, chat_id, 2)
        await end(how, who, admin)
        last = (await owner.api(LAST, id=chat_id))["chat"]["lastSeq"]
        await write(owner, chat_id, 2)
        await writing
        for stream in streams:
            events = await all_that_comes(stream.socket)
            assert all(event.get("seq") is None or event["seq"] <= last for event in events)
            seqs = [event["seq"] for event in events if event.get("seq")]
            assert seqs == sorted(set(seqs))
            if how == "is demoted":
                assert events[-1]["__typename"] == "AccessRevoked"
            else:
                assert await stream.socket.closed() == 4403


@pytest.mark.parametrize("how", ["is banned", "is demoted"])
@pytest.mark.parametrize("accept", [APOLLO_IOS, SSE], ids=["multipart", "sse"])
async def test_streams_over_http_end_too(accept: str, how: str, make: Factory, owner: Player, elsewhere: Api) -> None:
    admin = await make.player("admin", role=Role.ADMIN)
    who = await make.player("max", role=Role.MODERATOR if how == "is demoted" else Role.USER)
    chat_id = await make.group(owner, who)
    async with streamed(elsewhere.signed_in(who.api.token or ""), accept, EVENTS) as stream:
        await stream.until("CaughtUp")
        await end(how, who, admin)
        last = (await owner.api(LAST, id=chat_id))["chat"]["lastSeq"]
        await write(owner, chat_id, 2)
        await stream.end()
        bodies = [body.get("payload") or body for body in stream.reader.bodies[stream.taken :]]
        events = [body["data"]["events"] for body in bodies if body.get("data")]
        assert all(event.get("seq") is None or event["seq"] <= last for event in events)
        has_error = bodies[-1].get("errors", [{}])[0].get("extensions", {}).get("code") == "UNAUTHENTICATED"
        assert has_error or events[-1]["__typename"] == "AccessRevoked"
