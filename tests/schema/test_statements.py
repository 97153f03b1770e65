"""A list takes the same statements for few and for many, whatever is asked of its items. Every list of the schema."""

from typing import Any

import pytest

from tests.conftest import Statements
from tests.factories import Factory
from tests.schema.everything import CASES, WIDE, World, document, lists, variables

FEW, MANY = 2, 7


def items(data: Any) -> int:
    """Count the items of the first page below the root."""
    while True:
        for name in ("nodes", "events"):
            if isinstance(data, dict) and isinstance(data.get(name), list):
                return len(data[name])
        (data,) = data.values()


def test_every_list_of_the_schema_has_a_case_and_every_case_its_list() -> None:
    assert lists().keys() == CASES.keys(), "say in CASES how to ask for it, and let World.grow make some"


async def test_every_list_takes_the_same_statements_for_few_and_for_many(
    make: Factory, statements: Statements, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = make.services.documents
    monkeypatch.setattr(documents, "_settings", documents._settings.model_copy(update=WIDE))
    world, pages = await World.begin(make), lists()
    taken: dict[int, dict[str, int]] = {}
    seen: dict[int, dict[str, int]] = {}
    for count in (FEW, MANY):
        await world.grow(count)
        taken[count], seen[count] = {}, {}
        for name, case in CASES.items():
            query, given = document(case, pages[name]), variables(case, world)
            statements.clear()
            data = await case.asks(world).api(query, **given)
            taken[count][name], seen[count][name] = len(statements), items(data)
    assert [name for name in CASES if seen[FEW][name] < FEW or seen[MANY][name] <= seen[FEW][name]] == []
    assert taken[MANY] == taken[FEW]
