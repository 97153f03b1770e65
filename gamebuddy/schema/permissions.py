"""What the viewer may do, asked before it is tried."""

from enum import StrEnum

import strawberry

from gamebuddy.auth.policy import Decision, Right
from gamebuddy.schema.describe import describe_enum
from gamebuddy.schema.scalars import Moment


class Action(StrEnum):
    """Something an account may do at all."""

    SEARCH_TEAMMATES = "SEARCH_TEAMMATES"
    SEND_TEAMMATE_REQUEST = "SEND_TEAMMATE_REQUEST"
    OPEN_CHAT = "OPEN_CHAT"
    SEND_MESSAGE = "SEND_MESSAGE"
    CREATE_GROUP = "CREATE_GROUP"
    UPLOAD = "UPLOAD"
    REPORT = "REPORT"
    MODERATE = "MODERATE"
    ADMINISTER = "ADMINISTER"

    @property
    def right(self) -> Right:
        """The right that the table knows it by."""
        return Right(self.value)


describe_enum(
    Action,
    "Something an account may do at all.",
    SEARCH_TEAMMATES="Search for teammates; a guest sees the first page.",
    SEND_TEAMMATE_REQUEST="Ask others to play together.",
    OPEN_CHAT="Open a direct chat.",
    SEND_MESSAGE="Write to chats.",
    CREATE_GROUP="Make a group.",
    UPLOAD="Upload pictures and files.",
    REPORT="Report a player or a message.",
    MODERATE="Handle reports.",
    ADMINISTER="Run the place: roles, games, accounts.",
)


@strawberry.type(description="What one right looks like for the viewer at this moment. Nobody else sees it.")
class Permission:
    """See the description."""

    is_allowed: bool = strawberry.field(description="Whether it is allowed now.")
    reason: str | None = strawberry.field(description="Why not, for people; null where it is allowed.", default=None)
    until: Moment | None = strawberry.field(
        description="When it is allowed again; null where it is allowed, or where time changes nothing.", default=None
    )

    @classmethod
    def of(cls, decision: Decision) -> "Permission":
        """Show a decision."""
        return cls(
            is_allowed=decision.is_allowed,
            reason=decision.reason,
            until=Moment(decision.until) if decision.until else None,
        )
