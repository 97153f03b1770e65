"""How well two players fit: the score, in integers only, once.

Every signal has a value of 0 to 1000 and a weight; the weights are integers that sum to 1000; the score is the sum of
weight times value, 0 to 1,000,000. A viewer's search is compiled into a `Question` of small lookup tables. The
functions here score with them in plain Python; resolvers/search builds SQL from the same tables, so both agree to the
last bit.
"""

from gamebuddy.resolvers.matching import tables
from gamebuddy.resolvers.matching.facts import Comparison, Fit, Played, Player, Question, Reason, Term, spoken
from gamebuddy.resolvers.matching.fitting import compare, compile_question, fit
from gamebuddy.resolvers.matching.tables import FULL, FURTHEST, RANKING, Ranking, Roles, Signal
from gamebuddy.resolvers.matching.weights import Weights, apportion, breadths

__all__ = [
    "FULL",
    "FURTHEST",
    "RANKING",
    "Comparison",
    "Fit",
    "Played",
    "Player",
    "Question",
    "Ranking",
    "Reason",
    "Roles",
    "Signal",
    "Term",
    "Weights",
    "apportion",
    "breadths",
    "compare",
    "compile_question",
    "fit",
    "spoken",
    "tables",
]
