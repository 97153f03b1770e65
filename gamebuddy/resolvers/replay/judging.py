"""Judges an order of players by what became of them."""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time

from gamebuddy.resolvers import matching
from gamebuddy.resolvers.matching import Weights
from gamebuddy.resolvers.replay.records import Answer, Record
from gamebuddy.resolvers.search import Filter, Ground
from gamebuddy.resolvers.search.finding import question_of
from gamebuddy.resolvers.search.loading import GameFacts

DEPTH = 20  # the first page


@dataclass(frozen=True, slots=True)
class Judgement:
    """How good the first pages were, on average over the searches.

    `ndcg` is normalized discounted cumulative gain at 20, 0 to 1: the gain of a place is 2^answer - 1 over
    log2(place + 1), summed, as a share of the best order there is (Järvelin and Kekäläinen, ACM TOIS 20(4), 2002; gain
    as in Burges et al., ICML 2005). `acceptance` is the share of all who accepted that stands on the first page, 0 to
    1. `searches` are those in which anybody was asked.
    """

    ndcg: float
    acceptance: float
    searches: int


def judge(records: Iterable[Record], weights: Weights) -> Judgement:
    """Rank the candidates of every search by the score with these weights, and judge the orders.

    Raises:
        ValueError: when nobody was asked in any of them.
    """
    gains, acceptances = [], []
    for record in records:
        answers = ranked(record, weights)
        if not any(answers):
            continue
        gains.append(ndcg(answers))
        accepted = answers.count(Answer.ACCEPTED)
        if accepted:
            acceptances.append(answers[:DEPTH].count(Answer.ACCEPTED) / accepted)
    if not gains:
        raise ValueError("nobody was asked in any search")
    return Judgement(statistics.fmean(gains), statistics.fmean(acceptances or [0.0]), len(gains))


def ranked(record: Record, weights: Weights) -> list[Answer]:
    """Give the answers of the candidates, the best one first; of equals in the order of the record."""
    me = record.viewer
    facts = GameFacts(
        player_counts=record.player_counts,
        numbers={},
        cross_play=record.cross_play,
        asked_roles={},
        most=record.most,
    )
    counts = [record.player_counts[played.game_id] for played in me.games]
    ground = Ground(
        started_at=datetime.combine(record.as_of, time(), UTC),
        viewer_digest="",
        breadths=tuple(matching.breadths(counts, record.most)),
    )
    question = question_of(me, weights, ground, facts, Filter())
    scored = [(matching.fit(question, candidate.player).score, candidate.answer) for candidate in record.candidates]
    return [answer for _, answer in sorted(scored, key=lambda pair: -pair[0])]


def ndcg(answers: Sequence[Answer]) -> float:
    """Give the normalized discounted cumulative gain of an order at 20 places; 0 when nobody was asked."""
    best = _gain(sorted(answers, reverse=True))
    return _gain(answers) / best if best else 0.0


def _gain(answers: Sequence[Answer]) -> float:
    return math.fsum((2**answer - 1) / math.log2(place + 1) for place, answer in enumerate(answers[:DEPTH], start=1))
