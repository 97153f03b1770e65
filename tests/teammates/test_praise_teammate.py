import asyncio
import itertools
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text, update

from gamebuddy import db
from gamebuddy.resolvers import departure
from gamebuddy.resolvers.teammates import reputation
from gamebuddy.schema import ids
from gamebuddy.schema.ids import Kind
from tests.api import Json
from tests.conftest import Statements
from tests.factories import Factory, Player

PRAISE = """
mutation($input: PraiseTeammateInput!) { praiseTeammate(input: $input) {
  user { reputation { score praiseCount topTraits } }
  userErrors { code path message ... on RetryLater { retryAt } } } }"""
SHOWN = "query($user: ID!) { user(by: {id: $user}) { reputation { score praiseCount topTraits } } }"
NOTHING: Json = {"score": None, "praiseCount": 0, "topTraits": []}


async def praise(by: Player, whom: Player, *traits: str, **more: Any) -> Any:
    """Praise somebody and give the payload."""
    given = {"userId": whom.id, "traits": list(traits or ["FRIENDLY"]), **more}
    return (await by.api(PRAISE, input=given))["praiseTeammate"]


async def praised(by: Player, whom: Player, *traits: str) -> Any:
    """Praise somebody and give his reputation afterwards."""
    answer = await praise(by, whom, *traits)
    assert answer["userErrors"] == []
    return answer["user"]["reputation"]


async def shown(viewer: Player, whom: Player) -> Any:
    """Give the reputation that a viewer sees."""
    return (await viewer.api(SHOWN, user=whom.id))["user"]["reputation"]


async def week_passes(make: Factory) -> None:
    """Let all praise be a week older."""
    async with make.services.database.write() as session:
        await session.execute(update(db.Praise).values(week=db.Praise.week - 7))


async def team(make: Factory, count: int) -> list[Player]:
    """Make players who are all teammates of each other."""
    players = [await make.player() for _ in range(count)]
    for one, other in itertools.combinations(players, 2):
        await make.teammates(one, other)
    return players


async def test_a_teammate_is_praised_and_everybody_sees_how_much(make: Factory) -> None:
    nika, max_, other = await make.player(), await make.player(), await make.player()
    await make.teammates(nika, max_)
    assert await shown(other, max_) == NOTHING
    seen = await praised(nika, max_, "LEADER", "FRIENDLY", "LEADER")
    assert seen["praiseCount"] == 1
    assert seen["topTraits"] == ["FRIENDLY", "LEADER"]
    assert 0.65 < seen["score"] < 0.75
    assert await shown(other, max_) == await shown(max_, max_) == seen
    anonymous = await make.api(SHOWN, user=max_.id)
    assert anonymous["user"]["reputation"] == NOTHING


async def test_a_former_teammate_may_praise_and_a_stranger_may_not(make: Factory) -> None:
    nika, max_, stranger = await make.player(), await make.player(), await make.player()
    await make.teammates(nika, max_)
    await nika.api(
        "mutation($user: ID!) { removeTeammate(input: {userId: $user}) { userErrors { code } } }", user=max_.id
    )
    assert (await praise(nika, max_))["userErrors"] == []
    for who in (stranger.id, ids.write(Kind.USER, uuid.uuid4())):
        answer = (await nika.api(PRAISE, input={"userId": who, "traits": ["SKILLED"]}))["praiseTeammate"]
        (error,) = answer["userErrors"]
        assert (error["code"], error["path"]) == ("NOT_FOUND", ["input", "userId"])


async def test_those_who_became_teammates_by_a_request_may_praise(make: Factory) -> None:
    nika, max_ = await make.player(), await make.player()
    for sender, receiver in ((nika, max_), (max_, nika)):
        await sender.api(
            "mutation($user: ID!) { sendTeammateRequest(input: {userId: $user}) { userErrors { code } } }",
            user=receiver.id,
        )
    assert (await praised(max_, nika))["praiseCount"] == 1


@pytest.mark.parametrize("blocker", ["praiser", "praised"])
async def test_who_has_blocked_or_is_blocked_cannot_praise(make: Factory, blocker: str) -> None:
    nika, max_ = await make.player(), await make.player()
    await make.teammates(nika, max_)
    await make.block(*((nika, max_) if blocker == "praiser" else (max_, nika)))
    (error,) = (await praise(nika, max_))["userErrors"]
    assert error["code"] == "NOT_FOUND"


