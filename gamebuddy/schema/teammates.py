"""Teammate requests, teammates and blocks."""

import uuid
from datetime import datetime
from typing import Annotated, cast

import strawberry

from gamebuddy import db
from gamebuddy.auth.policy import Right
from gamebuddy.auth.viewer import Viewer
from gamebuddy.resolvers import teammates
from gamebuddy.resolvers.paging import Page
from gamebuddy.resolvers.teammates import Direction, Listed
from gamebuddy.schema import ids
from gamebuddy.schema.context import Info
from gamebuddy.schema.describe import describe_enum, field
from gamebuddy.schema.errors import UserError
from gamebuddy.schema.fields import Writing, mutation
from gamebuddy.schema.games import Game
from gamebuddy.schema.games import game as show_game
from gamebuddy.schema.ids import Kind
from gamebuddy.schema.node import Node
from gamebuddy.schema.paging import PageInfo, page_size
from gamebuddy.schema.players import User, user
from gamebuddy.schema.scalars import Cursor, Moment

describe_enum(
    db.RequestStatus,
    "How far a teammate request has come.",
    PENDING="It waits for an answer.",
    ACCEPTED="The two are teammates since then.",
    DECLINED="The receiver said no.",
    CANCELLED="The sender took it back.",
    EXPIRED="Nobody answered in time.",
)
describe_enum(
    Direction,
    "Which requests.",
    name="RequestDirection",
    INCOMING="What others asked the viewer.",
    OUTGOING="What the viewer asked others.",
)

First = Annotated[int | None, strawberry.argument(description="How many, 1 to 50.")]
After = Annotated[Cursor | None, strawberry.argument(description="Continue behind this place.")]


@strawberry.type(description="One asks another to play together. Seen by the two and by nobody else.")
class TeammateRequest(Node):
    """See the description."""

    message: str | None = strawberry.field(description="What the sender wrote, at most 300 characters.")
    status: db.RequestStatus = strawberry.field(description="How far it has come.")
    created_at: Moment = strawberry.field(description="When it was sent.")
    answered_at: Moment | None = strawberry.field(description="When it ended, in whatever way; null while it waits.")
    row: strawberry.Private[db.TeammateRequest]

    @classmethod
    def of(cls, row: db.TeammateRequest) -> "TeammateRequest":
        """Show a row."""
        return cls(
            id=ids.write(Kind.TEAMMATE_REQUEST, row.id),
            message=row.message,
            status=row.status,
            created_at=Moment(row.created_at),
            answered_at=Moment(row.answered_at) if row.answered_at else None,
            row=row,
        )

    @field
    async def sender(self, info: Info) -> User:
        """Who asks."""
        return cast("User", await user(info, self.row.sender_id))

    @field
    async def receiver(self, info: Info) -> User:
        """Who is asked."""
        return cast("User", await user(info, self.row.receiver_id))

    @field
    async def game(self, info: Info) -> Game | None:
        """What the sender wants to play, where it was named."""
        return await show_game(info, self.row.game_id)


@strawberry.type(description="A request and its place in a list.")
class TeammateRequestEdge:
    """See the description."""

    node: TeammateRequest = strawberry.field(description="The request.")
    cursor: Cursor = strawberry.field(description="Its place.")


@strawberry.type(description="A page of requests, the newest first.")
class TeammateRequestConnection:
    """See the description."""

    edges: list[TeammateRequestEdge] = strawberry.field(description="Requests with their places.")
    nodes: list[TeammateRequest] = strawberry.field(description="The requests alone.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")


@strawberry.type(description="A player and the place in a list.")
class UserEdge:
    """See the description."""

    node: User = strawberry.field(description="The player.")
    cursor: Cursor = strawberry.field(description="The place.")


@strawberry.type(description="A page of players.")
class UserConnection:
    """See the description."""

    edges: list[UserEdge] = strawberry.field(description="Players with their places.")
    nodes: list[User] = strawberry.field(description="The players alone.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")


@strawberry.input(description="Whom to ask, and what to say.")
class SendTeammateRequestInput:
    """See the description."""

    user_id: strawberry.ID = strawberry.field(description="Who is asked.")
    message: str | None = strawberry.field(description="At most 300 characters.", default=None)
    game_id: strawberry.ID | None = strawberry.field(description="What you want to play.", default=None)


@strawberry.input(description="The answer to a request.")
class AnswerTeammateRequestInput:
    """See the description."""

    request_id: strawberry.ID = strawberry.field(description="A request that you received.")
    accept: bool = strawberry.field(description="Yes or no.")


