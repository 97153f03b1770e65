"""What `match` says of one player, and in which words."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from gamebuddy import db
from tests.api import Api
from tests.factories import Factory, Player

MATCH = """
query ($user: ID!, $weights: MatchWeights) {
  match(userId: $user, weights: $weights) {
    score overlapHours rankingVersion
    sharedGames { slug }
    reasons { signal contribution value en: text(locale: "en") ru: text(locale: "ru") }
  }
}"""
LISTED = "{ teammates(first: 1) { edges { match { score reasons { signal contribution } } } } }"


async def match(player: Player, other: Player, **variables: Any) -> Any:
    return (await player.api(MATCH, user=other.id, **variables))["match"]


async def test_it_is_the_match_of_the_list(make: Factory) -> None:
    games = {"dota-2": 1500, "valorant": 1700}
    nika, max_ = await make.player("nika", games=games), await make.player("max", games=games)
    (edge,) = (await nika.api(LISTED))["teammates"]["edges"]
    one = await match(nika, max_)
    assert one["score"] == edge["match"]["score"]
    assert [(r["signal"], r["contribution"]) for r in one["reasons"]] == [
        (r["signal"], r["contribution"]) for r in edge["match"]["reasons"]
    ]


async def test_it_answers_for_those_whom_the_search_does_not_list(make: Factory) -> None:
    nika = await make.player("nika", games={"dota-2": 1500}, languages=["ru"])
    other = await make.player("other", is_looking_for_teammates=False, languages=["en"])
    await make.teammates(nika, other)
    found = await match(nika, other)
    assert found["sharedGames"] == []
    values = {reason["signal"]: reason["value"] for reason in found["reasons"]}
    assert [values[signal] for signal in ("GAMES", "RATING", "ROLES", "LANGUAGE")] == [0, 0, 0, 0]


async def test_the_hidden_are_null(make: Factory, api: Api) -> None:
    nika = await make.player("nika")
    blocker, blocked = await make.player("blocker"), await make.player("blocked")
    await make.block(blocker, nika)
    await make.block(nika, blocked)
    hidden = [
        nika,
        blocker,
        blocked,
        await make.player("a_guest", role=db.Role.GUEST),
        await make.player("banned", status=db.AccountStatus.BANNED),
        await make.player("minor", birth_date=datetime.now(UTC).date() - timedelta(days=15 * 366)),
    ]
    assert [await match(nika, player) for player in hidden] == [None] * len(hidden)
    assert (await nika.api(MATCH, user="usr_AAAAAAAAAAAAAAAAAAAAAA"))["match"] is None
    assert (await nika.api.error(MATCH, user="nonsense"))["extensions"]["code"] == "BAD_USER_INPUT"
    assert (await api.error(MATCH, user=nika.id))["extensions"]["code"] == "UNAUTHENTICATED"


async def test_reasons_speak_english_and_russian(make: Factory) -> None:
    evening, late = "1" * 7 + "0" * 161, "00" + "1" * 7 + "0" * 159
    nika = await make.player(
        "nika",
        games={"dota-2": 1500, "valorant": 1700, "league-of-legends": 1500},
        languages=["ru"],
        region=db.Region.EUROPE,
        platforms=[db.Platform.PC],
        play_style=db.PlayStyle.CASUAL,
        voice_chat=db.VoiceChat.REQUIRED,
        schedule=evening,
    )
    max_ = await make.player(
        "max",
        games={"valorant": 1620, "dota-2": 400, "league-of-legends": 3000},
        languages=["ru", "en"],
        region=db.Region.CIS,
        platforms=[db.Platform.PC],
        play_style=db.PlayStyle.COMPETITIVE,
        voice_chat=db.VoiceChat.PREFERRED,
        schedule=late,
        birth_date=date(1960, 1, 1),
        reputation=725,
    )
    found = {reason["signal"]: reason for reason in (await match(nika, max_, weights={"platform": 1}))["reasons"]}
    assert {signal: (reason["en"], reason["ru"]) for signal, reason in found.items()} == {
        "GAMES": ("You both play Dota 2 and 2 more", "Вы оба играете в Dota 2 и ещё в 2 игры"),
        "RATING": ("Ratings 80 points apart in VALORANT", "Разница рейтингов в VALORANT: 80 очков"),
        "ROLES": ("Roles in VALORANT are not told", "Роли в VALORANT не указаны"),
        "GENRES": ("Favourite genres are not told", "Любимые жанры не указаны"),
        "SCHEDULE": ("5 common hours a week", "5 общих часов в неделю"),
        "LANGUAGE": ("You both speak Russian", "Общий язык: русский"),
        "REGION": ("Neighbouring regions", "Соседние регионы"),
        "PLATFORM": ("A platform in common", "Есть общая платформа"),
        "PLAY_STYLE": ("Opposite play styles", "Противоположный стиль игры"),
        "VOICE_CHAT": ("Wishes for voice chat that go together", "О голосовом чате легко договориться"),
        "AGE": ("Different ages", "Разный возраст"),
        "REPUTATION": ("Reputation 72 of 100", "Репутация 72 из 100"),
        "ACTIVITY": ("Seen today", "Был в сети сегодня"),
    }


@pytest.mark.parametrize("facts", [{}, {"games": {"dota-2": 1500}}], ids=["without games", "with a game"])
async def test_every_signal_has_words_for_what_is_not_told(make: Factory, facts: Any) -> None:
    nika, other = await make.player("nika", languages=[], **facts), await make.player("other", languages=[])
    found = await match(nika, other, weights={"platform": 1})
    assert len(found["reasons"]) == 13
    assert all(reason["en"] and reason["ru"] and reason["en"] != reason["ru"] for reason in found["reasons"])
