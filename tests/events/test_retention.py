"""Events are trimmed by age, messages stay, and who comes with a place from before is told to load his state anew."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update

from gamebuddy import db
from gamebuddy.resolvers import housekeeping
from gamebuddy.schema import ids
from gamebuddy.schema.context import Services
from gamebuddy.schema.ids import Kind
from tests.api import PATIENCE, Json
from tests.factories import Factory, Player

FOLLOW = "subscription($after: Cursor) { events(after: $after) { __typename cursor } }"
FOLLOW_CHAT = """subscription($id: ID!, $after: Cursor) { chatEvents(chatId: $id, after: $after) {
  __typename cursor ... on ChatEvent { seq } } }"""
PAGE = "query($after: Cursor!) { events(after: $after) { events { __typename } endCursor resyncRequired } }"
CURSOR = "{ viewer { eventCursor } }"


@pytest.fixture
async def nika(make: Factory) -> Player:
    return await make.player("nika")


async def a_month_passes(services: Services) -> int:
    """Let all events be older than is kept, and sweep; tells how many went."""
    async with services.database.write() as session:
        await session.execute(update(db.Event).values(created_at=db.Event.created_at - timedelta(days=31)))
    return (await housekeeping.sweep(services.database, services.files))["trim_events"]


async def account_cursor(player: Player) -> str:
    cursor: str = (await player.api(CURSOR))["viewer"]["eventCursor"]
    return cursor


async def all_is_seen(services: Services) -> None:
    """Wait for transactions older than the last event, of whichever database: a place takes them for missing."""
    oldest = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint > max(xid) FROM events")
    async with asyncio.timeout(PATIENCE):
        while True:
            async with services.database.read() as session:
                if await session.scalar(oldest):
                    return
            await asyncio.sleep(0.01)


async def first_of(player: Player, query: str, **variables: object) -> Json:
    async with player.api.socket() as socket:
        return await (await socket.subscribe(query, **variables)).next()


async def chat_cursor(player: Player, chat_id: str) -> str:
    cursor: str = (await first_of(player, FOLLOW_CHAT, id=chat_id))["cursor"]
    return cursor


async def test_a_place_from_before_is_told_and_a_later_one_goes_on(
    make: Factory, nika: Player, services: Services
) -> None:
    chat_id = await make.group(nika)
    before, chat_before = await account_cursor(nika), await chat_cursor(nika, chat_id)
    await make.send(nika, chat_id, "old")
    await all_is_seen(services)
    after, chat_after = await account_cursor(nika), await chat_cursor(nika, chat_id)
    assert await a_month_passes(services) > 1
    await make.send(nika, chat_id, "new")

    assert (await first_of(nika, FOLLOW, after=before))["__typename"] == "ResyncRequired"
    assert (await first_of(nika, FOLLOW_CHAT, id=chat_id, after=chat_before))["__typename"] == "ResyncRequired"
    page = (await nika.api(PAGE, after=before))["events"]
    assert (page["resyncRequired"], page["events"]) == (True, [])
    assert (await nika.api(PAGE, after=page["endCursor"]))["events"]["resyncRequired"] is False

    assert (await first_of(nika, FOLLOW, after=after))["__typename"] == "MessageSent"
    event = await first_of(nika, FOLLOW_CHAT, id=chat_id, after=chat_after)
    assert event["__typename"] == "MessageSent"
    messages = await nika.api("query($id: ID!) { chat(id: $id) { messages { nodes { text } } } }", id=chat_id)
    assert [message["text"] for message in messages["chat"]["messages"]["nodes"]] == ["old", "new"]


async def test_what_is_young_stays_and_numbers_go_on(make: Factory, nika: Player, services: Services) -> None:
    chat_id = await make.group(nika)
    await a_month_passes(services)
    sent = await make.send(nika, chat_id)
    assert (await housekeeping.sweep(services.database, services.files))["trim_events"] == 0
    async with services.database.read() as session:
        row_id = ids.read(Kind.CHAT, chat_id)
        kept = (await session.scalars(select(db.Event.seq).where(db.Event.chat_id == row_id))).all()
        head = await session.scalar(select(func.max(db.Chat.last_seq)).where(db.Chat.id == row_id))
    assert kept == [sent["seq"]] == [head]
