"""Every operation as every actor, over HTTP and WebSocket, held against the golden tables."""

from datetime import UTC, datetime, timedelta

import pytest
from websockets.exceptions import ConnectionClosed

from gamebuddy.db import AccountStatus, Role
from gamebuddy.schema.permissions import Action
from tests.api import Api, Json
from tests.factories import Factory
from tests.rights.documents import document, operations, send
from tests.rights.golden import ACTORS, BEHIND, CAN, CAN_ACTORS, GOLDEN

REFUSALS = {"UNAUTHENTICATED": "s", "FORBIDDEN": "f"}
SECOND_PAGE = "query($after: Cursor) { teammates(first: 1, after: $after) { pageInfo { endCursor hasNextPage } } }"


async def actor(make: Factory, name: str) -> Api:
    """Make somebody anew, so that nothing that he has done before counts."""
    match name:
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
            return (await make.player(role=Role[name.upper()])).api


async def outcome(api: Api, operation: str, text: str, variables: Json) -> str:
    """Send a document and say what became of it, in the letters of the table."""
    try:
        body = await send(api, operation, text, variables)
    except ConnectionClosed as closed:
        return "x" if closed.rcvd and closed.rcvd.code == 4403 else str(closed)
    if body.get("status") == 401:
        assert [error["extensions"]["code"] for error in body["errors"]] == ["UNAUTHENTICATED"]
        assert "data" not in body
        return "x"
    errors = body.get("errors", ())
    for error in errors:
        code = error["extensions"]["code"]
        # Otherwise it came before the door, and the document of the test is at fault. A stream that does not begin has
        # no path either.
        assert error.get("path") or code in {*REFUSALS, "NOT_FOUND"}, (operation, error)
        assert code != "INTERNAL_SERVER_ERROR", (operation, error)
    if errors:
        return REFUSALS.get(errors[0]["extensions"]["code"], "y")
    (payload,) = body["data"].values()
    user_errors = payload.get("userErrors", ()) if isinstance(payload, dict) else ()
    return "m" if "ACCOUNT_MUTED" in {error["code"] for error in user_errors} else "y"


def test_every_operation_has_its_line_and_every_line_its_operation() -> None:
    new, gone = operations().keys() - GOLDEN.keys(), GOLDEN.keys() - operations().keys()
    assert not new, f"add {', '.join(sorted(new))} to TABLE in tests/rights/golden.py, one line for each"
    assert not gone, f"take {', '.join(sorted(gone))} out of TABLE in tests/rights/golden.py: the schema has none"


def test_every_action_has_its_line_and_every_line_its_action() -> None:
    assert set(CAN) == set(Action), "CAN_TABLE in tests/rights/golden.py has one line for each Action"


@pytest.mark.parametrize("name", ACTORS)
async def test_every_operation_answers_as_it_is_written(make: Factory, name: str) -> None:
    wrong = {}
    for operation, line in GOLDEN.items():
        found = await outcome(await actor(make, name), operation, *document(operation))
        if found != line[name]:
            wrong[operation] = f"{found} instead of {line[name]}"
    assert wrong == {}


@pytest.mark.parametrize("name", ACTORS)
async def test_the_second_page_of_a_search_is_shown_as_it_is_written(make: Factory, name: str) -> None:
    await make.player("one")
    await make.player("other")
    expected, api = BEHIND["SEARCH_FURTHER"][name], await actor(make, name)
    after = "AAAA"
    if expected not in {"s", "x"}:  # who sees a first page goes on from its end
        page = (await api(SECOND_PAGE))["teammates"]["pageInfo"]
        assert page["hasNextPage"]
        after = page["endCursor"]
    assert await outcome(api, "Query.teammates", SECOND_PAGE, {"after": after}) == expected


@pytest.mark.parametrize("name", CAN_ACTORS)
async def test_can_answers_as_it_is_written(make: Factory, name: str) -> None:
    fields = " ".join(f"{action}: can(action: {action}) {{ isAllowed reason until }}" for action in Action)
    viewer = (await (await actor(make, name))(f"{{ viewer {{ {fields} }} }}"))["viewer"]
    if viewer is None:
        assert {line[name] for line in CAN.values()} == {"n"}
        return
    assert {action: "y" if viewer[action]["isAllowed"] else "n" for action in CAN} == {
        action: line[name] for action, line in CAN.items()
    }
    for permission in viewer.values():
        assert (permission["reason"] is None) == permission["isAllowed"]


async def test_a_mute_says_in_can_until_when(make: Factory) -> None:
    api = await actor(make, "muted")
    answer = await api("{ viewer { can(action: SEND_MESSAGE) { until } } }")
    until = datetime.fromisoformat(answer["viewer"]["can"]["until"])
    assert until > datetime.now(UTC)
