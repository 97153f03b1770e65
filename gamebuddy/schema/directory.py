"""Players found by their names."""

import hashlib
import uuid
from typing import Annotated

import strawberry

from gamebuddy.auth.policy import Right
from gamebuddy.resolvers import directory
from gamebuddy.resolvers.directory import Found
from gamebuddy.schema.fields import Reading, query
from gamebuddy.schema.paging import PageInfo, page_size
from gamebuddy.schema.players import User
from gamebuddy.schema.teammates import After, First, UserConnection, UserEdge


@strawberry.type
class DirectoryQueries:
    """Root fields that find players by name."""

    @query(Right.SEARCH_TEAMMATES)
    async def users(
        self,
        door: Reading,
        search: Annotated[str, strawberry.argument(description="A name or a part of it, at most 100 characters.")],
        first: First = 20,
        after: After = None,
    ) -> UserConnection:
        """Players by user name or shown name, in any case.

        First those who are called so, then those whose name begins so, then those whose name is like it (from 3 letters
        on, as far as the others do not fill the page). Whoever the viewer cannot reach is left out, and minors and
        adults do not find each other. At most 100 of each kind are found: more letters find others. A guest sees the
        first page.
        """
        digest = hashlib.blake2b(search.encode(errors="replace"), digest_size=16).hexdigest()
        scope, cursors = f"users:{door.viewer.account_id}:{digest}", door.services.cursors
        place = None
        if after is not None:
            rank, account_id = cursors.read(scope, after)
            place = Found(rank, uuid.UUID(account_id))
        page = await directory.find_players(
            door.session, door.viewer, search=search, limit=page_size(first), after=place
        )
        accounts = await door.context.loaders.accounts.load_many([found.account_id for found in page.items])
        edges = [
            UserEdge(node=User.of(account), cursor=cursors.write(scope, found.rank, str(found.account_id)))
            for found, account in zip(page.items, accounts, strict=True)
            if account
        ]
        return UserConnection(
            edges=edges,
            nodes=[edge.node for edge in edges],
            page_info=PageInfo.over(
                [edge.cursor for edge in edges], has_next=page.has_next, has_previous=page.has_previous
            ),
        )
