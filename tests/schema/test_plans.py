"""What goes by plan is answered as graphql-core answers it: data, errors and their places."""

import asyncio
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import strawberry
from graphql import GraphQLError
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from strawberry.types.execution import ExecutionResult

from gamebuddy.schema import memory
from gamebuddy.schema.plans import PlannedExecution, Plans, planning
from tests.factories import Factory, Player
from tests.schema.everything import CASES, WIDE, World, document, lists, variables

# Cursors of a search name the moment, those of events what was being written then, by whomever.
SEALED = re.compile(r'"(cursor(_\w+)?|startCursor|endCursor)":"[^"]*"')


async def test_everything_that_can_be_listed_is_the_same_by_plan(
    make: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "MOST_FIELDS", 1_000_000)
    monkeypatch.setattr(memory, "LONGEST", 10_000_000)
    documents = make.services.documents
    monkeypatch.setattr(documents, "_settings", documents._settings.model_copy(update=WIDE))
    world, pages = await World.begin(make), lists()
    await world.grow(2)
    for name, case in CASES.items():
        asked = case.asks(world), document(case, pages[name]), variables(case, world)
        for _ in range(5):  # minutes pass: of who is here, and of what has expired
            planned = await answer(*asked)
            with monkeypatch.context() as patch:
                patch.setattr(Plans, "find", lambda *_: None)
                interpreted = await answer(*asked)
            if planned == interpreted:
                break
        assert planned == interpreted, name
        assert '"errors"' not in planned, name


async def answer(who: Player, query: str, values: dict[str, Any]) -> str:
    return SEALED.sub("", (await who.api.post(query, values)).text)


@strawberry.interface
class Thing:
    """What may go right or wrong in every way."""

    level: int
    name: str = "thing"
    nothing: str | None = None

    @strawberry.field
    def missing(self) -> str:
        return None  # type: ignore[return-value]

    @strawberry.field
    def broken(self) -> str | None:
        raise ValueError(f"broken at {self.level}")

    @strawberry.field
    def broken_and_needed(self) -> str:
        raise ValueError(f"needed at {self.level}")

    @strawberry.field
    def no_number(self) -> int | None:
        return "many"  # type: ignore[return-value]

    @strawberry.field
    async def said(self, text: str = "hello", times: int | None = 2) -> str:
        return text * (times or 0)

    @strawberry.field
    async def later(self) -> str:
        await asyncio.sleep(0)
        return f"later {self.level}"

    @strawberry.field
    async def broken_later(self) -> str | None:
        await asyncio.sleep(0)
        raise ValueError(f"later at {self.level}")

    @strawberry.field
    async def broken_and_needed_later(self) -> str:
        await asyncio.sleep(0)
        raise ValueError(f"needed later at {self.level}")

    @strawberry.field
    def texts(self) -> list[str | None]:
        return ["one", None, "three"]

    @strawberry.field
    def holes(self) -> list[str] | None:
        return ["one", None]  # type: ignore[list-item]

    @strawberry.field
    def below(self) -> "Thing | None":
        return Stone(level=self.level + 1)

    @strawberry.field
    async def below_later(self) -> "Thing":
        return Plant(level=self.level + 1)

    @strawberry.field
    async def several(self) -> "list[Thing | None]":
        return [Stone(level=self.level + 1), None, Plant(level=self.level + 1)]

    @strawberry.field
    def stones(self) -> "list[Stone]":
        return [Stone(level=self.level + 1), Stone(level=self.level + 2)]

    @strawberry.field
    def strange(self) -> "Stone | None":
        return Plant(level=self.level)  # type: ignore[return-value]


@strawberry.type
class Stone(Thing):
    weight: float = 1.5


@strawberry.type
class Plant(Thing):
    is_green: bool = True


@strawberry.type
class Query:
    @strawberry.field
    def thing(self) -> Thing | None:
        return Stone(level=0)

    @strawberry.field
    async def needed(self) -> Thing:
        return Plant(level=0)


@strawberry.type
class Mutation(Query):
    """The same, in turn."""


class Toy(strawberry.Schema):
    """A schema of which every operation is known to go by plan, or not."""

    def __init__(self) -> None:
        super().__init__(query=Query, mutation=Mutation, types=[Stone, Plant], execution_context_class=PlannedExecution)
        self.plans = Plans()

    def process_errors(self, errors: list[GraphQLError], execution_context: object = None) -> None:
        """Leave them to the test."""


