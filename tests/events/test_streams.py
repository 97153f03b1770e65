"""Live events as clients read them."""

import asyncio
from typing import Any

import asyncpg
import pytest

from gamebuddy.schema.context import Services
from tests.api import Api, Stream
from tests.factories import Factory, Player

FIELDS = """__typename id cursor at
  ... on ChatEvent { seq chat { id } }
  ... on MessageSent { message { text } }
  ... on MemberJoined { user { username } by { username } }
  ... on MemberLeft { user { username } }
  ... on MessagesRead { user { username } upToSeq }
  ... on TeammateRequestChanged { request { status } }
  ... on AccessRevoked { reason lost: chat { id } }
  ... on ResyncRequired { reason }"""
EVENTS = f"subscription ($after: Cursor) {{ events(after: $after) {{ {FIELDS} }} }}"
CHAT = f"subscription ($chat: ID!, $after: Cursor) {{ chatEvents(chatId: $chat, after: $after) {{ {FIELDS} }} }}"
PAGE = f"""query ($after: Cursor!, $first: Int) {{ events(after: $after, first: $first) {{
    events {{ {FIELDS} }} endCursor hasMore resyncRequired }} }}"""


@pytest.fixture
async def nika(make: Factory) -> Player:
    return await make.player("nika")


@pytest.fixture
async def max_(make: Factory) -> Player:
    return await make.player("max")


@pytest.fixture
async def chat_id(make: Factory, nika: Player, max_: Player) -> str:
    return await make.direct_chat(nika, max_)


async def caught_up(stream: Stream) -> Any:
    event = await stream.next()
    assert event["__typename"] == "CaughtUp"
    return event


async def test_a_stream_without_a_place_starts_with_caught_up_and_goes_on_live(
    make: Factory, nika: Player, max_: Player, chat_id: str
) -> None:
    await make.send(nika, chat_id, "before")
    async with max_.api.socket() as a, max_.api.socket() as b:
        everything, one = await a.subscribe(EVENTS), await b.subscribe(CHAT, chat=chat_id)
        await caught_up(everything)
        await caught_up(one)
        for text in ("one", "two", "x" * 3_999 + "😀"):
            await make.send(nika, chat_id, text)
            seen = [await everything.next(), await one.next()]
            assert [event["message"]["text"] for event in seen] == [text, text]
            assert seen[0]["id"] == seen[1]["id"], "one event has one id on every stream"


async def test_what_was_missed_is_replayed_in_order_and_once(
    make: Factory, nika: Player, max_: Player, chat_id: str
) -> None:
    start = (await max_.api("{ viewer { eventCursor } }"))["viewer"]["eventCursor"]
    for number in range(7):
        await make.send(nika, chat_id, str(number))
    async with max_.api.socket() as socket:
        stream = await socket.subscribe(EVENTS, after=start)
        first = [await stream.next() for _ in range(7)]
        assert [event["message"]["text"] for event in first] == list("0123456")
        await caught_up(stream)
    for place in (0, 3, 6):
        async with max_.api.socket() as socket:
            stream = await socket.subscribe(EVENTS, after=first[place]["cursor"])
            assert [(await stream.next())["id"] for _ in first[place + 1 :]] == [e["id"] for e in first[place + 1 :]]
            end = await caught_up(stream)
    async with max_.api.socket() as socket:
        stream = await socket.subscribe(EVENTS, after=end["cursor"])
        await caught_up(stream)


async def test_a_page_of_events_is_the_same_as_the_stream(
    make: Factory, nika: Player, max_: Player, chat_id: str
) -> None:
    cursor = (await max_.api("{ viewer { eventCursor } }"))["viewer"]["eventCursor"]
    for number in range(5):
        await make.send(nika, chat_id, str(number))
    texts = []
    while True:
        page = (await max_.api(PAGE, after=cursor, first=2))["events"]
        texts += [event["message"]["text"] for event in page["events"]]
        cursor = page["endCursor"]
        if not page["hasMore"]:
            break
    assert texts == list("01234")
    assert (await max_.api(PAGE, after=cursor))["events"]["events"] == []


async def test_every_lasting_change_is_told(make: Factory, nika: Player, max_: Player) -> None:
    async with max_.api.socket() as socket:
        stream = await socket.subscribe(EVENTS)
        await caught_up(stream)
        await nika.api(
            "mutation ($id: ID!) { sendTeammateRequest(input: {userId: $id}) { request { id } } }", id=max_.id
        )
        assert (await stream.next())["request"] == {"status": "PENDING"}
        chat_id = await make.group(nika, max_)
        joined = await stream.next()  # from one's own arrival on
        assert (joined["user"], joined["by"]) == ({"username": "max"}, {"username": "nika"})
        assert joined["chat"]["id"] == chat_id
        message = await make.send(nika, chat_id, "welcome")
        assert (await stream.next())["message"] == {"text": "welcome"}
        mark = "mutation ($in: MarkReadInput!) { markRead(input: $in) { userErrors { code } } }"
        await max_.api(mark, **{"in": {"chatId": chat_id, "upToSeq": message["seq"]}})
        read = await stream.next()
        assert (read["__typename"], read["upToSeq"]) == ("MessagesRead", message["seq"])


