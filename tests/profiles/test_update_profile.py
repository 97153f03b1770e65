import asyncio
from typing import Any

import pytest

from tests.api import Api
from tests.factories import Factory, Player

UPDATE = """
mutation ($input: UpdateProfileInput!) {
  updateProfile(input: $input) {
    user {
      displayName
      profile {
        bio country region timeZone languages platforms playStyle voiceChat ageBand isLookingForTeammates
        genres { slug } games { game { slug playerCount } rank { name } rating roles { slug } isFavorite }
        availability { weekday startHour endHour }
      }
    }
    userErrors { code path message }
  }
}"""
CATALOGUE = """
{ genres { id slug } games(search: "dota 2") { nodes { id slug ranks { id name level } roles { id slug } } } }
"""


@pytest.fixture
async def nika(make: Factory) -> Player:
    return await make.player("nika")


async def update(player: Player, **changes: Any) -> Any:
    return (await player.api(UPDATE, input=changes))["updateProfile"]


async def changed(player: Player, **changes: Any) -> Any:
    payload = await update(player, **changes)
    assert payload["userErrors"] == []
    return payload["user"]["profile"]


async def refused(player: Player, **changes: Any) -> list[tuple[str, list[str]]]:
    payload = await update(player, **changes)
    assert payload["user"] is None
    return [(error["code"], error["path"]) for error in payload["userErrors"]]


async def dota(api: Api) -> Any:
    return (await api(CATALOGUE))["games"]["nodes"][0]


async def test_absent_leaves_null_clears_and_empty_is_refused(nika: Player) -> None:
    assert (await changed(nika, bio="Evenings.", country="DE"))["bio"] == "Evenings."
    assert (await changed(nika, region="CIS"))["bio"] == "Evenings."
    assert (await changed(nika, bio=None))["bio"] is None
    assert await refused(nika, bio="") == [("TOO_SHORT", ["input", "bio"])]
    assert await refused(nika, bio=" \u200b\n") == [("TOO_SHORT", ["input", "bio"])]


async def test_what_cannot_be_empty_is_not_cleared(nika: Player) -> None:
    names = ["displayName", "isLookingForTeammates", "whoMayWriteToMe", "whoSeesMyPresence"]
    errors = await refused(nika, **dict.fromkeys(names))
    assert sorted(errors) == sorted(("INVALID", ["input", name]) for name in names)


async def test_all_problems_are_told_at_once_and_nothing_is_saved(nika: Player) -> None:
    errors = await refused(nika, bio="x" * 501, displayName="y" * 41, birthDate="2999-01-01", country="DE")
    assert sorted(errors) == [
        ("INVALID", ["input", "birthDate"]),
        ("TOO_LONG", ["input", "bio"]),
        ("TOO_LONG", ["input", "displayName"]),
    ]
    assert (await changed(nika))["country"] is None


@pytest.mark.parametrize("text", ["a", "я", "😀", "👨‍👩‍👧"])
async def test_lengths_count_code_points(nika: Player, text: str) -> None:
    most = 500 // len(text)
    assert (await changed(nika, bio=text * most))["bio"] == text * most
    assert await refused(nika, bio=text * most + "x" * (501 - most * len(text))) == [("TOO_LONG", ["input", "bio"])]


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "{{7*7}} %s", "\u202bשלום", "' OR 1=1 --"])
async def test_text_comes_back_to_the_letter(nika: Player, text: str) -> None:
    assert (await changed(nika, bio=text))["bio"] == text


@pytest.mark.parametrize(
    ("born", "code"),
    [("1800-01-01", "INVALID"), ("2999-12-31", "INVALID"), ("31.05.2001", "INVALID"), ("2001-02-30", "INVALID"),
     ("2020-01-01", "NOT_ALLOWED")],
)  # fmt: skip
async def test_a_birth_date_is_checked(nika: Player, born: str, code: str) -> None:
    assert await refused(nika, birthDate=born) == [(code, ["input", "birthDate"])]


@pytest.mark.parametrize(
    "change",
    [
        {"timeZone": "../../etc/passwd"},
        {"timeZone": "Mars/Olympus"},
        {"languages": ["xx-<script>"]},
        {"languages": ["qq"]},
        {"languages": ["und"]},
        {"languages": ["en-QQ"]},
        {"languages": ["en-Abcd"]},
        {"country": "XX"},
        {"country": "de"},
        {"playStyle": "SLEEPY"},
        {"bio": "zero \x00 byte"},
        {"bio": "half a \ud800 pair"},
    ],
)
async def test_what_no_client_sends_is_bad_input(nika: Player, change: dict[str, Any]) -> None:
    assert (await nika.api.error(UPDATE, input=change))["extensions"]["code"] == "BAD_USER_INPUT"


async def test_languages_are_any_that_somebody_speaks_somewhere(nika: Player) -> None:
    told = ["EN-us", "ru-fr", "zh-hant-TW", "iw", "eng", "es-419"]
    profile = await changed(nika, languages=told)
    assert profile["languages"] == ["en-US", "ru-FR", "zh-Hant-TW", "he", "en", "es-419"]


