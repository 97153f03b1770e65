"""Every cell of the policy, flipped in memory, makes a line of the golden tables wrong.

So whoever changes a right changes the golden tables with it, or a test fails. Nothing is sent here: that the operations
do what the policy says is what test_golden_table.py shows.
"""

from datetime import UTC, datetime, timedelta

import pytest
from strawberry.types.base import get_object_definition
from strawberry.utils.str_converters import to_camel_case

from gamebuddy import db
from gamebuddy.auth import policy
from gamebuddy.auth.policy import Right
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import Role
from gamebuddy.errors import Forbidden, Rejected, Unauthenticated
from gamebuddy.schema import root
from gamebuddy.schema.fields import rights_of
from gamebuddy.schema.permissions import Action
from tests.rights.golden import BEHIND, CAN, GOLDEN

# Who of the golden tables stands for a holder; None is whoever is not signed in.
ACTORS: dict[Role | None, tuple[str, ...]] = {
    None: ("anonymous",),
    Role.GUEST: ("guest", "unverified"),
    Role.USER: ("user",),
    Role.MODERATOR: ("moderator",),
    Role.ADMIN: ("admin",),
}
CELLS = [(right, holder) for right in Right for holder in ACTORS]
# A mute is looked at last: what is everybody's it cannot take, and from a user only what a user has.
MUTABLE = [right for right in Right if Role.USER in (policy.HOLDERS[right] or ())]
# Rights that no root field names. The golden tables have them elsewhere, for the reasons that stand there.
WITHOUT_ROOT_FIELD = {Right.SEARCH_FURTHER: BEHIND}


def rights() -> dict[str, Right]:
    """Give the right of every root field, under its full name."""
    found = {}
    groups = {"Query": root.QUERIES, "Mutation": root.MUTATIONS, "Subscription": root.SUBSCRIPTIONS}
    for name, classes in groups.items():
        for kind in classes:
            shown = {field.python_name: field.graphql_name for field in get_object_definition(kind, strict=True).fields}
            for field, right in rights_of(kind).items():
                assert right is not None
                found[f"{name}.{shown[field] or to_camel_case(field)}"] = right
    return found


RIGHTS = rights()


def viewer(name: str) -> Viewer | None:
    """Give the actor of the golden tables as the policy sees him; a banned one it never sees."""
    if name == "anonymous":
        return None
    role = {"unverified": Role.GUEST, "muted": Role.USER}.get(name) or Role[name.upper()]
    muted_until = datetime.now(UTC) + timedelta(hours=1) if name == "muted" else None
    return Viewer(account_id=db.new_id(), session_id=db.new_id(), role=role, locale="en", muted_until=muted_until)


def outcome(name: str, right: Right) -> str:
    """Say what the policy decides, in the letters of the table."""
    try:
        policy.require(viewer(name), right)
    except Unauthenticated:
        return "s"
    except Forbidden:
        return "f"
    except Rejected:
        return "m"
    return "y"


def wrong_cells() -> set[tuple[str, str]]:
    """Give line and actor wherever the policy decides otherwise than it is written."""
    lines = {name: (RIGHTS[name], line) for name, line in GOLDEN.items()}
    lines |= {name: (Right(name), line) for name, line in BEHIND.items()}
    wrong = {
        (name, actor)
        for name, (right, line) in lines.items()
        for actor, expected in line.items()
        if actor != "banned" and outcome(actor, right) != expected
    }
    return wrong | {
        (name, actor)
        for name, line in CAN.items()
        for actor, expected in line.items()
        if policy.decide(viewer(actor), Action(name).right).is_allowed != (expected == "y")
    }


def test_the_policy_decides_as_it_is_written() -> None:
    assert wrong_cells() == set()


def test_every_right_is_asked_for_somewhere() -> None:
    assert set(RIGHTS.values()) | WITHOUT_ROOT_FIELD.keys() == set(Right)
    assert not set(RIGHTS.values()) & WITHOUT_ROOT_FIELD.keys(), "a root field names it now: drop the exception"
    assert all(right in table for right, table in WITHOUT_ROOT_FIELD.items())


@pytest.mark.parametrize(("right", "holder"), CELLS)
def test_a_right_that_is_given_or_taken_is_noticed(
    monkeypatch: pytest.MonkeyPatch, right: Right, holder: Role | None
) -> None:
    holders = policy.HOLDERS[right]
    flipped: frozenset[Role] | None
    if holder is None:  # for everybody, or for everybody who is signed in
        flipped = frozenset(Role) if holders is None else None
    else:
        flipped = (frozenset(Role) if holders is None else holders) ^ {holder}
    monkeypatch.setattr(policy, "HOLDERS", {**policy.HOLDERS, right: flipped})
    assert {actor for _, actor in wrong_cells()} & {*ACTORS[holder]}


@pytest.mark.parametrize("right", MUTABLE)
def test_what_a_mute_takes_or_leaves_is_noticed(monkeypatch: pytest.MonkeyPatch, right: Right) -> None:
    monkeypatch.setattr(policy, "WRITING", policy.WRITING ^ {right})
    assert {actor for _, actor in wrong_cells()} == {"muted"}


@pytest.mark.parametrize("right", Right)
def test_a_right_that_stands_not_in_the_policy_is_nobodys(monkeypatch: pytest.MonkeyPatch, right: Right) -> None:
    monkeypatch.setattr(policy, "HOLDERS", {name: who for name, who in policy.HOLDERS.items() if name is not right})
    for name in ("anonymous", "guest", "user", "moderator", "admin", "muted"):
        assert not policy.decide(viewer(name), right).is_allowed