TOY = Toy()
LEAVES = (
    *("__typename", "level", "name", "nothing", "broken", "noNumber", "later", "brokenLater", "texts", "holes"),
    *("said", 'said(text: "a", times: 3)', "said(text: $text)", "said(times: null)"),
    *("missing", "brokenAndNeeded", "brokenAndNeededLater"),
)
BRANCHES = ("below", "belowLater", "several", "stones", "strange")
SWITCHES = ("", "", "", " @include(if: $on)", " @skip(if: $on)", " @include(if: false)", " @skip(if: false)")
RARE = {"missing", "brokenAndNeeded", "brokenAndNeededLater"}  # they take everything above them away


@st.composite
def selections(draw: st.DrawFn, depth: int = 3) -> str:
    parts = []
    for number in range(draw(st.integers(1, 4))):
        alias = draw(st.sampled_from(("", f"a{depth}{number}: ")))
        switch = draw(st.sampled_from(SWITCHES))
        match draw(st.sampled_from(("leaf", "leaf", "branch", "on", "spread"))):
            case "branch" if depth:
                parts.append(f"{alias}{draw(st.sampled_from(BRANCHES))}{switch} {draw(selections(depth - 1))}")
            case "on" if depth:
                kind = draw(st.sampled_from(("Stone", "Plant", "Thing")))
                parts.append(f"... on {kind}{switch} {draw(selections(depth - 1))}")
            case "spread":
                parts.append(f"...{draw(st.sampled_from(('Few', 'Green')))}{switch}")
            case _:
                leaf = draw(st.sampled_from(LEAVES))
                if leaf not in RARE or draw(st.integers(0, 5)) == 0:
                    # Under one name may only stand what is asked for in the same way.
                    named = alias or (f"b{number}{depth}: " if "(" in leaf else "")
                    parts.append(f"{named}{leaf}{switch}")
    return "{ " + " ".join(parts or ["level"]) + " }"


VARIABLES = '($on: Boolean! = true, $text: String! = "t")'
USED = "used: thing { ...Few ...Green said(text: $text) name @skip(if: $on) }"  # a document uses what it declares
FRAGMENTS = "fragment Few on Thing { name below { level later } } fragment Green on Plant { isGreen g: level }"


def outcome(result: Any) -> Any:
    """Give the data and what the errors did to it.

    Of several errors that empty one place whoever comes first may be told, and the others need not even happen:
    https://spec.graphql.org/draft/#sec-Handling-Execution-Errors.
    """
    assert isinstance(result, ExecutionResult)
    places = set()
    for error in result.errors or ():
        value: Any = result.data
        reached = []
        for key in error.path or ():
            if value is None:
                break
            value = value[key]
            reached.append(key)
        is_own = len(reached) == len(error.path or ())
        places.add((*reached, error.message, str(error.locations)) if is_own else (*reached, "emptied"))
    return result.data, places


async def both_ways(query: str, values: dict[str, Any]) -> tuple[Any, Any]:
    """Execute by plan, which has to be possible, and without."""
    prepared = SimpleNamespace(prepared=SimpleNamespace(request=SimpleNamespace(query=query)))
    planned = await TOY.execute(query, values, context_value=prepared)
    interpreted = await TOY.execute(query, values)
    return outcome(planned), outcome(interpreted)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(selections(), st.sampled_from(("thing", "needed")), st.sampled_from(("query", "mutation")), st.booleans())
def test_any_document_is_answered_as_without_a_plan(body: str, root: str, kind: str, on: bool) -> None:
    query = f"{kind} {VARIABLES} {{ {root} {body} again: {root} {body} {USED} }} {FRAGMENTS}"
    TOY.plans = Plans()
    planned, interpreted = asyncio.run(both_ways(query, {"on": on}))
    event(f"{'data' if planned[0] else 'no data'}, {'errors' if planned[1] else 'no errors'}")
    assert len(TOY.plans) == 1 or planned[0] is None, "it was interpreted both times"
    assert planned == interpreted


@pytest.mark.parametrize(
    ("query", "is_planned"),
    [("{ thing { name } }", True), ("{ __schema { queryType { name } } }", False), ("{ a: __typename }", True)],
)
async def test_introspection_is_left_to_graphql_core(
    query: str, is_planned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[bool] = []
    find: Callable[..., Any] = Plans.find

    def watched(*asked: Any) -> Any:
        plan = find(*asked)
        found.append(plan is not None)
        return plan

    monkeypatch.setattr(Plans, "find", watched)
    planned, interpreted = await both_ways(query, {})
    assert planned == interpreted
    assert found == [is_planned]