async def test_games_have_ranks_roles_and_a_rating_on_one_scale(nika: Player, api: Api) -> None:
    game = await dota(api)
    top = game["ranks"][-1]
    (shown,) = (await changed(nika, games=[{"gameId": game["id"], "rankId": top["id"]}]))["games"]
    assert (shown["rank"]["name"], shown["rating"], shown["roles"]) == (top["name"], 2500, [])
    (shown,) = (
        await changed(
            nika,
            games=[{"gameId": game["id"], "rating": 1234, "roleIds": [game["roles"][1]["id"]], "isFavorite": True}],
        )
    )["games"]
    assert (shown["rank"], shown["rating"], shown["isFavorite"]) == (None, 1234, True)
    assert [role["slug"] for role in shown["roles"]] == [game["roles"][1]["slug"]]
    (shown,) = (await changed(nika, games=[{"gameId": game["id"]}]))["games"]
    assert shown["rating"] == 1500


async def test_a_wrong_game_says_which_one_and_nothing_is_saved(nika: Player, api: Api, make: Factory) -> None:
    game = await dota(api)
    other = (await api('{ game(by: {slug: "valorant"}) { id ranks { id } roles { id } } }'))["game"]
    good = {"gameId": game["id"]}
    assert await refused(nika, games=[good, good]) == [("INVALID", ["input", "games", "1", "gameId"])]
    assert await refused(nika, games=[good | {"rating": 3001}]) == [("INVALID", ["input", "games", "0", "rating"])]
    assert await refused(nika, games=[good | {"rating": -1}]) == [("INVALID", ["input", "games", "0", "rating"])]
    assert await refused(nika, games=[good | {"rankId": other["ranks"][0]["id"]}]) == [
        ("NOT_FOUND", ["input", "games", "0", "rankId"])
    ]
    assert await refused(nika, games=[good | {"roleIds": [game["roles"][0]["id"], other["roles"][0]["id"]]}]) == [
        ("NOT_FOUND", ["input", "games", "0", "roleIds", "1"])
    ]
    assert await refused(nika, games=[good] * 51) == [("TOO_LONG", ["input", "games"])]
    assert (await changed(nika))["games"] == []


@pytest.mark.parametrize("rating", ["NaN", 1e308, 1.5, "1500", 2**31])
async def test_a_rating_that_is_no_integer_is_bad_input(nika: Player, api: Api, rating: Any) -> None:
    game = await dota(api)
    error = await nika.api.error(UPDATE, input={"games": [{"gameId": game["id"], "rating": rating}]})
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_an_id_of_something_else_is_bad_input(nika: Player, api: Api) -> None:
    game = await dota(api)
    for wrong in (nika.id, game["ranks"][0]["id"], "gam_", "x" * 10_000, "gam_" + "A" * 22 + "=", "-1"):
        error = await nika.api.error(UPDATE, input={"games": [{"gameId": wrong}]})
        assert error["extensions"]["code"] == "BAD_USER_INPUT", wrong


async def test_players_of_a_game_are_counted(nika: Player, make: Factory, api: Api) -> None:
    game = await dota(api)
    max_ = await make.player("max")
    for player in (nika, max_, max_):
        await changed(player, games=[{"gameId": game["id"]}])
    assert (await changed(nika))["games"][0]["game"]["playerCount"] == 2
    await changed(max_, games=None)
    assert (await changed(nika))["games"][0]["game"]["playerCount"] == 1


async def test_availability_is_joined_and_keeps_to_the_week(nika: Player) -> None:
    def slot(start: int, end: int, day: str = "MONDAY") -> dict[str, Any]:
        return {"weekday": day, "startHour": start, "endHour": end}

    shown = (await changed(nika, timeZone="Asia/Kolkata", availability=[slot(20, 24), slot(18, 21), slot(0, 1)]))[
        "availability"
    ]
    assert shown == [slot(0, 1), slot(18, 24)]
    for wrong in (slot(10, 10), slot(22, 2), slot(-1, 3), slot(0, 25)):
        assert await refused(nika, availability=[slot(1, 2), wrong]) == [("INVALID", ["input", "availability", "1"])]
    assert (await changed(nika, availability=None))["availability"] == []


async def test_two_devices_that_change_different_things_keep_both(nika: Player) -> None:
    changes: list[dict[str, Any]] = [
        {"bio": "both"},
        {"country": "DE"},
        {"region": "EUROPE"},
        {"timeZone": "Europe/Berlin"},
        {"availability": [{"weekday": "SUNDAY", "startHour": 1, "endHour": 2}]},
        {"languages": ["ru", "en"]},
    ]
    await asyncio.gather(*(changed(nika, **change) for change in changes * 3))
    shown = await changed(nika)
    assert {name: shown[name] for change in changes for name in change} == {
        name: value for change in changes for name, value in change.items()
    }


async def test_others_see_the_profile_and_strangers_less_of_it(nika: Player, make: Factory, api: Api) -> None:
    await changed(nika, bio="Evenings.", country="DE", birthDate="1999-01-01", timeZone="Europe/Berlin", region="CIS")
    max_ = await make.player("max")
    query = """query ($id: ID!) { user(by: {id: $id}) { profile {
        bio country timeZone ageBand region availability { weekday } } } }"""
    seen = (await max_.api(query, id=nika.id))["user"]["profile"]
    assert (seen["bio"], seen["country"], seen["ageBand"]) == ("Evenings.", "DE", "FROM_25_TO_34")
    reduced = (await api(query, id=nika.id))["user"]["profile"]
    assert reduced == {
        "bio": None,
        "country": None,
        "timeZone": None,
        "ageBand": None,
        "region": "CIS",
        "availability": [],
    }


async def test_nobody_changes_a_profile_without_signing_in(api: Api) -> None:
    assert (await api.error(UPDATE, input={"bio": "x"}))["extensions"]["code"] == "UNAUTHENTICATED"
