"""Makes up whom demo players ask and what they are answered, to try `gamebuddy rank-eval` with."""

import math
import random
from collections.abc import AsyncIterator

from sqlalchemy import select

from gamebuddy import db
from gamebuddy.db import Database
from gamebuddy.resolvers import matching
from gamebuddy.resolvers.matching import FULL, Fit, Signal, Weights
from gamebuddy.resolvers.replay import Answer, Candidate, Record
from gamebuddy.resolvers.replay.collecting import record_of
from gamebuddy.resolvers.search import Filter, finding, loading

SEED = 20_261_123
POOL = 150
ASKED = 8
# What demo players really look for: not what the ranking believes, so that there is something to find out.
TASTE = {Signal.SCHEDULE: 3.0, Signal.LANGUAGE: 2.0, Signal.RATING: 2.0, Signal.GAMES: 1.5, Signal.PLAY_STYLE: 1.0,
         Signal.REGION: 0.5, Signal.VOICE_CHAT: 0.5}  # fmt: skip
NOISE = 1.0  # how much chance there is in whom somebody asks
EASE = 3.5  # what a candidate has to be worth to say yes every second time


async def make_up(database: Database, searches: int) -> AsyncIterator[Record]:
    """Give searches of random players: each asks eight of 150, mostly those to his taste, who answer by theirs."""
    dice = random.Random(SEED)  # noqa: S311 - the same answers every time
    async with database.read() as session:
        profile = db.Profile
        looking = select(profile.account_id).where(profile.is_looking_for_teammates).order_by(profile.account_id)
        ids = list(await session.scalars(looking))
    for viewer_id in dice.sample(ids, min(searches, len(ids))):
        async with database.read() as session:
            players = await loading.players_by_ids(session, [viewer_id, *dice.sample(ids, min(POOL, len(ids)))])
            me = players.pop(viewer_id)
            facts = await loading.load_game_facts(session, me, Filter())
        question = finding.question_of(me, Weights.of(), finding.new_ground(me, facts), facts, Filter())
        fits = [matching.fit(question, player) for player in players.values()]
        worths = {fit.candidate.account_id: _worth(fit) for fit in fits}
        asked = sorted(fits, key=lambda fit: -(worths[fit.candidate.account_id] + dice.gauss(0, NOISE)))[:ASKED]
        answers = {fit.candidate.account_id: _answer(worths[fit.candidate.account_id], dice) for fit in asked}
        candidates = [Candidate(player, answers.get(key, Answer.NOT_ASKED)) for key, player in players.items()]
        yield record_of(me, facts, candidates)


def _worth(fit: Fit) -> float:
    return sum(TASTE.get(reason.signal, 0.0) * reason.value / FULL for reason in fit.reasons)


def _answer(worth: float, dice: random.Random) -> Answer:
    says_yes = dice.random() < 1 / (1 + math.exp(EASE - worth))
    return Answer.ACCEPTED if says_yes else Answer.ASKED
