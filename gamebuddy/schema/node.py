"""The interface of everything that has an id."""

import strawberry


@strawberry.interface(
    description="Something with an id of its own. Seen by those who may see the thing; null for the others."
)
class Node:
    """See the description."""

    id: strawberry.ID = strawberry.field(description="Opaque, global and typed: the same for ever and everywhere.")