@strawberry.input(description="Which request to take back.")
class CancelTeammateRequestInput:
    """See the description."""

    request_id: strawberry.ID = strawberry.field(description="A request that you sent.")


@strawberry.input(description="With whom not to play any more.")
class RemoveTeammateInput:
    """See the description."""

    user_id: strawberry.ID = strawberry.field(description="A teammate.")


@strawberry.input(description="Whom to block.")
class BlockUserInput:
    """See the description."""

    user_id: strawberry.ID = strawberry.field(description="Anybody but yourself.")


@strawberry.input(description="Whose block to take back.")
class UnblockUserInput:
    """See the description."""

    user_id: strawberry.ID = strawberry.field(description="Somebody you have blocked.")


@strawberry.type(description="The request as it is now.")
class TeammateRequestPayload:
    """See the description."""

    row: strawberry.Private[db.TeammateRequest | None] = None
    user_errors: list[UserError] = strawberry.field(
        description="What to mend; empty exactly on success.", default_factory=list
    )

    @field
    async def request(self, info: Info) -> TeammateRequest | None:
        """The request; null when nothing was changed, and when one of the two has blocked the other meanwhile."""
        row = await info.context.loaders.requests.load(self.row.id) if self.row else None
        return TeammateRequest.of(row) if row else None


@strawberry.type(description="The player after the change.")
class UserPayload:
    """See the description."""

    user: User | None = strawberry.field(description="The player; null when nothing was changed.", default=None)
    user_errors: list[UserError] = strawberry.field(
        description="What to mend; empty exactly on success.", default_factory=list
    )


async def teammates_of(info: Info, viewer: Viewer, first: int | None, after: Cursor | None) -> UserConnection:
    """List the viewer's teammates."""
    scope = f"viewer.teammates:{viewer.account_id}"
    page = await teammates.find_teammates(
        info.context.snapshot, viewer, limit=page_size(first), after=_person(info, scope, after)
    )
    return await _people(info, scope, page)


async def blocked_by(info: Info, viewer: Viewer, first: int | None, after: Cursor | None) -> UserConnection:
    """List whom the viewer has blocked."""
    scope = f"viewer.blockedUsers:{viewer.account_id}"
    page = await teammates.find_blocked(
        info.context.snapshot, viewer, limit=page_size(first), after=_person(info, scope, after)
    )
    return await _people(info, scope, page)


async def requests_of(
    info: Info, viewer: Viewer, direction: Direction, first: int | None, after: Cursor | None
) -> TeammateRequestConnection:
    """List the requests that wait for an answer."""
    cursors, scope = info.context.services.cursors, f"viewer.teammateRequests:{direction}:{viewer.account_id}"
    page = await teammates.find_requests(
        info.context.snapshot,
        viewer,
        direction=direction,
        limit=page_size(first),
        after=uuid.UUID(cursors.read(scope, after)[0]) if after is not None else None,
    )
    edges = [
        TeammateRequestEdge(node=TeammateRequest.of(row), cursor=cursors.write(scope, str(row.id)))
        for row in page.items
    ]
    return TeammateRequestConnection(
        edges=edges,
        nodes=[edge.node for edge in edges],
        page_info=PageInfo.over(
            [edge.cursor for edge in edges], has_next=page.has_next, has_previous=page.has_previous
        ),
    )


def _person(info: Info, scope: str, after: Cursor | None) -> Listed | None:
    if after is None:
        return None
    since, account_id = info.context.services.cursors.read(scope, after)
    return Listed(datetime.fromisoformat(since), uuid.UUID(account_id))


async def _people(info: Info, scope: str, page: Page[Listed]) -> UserConnection:
    cursors = info.context.services.cursors
    accounts = await info.context.loaders.accounts.load_many([item.account_id for item in page.items])
    edges = [
        UserEdge(node=User.of(account), cursor=cursors.write(scope, item.since.isoformat(), str(item.account_id)))
        for item, account in zip(page.items, accounts, strict=True)
        if account is not None
    ]
    return UserConnection(
        edges=edges,
        nodes=[edge.node for edge in edges],
        page_info=PageInfo.over(
            [edge.cursor for edge in edges], has_next=page.has_next, has_previous=page.has_previous
        ),
    )


