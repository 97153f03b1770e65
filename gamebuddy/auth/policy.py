"""Who may do what: one table, and one function that reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import Role
from gamebuddy.errors import Forbidden, Unauthenticated


class Right(StrEnum):
    """Something a root field does. Every root field names one; PUBLIC is one of its own."""

    PUBLIC = "PUBLIC"
    USE_ACCOUNT = "USE_ACCOUNT"
    EDIT_PROFILE = "EDIT_PROFILE"
    SEARCH_TEAMMATES = "SEARCH_TEAMMATES"
    SEARCH_FURTHER = "SEARCH_FURTHER"
    SEND_TEAMMATE_REQUEST = "SEND_TEAMMATE_REQUEST"
    OPEN_CHAT = "OPEN_CHAT"
    CREATE_GROUP = "CREATE_GROUP"
    READ_CHAT = "READ_CHAT"
    SEND_MESSAGE = "SEND_MESSAGE"
    FOLLOW_EVENTS = "FOLLOW_EVENTS"
    UPLOAD = "UPLOAD"
    REPORT = "REPORT"
    MODERATE = "MODERATE"
    ADMINISTER = "ADMINISTER"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether it is allowed, and why not, for a person to read."""

    is_allowed: bool
    reason: str | None = None


SIGNED_IN = frozenset(Role)
VERIFIED = frozenset({Role.USER, Role.MODERATOR, Role.ADMIN})
STAFF = frozenset({Role.MODERATOR, Role.ADMIN})
ADMINS = frozenset({Role.ADMIN})

# The table. None stands for everybody, signed in or not; a right that is missing here is nobody's.
HOLDERS: Mapping[Right, frozenset[Role] | None] = {
    Right.PUBLIC: None,
    Right.USE_ACCOUNT: SIGNED_IN,
    Right.EDIT_PROFILE: SIGNED_IN,
    Right.SEARCH_TEAMMATES: SIGNED_IN,
    Right.SEARCH_FURTHER: VERIFIED,  # a guest sees the first page
    Right.SEND_TEAMMATE_REQUEST: VERIFIED,
    Right.OPEN_CHAT: VERIFIED,
    Right.CREATE_GROUP: VERIFIED,
    Right.READ_CHAT: SIGNED_IN,  # what one reads is decided by membership
    Right.SEND_MESSAGE: VERIFIED,
    Right.FOLLOW_EVENTS: SIGNED_IN,
    Right.UPLOAD: VERIFIED,
    Right.REPORT: VERIFIED,
    Right.MODERATE: STAFF,
    Right.ADMINISTER: ADMINS,
}


def decide(viewer: Viewer | None, right: Right) -> Decision:
    """Decide from the table alone. An unknown right is a no."""
    if right not in HOLDERS:
        return Decision(is_allowed=False, reason="Nobody may do this.")
    holders = HOLDERS[right]
    if holders is None:
        return Decision(is_allowed=True)
    if viewer is None:
        return Decision(is_allowed=False, reason="Sign in first.")
    if viewer.role in holders:
        return Decision(is_allowed=True)
    if viewer.role is Role.GUEST and Role.USER in holders:
        return Decision(is_allowed=False, reason="Confirm your e-mail address first.")
    return Decision(is_allowed=False, reason="Your role does not allow this.")


def require(viewer: Viewer | None, right: Right) -> None:
    """Let those through who hold the right.

    Raises:
        Unauthenticated: when nobody is signed in and the right is not everybody's.
        Forbidden: when the role does not hold it.
    """
    decision = decide(viewer, right)
    if not decision.is_allowed:
        raise Unauthenticated(decision.reason) if viewer is None else Forbidden(decision.reason)


def requirement(right: Right) -> str:
    """Say in words who holds the right, for the descriptions of the schema."""
    holders = HOLDERS[right]
    if holders is None:
        return "everybody"
    if holders == SIGNED_IN:
        return "a signed-in account"
    return "role " + " or ".join(role.value for role in Role if role in holders)