async def test_wrong_input_is_told(make: Factory) -> None:
    nika, max_ = await make.player(), await make.player()
    await make.teammates(nika, max_)
    unknown = ids.write(Kind.GAME, uuid.uuid4())
    for given_input, code, path in (
        ({"userId": nika.id, "traits": ["LEADER"]}, "INVALID", "userId"),
        ({"userId": max_.id, "traits": []}, "TOO_SHORT", "traits"),
        ({"userId": max_.id, "traits": ["LEADER"], "gameId": unknown}, "NOT_FOUND", "gameId"),
    ):
        (error,) = (await nika.api(PRAISE, input=given_input))["praiseTeammate"]["userErrors"]
        assert (error["code"], error["path"]) == (code, ["input", path])
    assert await shown(nika, max_) == NOTHING


async def test_once_a_week_also_of_many_at_once(make: Factory) -> None:
    nika, max_ = await make.player(), await make.player()
    await make.teammates(nika, max_)
    answers = await asyncio.gather(*(praise(nika, max_) for _ in range(6)))
    errors = [error for answer in answers for error in answer["userErrors"]]
    assert [error["code"] for error in errors] == ["RETRY_LATER"] * 5
    retry_at = datetime.fromisoformat(errors[0]["retryAt"])
    assert (retry_at.weekday(), retry_at.hour) == (0, 0)
    assert timedelta() < retry_at - datetime.now(UTC) <= timedelta(days=7)
    first = await shown(nika, max_)
    await week_passes(make)
    second = await praised(nika, max_, "RELIABLE")
    assert (first["praiseCount"], second["praiseCount"]) == (1, 2)
    assert second["score"] == first["score"], "praise of the same person again is no further voice"


async def test_three_traits_that_most_people_praise_are_shown(make: Factory) -> None:
    max_, *others = await team(make, 5)
    for by, traits in zip(
        others, (["SKILLED"], ["SKILLED", "LEADER"], ["LEADER", "RELIABLE"], ["GOOD_COMMUNICATION"]), strict=True
    ):
        last = await praised(by, max_, *traits)
    assert last["topTraits"] == ["SKILLED", "LEADER", "RELIABLE"]


async def test_new_teammates_who_do_not_praise_count_a_little(make: Factory) -> None:
    nika, max_, other = await make.player(), await make.player(), await make.player()
    await make.teammates(nika, max_)
    before = await praised(nika, max_)
    async with make.services.database.write() as session:
        await reputation.remember_companions(session, max_.account_id, other.account_id)
    after = await shown(nika, max_)
    assert 0.02 < before["score"] - after["score"] < 0.05
    assert await shown(nika, other) == NOTHING, "silence alone gives no reputation"


async def test_a_circle_that_praises_itself_counts_as_one_voice(make: Factory) -> None:
    circle = await team(make, 5)
    for one, other in itertools.permutations(circle, 2):
        await praised(one, other)
    inside = {(await shown(circle[0], who))["score"] for who in circle}
    alone, fan = await make.player(), await make.player()
    await make.teammates(alone, fan)
    one_voice = (await praised(fan, alone))["score"]
    assert inside == {one_voice}

    star, *fans = [await make.player() for _ in range(5)]
    for fan in fans:
        await make.teammates(star, fan)
        last = await praised(fan, star)
    assert last["score"] > one_voice + 0.05
    assert last["praiseCount"] == (await shown(star, circle[0]))["praiseCount"] == 4


async def test_praising_back_costs_nothing(make: Factory) -> None:
    nika, max_ = await make.player(), await make.player()
    await make.teammates(nika, max_)
    first = await praised(nika, max_)
    await praised(max_, nika)
    assert await shown(nika, max_) == await shown(nika, nika) == first


async def test_the_search_sees_praise_at_once(make: Factory) -> None:
    nika, max_, viewer = await make.player(), await make.player(), await make.player(games={"dota-2": 1500})
    await make.teammates(nika, max_)
    async with make.services.database.write() as session:
        session.add(db.PlayerGame(account_id=max_.account_id, game_id=await make.game_id("dota-2"), position=0))
    search = "{ teammates(filter: {minReputation: 0.6}) { nodes { id } } }"
    assert (await viewer.api(search))["teammates"]["nodes"] == []
    await praised(nika, max_)
    assert (await viewer.api(search))["teammates"]["nodes"] == [{"id": max_.id}]


