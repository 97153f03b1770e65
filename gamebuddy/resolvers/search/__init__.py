"""The search for teammates: hard limits, the score as SQL, pages that stay."""

from gamebuddy.resolvers.search.filtering import LOOSENED, Filter
from gamebuddy.resolvers.search.finding import Ground, Matches, Place, find_teammates, match

__all__ = ["LOOSENED", "Filter", "Ground", "Matches", "Place", "find_teammates", "match"]
