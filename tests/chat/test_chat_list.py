import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from gamebuddy import db
from gamebuddy.schema import ids
from gamebuddy.schema.ids import Kind
from tests.chat.operations import is_denied
from tests.conftest import Statements
from tests.factories import Factory, Player

LIST = """
query List($first: Int, $after: Cursor) {
  viewer { chats(first: $first, after: $after) { nodes { title } pageInfo { hasNextPage hasPreviousPage endCursor } } }
}"""
WHOLE_PAGE = """
{
  viewer {
    unreadChatCount
    chats(first: 20) {
      edges {
        node {
          title
          lastMessage { text author { username } replyTo { text } }
          viewerUnreadCount
          viewerMembership { lastReadSeq }
          viewerCan(action: WRITE) { isAllowed }
          members(first: 5) { nodes { user { username } } }
          messages(last: 3) { nodes { text author { username } } }
        }
      }
    }
  }
}"""


@pytest.fixture
async def nika(make: Factory) -> Player:
    return await make.player("nika")


async def titles(player: Player) -> list[str]:
    """Give the titles of the first page."""
    return [chat["title"] for chat in (await player.api(LIST))["viewer"]["chats"]["nodes"]]


async def age(make: Factory, chat_id: str, days: float) -> None:
    """Let a chat have been silent for so many days."""
    at = datetime.now(UTC) - timedelta(days=days)
    row_id = ids.read(Kind.CHAT, chat_id)
    async with make.services.database.write() as session:
        await session.execute(update(db.Chat).where(db.Chat.id == row_id).values(last_activity_at=at))
        await session.execute(update(db.ChatMember).where(db.ChatMember.chat_id == row_id).values(active_on=at.date()))


async def test_the_most_recently_active_comes_first(nika: Player, make: Factory) -> None:
    groups = {title: await make.group(nika, title=title) for title in "abc"}
    assert await titles(nika) == ["c", "b", "a"]
    await make.send(nika, groups["a"])
    await make.send(nika, groups["b"])
    assert await titles(nika) == ["b", "a", "c"]


async def test_what_was_silent_for_days_comes_up_again_for_everybody(nika: Player, make: Factory) -> None:
    max_ = await make.player("max")
    groups = {
        title: await make.group(nika, max_ if title == "a" else await make.player(), title=title) for title in "ab"
    }
    await make.group(max_, title="own")
    await age(make, groups["a"], days=40)
    assert (await titles(nika), await titles(max_)) == (["b", "a"], ["own", "a"])
    await make.send(nika, groups["a"])
    assert (await titles(nika), await titles(max_)) == (["a", "b"], ["a", "own"])


async def test_the_day_of_every_member_is_the_day_of_the_chat(nika: Player, make: Factory) -> None:
    others = [await make.player() for _ in range(4)]
    chat_id = await make.group(nika, *others)
    await age(make, chat_id, days=2)
    await asyncio.gather(*(make.send(player, chat_id) for player in others))
    async with make.services.database.read() as session:
        day = func.date(func.timezone("UTC", db.Chat.last_activity_at))
        statement = select(db.ChatMember.active_on == day).join(db.Chat, db.Chat.id == db.ChatMember.chat_id)
        assert (await session.scalars(statement)).all() == [True] * 5


async def test_pages_show_every_chat_once(nika: Player, make: Factory) -> None:
    names = [f"{number}" for number in range(9)]
    for number, title in enumerate(names):
        await age(make, await make.group(nika, title=title), days=number * 0.4)
    seen: list[str] = []
    after = None
    while True:
        page = (await nika.api(LIST, first=2, after=after))["viewer"]["chats"]
        seen += [chat["title"] for chat in page["nodes"]]
        assert page["pageInfo"]["hasPreviousPage"] == (after is not None)
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == names


async def test_a_page_has_1_to_50_and_its_cursors_belong_to_the_viewer(nika: Player, make: Factory) -> None:
    for first in (0, -1, 51):
        assert await is_denied(nika.api, LIST, first=first) == "BAD_USER_INPUT"
    await make.group(nika)
    cursor = (await nika.api(LIST))["viewer"]["chats"]["pageInfo"]["endCursor"]
    other = await make.player()
    assert await is_denied(other.api, LIST, after=cursor) == "BAD_USER_INPUT"
    archived = "query($after: Cursor) { viewer { chats(archived: true, after: $after) { nodes { id } } } }"
    assert await is_denied(nika.api, archived, after=cursor) == "BAD_USER_INPUT"
    assert (await nika.api(archived))["viewer"]["chats"]["nodes"] == []


async def test_a_page_of_twenty_chats_takes_as_many_statements_as_one(
    nika: Player, make: Factory, statements: Statements
) -> None:
    counts = []
    for more in (1, 19):
        for _ in range(more):
            other, third, silent = await make.player(), await make.player(), await make.player()
            direct = await make.direct_chat(nika, other)
            await make.send(other, direct)
            group = await make.group(nika, other, third, silent)
            await make.send(third, group)
        await age(make, direct, days=1)
        statements.clear()
        page = (await nika.api(WHOLE_PAGE))["viewer"]
        counts.append(len([statement for statement in statements if statement.lstrip().startswith("SELECT")]))
    assert len(page["chats"]["edges"]) == 20
    assert page["unreadChatCount"] == 40
    assert all(chat["node"]["lastMessage"]["author"] for chat in page["chats"]["edges"])
    # session, account, unread count, chats, memberships, last messages, members, messages, open doors, and the accounts
    # behind titles, authors and members
    assert counts == [12, 12]