@strawberry.input(description="A private note on a player.")
class SetUserNoteInput:
    """See the description."""

    user_id: strawberry.ID = strawberry.field(description="About whom.")
    note: str | None = strawberry.field(
        description="At most 1,000 characters, seen by nobody else; null takes it away.", default=None
    )


@strawberry.input(description="Whom to praise, and what for.")
class PraiseTeammateInput:
    """See the description."""

    user_id: strawberry.ID = strawberry.field(description="Somebody you play with, or have played with.")
    traits: list[db.Trait] = strawberry.field(description="What for: at least one.")
    game_id: strawberry.ID | None = strawberry.field(description="What you played.", default=None)


@strawberry.type
class TeammateMutations:
    """Root fields that change who plays with whom."""

    @mutation(Right.SEND_TEAMMATE_REQUEST)
    async def send_teammate_request(self, door: Writing, input: SendTeammateRequestInput) -> TeammateRequestPayload:
        """Ask somebody to play together.

        A repeat gives the request that is pending already. If the other one has asked you, you are teammates at once.
        """
        request = await teammates.send_request(
            door.session,
            door.viewer,
            words=door.services.words,
            user_id=ids.read(Kind.USER, input.user_id),
            message=input.message,
            game_id=ids.read(Kind.GAME, input.game_id) if input.game_id is not None else None,
        )
        return TeammateRequestPayload(row=request)

    @mutation(Right.MANAGE_TEAMMATES)
    async def answer_teammate_request(self, door: Writing, input: AnswerTeammateRequestInput) -> TeammateRequestPayload:
        """Accept or decline a request that you received. The same answer again changes nothing."""
        request = await teammates.answer_request(
            door.session,
            door.viewer,
            request_id=ids.read(Kind.TEAMMATE_REQUEST, input.request_id),
            accept=input.accept,
        )
        return TeammateRequestPayload(row=request)

    @mutation(Right.MANAGE_TEAMMATES)
    async def cancel_teammate_request(self, door: Writing, input: CancelTeammateRequestInput) -> TeammateRequestPayload:
        """Take back a request that you sent, before it is answered."""
        request = await teammates.cancel_request(
            door.session, door.viewer, request_id=ids.read(Kind.TEAMMATE_REQUEST, input.request_id)
        )
        return TeammateRequestPayload(row=request)

    @mutation(Right.MANAGE_TEAMMATES)
    async def remove_teammate(self, door: Writing, input: RemoveTeammateInput) -> UserPayload:
        """End playing together, on both sides."""
        account = await teammates.remove_teammate(door.session, door.viewer, user_id=ids.read(Kind.USER, input.user_id))
        return UserPayload(user=User.of(account))

    @mutation(Right.MANAGE_TEAMMATES)
    async def block_user(self, door: Writing, input: BlockUserInput) -> UserPayload:
        """Want nothing to do with somebody.

        You no longer find each other, playing together ends, requests between you are taken back, and no message
        passes in your direct chat. Nobody is told.
        """
        account = await teammates.block_user(door.session, door.viewer, user_id=ids.read(Kind.USER, input.user_id))
        return UserPayload(user=User.of(account))

    @mutation(Right.MANAGE_TEAMMATES)
    async def unblock_user(self, door: Writing, input: UnblockUserInput) -> UserPayload:
        """Take a block back, if there is one. What it ended does not come back by itself."""
        account = await teammates.unblock_user(door.session, door.viewer, user_id=ids.read(Kind.USER, input.user_id))
        return UserPayload(user=User.of(account))

    @mutation(Right.MANAGE_TEAMMATES)
    async def set_user_note(self, door: Writing, input: SetUserNoteInput) -> UserPayload:
        """Write down something about a player, for yourself alone, in the place of what was there."""
        account = await teammates.set_note(
            door.session, door.viewer, user_id=ids.read(Kind.USER, input.user_id), note=input.note
        )
        return UserPayload(user=User.of(account))

    @mutation(Right.MANAGE_TEAMMATES)
    async def praise_teammate(self, door: Writing, input: PraiseTeammateInput) -> UserPayload:
        """Say what is good about playing with somebody who is or was your teammate.

        Once a week, from Monday to Sunday in UTC: RETRY_LATER says when the next one begins. Nobody is told who did.
        """
        account = await teammates.praise(
            door.session,
            door.viewer,
            user_id=ids.read(Kind.USER, input.user_id),
            traits=input.traits,
            game_id=ids.read(Kind.GAME, input.game_id) if input.game_id is not None else None,
        )
        return UserPayload(user=User.of(account))
