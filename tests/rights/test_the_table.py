from datetime import UTC, datetime, timedelta

import pytest
from strawberry.utils.str_converters import to_camel_case

from gamebuddy import db
from gamebuddy.auth import policy
from gamebuddy.auth.policy import Right
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import AccountStatus, Role
from gamebuddy.schema import root
from gamebuddy.schema.fields import rights_of
from gamebuddy.schema.permissions import Action
from tests.api import Api
from tests.factories import Factory
from tests.rights.documents import document, operations
from tests.rights.golden import ACTORS, CAN_ACTORS, GOLDEN, GOLDEN_CAN

CODES = {"UNAUTHENTICATED": "s", "FORBIDDEN": "f"}
# Rights that no operation asks for by itself: the pages behind the first one, and what `can` tells of what is to come.
WITHOUT_OPERATION = {Right.SEARCH_FURTHER, Right.UPLOAD, Right.REPORT}


async def actor(make: Factory, kind: str) -> Api:
    """Make somebody anew, so that nothing that he did before counts."""
    match kind:
        case "anonymous":
            return make.api
        case "guest":
            return (await make.player(role=Role.GUEST, email=None, email_key=None, email_verified_at=None)).api
        case "unverified":
            return (await make.player(role=Role.GUEST, email_verified_at=None)).api
        case "banned":
            return (await make.player(status=AccountStatus.BANNED)).api
        case "muted":
            return (await make.player(muted_until=datetime.now(UTC) + timedelta(hours=1))).api
        case _:
            return (await make.player(role=Role[kind.upper()])).api


async def outcome(api: Api, operation: str) -> str:
    text, variables = document(operation)
    if operation.startswith("Subscription."):
        return await outcome_of_stream(api, text, variables)
    answer = await api.post(text, variables)
    if answer.status_code == 401:
        return "x"
    codes = [
        error["extensions"]["code"] for error in answer.json().get("errors", ()) if len(error.get("path", ())) == 1
    ]
    assert "INTERNAL_SERVER_ERROR" not in codes, answer.text
    return next((CODES[code] for code in codes if code in CODES), "y")


async def outcome_of_stream(api: Api, text: str, variables: dict[str, str]) -> str:
    try:
        async with api.socket() as socket:
            await socket.start(text, **variables)
            frame = await socket.receive()
    except Exception:  # noqa: BLE001 - the socket was closed instead of acknowledged
        return "x"
    errors = frame["payload"] if frame["type"] == "error" else frame["payload"].get("errors", ())
    return next((CODES[error["extensions"]["code"]] for error in errors if error["extensions"]["code"] in CODES), "y")


def test_every_operation_has_its_line() -> None:
    found, written = {name for name, _ in operations()}, set(GOLDEN)
    assert found == written, "add what is new to tests/rights/golden.py, and take away what is gone"


@pytest.mark.parametrize("kind", ACTORS)
async def test_every_operation_answers_as_it_is_written(make: Factory, kind: str) -> None:
    wrong = {}
    for operation, line in GOLDEN.items():
        found = await outcome(await actor(make, kind), operation)
        if found != line[kind]:
            wrong[operation] = f"{found} instead of {line[kind]}"
    assert wrong == {}


@pytest.mark.parametrize("kind", CAN_ACTORS)
async def test_can_answers_as_it_is_written(make: Factory, kind: str) -> None:
    fields = " ".join(f"{action.lower()}: can(action: {action}) {{ isAllowed reason }}" for action in Action)
    viewer = (await (await actor(make, kind))(f"{{ viewer {{ {fields} }} }}"))["viewer"]
    for action, line in GOLDEN_CAN.items():
        permission = viewer[action.lower()]
        assert permission["isAllowed"] == (line[kind] == "y"), action
        assert (permission["reason"] is None) == permission["isAllowed"], action
    assert set(GOLDEN_CAN) == set(Action)


def is_allowed(right: Right, role: Role | None) -> bool:
    viewer = None
    if role is not None:
        viewer = Viewer(account_id=db.new_id(), session_id=db.new_id(), role=role, locale="en")
    return policy.decide(viewer, right).is_allowed


def mismatches() -> list[str]:
    """Compare the golden tables with what the policy decides, without a server."""
    columns = {
        "anonymous": None,
        "guest": Role.GUEST,
        "user": Role.USER,
        "moderator": Role.MODERATOR,
        "admin": Role.ADMIN,
    }
    kinds = (("Query", root.QUERIES), ("Mutation", root.MUTATIONS), ("Subscription", root.SUBSCRIPTIONS))
    rights = {
        f"{name}.{to_camel_case(field)}": right or Right.PUBLIC
        for name, classes in kinds
        for kind in classes
        for field, right in rights_of(kind).items()
    }
    found = [
        name
        for name, line in GOLDEN.items()
        for actor_name, role in columns.items()
        if name in rights and is_allowed(rights[name], role) != (line[actor_name] == "y")
    ]
    return found + [
        action
        for action, line in GOLDEN_CAN.items()
        for actor_name, role in columns.items()
        if role is not None and is_allowed(Action(action).right, role) != (line[actor_name] == "y")
    ]


def test_the_policy_is_the_golden_table() -> None:
    assert mismatches() == []


# All but the pages behind the first one, which tests/search/test_teammates.py asks for as a guest; and what nobody
# asks for without signing in, because only `can` does.
CELLS = [
    (right, role)
    for right in Right
    for role in (None, *Role)
    if right is not Right.SEARCH_FURTHER and (role is not None or right not in WITHOUT_OPERATION)
]


@pytest.mark.parametrize(("right", "role"), CELLS)
def test_a_cell_that_is_flipped_is_noticed(monkeypatch: pytest.MonkeyPatch, right: Right, role: Role | None) -> None:
    holders = policy.HOLDERS[right]
    flipped: frozenset[Role] | None
    if role is None:
        flipped = frozenset() if holders is None else None
    else:
        flipped = (frozenset(Role) if holders is None else holders) ^ {role}
    monkeypatch.setattr(policy, "HOLDERS", {**policy.HOLDERS, right: flipped})
    assert mismatches() != []
