"""What `teammates` lists, in which order, and for whom."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from gamebuddy import db
from gamebuddy.resolvers.search import asking, finding
from gamebuddy.schema import ids
from gamebuddy.schema.context import Services
from gamebuddy.schema.ids import Kind
from gamebuddy.schema.search import write_place
from tests.api import Api
from tests.factories import Factory, Player

TEAMMATES = """
query ($filter: TeammateFilter, $weights: MatchWeights, $widen: Boolean, $first: Int, $after: Cursor) {
  teammates(filter: $filter, weights: $weights, widen: $widen, first: $first, after: $after) {
    edges {
      cursor
      node { id username }
      match {
        score overlapHours rankingVersion
        sharedGames { slug }
        reasons { signal contribution value weight }
      }
    }
    nodes { username }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    relaxations
  }
}"""
EVERY_WEIGHT = (
    *("games", "rating", "roles", "genres", "schedule", "language", "region"),
    *("platform", "playStyle", "voiceChat", "age", "reputation", "activity"),
)
EVENING = "".join("1" if 18 <= hour % 24 < 23 else "0" for hour in range(168))
NIGHT = "".join("1" if hour % 24 < 4 else "0" for hour in range(168))
FRIDAY = "0" * (4 * 24 + 18) + "1" * 5 + "0" * (168 - 4 * 24 - 23)


async def search(player: Player, **variables: Any) -> Any:
    return (await player.api(TEAMMATES, **variables))["teammates"]


async def names(player: Player, **variables: Any) -> list[str]:
    return [edge["node"]["username"] for edge in (await search(player, **variables))["edges"]]


@pytest.fixture
async def nika(make: Factory) -> Player:
    return await make.player(
        "nika",
        games={"valorant": 1700, "dota-2": 1500},
        region=db.Region.EUROPE,
        platforms=[db.Platform.PC],
        play_style=db.PlayStyle.BALANCED,
        voice_chat=db.VoiceChat.PREFERRED,
        schedule=EVENING,
    )


async def test_the_better_fit_comes_first_and_says_why(make: Factory, nika: Player) -> None:
    await make.player("far", games={"valorant": 2900}, region=db.Region.OCEANIA, schedule=NIGHT)
    await make.player("near", games={"valorant": 1720, "dota-2": 1500}, region=db.Region.EUROPE, schedule=FRIDAY)
    found = await search(nika)
    assert [node["username"] for node in found["nodes"]] == ["near", "far"]
    match = found["edges"][0]["match"]
    assert match["overlapHours"] == 5
    assert [game["slug"] for game in match["sharedGames"]] == ["valorant", "dota-2"]
    contributions = [reason["contribution"] for reason in match["reasons"]]
    assert contributions == sorted(contributions, reverse=True)
    assert sum(contributions) == pytest.approx(match["score"], abs=1e-12)
    for reason in match["reasons"]:
        assert reason["contribution"] == pytest.approx(reason["value"] * reason["weight"])
    assert sum(reason["weight"] for reason in match["reasons"]) == pytest.approx(1)
    values = {reason["signal"]: reason["value"] for reason in match["reasons"]}
    assert values["RATING"] == 0.85
    assert values["REGION"] == values["LANGUAGE"] == values["ACTIVITY"] == 1
    assert values["SCHEDULE"] == 0.416
    assert "PLATFORM" not in values
    assert found["relaxations"] == []


async def test_who_shares_no_game_is_not_listed(make: Factory, nika: Player) -> None:
    await make.player("stranger", games={"league-of-legends": 1500})
    await make.player("idle")
    await make.player("friend", games={"dota-2": 1500})
    assert await names(nika) == ["friend"]


async def test_a_viewer_without_games_finds_everybody_who_is_looking(make: Factory) -> None:
    newcomer = await make.player("newcomer")
    await make.player("one", games={"dota-2": 1500})
    await make.player("two")
    assert sorted(await names(newcomer)) == ["one", "two"]


async def test_a_game_without_cross_play_asks_for_a_common_platform(make: Factory, services: Services) -> None:
    apart = {"valorant": 1500}
    me = await make.player("myself", games=apart, platforms=[db.Platform.PC])
    await make.player("console", games=apart, platforms=[db.Platform.XBOX])
    await make.player("untold", games=apart)
    await make.player("same", games=apart, platforms=[db.Platform.PC, db.Platform.SWITCH])
    game_id = await make.game_id("valorant")
    crossing = update(db.Game).where(db.Game.id == game_id)
    async with services.database.write() as session:
        was = (await session.get_one(db.Game, game_id)).is_cross_play
        await session.execute(crossing.values(is_cross_play=False))
    try:
        assert sorted(await names(me)) == ["same", "untold"]
        async with services.database.write() as session:
            await session.execute(crossing.values(is_cross_play=True))
        assert sorted(await names(me)) == ["console", "same", "untold"]
    finally:
        async with services.database.write() as session:
            await session.execute(crossing.values(is_cross_play=was))


async def test_a_language_is_one_in_every_region(make: Factory, nika: Player) -> None:
    games = {"valorant": 1700}
    await make.player("american", games=games, languages=["en-US"])
    await make.player("british", games=games, languages=["de", "en-GB"])
    await make.player("swiss", games=games, languages=["de-CH"])
    canadian = await make.player("canadian", games=games, languages=["en-CA", "fr-CA"])
    assert set(await names(canadian)) == {"american", "british", "nika"}
    assert await names(canadian, filter={"languages": ["de-DE"]}) == ["british"]
    match = (
        await canadian.api("""{ teammates(filter: {languages: ["de"]}) { edges { match { reasons {
        signal value text(locale: "en") } } } } }""")
    )["teammates"]["edges"][0]["match"]
    language = next(reason for reason in match["reasons"] if reason["signal"] == "LANGUAGE")
    assert (language["value"], language["text"]) == (1, "You both speak English")


async def test_hidden_players_are_not_listed(make: Factory, nika: Player, services: Services) -> None:
    games = {"valorant": 1700}
    await make.player("visible", games=games)
    await make.player("not_looking", games=games, is_looking_for_teammates=False)
    await make.player("a_guest", games=games, role=db.Role.GUEST)
    await make.player("banned", games=games, status=db.AccountStatus.BANNED)
    await make.player("gone", games=games, status=db.AccountStatus.DELETED)
    await make.player("minor", games=games, birth_date=datetime.now(UTC).date() - timedelta(days=15 * 366))
    await make.player("foreign", games=games, languages=["ja"])
    away = await make.player("away", games=games)
    await set_profile(services, away, active_on=datetime.now(UTC).date() - timedelta(days=61))
    await make.block(nika, await make.player("blocked", games=games))
    await make.block(await make.player("blocker", games=games), nika)
    await make.teammates(nika, await make.player("teammate", games=games))
    declined, declining = await make.player("declined", games=games), await make.player("declining", games=games)
    async with services.database.write() as session:
        for sender, receiver in ((nika, declining), (declined, nika)):
            session.add(
                db.TeammateRequest(
                    sender_id=sender.account_id,
                    receiver_id=receiver.account_id,
                    status=db.RequestStatus.DECLINED,
                    answered_at=datetime.now(UTC) - timedelta(days=13),
                )
            )
    assert await names(nika) == ["visible"]
    async with services.database.write() as session:
        await session.execute(update(db.TeammateRequest).values(answered_at=datetime.now(UTC) - timedelta(days=15)))
    assert sorted(await names(nika)) == ["declined", "declining", "visible"]


async def set_profile(services: Services, player: Player, **values: Any) -> None:
    async with services.database.write() as session:
        await session.execute(update(db.Profile).where(db.Profile.account_id == player.account_id).values(**values))


async def test_minors_find_minors_only(make: Factory) -> None:
    young = datetime.now(UTC).date() - timedelta(days=16 * 366)
    minor = await make.player("minor", birth_date=young)
    await make.player("classmate", birth_date=young)
    await make.player("adult")
    await make.player("untold", birth_date=None)
    assert await names(minor) == ["classmate"]


async def test_each_limit_is_hard(make: Factory, nika: Player, services: Services) -> None:
    catalogue = await nika.api(
        """{ genres { id }
             dota: game(by: {slug: "dota-2"}) { id }
             valorant: game(by: {slug: "valorant"}) { roles { id } } }"""
    )
    genre, role = catalogue["genres"][0]["id"], catalogue["valorant"]["roles"][1]["id"]
    one = await make.player(
        "one",
        games={"valorant": 2000},
        region=db.Region.CIS,
        platforms=[db.Platform.PC, db.Platform.SWITCH],
        languages=["en", "ru"],
        play_style=db.PlayStyle.CASUAL,
        voice_chat=db.VoiceChat.TEXT_ONLY,
        birth_date=date(1960, 1, 1),
        reputation=700,
        schedule=EVENING,
        genre_ids=[ids.read(Kind.GENRE, genre)],
    )
    two = await make.player("two", games={"valorant": 1500, "dota-2": 1500}, reputation=699, schedule=FRIDAY)
    await set_profile(services, two, active_on=datetime.now(UTC).date() - timedelta(days=8))
    async with services.database.write() as session:
        await session.execute(
            update(db.PlayerGame).where(db.PlayerGame.account_id == one.account_id).values(role_bits=2)
        )
        number = await session.scalar(select(db.Genre.number).where(db.Genre.id == ids.read(Kind.GENRE, genre)))
    await set_profile(services, one, genre_bits=1 << number)
    for limits, passes in (
        ({"gameIds": [catalogue["dota"]["id"]]}, "two"),
        ({"genreIds": [genre]}, "one"),
        ({"roleIds": [role]}, "one"),
        ({"regions": ["CIS", "AFRICA"]}, "one"),
        ({"platforms": ["SWITCH"]}, "one"),
        ({"languages": ["ru", "de"]}, "one"),
        ({"minRating": 1900}, "one"),
        ({"maxRating": 1500}, "two"),
        ({"minRating": 1400, "maxRating": 1600}, "two"),
        ({"playStyles": ["CASUAL"]}, "one"),
        ({"voiceChats": ["TEXT_ONLY"]}, "one"),
        ({"ageBands": ["FROM_35"]}, "one"),
        ({"minReputation": 0.7}, "one"),
        ({"minOverlapHours": 6}, "one"),
        ({"activeWithinDays": 7}, "one"),
    ):
        assert await names(nika, filter=limits) == [passes], limits
        nothing: dict[str, Any] = {name: [] if isinstance(limit, list) else None for name, limit in limits.items()}
        assert len(await names(nika, filter=nothing)) == 2, nothing
        assert len(await names(nika, filter=dict.fromkeys(limits))) == 2, limits


async def test_a_game_that_only_the_filter_names_is_compared_from_1500(make: Factory, nika: Player) -> None:
    await make.player("one", games={"league-of-legends": 1500})
    game = ids.write(Kind.GAME, await make.game_id("league-of-legends"))
    (edge,) = (await search(nika, filter={"gameIds": [game]}))["edges"]
    assert edge["match"]["sharedGames"] == []
    values = {reason["signal"]: reason["value"] for reason in edge["match"]["reasons"]}
    assert (values["RATING"], values["GAMES"]) == (0.85, 0)


async def test_weights_decide_the_order(make: Factory, nika: Player) -> None:
    await make.player("skilled", games={"valorant": 1700}, region=db.Region.OCEANIA)
    await make.player("close", games={"valorant": 600}, region=db.Region.EUROPE)
    assert await names(nika, weights={"rating": 10, "region": 0}) == ["skilled", "close"]
    found = await search(nika, weights={"rating": 0, "region": 10})
    assert [node["username"] for node in found["nodes"]] == ["close", "skilled"]
    reasons = {reason["signal"]: reason for reason in found["edges"][0]["match"]["reasons"]}
    assert "RATING" not in reasons
    assert sum(reason["weight"] for reason in reasons.values()) == pytest.approx(1)
    usual = await search(nika)
    same = await search(nika, weights={"rating": 1, "region": None, "games": 1})
    assert [edge["match"] for edge in same["edges"]] == [edge["match"] for edge in usual["edges"]]


async def test_the_platform_counts_when_it_is_weighed(make: Factory, nika: Player) -> None:
    await make.player("one", games={"valorant": 1700}, platforms=[db.Platform.PC])
    (edge,) = (await search(nika, weights={"platform": 1}))["edges"]
    (reason,) = [reason for reason in edge["match"]["reasons"] if reason["signal"] == "PLATFORM"]
    assert reason["value"] == 1
    assert reason["weight"] == pytest.approx(50 / 1050, abs=0.001)


@pytest.mark.parametrize(
    "variables",
    [
        {"weights": {"rating": -0.1}},
        {"weights": {"rating": 10.1}},
        {"weights": dict.fromkeys(EVERY_WEIGHT, 0)},
        {"weights": dict.fromkeys(EVERY_WEIGHT, 0.0001)},
        {"filter": {"regions": ["EUROPE"] * 101}},
        {"filter": {"gameIds": ["gam_AAAAAAAAAAAAAAAAAAAAAA"] * 3_000}},
        {"filter": {"gameIds": ["nonsense"]}},
        {"filter": {"genreIds": ["gam_AAAAAAAAAAAAAAAAAAAAAA"]}},
        {"filter": {"minReputation": 1.1}},
        {"filter": {"minReputation": -0.1}},
        {"filter": {"minOverlapHours": -1}},
        {"filter": {"activeWithinDays": -1}},
        {"filter": {"languages": ["%"]}},
        {"first": 0},
        {"first": -1},
        {"first": 51},
        {"after": "garbage"},
        {"after": ""},
        {"after": "x" * 60_000},
    ],
    ids=lambda variables: str(variables)[:40],
)
async def test_what_cannot_be_meant_is_bad_input(nika: Player, variables: Any) -> None:
    error = await nika.api.error(TEAMMATES, **variables)
    assert error["extensions"]["code"] == "BAD_USER_INPUT", error


@pytest.mark.parametrize(
    "limits",
    [
        {"minRating": 2**31 - 1},
        {"minRating": -(2**31), "maxRating": 2**31 - 1},
        {"minRating": 2000, "maxRating": 1000},
        {"minOverlapHours": 2**31 - 1},
        {"activeWithinDays": 2**31 - 1},
        {"gameIds": ["gam_AAAAAAAAAAAAAAAAAAAAAA"], "roleIds": ["rol_AAAAAAAAAAAAAAAAAAAAAA"]},
        {"genreIds": ["gnr_AAAAAAAAAAAAAAAAAAAAAA"] * 100},
    ],
    ids=str,
)
async def test_what_nobody_passes_is_an_empty_list(make: Factory, limits: Any) -> None:
    for player in (await make.player(), await make.player(games={"valorant": 1500})):
        await search(player, filter=limits)


async def test_pages_hold_together(make: Factory, nika: Player, services: Services) -> None:
    for number in range(7):
        await make.player(f"player_{number}", games={"valorant": 1700 - 100 * (number // 2)})
    expected = await names(nika)
    assert len(expected) == 7
    first = await search(nika, first=3)
    assert first["pageInfo"]["hasNextPage"]
    assert not first["pageInfo"]["hasPreviousPage"]
    # One of the first page falls behind, and the very last one becomes the best: the one is not shown again, the other
    # is not passed over.
    fallen, risen = first["edges"][1]["node"]["username"], expected[-1]
    async with services.database.write() as session:
        for name, rating in ((fallen, 100), (risen, 1700)):
            account = await session.scalar(select(db.Account.id).where(db.Account.username == name))
            await session.execute(
                update(db.PlayerGame).where(db.PlayerGame.account_id == account).values(rating=rating)
            )
    second = await search(nika, first=3, after=first["pageInfo"]["endCursor"])
    third = await search(nika, first=3, after=second["pageInfo"]["endCursor"])
    found = [edge["node"]["username"] for page in (first, second, third) for edge in page["edges"]]
    assert found == [*expected[:3], risen, *expected[3:-1]]
    assert second["pageInfo"]["hasPreviousPage"]
    assert not third["pageInfo"]["hasNextPage"]


async def test_a_list_ends_before_its_cursor_is_too_long(
    make: Factory, nika: Player, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        await make.player(f"player{number}", games={"valorant": 1700})
    seen = b"\xff" * (asking.MARK_BYTES * finding.MOST_SHOWN)
    ground = finding.Ground(started_at=datetime.now(UTC), viewer_digest="f" * 12, breadths=(1_000,) * 100)
    longest = services.cursors.write("search", *write_place(finding.Place(ground, seen, 1_000_000)))
    error = await nika.api.error(TEAMMATES, after=longest)
    assert error["message"] == "This is no cursor of this list."  # and not that it is too long
    assert len(longest) < services.settings.max_socket_message_bytes

    monkeypatch.setattr(finding, "MOST_SHOWN", 2)
    first = await search(nika, first=1)
    second = await search(nika, first=1, after=first["pageInfo"]["endCursor"])
    assert [page["pageInfo"]["hasNextPage"] for page in (first, second)] == [True, False]


async def test_equal_scores_have_one_order(make: Factory, nika: Player) -> None:
    for number in range(5):
        await make.player(f"twin_{number}", games={"valorant": 1500})
    expected = await names(nika)
    assert await names(nika) == expected
    seen: list[str] = []
    after = None
    while len(seen) < 5:
        page = await search(nika, first=1, after=after)
        seen += [node["username"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert seen == expected


async def test_a_cursor_belongs_to_its_search_and_its_viewer(make: Factory, nika: Player) -> None:
    other = await make.player("other", games={"valorant": 1700})
    await make.player("one", games={"valorant": 1700})
    cursor = (await search(nika, first=1))["pageInfo"]["endCursor"]
    for player, variables in (
        (other, {}),
        (nika, {"filter": {"minRating": 1}}),
        (nika, {"weights": {"rating": 2}}),
        (nika, {"widen": True}),
    ):
        error = await player.api.error(TEAMMATES, after=cursor, **variables)
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
    await search(nika, after=cursor)
    changed = await nika.api(
        "mutation { updateProfile(input: {region: CIS}) { userErrors { message } } }",
    )
    assert changed["updateProfile"]["userErrors"] == []
    error = await nika.api.error(TEAMMATES, after=cursor)
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_guest_sees_the_first_page_and_is_not_listed(make: Factory, nika: Player) -> None:
    guest = await make.player("a_guest", role=db.Role.GUEST, games={"valorant": 1700})
    await make.player("one", games={"valorant": 1700})
    page = await search(guest, first=1)
    assert page["pageInfo"]["hasNextPage"]
    error = await guest.api.error(TEAMMATES, after=page["pageInfo"]["endCursor"])
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert await names(nika) == ["one"]


async def test_nobody_searches_without_signing_in(api: Api) -> None:
    assert (await api.error(TEAMMATES))["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_short_list_is_widened_in_the_stated_order(make: Factory, nika: Player) -> None:
    await make.player("exact", games={"valorant": 1700}, region=db.Region.EUROPE, reputation=900)
    await make.player("unpraised", games={"valorant": 1700}, region=db.Region.EUROPE)
    await make.player("distant", games={"valorant": 1700}, region=db.Region.OCEANIA)
    limits = {"regions": ["EUROPE"], "minReputation": 0.8, "activeWithinDays": 30}
    assert await names(nika, filter=limits) == ["exact"]
    for first, relaxations, count in (
        (1, [], 1),
        (2, ["ACTIVITY", "REPUTATION"], 2),
        (3, ["ACTIVITY", "REPUTATION", "REGION"], 3),
        (50, ["ACTIVITY", "REPUTATION", "REGION"], 3),
    ):
        page = await search(nika, filter=limits, widen=True, first=first)
        assert page["relaxations"] == relaxations
        assert len(page["edges"]) == count
    one = await search(nika, filter=limits, widen=True, first=2)
    assert not one["pageInfo"]["hasNextPage"]
    rest = await search(nika, filter=limits, widen=True, first=2, after=one["edges"][0]["cursor"])
    assert rest["relaxations"] == ["ACTIVITY", "REPUTATION"]
    assert rest["edges"] == one["edges"][1:]


async def test_a_page_takes_as_many_statements_whatever_its_size(
    make: Factory, nika: Player, statements: list[str]
) -> None:
    query = """query ($first: Int!) { teammates(first: $first) {
        edges { node { profile { games { rating } } } match { sharedGames { title } reasons { text } } } } }"""
    for number in range(6):
        await make.player(f"player_{number}", games={"valorant": 1500})
    counts = []
    for first in (1, 6):
        statements.clear()
        await nika.api(query, first=first)
        counts.append(len(statements))
    assert counts[0] == counts[1]
