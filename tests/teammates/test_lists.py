from datetime import UTC, datetime, timedelta

from gamebuddy import db
from tests.conftest import Statements
from tests.factories import Factory, Player

TEAMMATES = """
query Teammates($first: Int, $after: Cursor) {
  viewer {
    teammates(first: $first, after: $after) {
      nodes { username viewerRelation viewerHasBlocked }
      pageInfo { hasNextPage hasPreviousPage endCursor }
    }
  }
}"""


async def with_teammates(make: Factory, count: int) -> tuple[Player, list[str]]:
    """Make a player and so many teammates, the newest first."""
    player = await make.player()
    others = [await make.player() for _ in range(count)]
    now = datetime.now(UTC)
    async with make.services.database.write() as session:
        for number, other in enumerate(others):
            since = now - timedelta(hours=number // 2)  # some at the same moment
            for one, two in ((player, other), (other, player)):
                row = db.Teammate(account_id=one.account_id, teammate_id=two.account_id)
                row.since = since
                session.add(row)
    return player, [other.username for other in others]


async def test_pages_show_everybody_once(make: Factory) -> None:
    player, names = await with_teammates(make, 7)
    seen: list[str] = []
    after = None
    while True:
        page = (await player.api(TEAMMATES, first=3, after=after))["viewer"]["teammates"]
        seen += [user["username"] for user in page["nodes"]]
        assert page["pageInfo"]["hasPreviousPage"] == (after is not None)
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert sorted(seen) == sorted(names)
    assert {user["viewerRelation"] for user in page["nodes"]} == {"TEAMMATES"}


async def test_a_cursor_belongs_to_one_list_and_one_viewer(make: Factory) -> None:
    player, _ = await with_teammates(make, 2)
    other, _ = await with_teammates(make, 2)
    cursor = (await player.api(TEAMMATES, first=1))["viewer"]["teammates"]["pageInfo"]["endCursor"]
    blocked = "query($after: Cursor) { viewer { blockedUsers(after: $after) { nodes { id } } } }"
    for api, query, after in (
        (other.api, TEAMMATES, cursor),
        (player.api, blocked, cursor),
        (player.api, TEAMMATES, "garbage"),
        (player.api, TEAMMATES, cursor[:-1] + ("A" if cursor[-1] != "A" else "B")),
    ):
        assert (await api.error(query, after=after))["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_page_has_1_to_50(make: Factory) -> None:
    player = await make.player()
    for first in (0, -1, 51, 2**31 - 1):
        assert (await player.api.error(TEAMMATES, first=first))["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_longer_list_takes_no_more_statements(make: Factory, statements: Statements) -> None:
    counts = []
    for count in (1, 12):
        player, _ = await with_teammates(make, count)
        statements.clear()
        await player.api(TEAMMATES, first=20)
        counts.append(len(statements))
    assert counts[0] == counts[1]
