"""What holds for the whole house."""

import ast
import re
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    is_introspection_type,
    is_specified_scalar_type,
)

from gamebuddy.auth import policy
from gamebuddy.auth.policy import Right
from gamebuddy.db import Database, migrations
from gamebuddy.schema import fields, rights, root
from gamebuddy.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(root.sdl())


def own_types(schema: GraphQLSchema) -> list[GraphQLNamedType]:
    return [
        kind
        for kind in schema.type_map.values()
        if not is_introspection_type(kind) and not is_specified_scalar_type(kind)
    ]


def test_the_schema_in_the_repository_is_current() -> None:
    assert (ROOT / "schema.graphql").read_text(encoding="utf-8") == root.sdl(), "run `make schema`"


def test_the_published_table_of_rights_is_current() -> None:
    assert (ROOT / "docs" / "rights.md").read_text(encoding="utf-8") == rights.table(), "run `make schema`"


def test_everything_in_the_schema_is_described(schema: GraphQLSchema) -> None:
    silent = []
    for kind in own_types(schema):
        if not kind.description:
            silent.append(kind.name)
        if isinstance(kind, GraphQLEnumType):
            silent += [f"{kind.name}.{name}" for name, value in kind.values.items() if not value.description]
        if isinstance(kind, GraphQLInputObjectType):
            silent += [f"{kind.name}.{name}" for name, field in kind.fields.items() if not field.description]
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            silent += [f"{kind.name}.{name}" for name, field in kind.fields.items() if not field.description]
            silent += [
                f"{kind.name}.{name}({argument})"
                for name, field in kind.fields.items()
                for argument, definition in field.args.items()
                if not definition.description
            ]
    assert silent == []


def test_every_type_tells_who_sees_it(schema: GraphQLSchema) -> None:
    """Pages, edges and payloads are seen by those who see what is in them; so are the kinds of an interface."""
    roots = {schema.query_type, schema.mutation_type, schema.subscription_type}
    sees = re.compile(r"\b(see|sees|seen|sent to)\b", re.IGNORECASE)
    silent = []
    for kind in own_types(schema):
        if not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) or kind in roots:
            continue
        told = [kind, *(wider for wider in kind.interfaces if wider.name != "Node")]
        if not kind.name.endswith(("Payload", "Edge", "Connection")) and not any(
            sees.search(one.description or "") for one in told
        ):
            silent.append(kind.name)
    assert silent == [], "say in the description who sees it: `Seen by …`"


def test_every_root_field_tells_who_may_use_it(schema: GraphQLSchema) -> None:
    for kind in (schema.query_type, schema.mutation_type, schema.subscription_type):
        assert kind is not None
        for name, field in kind.fields.items():
            assert "Requires: " in (field.description or ""), f"{kind.name}.{name}"


def test_the_schema_does_not_build_when_a_root_field_names_no_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(root, "rights_of", lambda kind: fields.rights_of(kind) | {"forgotten": None})
    with pytest.raises(TypeError, match="name the right of forgotten"):
        root.build_schema()


def test_every_mutation_has_one_argument_and_tells_user_errors(schema: GraphQLSchema) -> None:
    assert schema.mutation_type is not None
    for name, field in schema.mutation_type.fields.items():
        assert list(field.args) in (["input"], []), name
        payload = schema.type_map[str(field.type).strip("!")]
        assert isinstance(payload, GraphQLObjectType)
        assert str(payload.fields["userErrors"].type) == "[UserError!]!", name


def test_every_right_stands_in_the_table() -> None:
    assert set(policy.HOLDERS) == set(Right)


async def test_the_migrations_make_the_rows_of_the_code(database_url: str) -> None:
    database = Database(database_url, statement_timeout_seconds=60)
    try:
        await migrations.check_drift(database)
        assert await migrations.is_current(database)
    finally:
        await database.close()


def test_the_example_names_every_setting() -> None:
    named = set(re.findall(rf"^#({PREFIX}[A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
    assert named == {PREFIX + name.upper() for name in Settings.model_fields}


def test_what_is_deployed_names_settings_that_exist() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for path in (*(ROOT / "deploy").iterdir(), ROOT / "docs" / "operations.md"):
        assert set(re.findall(rf"{PREFIX}[A-Z_]+", path.read_text(encoding="utf-8"))) <= known, path.name


def test_only_the_settings_read_the_environment() -> None:
    readers = []
    for path in (ROOT / "gamebuddy").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=function) if ast.unparse(function) in {"os.environ.get", "os.getenv"}:
                    readers.append(f"{path.relative_to(ROOT)}:{node.lineno}")
                case ast.Subscript(ctx=ast.Load(), value=value) if ast.unparse(value) == "os.environ":
                    readers.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert readers == []


def test_every_test_that_the_hostile_cases_name_is_there() -> None:
    named = set(
        re.findall(r"`(tests/[a-z_/]+\.py)(?:::(\w+))?`", (ROOT / "docs" / "threats.md").read_text(encoding="utf-8"))
    )
    assert len(named) > 60
    missing = []
    for file, name in sorted(named):
        path = ROOT / file
        if not path.exists() or (name and f"def {name}(" not in path.read_text(encoding="utf-8")):
            missing.append(f"{file}::{name}")
    assert missing == []
