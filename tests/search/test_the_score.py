"""The tables and the arithmetic of the score."""

import math
import uuid
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamebuddy import db
from gamebuddy.errors import BadInput
from gamebuddy.resolvers import matching, profiles
from gamebuddy.resolvers.matching import FULL, Played, Player, Signal, Term, Weights, tables

TODAY = date(2026, 11, 23)


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=20).filter(any), st.integers(0, 5000))
def test_shares_sum_to_the_whole_and_none_is_off_by_one(shares: list[int], total: int) -> None:
    parts = matching.apportion(shares, total)
    assert sum(parts) == total
    for share, part in zip(shares, parts, strict=True):
        assert math.floor(share * total / sum(shares) - 1e-9) <= part <= math.ceil(share * total / sum(shares) + 1e-9)


@given(st.dictionaries(st.sampled_from(Signal), st.floats(0, 10)))
def test_weights_sum_to_a_thousand(multipliers: dict[Signal, float]) -> None:
    try:
        weights = Weights.of(multipliers)
    except BadInput:
        return
    assert sum(weights[signal] for signal in Signal) == FULL
    assert all(weights[signal] == 0 for signal, multiplier in multipliers.items() if not multiplier)


def test_the_usual_weights_are_those_of_the_design() -> None:
    weights = Weights.of()
    assert weights[Signal.RATING] + weights[Signal.ROLES] == 300
    assert weights[Signal.PLATFORM] == 0
    assert {signal.name: weights[signal] for signal in Signal} | {"RATING": 0, "ROLES": 0, "PLATFORM": 0} == {
        "GAMES": 80, "RATING": 0, "ROLES": 0, "GENRES": 60, "SCHEDULE": 130, "LANGUAGE": 60, "REGION": 120,
        "PLATFORM": 0, "PLAY_STYLE": 80, "VOICE_CHAT": 40, "AGE": 30, "REPUTATION": 50, "ACTIVITY": 50,
    }  # fmt: skip


@pytest.mark.parametrize(("distance", "value"), [(0, 1000), (50, 1000), (400, 607), (750, 135), (3000, 0)])
def test_ratings_count_less_the_further_they_are_apart(distance: int, value: int) -> None:
    assert tables.RATING_BY_DISTANCE[min(tables.RATING_REACH, distance)] == value


@pytest.mark.parametrize(("days", "value"), [(0, 1000), (7, 500), (14, 250), (60, 3), (61, 0), (500, 0), (-1, 1000)])
def test_activity_halves_every_week(days: int, value: int) -> None:
    assert tables.activity_value(TODAY, date.fromordinal(TODAY.toordinal() - days)) == value


@pytest.mark.parametrize(("bound", "value"), [(0, 0), (500, 0), (650, 500), (800, 1000), (1000, 1000), (None, 500)])
def test_reputation_counts_from_a_half(bound: int | None, value: int) -> None:
    assert tables.reputation_value(bound) == value


@given(st.dates(date(1930, 1, 1), date(2026, 1, 1)), st.dates(date(2026, 1, 1), date(2040, 1, 1)))
def test_age_bands_are_those_of_the_profile(born: date, today: date) -> None:
    starts = tables.band_starts(today)
    assert tables.age_band(born, starts) == profiles.age_band(born, today)
    assert tables.is_minor(born, starts) == (profiles.age(born, today) < 18)


def test_rare_games_count_more() -> None:
    assert matching.breadths([1000, 1000], 1000) == [500, 500]
    common, rare = matching.breadths([1000, 10], 1000)
    assert common < rare
    assert matching.breadths([0], 0) == [1000]
    assert matching.breadths([], 5) == []


def test_of_two_shared_games_the_better_one_is_compared() -> None:
    games = [uuid.UUID(int=number) for number in (1, 2)]
    me = Player(account_id=uuid.uuid4(), active_on=TODAY, games=tuple(Played(game_id=game) for game in games))
    other = Player(
        account_id=uuid.uuid4(),
        active_on=TODAY,
        games=(Played(game_id=games[0], rating=2900), Played(game_id=games[1], rating=1510)),
    )
    terms = [
        Term(game_id=game, rating=1500, role_bits=0, importance=1000, breadth=500, is_cross_play=True) for game in games
    ]
    fit = matching.fit(matching.compile_question(me, Weights.of(), TODAY, terms), other)
    assert fit.comparison is not None
    assert (fit.comparison.game_id, fit.comparison.distance) == (games[1], 10)
    assert fit.shared_game_ids == tuple(games)


def test_ways_between_regions_and_wishes_for_voice_go_both_ways() -> None:
    for one in db.VoiceChat:
        for other in db.VoiceChat:
            assert tables.voice_value(one, other) == tables.voice_value(other, one)
    assert not tables.NEIGHBOURS & tables.TOLERABLES
    assert tables.region_value(db.Region.EUROPE, db.Region.CIS) == 700
    assert tables.region_value(db.Region.OCEANIA, db.Region.EUROPE) == 0
