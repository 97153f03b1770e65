"""Players found by their names."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from gamebuddy import db
from tests.conftest import Statements
from tests.factories import Factory, Player

USERS = """query($search: String!, $first: Int, $after: Cursor) { users(search: $search, first: $first, after: $after) {
  nodes { username } pageInfo { hasNextPage hasPreviousPage endCursor } } }"""


async def found(viewer: Player, search: str, **more: Any) -> list[str]:
    """Give the user names of the first page."""
    page = (await viewer.api(USERS, search=search, **more))["users"]
    return [node["username"] for node in page["nodes"]]


@pytest.fixture
async def viewer(make: Factory) -> Player:
    return await make.player("somebody_else", display_name="Zzz")


async def test_the_exact_name_first_then_beginnings_then_likenesses(make: Factory, viewer: Player) -> None:
    for name in ("anders", "andrea", "andrew_smith", "ander", "sandra", "boris"):
        await make.player(name, display_name="-" if name != "boris" else "Boris")
    first, *others = await found(viewer, "andrea")
    assert first == "andrea"
    assert {"andrew_smith"} <= set(others) <= {"sandra", "andrew_smith", "ander", "anders"}
    assert (await found(viewer, "ander"))[:2] == ["ander", "anders"]
    assert await found(viewer, "BOR") == ["boris"]


@pytest.mark.parametrize(
    ("shown", "search"),
    [
        ("Ника Соколова", "НИКА"),
        ("Ника Соколова", "ник"),
        ("Ника Соколова", "соколова"),
        ("Ника Соколова", "соколва"),
        ("Александр", "Алексндр"),
        ("Maximilian", "maximillian"),
        ("Čeněk", "ČEN"),
        ("50%_off", "50%_"),
        ("back\\slash", "back\\"),
        ("Ёжик", "ёжик"),
    ],
)
async def test_shown_names_in_any_alphabet_and_case(make: Factory, viewer: Player, shown: str, search: str) -> None:
    await make.player("the_one", display_name=shown)
    await make.player("another", display_name="Qqqq")
    assert await found(viewer, search) == ["the_one"]


async def test_signs_of_patterns_are_only_signs(make: Factory, viewer: Player) -> None:
    await make.player("abc_def")
    await make.player("abcxdef", display_name="Qqq")
    assert await found(viewer, "abc_d") == ["abc_def"]
    for search in ("%", "_", "\\", "%%%", "' OR 1=1 --", "a" * 100, "🦊🦊🦊", ":*", "<->"):
        assert await found(viewer, search) == []


async def test_nothing_to_search_for_finds_nobody(make: Factory, viewer: Player) -> None:
    await make.player("anders")
    for search in ("", "   ", "\u200b"):
        assert await found(viewer, search) == []
    assert (await viewer.api.error(USERS, search="a" * 101))["extensions"]["code"] == "BAD_USER_INPUT"
    assert (await viewer.api.error(USERS, search="a\0"))["extensions"]["code"] == "BAD_USER_INPUT"
    assert (await make.api.error(USERS, search="a"))["extensions"]["code"] == "UNAUTHENTICATED"


async def test_who_cannot_be_reached_is_not_listed(make: Factory, viewer: Player) -> None:
    blocker, blocked = await make.player("find_blocker"), await make.player("find_blocked")
    await make.block(blocker, viewer)
    await make.block(viewer, blocked)
    await make.player("find_guest", role=db.Role.GUEST, email=None, email_key=None, email_verified_at=None)
    await make.player("find_claim", email_verified_at=None)
    await make.player("find_banned", status=db.AccountStatus.BANNED)
    await make.player("find_deleted", status=db.AccountStatus.DELETED)
    await make.player("find_child", birth_date=date(datetime.now(UTC).year - 14, 1, 1))
    await make.player("find_me", is_looking_for_teammates=False)
    for search in ("find", "find_", "find_blocker", "fnd_blocker"):
        assert set(await found(viewer, search)) <= {"find_me"}
    assert await found(viewer, "find") == ["find_me"]


async def test_pages_go_through_everybody_once(make: Factory, viewer: Player) -> None:
    names = [f"page_{place:02}" for place in range(12)]
    for name in names:
        await make.player(name, display_name="-")
    await make.player("my_page", display_name="-")
    seen: list[str] = []
    after = None
    while True:
        page = (await viewer.api(USERS, search="page", first=5, after=after))["users"]
        seen += [node["username"] for node in page["nodes"]]
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert sorted(seen[:-1]) == names
    assert seen[-1] == "my_page"
    error = await viewer.api.error(USERS, search="other", after=after)
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_guest_sees_the_first_page_alone(make: Factory) -> None:
    guest = await make.player("a_guest", role=db.Role.GUEST, email=None, email_key=None, email_verified_at=None)
    for place in range(3):
        await make.player(f"seen_{place}")
    page = (await guest.api(USERS, search="seen", first=2))["users"]
    error = await guest.api.error(USERS, search="seen", first=2, after=page["pageInfo"]["endCursor"])
    assert error["extensions"]["code"] == "FORBIDDEN"


async def test_a_page_takes_as_many_statements_as_a_row(make: Factory, viewer: Player, statements: Statements) -> None:
    counts = []
    for more in (1, 9):
        for place in range(more):
            await make.player(f"crowd_{more}_{place}")
        statements.clear()
        await found(viewer, "crowd")
        counts.append(len(statements))
    assert counts[0] == counts[1]