async def test_a_chat_of_others_and_an_unknown_one_are_the_same(
    make: Factory, nika: Player, max_: Player, chat_id: str
) -> None:
    stranger = await make.player()
    async with stranger.api.socket() as socket:
        errors = []
        for chat in (chat_id, chat_id[:-2] + ("AA" if chat_id[-2:] != "AA" else "QA")):
            stream = await socket.subscribe(CHAT, chat=chat)
            errors.append(await stream.error())
        assert errors[0]["extensions"]["code"] == errors[1]["extensions"]["code"] == "NOT_FOUND"
        assert errors[0]["message"] == errors[1]["message"]


async def test_the_two_kinds_of_cursors_and_those_of_others_are_no_places(
    make: Factory, nika: Player, max_: Player, chat_id: str
) -> None:
    own = (await max_.api("{ viewer { eventCursor } }"))["viewer"]["eventCursor"]
    async with max_.api.socket() as socket, nika.api.socket() as other:
        one = await socket.subscribe(CHAT, chat=chat_id, after=own)
        assert (await one.error())["extensions"]["code"] == "BAD_USER_INPUT"
        stream = await other.subscribe(EVENTS, after=own)
        assert (await stream.error())["extensions"]["code"] == "BAD_USER_INPUT"
    assert (await nika.api.error(PAGE, after=own))["extensions"]["code"] == "BAD_USER_INPUT"


async def test_who_leaves_is_told_so_and_hears_no_more(make: Factory, nika: Player, max_: Player) -> None:
    chat_id = await make.group(nika, max_)
    async with max_.api.socket() as a, max_.api.socket() as b:
        everything, one = await a.subscribe(EVENTS), await b.subscribe(CHAT, chat=chat_id)
        await caught_up(everything)
        await caught_up(one)
        leave = "mutation ($chat: ID!) { leaveChat(input: {chatId: $chat}) { userErrors { code } } }"
        await max_.api(leave, chat=chat_id)
        await make.send(nika, chat_id, "he is gone")
        left = await one.next()
        assert (left["__typename"], left["user"]["username"]) == ("MemberLeft", "max")
        assert (await one.next())["__typename"] == "AccessRevoked"
        await one.completed()
        assert (await everything.next())["id"] == left["id"]
        other_chat = await make.direct_chat(nika, max_)
        assert (await everything.next())["chat"]["id"] == other_chat


async def test_a_ban_ends_the_streams(make: Factory, services: Services, max_: Player) -> None:
    from sqlalchemy import update

    from gamebuddy import db
    from gamebuddy.events import log

    async with max_.api.socket() as socket:
        stream = await socket.subscribe(EVENTS)
        await caught_up(stream)
        async with services.database.write() as session:
            banned = update(db.Account).where(db.Account.id == max_.account_id)
            await session.execute(banned.values(status=db.AccountStatus.BANNED))
            await log.look_again(session, max_.account_id)
        assert await socket.closed() == 4403


async def test_a_killed_listener_comes_back_and_nothing_is_missed(
    make: Factory, nika: Player, max_: Player, chat_id: str, database_url: str
) -> None:
    connection = await asyncpg.connect(database_url)
    async with max_.api.socket() as socket:
        stream = await socket.subscribe(CHAT, chat=chat_id)
        await caught_up(stream)
        for number in range(10):
            if number % 3 == 0:
                await connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'gamebuddy listener' AND datname = current_database()"
                )
            await make.send(nika, chat_id, str(number))
        assert [(await stream.next())["message"]["text"] for _ in range(10)] == [str(n) for n in range(10)]
    await connection.close()


async def test_many_writers_and_many_readers_agree_on_one_order(
    make: Factory, nika: Player, max_: Player, chat_id: str
) -> None:
    sent = 40

    async def read(player: Player) -> list[tuple[int, str]]:
        async with player.api.socket() as socket:
            stream = await socket.subscribe(CHAT, chat=chat_id)
            await caught_up(stream)
            ready.release()
            events = [await stream.next() for _ in range(sent)]
            return [(event["seq"], event["message"]["text"]) for event in events]

    ready = asyncio.Semaphore(0)
    readers = [asyncio.create_task(read(player)) for player in (nika, max_, nika, max_)]
    async with asyncio.timeout(60):
        for _ in readers:
            await ready.acquire()

    async def write(author: Player, begin: int) -> None:
        for number in range(begin, begin + sent // 4):
            await make.send(author, chat_id, str(number))

    await asyncio.gather(*(write(author, 100 * n) for n, author in enumerate((nika, max_, nika, max_))))
    first, *others = [await reader for reader in readers]
    assert all(other == first for other in others)
    seqs = [seq for seq, _ in first]
    assert seqs == list(range(seqs[0], seqs[0] + sent)), "no hole"


async def test_nobody_signed_in_follows_nothing(api: Api) -> None:
    async with api.socket() as socket:
        stream = await socket.subscribe(EVENTS)
        assert (await stream.error())["extensions"]["code"] == "UNAUTHENTICATED"
