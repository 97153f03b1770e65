"""The ready-made tabs of GraphiQL are operations that this server answers."""

import re
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema, OperationDefinitionNode, build_schema, parse, validate
from graphql.execution.values import get_variable_values

from gamebuddy.pages import Tab, load_tabs

SCHEMA = Path(__file__).parents[2] / "schema.graphql"
TABS = load_tabs()
# What explorer/editor.js puts in the place of "$uuid".
NEW_UUID = "0190f3c4-7d1e-4c53-9d29-6ad1f1a2b3c4"


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(SCHEMA.read_text(encoding="utf-8"))


def operation_of(tab: Tab) -> OperationDefinitionNode:
    (operation,) = parse(tab.query).definitions
    assert isinstance(operation, OperationDefinitionNode)
    return operation


def name_of(tab: Tab) -> str:
    name = operation_of(tab).name
    assert name is not None
    return name.value


def with_new_uuids(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: with_new_uuids(inner) for name, inner in value.items()}
    return NEW_UUID if value == "$uuid" else value


def test_the_tabs_stand_in_the_order_of_a_first_visit() -> None:
    assert [name_of(tab) for tab in TABS] == [
        "Me",
        "FindTeammates",
        "MyChats",
        "LiveMessages",
        "SendMessage",
        "CreateGroup",
        "SearchMessages",
        "Register",
        "VerifyEmail",
        "SignIn",
        "RequestPasswordReset",
        "Admin",
        "Accounts",
        "SaveGame",
        "SaveGenre",
        "MergeGames",
        "Report",
        "Reports",
        "ClaimReport",
        "ResolveReport",
        "SanctionUser",
        "Appeals",
        "AnswerAppeal",
        "SaveWordRule",
        "WordRules",
        "DeleteWordRule",
        "ExportMyData",
        "Limits",
        "SetLimit",
        "AddAccountNote",
    ]


@pytest.mark.parametrize("tab", TABS, ids=name_of)
def test_a_tab_is_valid_against_the_schema(tab: Tab, schema: GraphQLSchema) -> None:
    assert validate(schema, parse(tab.query)) == []


@pytest.mark.parametrize("tab", TABS, ids=name_of)
def test_a_tab_brings_the_variables_it_declares(tab: Tab, schema: GraphQLSchema) -> None:
    definitions = operation_of(tab).variable_definitions or ()
    assert {definition.variable.name.value for definition in definitions} == set(tab.variables)
    values = get_variable_values(schema, definitions, with_new_uuids(dict(tab.variables)))
    assert not isinstance(values, list), values


@pytest.mark.parametrize("tab", TABS, ids=name_of)
def test_a_tab_begins_with_a_comment_that_fits_the_editor(tab: Tab) -> None:
    comment = re.match(r"(?:# .+\n)+", tab.query)
    assert comment
    assert max(map(len, comment.group().splitlines())) <= 55


def test_a_tab_takes_other_input() -> None:
    send = next(tab for tab in TABS if name_of(tab) == "SendMessage")
    filled = send.with_input(chatId="chat-7")
    assert filled.variables["input"] == {**send.variables["input"], "chatId": "chat-7"}
    assert send.variables["input"]["chatId"] == ""
