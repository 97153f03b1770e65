"""Who may do what: one table, and one function that reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import Role
from gamebuddy.errors import Code, Forbidden, Problem, Rejected, Unauthenticated


class Right(StrEnum):
    """Something a root field does. Every root field names one; PUBLIC is one of its own."""

    PUBLIC = "PUBLIC"
    USE_ACCOUNT = "USE_ACCOUNT"
    MANAGE_ACCOUNT = "MANAGE_ACCOUNT"
    EDIT_PROFILE = "EDIT_PROFILE"
    SEARCH_TEAMMATES = "SEARCH_TEAMMATES"
    SEARCH_FURTHER = "SEARCH_FURTHER"
    SEND_TEAMMATE_REQUEST = "SEND_TEAMMATE_REQUEST"
    MANAGE_TEAMMATES = "MANAGE_TEAMMATES"
    OPEN_CHAT = "OPEN_CHAT"
    CREATE_GROUP = "CREATE_GROUP"
    READ_CHAT = "READ_CHAT"
    SEND_MESSAGE = "SEND_MESSAGE"
    FOLLOW_EVENTS = "FOLLOW_EVENTS"
    UPLOAD = "UPLOAD"
    REPORT = "REPORT"
    READ_AUDIT_LOG = "READ_AUDIT_LOG"
    MODERATE = "MODERATE"
    ADMINISTER = "ADMINISTER"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether it is allowed; if not, why, for a person to read, and until when where time changes it."""

    is_allowed: bool
    reason: str | None = None
    until: datetime | None = None


SIGNED_IN = frozenset(Role)
VERIFIED = frozenset({Role.USER, Role.MODERATOR, Role.ADMIN})
STAFF = frozenset({Role.MODERATOR, Role.ADMIN})
ADMINS = frozenset({Role.ADMIN})

# The table. None stands for everybody, signed in or not; a right that is missing here is nobody's.
HOLDERS: Mapping[Right, frozenset[Role] | None] = {
    Right.PUBLIC: None,
    Right.USE_ACCOUNT: SIGNED_IN,
    Right.MANAGE_ACCOUNT: VERIFIED,  # a guest has neither password nor address
    Right.EDIT_PROFILE: SIGNED_IN,
    Right.SEARCH_TEAMMATES: SIGNED_IN,
    Right.SEARCH_FURTHER: VERIFIED,  # a guest sees the first page
    Right.SEND_TEAMMATE_REQUEST: VERIFIED,
    Right.MANAGE_TEAMMATES: VERIFIED,
    Right.OPEN_CHAT: VERIFIED,
    Right.CREATE_GROUP: VERIFIED,
    Right.READ_CHAT: SIGNED_IN,  # what one reads is decided by membership
    Right.SEND_MESSAGE: VERIFIED,
    Right.FOLLOW_EVENTS: SIGNED_IN,
    Right.UPLOAD: VERIFIED,
    Right.REPORT: VERIFIED,
    Right.READ_AUDIT_LOG: VERIFIED,  # what one reads in it is decided by the role
    Right.MODERATE: STAFF,
    Right.ADMINISTER: ADMINS,
}

# What a mute takes: whatever puts words before others.
WRITING = frozenset({Right.SEND_MESSAGE, Right.SEND_TEAMMATE_REQUEST, Right.CREATE_GROUP})
MUTED = "You may not write for now."
NEVER = datetime(9999, 1, 1, tzinfo=UTC)  # when a mute without an end is over

# On whom one may act at all: only on lower ones. An administrator is acted on by a change of role alone.
RANKS: Mapping[Role, int] = {Role.GUEST: 0, Role.USER: 0, Role.MODERATOR: 1, Role.ADMIN: 2}


def decide(viewer: Viewer | None, right: Right) -> Decision:
    """Decide from the tables alone. An unknown right is a no."""
    if right not in HOLDERS:
        return Decision(is_allowed=False, reason="Nobody may do this.")
    holders = HOLDERS[right]
    if holders is None:
        return Decision(is_allowed=True)
    if viewer is None:
        return Decision(is_allowed=False, reason="Sign in first.")
    if viewer.role not in holders:
        is_unproved = viewer.role is Role.GUEST and Role.USER in holders
        reason = "Confirm your e-mail address first." if is_unproved else "Your role does not allow this."
        return Decision(is_allowed=False, reason=reason)
    if right in WRITING and is_muted(viewer):
        return Decision(is_allowed=False, reason=MUTED, until=_told(viewer.muted_until))
    return Decision(is_allowed=True)


def require(viewer: Viewer | None, right: Right) -> None:
    """Let those through who hold the right.

    Raises:
        Unauthenticated: when nobody is signed in and the right is not everybody's.
        Forbidden: when the role does not hold it.
        Rejected: ACCOUNT_MUTED when the role holds it, and a mute takes it.
    """
    decision = decide(viewer, right)
    if decision.is_allowed:
        return
    if viewer is None:
        raise Unauthenticated(decision.reason)
    if viewer.role in (HOLDERS.get(right) or ()):
        raise _muted(viewer)
    raise Forbidden(decision.reason)


def require_voice(viewer: Viewer, *field: str) -> None:
    """Let those put words before others by a right that a mute leaves, as that to one's profile, who are not muted.

    Raises:
        Rejected: ACCOUNT_MUTED.
    """
    if is_muted(viewer):
        raise _muted(viewer, *field)


def is_muted(viewer: Viewer) -> bool:
    """Tell whether a mute is in force."""
    return viewer.muted_until is not None and viewer.muted_until > datetime.now(UTC)


def outranks(viewer: Viewer, role: Role) -> bool:
    """Tell whether the viewer may act on somebody of this role: a moderator on players, an administrator on both."""
    return RANKS[viewer.role] > RANKS[role]


def may_judge(viewer: Viewer, role: Role) -> bool:
    """Tell whether the viewer handles reports about somebody of this role: an administrator also those about another.

    What he may not do to that one himself, he can leave undone, or take the role from him first.
    """
    return viewer.role is Role.ADMIN or outranks(viewer, role)


def may_ban_for_ever(viewer: Viewer) -> bool:
    """Tell whether the viewer's bans may last; a moderator's end after 30 days at most."""
    return viewer.role is Role.ADMIN


def requirement(right: Right) -> str:
    """Say in words who holds the right, for the descriptions of the schema."""
    holders = HOLDERS[right]
    if holders is None:
        return "everybody"
    if holders == SIGNED_IN:
        return "a signed-in account"
    return "role " + " or ".join(role.value for role in Role if role in holders)


def _muted(viewer: Viewer, *field: str) -> Rejected:
    problem = Problem(code=Code.ACCOUNT_MUTED, message=MUTED, field=field, until=_told(viewer.muted_until))
    return Rejected(problem)


def _told(until: datetime | None) -> datetime | None:
    return None if until == NEVER else until
