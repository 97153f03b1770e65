"""Who plays with whom: requests, teammates, blocks; private notes, and praise for those who have played together."""

from gamebuddy.resolvers.teammates.lists import (
    Listed,
    Relation,
    blocks_by_ids,
    find_blocked,
    find_teammates,
    relations_by_ids,
)
from gamebuddy.resolvers.teammates.notes import notes_by_ids, set_note
from gamebuddy.resolvers.teammates.parting import block_user, remove_teammate, unblock_user
from gamebuddy.resolvers.teammates.reach import (
    can_meet,
    is_of_same_side_of_age,
    is_teammate_of,
    is_within_reach,
    lock_pair,
    no_such_player,
)
from gamebuddy.resolvers.teammates.reputation import forget_praise, lower_edge, praise, top_traits
from gamebuddy.resolvers.teammates.requests import (
    Direction,
    answer_request,
    cancel_request,
    find_requests,
    requests_by_ids,
    send_request,
)

__all__ = [
    "Direction",
    "Listed",
    "Relation",
    "answer_request",
    "block_user",
    "blocks_by_ids",
    "can_meet",
    "cancel_request",
    "find_blocked",
    "find_requests",
    "find_teammates",
    "forget_praise",
    "is_of_same_side_of_age",
    "is_teammate_of",
    "is_within_reach",
    "lock_pair",
    "lower_edge",
    "no_such_player",
    "notes_by_ids",
    "praise",
    "relations_by_ids",
    "remove_teammate",
    "requests_by_ids",
    "send_request",
    "set_note",
    "top_traits",
    "unblock_user",
]
