"""A short list tells what keeps players out of it."""

from typing import Any

import pytest

from gamebuddy import db
from tests.conftest import Statements
from tests.factories import Factory, Player

HINTS = """query($filter: TeammateFilter, $widen: Boolean, $first: Int, $after: Cursor) {
  teammates(filter: $filter, widen: $widen, first: $first, after: $after) {
    nodes { username } relaxations pageInfo { endCursor }
    hints { cause signals playerCount en: text(locale: "en") ru: text(locale: "ru") } } }"""


async def hints(player: Player, **variables: Any) -> list[tuple[str, list[str], int]]:
    """Give cause, signals and count of each hint."""
    page = (await player.api(HINTS, **variables))["teammates"]
    return [(hint["cause"], hint["signals"], hint["playerCount"]) for hint in page["hints"]]


@pytest.fixture
async def nika(make: Factory) -> Player:
    return await make.player("nika", games={"valorant": 1700}, platforms=[db.Platform.PC], languages=["ru", "en"])


async def test_each_limit_is_told_with_how_many_it_keeps_out(make: Factory, nika: Player) -> None:
    for number in range(3):
        await make.player(f"far_{number}", games={"valorant": 1700}, region=db.Region.OCEANIA)
    await make.player("near", games={"valorant": 1700}, region=db.Region.CIS)
    await make.player("low", games={"valorant": 300}, region=db.Region.CIS)
    found = await hints(nika, filter={"regions": ["CIS"], "minRating": 1000, "voiceChats": []})
    assert found == [("FILTER", ["REGION"], 3), ("FILTER", ["RATING"], 1)]


async def test_limits_that_only_help_together_are_told_together(make: Factory, nika: Player) -> None:
    await make.player("one", games={"valorant": 1700}, region=db.Region.CIS, play_style=db.PlayStyle.CASUAL)
    limits = {"regions": ["AFRICA"], "playStyles": ["COMPETITIVE"], "minRating": 1}
    assert await hints(nika, filter=limits) == [("FILTER", ["PLAY_STYLE", "RATING", "REGION"], 1)]


async def test_what_the_profile_keeps_out_is_told(make: Factory, nika: Player) -> None:
    await make.player("another_game", games={"dota-2": 1700})
    await make.player("another_language", games={"valorant": 1700}, languages=["ja"])
    await make.player("another_too", games={"valorant": 1700}, languages=["ko"])
    assert await hints(nika) == [("PROFILE", ["LANGUAGE"], 2), ("PROFILE", ["GAMES"], 1)]


async def test_hours_that_are_not_told_are_missing(make: Factory, nika: Player) -> None:
    await make.player("one", games={"valorant": 1700}, schedule="1" * 168)
    assert await hints(nika, filter={"minOverlapHours": 5}) == [("MISSING", ["SCHEDULE"], 1)]


async def test_texts_are_in_both_languages(make: Factory, nika: Player) -> None:
    await make.player("one", games={"valorant": 1700}, region=db.Region.CIS)
    (hint,) = (await nika.api(HINTS, filter={"regions": ["AFRICA"]}))["teammates"]["hints"]
    assert hint["en"] == "Without the limit on region there would be 1 more player"
    assert hint["ru"] == "Без ограничения в фильтре (регион): ещё 1 игрок"


async def test_full_and_later_pages_have_none_and_nobody_pays_for_what_he_does_not_ask(
    make: Factory, nika: Player, statements: Statements
) -> None:
    for number in range(3):
        await make.player(f"near_{number}", games={"valorant": 1700}, region=db.Region.CIS)
    await make.player("far", games={"valorant": 1700}, region=db.Region.OCEANIA)
    limits = {"regions": ["CIS"]}
    assert await hints(nika, filter=limits, first=2) == []
    assert await hints(nika, filter=limits, first=3) == []
    cursor = (await nika.api(HINTS, filter=limits, first=2))["teammates"]["pageInfo"]["endCursor"]
    assert await hints(nika, filter=limits, first=2, after=cursor) == []
    widened = (await nika.api(HINTS, filter=limits, first=4, widen=True))["teammates"]
    assert (widened["relaxations"], widened["hints"]) == (["REGION"], [])
    statements.clear()
    await nika.api("query($filter: TeammateFilter) { teammates(filter: $filter) { nodes { id } } }", filter=limits)
    assert sum("search_best" in statement for statement in statements) == 1


async def test_hidden_players_are_not_counted(make: Factory, nika: Player) -> None:
    for number, role in enumerate((db.Role.GUEST, db.Role.USER)):
        other = await make.player(f"no_{number}", games={"valorant": 1700}, region=db.Region.CIS, role=role)
        await make.block(other, nika)
    assert await hints(nika, filter={"regions": ["AFRICA"]}) == []
