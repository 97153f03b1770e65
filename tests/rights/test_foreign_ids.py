import json
from functools import partial
from typing import Any

import pytest

from gamebuddy import db
from gamebuddy.schema import ids
from gamebuddy.schema.context import Services
from gamebuddy.schema.ids import Kind
from tests.api import Api
from tests.factories import Factory, Player
from tests.rights.documents import document, kinds_in, nobody, operations

HIDDEN = (Kind.SESSION, Kind.CHAT, Kind.MESSAGE, Kind.TEAMMATE_REQUEST, Kind.USER, Kind.ACCOUNT, Kind.SANCTION,
          Kind.AUDIT_ENTRY, Kind.PROFILE)  # fmt: skip
MUTATIONS_AND_QUERIES = [name for name, _ in operations() if not name.startswith("Subscription.")]
WITH_IDS = [name for name in MUTATIONS_AND_QUERIES if kinds_in(name)]
NO_ID = (
    "", "-1", "0", "null", "usr_", "xxx_AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAA", "usr_AAAAAAAAAAAAAAAAAAAAAB",
    "gnr_AAAAAAAAAAAAAAAAAAAAA=", "' OR 1=1--", "../../etc/passwd", "usr_" + "A" * 5_000, "ключ",
)  # fmt: skip


@pytest.fixture
async def foreign(make: Factory, services: Services) -> dict[Kind, str]:
    """What belongs to others: two friends, one of whom has blocked everybody who will look."""
    one, other = await make.player("one"), await make.player("other")
    chat_id = await make.group(one, other)
    message = await make.send(one, chat_id)
    request = db.TeammateRequest(sender_id=one.account_id, receiver_id=other.account_id)
    sanction = db.Sanction(account_id=one.account_id, kind=db.SanctionKind.MUTE, reason="loud")
    entry = db.AuditEntry(actor_id=one.account_id, action=db.AuditAction.CHANGE_PASSWORD)
    async with services.database.write() as session:
        session.add_all([request, sanction, entry])
    return {
        Kind.SESSION: ids.write(Kind.SESSION, one.session_id),
        Kind.CHAT: chat_id,
        Kind.MESSAGE: message["id"],
        Kind.TEAMMATE_REQUEST: ids.write(Kind.TEAMMATE_REQUEST, request.id),
        Kind.USER: one.id,
        Kind.ACCOUNT: ids.write(Kind.ACCOUNT, one.account_id),
        Kind.SANCTION: ids.write(Kind.SANCTION, sanction.id),
        Kind.AUDIT_ENTRY: ids.write(Kind.AUDIT_ENTRY, entry.id),
        Kind.PROFILE: ids.write(Kind.PROFILE, one.account_id),
    }


def given_or_nobody(given: dict[Kind, str], kind: Kind) -> str:
    return given[kind] if kind in given else nobody(kind)


async def answer(api: Api, operation: str, given: dict[Kind, str]) -> str:
    """Send an operation and give its answer, without what differs each time."""
    text, variables = document(operation, partial(given_or_nobody, given), everything=True)
    body = (await api.post(text, variables)).text
    assert "INTERNAL_SERVER_ERROR" not in body, (operation, body)
    for kind, row_id in given.items():
        body = body.replace(row_id, kind)
    return body


@pytest.mark.parametrize("operation", WITH_IDS)
async def test_what_is_foreign_is_unknown(make: Factory, foreign: dict[Kind, str], operation: str) -> None:
    blocker = ids.read(Kind.USER, foreign[Kind.USER])
    mine = kinds_in(operation) & set(HIDDEN)
    for kind in mine:
        # Whoever looks is made anew each time: some of it leaves a trace.
        viewers = [await make.player(), await make.player()]
        for viewer in viewers:
            await make.block(Player(viewer.api, blocker, blocker, "one"), viewer)
        known = await answer(viewers[0].api, operation, {kind: foreign[kind]})
        unknown = await answer(viewers[1].api, operation, {kind: nobody(kind)})
        assert known == unknown, kind


@pytest.mark.parametrize("operation", WITH_IDS)
async def test_what_is_no_id_is_bad_input(make: Factory, operation: str) -> None:
    viewer = await make.player(role=db.Role.ADMIN)
    for text in NO_ID:
        for kind in kinds_in(operation):
            query, variables = document(operation, partial(given_or_nobody, {kind: text}), everything=True)
            body = (await viewer.api.post(query, variables)).json()
            codes = {error["extensions"]["code"] for error in body.get("errors", ())}
            assert codes == {"BAD_USER_INPUT"}, (text, kind, json.dumps(body)[:300])


@pytest.mark.parametrize("kind", HIDDEN)
async def test_a_node_of_others_is_null(make: Factory, foreign: dict[Kind, str], kind: Kind) -> None:
    viewer = await make.player()
    blocker = ids.read(Kind.USER, foreign[Kind.USER])
    await make.block(Player(viewer.api, blocker, blocker, "one"), viewer)
    found: dict[str, Any] = await viewer.api(
        "query($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id } }", id=foreign[kind]
    )
    assert found == {"node": None, "nodes": [None]}
    mod = await make.player(role=db.Role.MODERATOR)
    if kind not in {Kind.USER, Kind.PROFILE, Kind.SANCTION}:
        assert (await mod.api("query($id: ID!) { node(id: $id) { id } }", id=foreign[kind]))["node"] is None