async def test_what_an_erased_account_said_goes_with_it(make: Factory) -> None:
    nika, max_, other = await team(make, 3)
    await praised(nika, max_)
    alone = await shown(other, max_)
    await praised(other, max_)
    await praised(max_, other)
    async with make.services.database.write() as session:
        session.add(
            db.Departure(
                account_id=other.account_id, username="x", display_name="x", role=db.Role.USER, email="", email_key="",
                password_hash="", ends_at=datetime.now(UTC) - timedelta(days=1),
            )
        )  # fmt: skip
    async with make.services.database.write() as session:
        assert await departure.erase_one(session) == other.account_id
    after = await shown(nika, max_)
    assert (after["praiseCount"], after["topTraits"]) == (1, ["FRIENDLY"])
    assert after["score"] > alone["score"], "who is gone is not silent either"
    async with make.services.database.read() as session:
        for table, column in (("praises", "by_id"), ("praises", "account_id"), ("companionships", "first_id")):
            left = await session.scalar(
                text(f"SELECT count(*) FROM {table} WHERE {column} = :id"),
                {"id": other.account_id},
            )
            assert left == 0


async def test_whoever_praises_in_whatever_order_the_reputations_are_those_of_the_whole(make: Factory) -> None:
    players = await team(make, 6)
    pairs = list(itertools.permutations(players, 2))
    chosen = [pair for place, pair in enumerate(pairs) if place % 5 != 2]
    await asyncio.gather(*(praise(one, other) for one, other in chosen[::2]), return_exceptions=False)
    await asyncio.gather(*(praise(one, other) for one, other in chosen[1::2]))
    graph = {(one.account_id, other.account_id) for one, other in chosen}
    async with make.services.database.read() as session:
        rows = await session.execute(select(db.Profile.account_id, db.Profile.reputation))
        stored = dict(rows.all())
    for player in players:
        praisers = [one for one, other in graph if other == player.account_id]
        ties = [
            sum((one, other) in graph or (other, one) in graph for other in praisers if other != one)
            for one in praisers
        ]
        assert stored[player.account_id] == reputation.lower_edge(ties, len(players) - 1 - len(praisers))


async def test_reputations_of_a_page_take_no_statement_of_their_own(make: Factory, statements: Statements) -> None:
    nika, *mates = await team(make, 5)
    for mate in mates:
        await praised(nika, mate)
    statements.clear()
    page = await nika.api("{ viewer { teammates { nodes { profile { bio } reputation { praiseCount topTraits } } } } }")
    assert [node["reputation"]["praiseCount"] for node in page["viewer"]["teammates"]["nodes"]] == [1] * 4
    assert sum("profiles" in statement for statement in statements) == 1
    assert not any("FROM praises" in statement for statement in statements)


ties = st.lists(st.integers(0, 30), max_size=30)


@given(ties, st.integers(0, 500))
def test_the_score_keeps_its_range_and_grows_with_every_voice(tied: list[int], silent: int) -> None:
    score = reputation.lower_edge(tied, silent)
    assert 0 <= score <= 1000
    assert reputation.lower_edge([*tied, 0], silent) > score - 1
    assert reputation.lower_edge(tied, silent + 1) <= score
    assert reputation.lower_edge([one + 1 for one in tied], silent) <= score


def test_the_score_of_the_examples_in_the_documentation() -> None:
    examples = {(1, 0): 701, (3, 3): 688, (10, 10): 714, (10, 0): 846, (30, 0): 926}
    for (voices, silent), score in examples.items():
        assert reputation.lower_edge([0] * voices, silent) == score
    assert reputation.lower_edge([8] * 9, 0) == 701, "nine who all praise each other are one voice"


def test_a_week_begins_on_monday() -> None:
    monday = datetime(2026, 11, 23, tzinfo=UTC)
    assert reputation.next_week(monday) == monday + timedelta(days=7)
    assert reputation.next_week(monday - timedelta(seconds=1)) == monday
