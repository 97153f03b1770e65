"""The signed-in account: everything private stands here and nowhere else."""

from typing import Annotated

import strawberry

from gamebuddy import db
from gamebuddy.auth import policy
from gamebuddy.auth.policy import Right
from gamebuddy.auth.viewer import Viewer as Actor
from gamebuddy.errors import Unauthenticated
from gamebuddy.events import log
from gamebuddy.resolvers import accounts, chat, departure, exports, sanctions
from gamebuddy.resolvers.teammates import Direction
from gamebuddy.schema import events, ids
from gamebuddy.schema.chat import ChatConnection, chats_of
from gamebuddy.schema.context import Info
from gamebuddy.schema.departure import DeletionPreview
from gamebuddy.schema.describe import describe_enum, field
from gamebuddy.schema.exports import DataExport
from gamebuddy.schema.fields import Reading, query
from gamebuddy.schema.ids import Kind
from gamebuddy.schema.moderation import ReportConnection, Sanction, reports_by
from gamebuddy.schema.node import Node
from gamebuddy.schema.permissions import Action, Permission
from gamebuddy.schema.players import User
from gamebuddy.schema.scalars import Cursor, EmailAddress, Moment
from gamebuddy.schema.teammates import (
    After,
    First,
    TeammateRequestConnection,
    UserConnection,
    blocked_by,
    requests_of,
    teammates_of,
)

describe_enum(
    db.AccountStatus,
    "Whether the account can be used.",
    ACTIVE="It can.",
    BANNED="Not for now.",
    DELETED="Not any more.",
)


@strawberry.type(description="One sign-in on one device. Seen by its owner.")
class Session(Node):
    """See the description."""

    device_name: str = strawberry.field(description="What the device calls itself; empty where it said nothing.")
    user_agent: str | None = strawberry.field(description="What the program calls itself.")
    ip_address: str | None = strawberry.field(description="Where it signed in from.")
    created_at: Moment = strawberry.field(description="When it signed in.")
    last_used_at: Moment = strawberry.field(description="When its tokens were last renewed.")
    row: strawberry.Private[db.Session]

    @classmethod
    def of(cls, row: db.Session) -> "Session":
        """Show a row."""
        return cls(
            id=ids.write(Kind.SESSION, row.id),
            device_name=row.device_name,
            user_agent=row.user_agent,
            ip_address=row.ip_address,
            created_at=Moment(row.created_at),
            last_used_at=Moment(row.last_used_at),
            row=row,
        )

    @field
    def is_current(self, info: Info) -> bool:
        """Whether it is the one that asks."""
        return info.context.session_id == self.row.id


@strawberry.type(description="The signed-in account. Null for a caller without a token. Nobody else sees it.")
class Viewer:
    """See the description."""

    email: EmailAddress | None = strawberry.field(description="The address, as it was given. Private.")
    role: db.Role = strawberry.field(description="What the account may do at all.")
    status: db.AccountStatus = strawberry.field(description="Whether the account can be used.")
    who_may_write_to_me: db.Audience = strawberry.field(description="Who may open a direct chat. Default: EVERYONE.")
    who_sees_my_presence: db.Audience = strawberry.field(
        description="Who sees whether the viewer is online. Default: EVERYONE."
    )
    row: strawberry.Private[db.Account]

    @classmethod
    def of(cls, row: db.Account) -> "Viewer":
        """Show the account of whoever is signed in to this operation."""
        return cls(
            email=EmailAddress(row.email) if row.email is not None else None,
            role=row.role,
            status=row.status,
            who_may_write_to_me=row.who_may_write_to_me,
            who_sees_my_presence=row.who_sees_my_presence,
            row=row,
        )

    @field
    def user(self) -> User:
        """What everybody sees of the viewer."""
        return User.of(self.row)

    @field
    async def sessions(self, info: Info) -> list[Session]:
        """Where the viewer is signed in, the most recently used first; at most 20."""
        return [Session.of(row) for row in await accounts.find_sessions(info.context.snapshot, _actor(info))]

    @field
    async def has_totp(self, info: Info) -> bool:
        """Whether signing in asks for a code of an authenticator app besides the password."""
        return await accounts.has_second_factor(info.context.snapshot, _actor(info))

    @field
    async def sanctions(self, info: Info) -> list[Sanction]:
        """What is taken from the viewer now, and why; a mute, for who is banned is signed in nowhere."""
        return [Sanction.of(row) for row in await sanctions.find_own(info.context.snapshot, _actor(info))]

    @field
    async def reports(self, info: Info, first: First = 20, after: After = None) -> ReportConnection:
        """What the viewer has reported, the newest first: `status` tells what has become of it."""
        return await reports_by(info, _actor(info), first, after)

    @field
    async def unread_chat_count(self, info: Info) -> int:
        """In how many chats there are messages that the viewer has not read; archived chats do not count."""
        return await chat.count_unread_chats(info.context.snapshot, _actor(info))

    @field
    async def chats(
        self,
        info: Info,
        first: First = 20,
        after: After = None,
        archived: Annotated[
            bool | None, strawberry.argument(description="Those put away, instead of all others.")
        ] = False,
    ) -> ChatConnection:
        """Chats the viewer is in, the most recently active first."""
        return await chats_of(info, _actor(info), is_archived=bool(archived), first=first, after=after)

    @field
    async def teammates(self, info: Info, first: First = 20, after: After = None) -> UserConnection:
        """With whom the viewer plays, the newest first."""
        return await teammates_of(info, _actor(info), first, after)

    @field
    async def teammate_requests(
        self,
        info: Info,
        direction: Annotated[Direction, strawberry.argument(description="Received or sent.")],
        first: First = 20,
        after: After = None,
    ) -> TeammateRequestConnection:
        """Requests that wait for an answer, the newest first."""
        return await requests_of(info, _actor(info), direction, first, after)

    @field
    async def blocked_users(self, info: Info, first: First = 20, after: After = None) -> UserConnection:
        """Whom the viewer has blocked, the newest first."""
        return await blocked_by(info, _actor(info), first, after)

    @field
    async def event_cursor(self, info: Info) -> Cursor:
        """Where a client that has just loaded its state starts to listen: nothing is missed, whatever it has loaded."""
        place = await log.place_now(info.context.snapshot)
        return events.cursor_of(info.context.services, _actor(info), place)

    @field
    async def deletion_preview(self, info: Info) -> DeletionPreview:
        """What deleteAccount would do now, to show before it is asked for."""
        return DeletionPreview.of(await departure.preview(info.context.snapshot, _actor(info)))

    @field
    async def data_export(self, info: Info) -> DataExport | None:
        """The copy that exportMyData has asked for; null when there is none, or none any more."""
        row = await exports.find(info.context.snapshot, _actor(info))
        return DataExport.of(row) if row else None

    @field
    def can(self, info: Info, action: Annotated[Action, strawberry.argument(description="What to do.")]) -> Permission:
        """Whether the viewer may do something at all."""
        return Permission.of(policy.decide(info.context.viewer, action.right))


def _actor(info: Info) -> Actor:
    """Give who is signed in; a Viewer is shown to nobody else."""
    if info.context.viewer is None:
        raise Unauthenticated
    return info.context.viewer


@strawberry.type
class ViewerQueries:
    """Root fields about the caller."""

    @query(Right.PUBLIC)
    async def viewer(self, door: Reading) -> Viewer | None:
        """The signed-in account; null for a caller without a token."""
        if door.caller is None:
            return None
        row = await door.context.loaders.accounts.load(door.caller.account_id)
        return Viewer.of(row) if row else None
