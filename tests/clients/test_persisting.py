"""Apollo Client sends hashes, teaches the server what it does not know, and refreshes its token on the way."""

from pathlib import Path
from typing import Any

import pytest

from gamebuddy.settings import Settings
from tests.accounts.operations import arrive
from tests.api import Api, Json
from tests.clients.node import Node
from tests.post_office import PostOffice

SCRIPT = Path(__file__).with_name("persisted.mjs")
METHODS = pytest.mark.parametrize("method", ["GET", "POST"])


@pytest.fixture
async def tokens(api: Api, post_office: PostOffice) -> Json:
    return (await arrive(api, post_office, "nika"))["tokens"]  # type: ignore[no-any-return]


async def told(node: Node, programs: Path, settings: Settings, tokens: Json, method: str) -> list[dict[str, Any]]:
    """Run the program to its end and give everything it tells."""
    given = {"url": f"{settings.url}/graphql", "programs": str(programs), "tokens": tokens, "method": method}
    async with node.running(SCRIPT, **given) as program:
        await program.until(kind="problem")
        return program.told


@METHODS
async def test_the_text_goes_once_and_then_the_hash(
    node: Node, programs: Path, settings: Settings, tokens: Json, method: str
) -> None:
    seen = await told(node, programs, settings, tokens, method)
    sent = [(line["method"], line["hasText"], line.get("code")) for line in seen if line["kind"] == "sent"]
    # One server serves both ways of this test, so the second may find the query known.
    if sent[0][2] is not None:
        assert sent.pop(0) == (method, False, "PERSISTED_QUERY_NOT_FOUND")
        assert sent.pop(0) == ("POST", True, None)
    else:
        assert sent.pop(0) == (method, False, None)
    assert sent.pop(0) == (method, False, None)
    data = [line["data"]["viewer"]["user"]["username"] for line in seen if line["kind"] == "data"]
    assert data == ["nika", "nika"]
    (mutated,) = [line for line in seen if line["kind"] == "mutated"]
    assert mutated["data"]["updateProfile"]["userErrors"] == []
    assert seen[-1] == {"kind": "problem", "name": "CombinedGraphQLErrors", "code": "BAD_USER_INPUT"}


@METHODS
async def test_an_expired_token_is_refreshed_and_the_query_repeated(
    node: Node, programs: Path, settings: Settings, tokens: Json, method: str
) -> None:
    seen = await told(node, programs, settings, tokens | {"accessToken": "e30.e30.e30"}, method)
    first = seen[0]
    assert (first["status"], first["code"]) == (401, "UNAUTHENTICATED")
    assert seen[1]["kind"] == "refreshed"
    assert [line["kind"] for line in seen].count("refreshed") == 1
    assert [line["data"]["viewer"]["user"]["username"] for line in seen if line["kind"] == "data"] == ["nika", "nika"]
