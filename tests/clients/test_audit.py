"""The official audit of GraphQL over HTTP, from the makers of its specification."""

import json

from gamebuddy.settings import Settings
from tests.api import Api
from tests.clients.node import Node

CHECKS = 61


async def test_every_check_of_the_graphql_http_audit_passes(node: Node, api: Api, settings: Settings) -> None:
    results = json.loads(await node.run("audit.js", f"{settings.url}/graphql"))
    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == CHECKS
