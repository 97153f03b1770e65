"""What is not kept: who is typing, and who is here."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from sqlalchemy import func, select, update

from gamebuddy import db
from gamebuddy.events import passing, presence
from gamebuddy.schema.context import Services
from tests.api import Api, Stream
from tests.chat.operations import REMOVE
from tests.conftest import free_port, running
from tests.factories import Factory, Player

EVENTS = """subscription($after: Cursor) { events(after: $after) { __typename cursor
  ... on Typing { seq isTyping user { username } chat { id } }
  ... on PresenceChanged { user { username } presence { status lastSeenAt playing { slug } } } } }"""
TYPE = "mutation($i: SetTypingInput!) { setTyping(input: $i) { isDone userErrors { code } } }"
PLAY = "mutation($i: SetPlayingInput!) { setPlaying(input: $i) { isDone userErrors { code path } } }"
PRESENCE = "query($id: ID!) { user(by: {id: $id}) { presence { status lastSeenAt playing { slug } } } }"
SILENCE = 0.7  # seconds without an event that prove nothing comes


@pytest.fixture
async def open_streams() -> AsyncIterator[AsyncExitStack]:
    """Sockets that end with the test."""
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture(autouse=True)
def quick(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what takes seconds take less."""
    monkeypatch.setattr(services.attendance, "_grace_seconds", 0.1)
    monkeypatch.setattr(passing, "MERGED_SECONDS", 0.3)


async def stream_of(stack: AsyncExitStack, player: Player) -> Stream:
    """Follow everything that concerns somebody."""
    socket = await stack.enter_async_context(player.api.socket())
    stream = await socket.subscribe(EVENTS)
    await stream.until("CaughtUp")
    return stream


async def set_typing(player: Player, chat_id: str, *, is_typing: bool = True) -> None:
    payload = (await player.api(TYPE, i={"chatId": chat_id, "isTyping": is_typing}))["setTyping"]
    assert payload == {"isDone": True, "userErrors": []}


