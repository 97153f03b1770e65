"""The hub loses nothing, repeats nothing and tells nobody too much, whatever happens at the same moment."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import urlsplit

import asyncpg
import pytest
from sqlalchemy import func, text, update

from gamebuddy import db
from gamebuddy.auth import viewer as viewers
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import Database
from gamebuddy.errors import TooSlow, Unavailable
from gamebuddy.events import log
from gamebuddy.events.followers import LONGEST_QUEUE
from gamebuddy.events.hub import PAGE, Hub
from gamebuddy.events.log import AccountPlace, Snapshot
from gamebuddy.events.notices import AccessRevoked, CaughtUp, Happened, Notice, ResyncRequired
from gamebuddy.events.types import MemberJoined, MemberLeft, MessagesRead, TeammateRequestChanged
from gamebuddy.resolvers.chat.access import advance
from gamebuddy.schema import ids
from gamebuddy.schema.context import Services
from gamebuddy.schema.ids import Kind
from tests.api import PATIENCE
from tests.factories import Factory, Player

NEVER = 3600.0  # seconds between polls: what arrives was notified

type Follow = Callable[[AsyncIterator[Notice]], Awaitable["Reader"]]


class Reader:
    """Reads a stream of a hub; what does not come in time fails."""

    def __init__(self, stream: AsyncIterator[Notice]) -> None:
        self.stream = cast("AsyncGenerator[Notice]", stream)

    async def next(self) -> Notice:
        async with asyncio.timeout(PATIENCE):
            return await anext(self.stream)

    async def caught_up(self) -> CaughtUp:
        notice = await self.next()
        assert isinstance(notice, CaughtUp), notice
        return notice

    async def happened(self) -> Happened:
        notice = await self.next()
        assert isinstance(notice, Happened), notice
        return notice

    async def numbers(self, count: int) -> list[int]:
        """Read so many events and give their numbers in the chat."""
        return [cast("MessagesRead", (await self.happened()).event).seq for _ in range(count)]

    async def has_ended(self) -> bool:
        async with asyncio.timeout(PATIENCE):
            return await anext(self.stream, None) is None


@pytest.fixture
async def follow() -> AsyncIterator[Follow]:
    """Follow a stream; the test closes it at its end."""
    async with AsyncExitStack() as stack:

        async def open_reader(stream: AsyncIterator[Notice]) -> Reader:
            reader = Reader(stream)
            stack.push_async_callback(reader.stream.aclose)
            return reader

        yield open_reader


@asynccontextmanager
async def a_hub(url: str, poll_seconds: float = NEVER) -> AsyncIterator[Hub]:
    """Run a hub on connections of its own, as another process has it."""
    database = Database(url, pool_size=6, application_name="hub under test")
    hub = Hub(database, poll_seconds=poll_seconds)
    async with asyncio.timeout(PATIENCE):
        await hub.start()
        await until(lambda: hub.is_listening)
    yield hub
    await hub.stop()
    await database.close()


@pytest.fixture
async def hub(database_url: str) -> AsyncIterator[Hub]:
    async with a_hub(database_url) as hub:
        yield hub


@pytest.fixture
async def nika(make: Factory) -> Player:
    return await make.player("nika")


@pytest.fixture
async def chat_id(services: Services, nika: Player) -> uuid.UUID:
    return await a_chat(services.database, nika.account_id)


@pytest.fixture
async def viewer(services: Services, nika: Player) -> Viewer:
    return await viewer_of(services.database, nika)


async def viewer_of(database: Database, player: Player) -> Viewer:
    async with database.read() as session:
        viewer = await viewers.by_session(session, player.session_id)
    assert viewer is not None
    return viewer


async def a_chat(database: Database, *account_ids: uuid.UUID) -> uuid.UUID:
    chat = db.Chat(kind=db.ChatKind.GROUP, title="hub")
    async with database.write() as session:
        session.add(chat)
        await session.flush()
        session.add_all([db.ChatMember(chat_id=chat.id, account_id=account_id) for account_id in account_ids])
    return chat.id


async def happen(database: Database, chat_id: uuid.UUID, count: int = 1) -> int:
    """Write events to a chat in one transaction and give the last number. It reads no membership, on purpose."""
    async with database.write() as session:
        last = (await advance(session, chat_id, events=count)).last_seq
        numbers = range(last - count + 1, last + 1)
        await log.append(session, *(MessagesRead(actor_id=None, chat_id=chat_id, seq=n, up_to_seq=n) for n in numbers))
    return last


async def until(holds: Callable[[], bool]) -> None:
    """Wait until a condition holds, or fail."""
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.005)


async def handed_out_everything(hub: Hub, database: Database) -> None:
    """Wait until the hub has read all that is committed at this moment."""
    async with database.read() as session:
        now = await log.snapshot(session)
    async with database.write() as session:  # transactions of other databases move the snapshot on and tell nobody
        await log._tell(session, log.GROWN)
    await until(lambda: hub._place is not None and hub._place.seen.xmax >= now.xmax)


async def waits_for(connection: asyncpg.Connection, table: str, count: int) -> None:
    """Wait until so many wait for a lock on the table."""
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = $1::regclass"
    async with asyncio.timeout(PATIENCE):
        while await connection.fetchval(waiting, table) < count:
            await asyncio.sleep(0.005)


@asynccontextmanager
async def nobody_reads_memberships(url: str) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    """Lock the table of members; gives a function that waits until so many wait for it."""
    connection = await asyncpg.connect(url)

    async def are_waiting(count: int) -> None:
        await waits_for(connection, "chat_members", count)

    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE chat_members IN ACCESS EXCLUSIVE MODE")
            yield are_waiting
    finally:
        await connection.close()


@asynccontextmanager
async def connections_of_hubs_are_killed(url: str) -> AsyncIterator[None]:
    """Kill what the hubs under test read and listen with, again and again."""

    async def kill() -> None:
        while True:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name IN ('hub under test', 'gamebuddy listener') AND datname = current_database()"
            )
            await asyncio.sleep(0.2)  # room for one batch between two losses

    connection = await asyncpg.connect(url)
    killing = asyncio.create_task(kill())
    try:
        yield
    finally:
        killing.cancel()
        await asyncio.gather(killing, return_exceptions=True)
        await connection.close()


async def test_what_happens_while_an_account_stream_begins_is_not_lost(
    hub: Hub, services: Services, viewer: Viewer, chat_id: uuid.UUID, database_url: str, follow: Follow
) -> None:
    reader = await follow(hub.follow_account(viewer, None))
    async with nobody_reads_memberships(database_url) as are_waiting:
        first = asyncio.create_task(reader.next())
        await are_waiting(1)
        before = await happen(services.database, chat_id)
        await handed_out_everything(hub, services.database)
    if isinstance(await first, CaughtUp):  # else it is what happened: a stream may begin a little earlier
        after = await happen(services.database, chat_id)
        begun = cast("CaughtUp", first.result()).place
        assert isinstance(begun, AccountPlace)
        async with services.database.read() as session:
            until = await log.snapshot(session)
            steps = await log.read_account(session, viewer.account_id, place=begun, until=until, limit=10)
        expected = [cast("MessagesRead", step.kept.event).seq for step in steps]
        assert expected in ([before, after], [after])
        assert await reader.numbers(len(expected)) == expected


async def test_who_joins_while_an_account_stream_begins_follows_the_chat(
    hub: Hub, services: Services, viewer: Viewer, database_url: str, follow: Follow
) -> None:
    chat_id = await a_chat(services.database)
    reader = await follow(hub.follow_account(viewer, None))
    async with services.database.write() as joining:
        joined = MemberJoined(actor_id=None, chat_id=chat_id, seq=1, account_id=viewer.account_id)
        joining.add(db.ChatMember(chat_id=chat_id, account_id=viewer.account_id))
        await advance(joining, chat_id, events=1, members=1)
        await log.append(joining, joined)
        await reader.caught_up()
    assert (await reader.happened()).event == joined
    last = await happen(services.database, chat_id, 3)
    assert await reader.numbers(3) == [last - 2, last - 1, last]


async def test_who_comes_while_rights_are_read_keeps_his_stream(
    hub: Hub, services: Services, make: Factory, viewer: Viewer, database_url: str, follow: Follow
) -> None:
    other = await viewer_of(services.database, await make.player("max"))
    chat_id = await a_chat(services.database, viewer.account_id, other.account_id)
    early = await follow(hub.follow_chat(viewer, chat_id, None))
    await early.caught_up()
    late = [await follow(hub.follow_chat(other, chat_id, None)), await follow(hub.follow_account(other, None))]
    async with nobody_reads_memberships(database_url) as are_waiting:
        first = await happen(services.database, chat_id)
        await are_waiting(1)  # the hub, for the rights of the early one
        begin = [asyncio.create_task(reader.caught_up()) for reader in late]
        await are_waiting(3)
    await asyncio.gather(*begin)
    second = await happen(services.database, chat_id)
    assert await early.numbers(2) == [first, second]
    for reader in late:
        assert await reader.numbers(1) == [second]


async def test_who_signs_in_or_joins_while_a_batch_is_read_keeps_what_he_has(
    hub: Hub, services: Services, make: Factory, viewer: Viewer, database_url: str, follow: Follow
) -> None:
    chat_id = await a_chat(services.database, viewer.account_id)
    early = await follow(hub.follow_chat(viewer, chat_id, None))
    await early.caught_up()
    blocker, watcher = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
    locked = blocker.transaction()
    await locked.start()
    async with services.database.write() as session:
        await advance(session, chat_id, events=1)
        await log.append(session, MessagesRead(actor_id=None, chat_id=chat_id, seq=1, up_to_seq=1))
        locking = asyncio.create_task(blocker.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE"))
        await waits_for(watcher, "events", 1)
    await locking
    # The hubs, this one and the server's, have taken their snapshots when they wait, and not looked yet who is there.
    await waits_for(watcher, "events", 2)
    newcomer = await viewer_of(services.database, await make.player("max"))
    async with services.database.write() as session:
        session.add(db.ChatMember(chat_id=chat_id, account_id=newcomer.account_id))
    with hub.watch(newcomer) as watching:
        one = await follow(hub.follow_chat(newcomer, chat_id, None))
        everything = await follow(hub.follow_account(newcomer, None))
        await one.caught_up()
        await everything.caught_up()
        await locked.rollback()
        assert await early.numbers(1) == [1]
        for number in (2, 3):
            assert await happen(services.database, chat_id) == number
            for reader in (early, one, everything):
                assert await reader.numbers(1) == [number]
        assert not watching.ended.is_set()
    await blocker.close()
    await watcher.close()


async def test_a_session_that_ended_before_anybody_watched_it_is_noticed(
    hub: Hub, services: Services, viewer: Viewer
) -> None:
    await end_session(services, viewer)
    await handed_out_everything(hub, services.database)
    with hub.watch(viewer) as watching:
        async with asyncio.timeout(PATIENCE):
            await watching.ended.wait()


async def test_two_processes_hand_out_the_same(
    hub: Hub, services: Services, viewer: Viewer, chat_id: uuid.UUID, database_url: str, follow: Follow
) -> None:
    async with a_hub(database_url) as other:
        readers = [
            await follow(stream)
            for one in (hub, other)
            for stream in (one.follow_account(viewer, None), one.follow_chat(viewer, chat_id, None))
        ]
        for reader in readers:
            await reader.caught_up()
        await asyncio.gather(*(happen(services.database, chat_id, 7) for _ in range(6)))
        for reader in readers:
            assert await reader.numbers(42) == list(range(1, 43))


async def test_what_commits_in_another_order_than_it_began_arrives_once_and_a_resume_misses_nothing(
    hub: Hub, services: Services, viewer: Viewer, follow: Follow
) -> None:
    chats = [await a_chat(services.database, viewer.account_id) for _ in range(3)]
    reader = await follow(hub.follow_account(viewer, None))
    await reader.caught_up()
    async with AsyncExitStack() as stack:
        sessions = [services.database._writers() for _ in chats]
        for session, chat in zip(sessions, chats, strict=True):
            await stack.enter_async_context(session)
            await advance(session, chat, events=1)
            await log.append(session, MessagesRead(actor_id=None, chat_id=chat, seq=1, up_to_seq=1))
        seen = []
        for session in reversed(sessions):
            await session.commit()
            seen.append(await reader.happened())
    assert [cast("MessagesRead", one.event).chat_id for one in seen] == chats[::-1]
    assert [one.id for one in seen] == sorted((one.id for one in seen), reverse=True)
    for number, one in enumerate(seen):
        again = await follow(hub.follow_account(viewer, cast("AccountPlace", one.place)))
        rest = [(await again.happened()).id for _ in seen[number + 1 :]]
        assert sorted(rest) == sorted(later.id for later in seen[number + 1 :])
        await again.caught_up()


async def test_a_batch_that_fails_half_way_is_handed_out_once(
    hub: Hub, services: Services, viewer: Viewer, chat_id: uuid.UUID, database_url: str, follow: Follow
) -> None:
    everything = await follow(hub.follow_account(viewer, None))
    await everything.caught_up()
    numbers: list[int] = []
    async with connections_of_hubs_are_killed(database_url):
        for _ in range(8):
            await happen(services.database, chat_id, PAGE + 50)
            numbers += await everything.numbers(PAGE + 50)
    assert numbers == list(range(1, len(numbers) + 1))


async def test_what_a_newer_release_writes_stops_nobody(
    services: Services, make: Factory, nika: Player, chat_id: uuid.UUID
) -> None:
    shown = ids.write(Kind.CHAT, chat_id)
    query = "subscription { events { __typename ... on ChatEvent { seq } } }"
    one = "subscription ($chat: ID!) { chatEvents(chatId: $chat) { __typename ... on ChatEvent { seq } } }"
    start = (await nika.api("{ viewer { eventCursor } }"))["viewer"]["eventCursor"]
    async with nika.api.socket() as a, nika.api.socket() as b:
        streams = [await a.subscribe(query), await b.subscribe(one, chat=shown)]
        for stream in streams:
            await stream.until("CaughtUp")
        async with services.database.write() as session:
            await advance(session, chat_id, events=1)
            session.add(db.Event(kind="FromTheFuture", chat_id=chat_id, seq=1))
            session.add(db.Event(kind="FromTheFuture", account_id=nika.account_id))
        sent = await make.send(nika, shown)
        for stream in streams:
            assert await stream.next() == {"__typename": "MessageSent", "seq": sent["seq"]}
    page = "query ($after: Cursor!) { events(after: $after) { events { __typename } hasMore } }"
    assert (await nika.api(page, after=start))["events"] == {
        "events": [{"__typename": "MessageSent"}],
        "hasMore": False,
    }


@pytest.mark.parametrize("word", ["{", "{}", '{"look_again": ["?"]}', '{"look_again": 7}', "[]", "ё"])
async def test_a_notification_that_makes_no_sense_deafens_nobody(
    word: str, hub: Hub, services: Services, viewer: Viewer, chat_id: uuid.UUID, follow: Follow
) -> None:
    reader = await follow(hub.follow_chat(viewer, chat_id, None))
    await reader.caught_up()
    async with services.database.write() as session:
        await session.execute(text("SELECT pg_notify(:channel, :word)"), {"channel": log.CHANNEL, "word": word})
    for _ in range(2):
        last = await happen(services.database, chat_id)
        assert await reader.numbers(1) == [last]


async def test_lost_notifications_are_healed_by_the_poll(
    services: Services, viewer: Viewer, chat_id: uuid.UUID, database_url: str, follow: Follow
) -> None:
    async with a_hub(database_url, poll_seconds=0.05) as hub:
        reader = await follow(hub.follow_chat(viewer, chat_id, None))
        await reader.caught_up()
        async with services.database.write() as session:
            await advance(session, chat_id, events=1)
            session.add(db.Event(kind="MessagesRead", chat_id=chat_id, seq=1, payload={"up_to_seq": 1}))
        assert await reader.numbers(1) == [1]
        watching = hub.watch(viewer)
        with watching:
            await end_session(services, viewer, tell=False)
            async with asyncio.timeout(PATIENCE):
                await watching.ended.wait()
        assert isinstance(await reader.next(), AccessRevoked)


async def test_the_end_of_a_session_ends_its_streams_on_every_process_and_nothing_comes_after_it(
    hub: Hub, services: Services, viewer: Viewer, chat_id: uuid.UUID, database_url: str, follow: Follow
) -> None:
    async with a_hub(database_url) as other:
        readers = [
            await follow(stream)
            for one in (hub, other)
            for stream in (one.follow_account(viewer, None), one.follow_chat(viewer, chat_id, None))
        ]
        for reader in readers:
            await reader.caught_up()
        with hub.watch(viewer) as watching:
            await end_session(services, viewer)
            await happen(services.database, chat_id, 3)
            async with asyncio.timeout(PATIENCE):
                await watching.ended.wait()
        for reader in readers:
            assert isinstance(await reader.next(), AccessRevoked)
            assert await reader.has_ended()


async def test_a_session_that_ends_during_a_long_catching_up_reads_no_further(
    hub: Hub, services: Services, viewer: Viewer, chat_id: uuid.UUID, follow: Follow
) -> None:
    async with services.database.read() as session:
        start = await log.place_now(session)
    await happen(services.database, chat_id, PAGE + 100)
    readers = [
        await follow(hub.follow_account(viewer, start)),
        await follow(hub.follow_chat(viewer, chat_id, log.ChatPlace(start.epoch, 0))),
    ]
    for reader in readers:
        assert await reader.numbers(10) == list(range(1, 11))
    with hub.watch(viewer) as watching:
        await end_session(services, viewer)
        async with asyncio.timeout(PATIENCE):
            await watching.ended.wait()
    for reader in readers:
        assert isinstance(await reader.next(), AccessRevoked)
        assert await reader.has_ended()


@pytest.mark.parametrize("before", [1, PAGE, PAGE + 1])
async def test_a_removed_member_hears_of_it_and_of_nothing_later(
    before: int, hub: Hub, services: Services, viewer: Viewer, chat_id: uuid.UUID, follow: Follow
) -> None:
    one, everything = (
        await follow(hub.follow_chat(viewer, chat_id, None)),
        await follow(hub.follow_account(viewer, None)),
    )
    await one.caught_up()
    await everything.caught_up()
    left = MemberLeft(actor_id=None, chat_id=chat_id, seq=before + 1, account_id=viewer.account_id)
    numbers = (*range(1, before + 1), before + 2)
    *ahead, behind = (MessagesRead(actor_id=None, chat_id=chat_id, seq=n, up_to_seq=n) for n in numbers)
    async with services.database.write() as session:  # one transaction, so one batch
        await advance(session, chat_id, events=before + 2)
        member = await session.get_one(db.ChatMember, (chat_id, viewer.account_id))
        await session.delete(member)
        await log.append(session, *ahead, left, behind)
    await happen(services.database, chat_id, 5)
    asked = TeammateRequestChanged(actor_id=None, account_id=viewer.account_id, request_id=uuid.uuid4())
    async with services.database.write() as session:
        await log.append(session, asked)
    assert [(await one.happened()).event for _ in range(before + 1)] == [*ahead, left]
    assert isinstance(await one.next(), AccessRevoked)
    assert await one.has_ended()
    assert [(await everything.happened()).event for _ in range(before + 2)] == [*ahead, left, asked]


async def test_who_reads_too_slowly_is_told_so_and_resumes_without_a_gap(
    hub: Hub, services: Services, viewer: Viewer, chat_id: uuid.UUID, follow: Follow
) -> None:
    slow, quick = (await follow(hub.follow_account(viewer, None)), await follow(hub.follow_account(viewer, None)))
    await slow.caught_up()
    await quick.caught_up()
    total = 0
    while total <= LONGEST_QUEUE:
        total = await happen(services.database, chat_id, 300)
        await quick.numbers(300)
    seen: list[int] = []
    while isinstance(notice := await slow.next(), Happened):
        seen.append(cast("MessagesRead", notice.event).seq)
    assert isinstance(notice, ResyncRequired)
    with pytest.raises(TooSlow):
        await slow.next()
    assert len(seen) == LONGEST_QUEUE
    again = await follow(hub.follow_account(viewer, cast("AccountPlace", notice.place)))
    assert seen + await again.numbers(total - len(seen)) == list(range(1, total + 1))


@pytest.mark.parametrize("of", ["another epoch", "the future"])
async def test_a_place_that_is_no_place_here_needs_a_resync(
    of: str, hub: Hub, services: Services, viewer: Viewer, chat_id: uuid.UUID, follow: Follow
) -> None:
    last = await happen(services.database, chat_id)
    async with services.database.read() as session:
        now = await log.place_now(session)
    if of == "another epoch":
        places = AccountPlace(uuid.uuid4(), now.seen), log.ChatPlace(uuid.uuid4(), last)
    else:  # as after going back to a backup
        later = Snapshot(now.seen.xmax + 1000, now.seen.xmax + 1000, frozenset())
        places = AccountPlace(now.epoch, later), log.ChatPlace(now.epoch, last + 1)
    for stream in (hub.follow_account(viewer, places[0]), hub.follow_chat(viewer, chat_id, places[1])):
        reader = await follow(stream)
        notice = await reader.next()
        assert isinstance(notice, ResyncRequired)
        assert await reader.has_ended()
        resumed: dict[str, Any] = {"after": notice.place}
        again = (
            hub.follow_account(viewer, **resumed)
            if isinstance(notice.place, AccountPlace)
            else hub.follow_chat(viewer, chat_id, **resumed)
        )
        await (await follow(again)).caught_up()


async def test_a_hub_that_stops_does_not_tell_its_readers_to_load_everything_anew(
    services: Services, viewer: Viewer, chat_id: uuid.UUID, database_url: str, follow: Follow
) -> None:
    async with a_hub(database_url) as hub:
        readers = [await follow(hub.follow_account(viewer, None)), await follow(hub.follow_chat(viewer, chat_id, None))]
        for reader in readers:
            await reader.caught_up()
        await hub.stop()
        for reader in readers:
            with pytest.raises(Unavailable):
                await reader.next()


async def test_nothing_is_left_of_streams_that_have_ended(
    hub: Hub, services: Services, viewer: Viewer, chat_id: uuid.UUID, follow: Follow
) -> None:
    tasks = len(asyncio.all_tasks())
    readers = [await follow(hub.follow_account(viewer, None)) for _ in range(20)]
    readers += [await follow(hub.follow_chat(viewer, chat_id, None)) for _ in range(20)]
    for reader in readers:
        await reader.caught_up()
    assert len(asyncio.all_tasks()) < tasks + len(readers), "no task a follower"
    for reader in readers:
        await reader.stream.aclose()
    assert not hub.followers.by_account
    assert not hub.followers.by_chat


async def test_a_database_that_goes_and_returns_costs_no_event(database_url: str, follow: Follow) -> None:
    async with a_database(database_url) as (admin, url), a_hub(url) as hub:
        name, writer = name_of(url), Database(url, pool_size=1)
        viewer = await a_viewer(writer)
        chat_id = await a_chat(writer, viewer.account_id)
        reader = await follow(hub.follow_account(viewer, None))
        await reader.caught_up()
        for _ in range(3):
            await happen(writer, chat_id)
            await writer.close()
            await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
            await until(lambda: not hub.is_listening)
            await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
            await happen(writer, chat_id)
            await until(lambda: hub.is_listening)
            await happen(writer, chat_id)
        assert await reader.numbers(9) == list(range(1, 10))
        await writer.close()


@asynccontextmanager
async def a_database(beside: str) -> AsyncIterator[tuple[asyncpg.Connection, str]]:
    """Make a database of its own, to be taken away; gives a connection to the server and the database's address."""
    worker, name = name_of(beside), f"gamebuddy_{uuid.uuid4().hex}"
    admin = await asyncpg.connect(beside.replace(f"/{worker}?", "/postgres?"))
    try:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE gamebuddy_template")
        yield admin, beside.replace(f"/{worker}?", f"/{name}?")
    finally:
        await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await admin.close()


def name_of(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


async def a_viewer(database: Database) -> Viewer:
    account = db.Account(username="somebody", display_name="Somebody", role=db.Role.USER)
    now = datetime.now(UTC)
    row = db.Session(account_id=account.id, salt=b"", last_used_at=now, expires_at=now + timedelta(days=1))
    async with database.write() as session:
        session.add(account)
        await session.flush()
        session.add(row)
    return Viewer.of(account, row.id)


async def end_session(services: Services, viewer: Viewer, *, tell: bool = True) -> None:
    """Sign a session out, with or without the word to every process."""
    async with services.database.write() as session:
        ended = update(db.Session).where(db.Session.id == viewer.session_id).values(revoked_at=func.now())
        await session.execute(ended)
        if tell:
            await log.look_again(session, viewer.session_id)
