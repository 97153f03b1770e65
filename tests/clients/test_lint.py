"""The schema as graphql-schema-linter sees it: every rule that it has.

None is left out. Names, descriptions and Relay's connections are what clients and their tools rely on; and the schema
is written sorted, so that a change shows as itself and nothing else.
"""

from pathlib import Path

import pytest

from tests.clients.node import Node

LINTER = "node_modules/graphql-schema-linter/lib/cli.js"
SCHEMA = Path(__file__).parents[2] / "schema.graphql"


async def test_the_schema_meets_every_rule(node: Node) -> None:
    assert "0 errors" in await node.run(LINTER, str(SCHEMA))


async def test_a_schema_that_breaks_a_rule_is_found(node: Node, tmp_path: Path) -> None:
    broken = tmp_path / "broken.graphql"
    broken.write_text('"What can be read." type Query { "A thing." Bad_name: Int }')
    with pytest.raises(AssertionError, match="fields-are-camel-cased"):
        await node.run(LINTER, str(broken))