async def nothing_comes(stream: Stream, *kinds: str) -> None:
    """Make sure that no event of these kinds comes."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SILENCE):
            while True:
                event = await stream.next()
                assert event["__typename"] not in kinds, event


async def next_of(stream: Stream, kind: str) -> dict[str, Any]:
    event: dict[str, Any] = await stream.until(kind)
    return event


async def test_the_others_see_who_types_until_he_says_that_he_stops(
    make: Factory, open_streams: AsyncExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passing, "MERGED_SECONDS", 3_600.0)
    nika, max_ = await make.player("nika"), await make.player("max_")
    chat_id = await make.direct_chat(nika, max_)
    mine, his = await stream_of(open_streams, nika), await stream_of(open_streams, max_)
    for _ in range(5):
        await set_typing(nika, chat_id)
    event = await next_of(his, "Typing")
    assert event == {
        "__typename": "Typing", "cursor": None, "seq": None, "isTyping": True,
        "user": {"username": "nika"}, "chat": {"id": chat_id},
    }  # fmt: skip
    await set_typing(nika, chat_id, is_typing=False)
    assert (await next_of(his, "Typing"))["isTyping"] is False  # the five were one
    await nothing_comes(mine, "Typing")


async def test_who_says_nothing_more_has_stopped_by_himself(
    make: Factory, open_streams: AsyncExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passing, "TYPING_SECONDS", 0.1)
    monkeypatch.setattr(passing, "MERGED_SECONDS", 0.0)
    nika, max_ = await make.player("nika"), await make.player("max_")
    chat_id = await make.direct_chat(nika, max_)
    his = await stream_of(open_streams, max_)
    for _ in range(2):
        await set_typing(nika, chat_id)
        assert [(await next_of(his, "Typing"))["isTyping"] for _ in range(2)] == [True, False]


async def test_typing_is_kept_nowhere(make: Factory, services: Services) -> None:
    nika, max_ = await make.player("nika"), await make.player("max_")
    chat_id = await make.direct_chat(nika, max_)
    async with services.database.read() as session:
        before = await session.scalar(select(func.count()).select_from(db.Event))
    await set_typing(nika, chat_id)
    async with services.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(db.Event)) == before


async def test_strangers_removed_members_and_the_blocked_hear_nothing(
    make: Factory, open_streams: AsyncExitStack
) -> None:
    nika, max_, removed, blocked = [await make.player(name) for name in ("nika", "max_", "removed", "blocked")]
    group = await make.group(nika, max_, removed, blocked)
    direct = await make.direct_chat(nika, blocked)
    stranger = await make.player("stranger")
    await make.block(nika, blocked)
    streams = [await stream_of(open_streams, one) for one in (removed, blocked, stranger)]
    his = await stream_of(open_streams, max_)
    await nika.api(REMOVE, input={"chatId": group, "userId": removed.id})
    await next_of(his, "MemberLeft")
    await set_typing(nika, group)
    await set_typing(nika, direct)
    await next_of(his, "Typing")
    for stream in streams:
        await nothing_comes(stream, "Typing")
    mine = await stream_of(open_streams, nika)
    await set_typing(blocked, direct)  # is done for him as ever, and nobody is told
    await nothing_comes(mine, "Typing")
    for outsider in (stranger, removed):
        answer = (await outsider.api(TYPE, i={"chatId": group, "isTyping": True}))["setTyping"]
        assert answer == {"isDone": False, "userErrors": [{"code": "NOT_FOUND"}]}


async def presence_of(viewer: Player | Api, player: Player) -> Any:
    api = viewer.api if isinstance(viewer, Player) else viewer
    return (await api(PRESENCE, id=player.id))["user"]["presence"]


async def status_becomes(viewer: Player, player: Player, status: str) -> dict[str, Any]:
    """Wait until somebody is seen so."""
    ends_at = time.monotonic() + 10
    while (found := await presence_of(viewer, player))["status"] != status:
        assert time.monotonic() < ends_at, found
        await asyncio.sleep(0.1)
    return dict(found)


async def test_who_comes_is_online_and_who_goes_is_offline(make: Factory, open_streams: AsyncExitStack) -> None:
    nika, max_ = await make.player("nika"), await make.player("max_")
    await make.teammates(nika, max_)
    his = await stream_of(open_streams, max_)
    assert (await presence_of(max_, nika))["status"] == "OFFLINE"
    async with AsyncExitStack() as hers:
        await stream_of(hers, nika)
        event = await next_of(his, "PresenceChanged")
        assert event["user"] == {"username": "nika"}
        assert (event["presence"]["status"], event["cursor"]) == ("ONLINE", None)
        assert event["presence"]["lastSeenAt"].endswith(":00.000Z")
        payload = (await nika.api(PLAY, i={"gameId": await game_id(make)}))["setPlaying"]
        assert payload == {"isDone": True, "userErrors": []}
        event = await next_of(his, "PresenceChanged")
        assert event["presence"]["playing"] == {"slug": "valorant"}
    event = await next_of(his, "PresenceChanged")
    assert (event["presence"]["status"], event["presence"]["playing"]) == ("OFFLINE", None)


async def game_id(make: Factory) -> str:
    game = (await make.api('{ game(by: {slug: "valorant"}) { id } }'))["game"]
    return str(game["id"])


async def test_a_second_socket_keeps_one_online_and_a_short_break_is_no_news(
    make: Factory, open_streams: AsyncExitStack, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.attendance, "_grace_seconds", 5)
    nika, max_ = await make.player("nika"), await make.player("max_")
    await make.teammates(nika, max_)
    his = await stream_of(open_streams, max_)
    await stream_of(open_streams, nika)
    await next_of(his, "PresenceChanged")
    async with AsyncExitStack() as second:
        await stream_of(second, nika)
    await services.attendance.tick()
    await nothing_comes(his, "PresenceChanged")
    assert (await presence_of(max_, nika))["status"] == "ONLINE"


async def test_who_does_nothing_for_five_minutes_is_away(
    make: Factory, open_streams: AsyncExitStack, services: Services
) -> None:
    nika, max_ = await make.player("nika"), await make.player("max_")
    await make.teammates(nika, max_)
    his = await stream_of(open_streams, max_)
    hers = await stream_of(open_streams, nika)
    await status_becomes(max_, nika, "ONLINE")
    services.attendance._active_at[nika.account_id] -= presence.AWAY_AFTER
    await status_becomes(max_, nika, "AWAY")
    while (await next_of(his, "PresenceChanged"))["presence"]["status"] != "AWAY":
        pass
    await hers.stop()
    services.attendance.did_something(nika.account_id)
    await status_becomes(max_, nika, "ONLINE")


@pytest.mark.parametrize(
    ("audience", "seen"),
    [
        ("EVERYONE", {"teammate": True, "stranger": True, "guest": False, "herself": True}),
        ("TEAMMATES", {"teammate": True, "stranger": False, "guest": False, "herself": True}),
        ("NOBODY", {"teammate": False, "stranger": False, "guest": False, "herself": True}),
    ],
)
async def test_the_setting_decides_who_knows(
    make: Factory, open_streams: AsyncExitStack, services: Services, audience: str, seen: dict[str, bool]
) -> None:
    nika = await make.player("nika")
    players = {"herself": nika} | {name: await make.player(name) for name in ("teammate", "stranger")}
    players["guest"] = await make.player("guest", role=db.Role.GUEST)
    await make.teammates(nika, players["teammate"])
    async with services.database.write() as session:
        await session.execute(
            update(db.Account)
            .where(db.Account.id == nika.account_id)
            .values(who_sees_my_presence=db.Audience[audience])
        )
    his = await stream_of(open_streams, players["teammate"])
    await stream_of(open_streams, nika)
    await status_becomes(nika, nika, "ONLINE")
    for name, player in players.items():
        assert (await presence_of(player, nika) is not None) is seen[name], name
    assert await presence_of(make.api, nika) is None  # not signed in
    if not seen["teammate"]:
        await nothing_comes(his, "PresenceChanged")


async def test_the_blocked_see_nothing(make: Factory, open_streams: AsyncExitStack) -> None:
    nika, blocked = await make.player("nika"), await make.player("blocked")
    await make.direct_chat(nika, blocked)
    await make.block(nika, blocked)
    his = await stream_of(open_streams, blocked)
    await stream_of(open_streams, nika)
    await status_becomes(nika, nika, "ONLINE")
    await nothing_comes(his, "PresenceChanged")
    assert (await blocked.api(PRESENCE, id=nika.id))["user"] is None


async def test_two_processes_know_of_each_other_and_of_one_that_died(
    make: Factory, open_streams: AsyncExitStack, services: Services
) -> None:
    nika, max_ = await make.player("nika"), await make.player("max_")
    chat_id = await make.direct_chat(nika, max_)
    his = await stream_of(open_streams, max_)
    settings = services.settings.model_copy(update={"port": free_port()})
    async with running(settings) as other, Api.open(settings.url) as there:
        elsewhere = there.signed_in(nika.api.token or "")
        async with elsewhere.socket():
            assert (await next_of(his, "PresenceChanged"))["presence"]["status"] == "ONLINE"
            await elsewhere(TYPE, i={"chatId": chat_id, "isTyping": True})
            assert (await next_of(his, "Typing"))["isTyping"] is True
            app: Any = other.config.app
            await app.state.services.attendance.stop()  # as if it were killed: it renews nothing any more
            await presence_lapses(services)
        assert (await next_of(his, "PresenceChanged"))["presence"]["status"] == "OFFLINE"


async def presence_lapses(services: Services) -> None:
    """Let a minute pass for all leases, and the time for a renewal."""
    async with services.database.write() as session:
        await session.execute(update(db.Lease).values(until=func.now() - presence.LEASE))
    services.attendance._renewed_at = 0.0
    await services.attendance.tick()
