"""Replays searches that have been answered, to judge other weights before anybody meets them."""

from gamebuddy.resolvers.replay.collecting import collect
from gamebuddy.resolvers.replay.drawing import draw
from gamebuddy.resolvers.replay.judging import Judgement, judge
from gamebuddy.resolvers.replay.records import Answer, Candidate, Record, read, write

__all__ = ["Answer", "Candidate", "Judgement", "Record", "collect", "draw", "judge", "read", "write"]
