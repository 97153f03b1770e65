"""The search for teammates: hard limits, the score as SQL, pages that stay."""

from gamebuddy.resolvers.search.filtering import LOOSENED, Filter
from gamebuddy.resolvers.search.finding import Ground, Matches, Place, find_teammates, match
from gamebuddy.resolvers.search.hinting import Cause, Hint, find_hints

__all__ = ["LOOSENED", "Cause", "Filter", "Ground", "Hint", "Matches", "Place", "find_hints", "find_teammates", "match"]
