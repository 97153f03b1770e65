import asyncio
from typing import Any

from gamebuddy import db
from gamebuddy.schema import ids
from gamebuddy.schema.ids import Kind
from tests.conftest import Statements
from tests.factories import Factory, Player

SET = """mutation($user: ID!, $note: String) { setUserNote(input: {userId: $user, note: $note}) {
  user { viewerNote } userErrors { code path message } } }"""
NOTE = "query($user: ID!) { user(by: {id: $user}) { viewerNote } }"


async def set_note(by: Player, about: str, note: str | None) -> Any:
    return (await by.api(SET, user=about, note=note))["setUserNote"]


async def test_a_note_is_kept_replaced_and_taken_away(make: Factory) -> None:
    nika, max_ = await make.player("nika"), await make.player("max")
    for note in ("plays late", "🎮 never on Mondays", None, None):
        assert await set_note(nika, max_.id, note) == {"user": {"viewerNote": note}, "userErrors": []}
        assert (await nika.api(NOTE, user=max_.id))["user"]["viewerNote"] == note


async def test_nobody_else_sees_it(make: Factory) -> None:
    nika, max_, other = [await make.player() for _ in range(3)]
    await set_note(nika, max_.id, "for me alone")
    for viewer in (max_.api, other.api, make.api):
        assert (await viewer(NOTE, user=max_.id))["user"]["viewerNote"] is None
    await set_note(other, max_.id, "another one")
    assert (await nika.api(NOTE, user=max_.id))["user"]["viewerNote"] == "for me alone"


async def test_who_cannot_be_seen_has_no_note(make: Factory) -> None:
    nika, blocker = await make.player(), await make.player()
    await make.block(blocker, nika)
    answers = [await set_note(nika, who, "x") for who in (blocker.id, ids.write(Kind.USER, db.new_id()))]
    assert answers[0] == answers[1]
    assert [error["code"] for error in answers[0]["userErrors"]] == ["NOT_FOUND"]
    assert [error["code"] for error in (await set_note(nika, nika.id, "x"))["userErrors"]] == ["INVALID"]


async def test_a_note_has_1_to_1000_characters(make: Factory) -> None:
    nika, max_ = await make.player(), await make.player()
    assert (await set_note(nika, max_.id, "ы" * 1_000))["userErrors"] == []
    for note, code in (("ы" * 1_001, "TOO_LONG"), (" \u200b", "TOO_SHORT")):
        (error,) = (await set_note(nika, max_.id, note))["userErrors"]
        assert (error["code"], error["path"]) == (code, ["input", "note"])


async def test_of_many_at_once_one_stays(make: Factory) -> None:
    nika, max_ = await make.player(), await make.player()
    answers = await asyncio.gather(*(set_note(nika, max_.id, f"note {n}") for n in range(10)))
    assert all(answer["userErrors"] == [] for answer in answers)
    assert (await nika.api(NOTE, user=max_.id))["user"]["viewerNote"].startswith("note ")


async def test_notes_of_a_page_take_one_statement(make: Factory, statements: Statements) -> None:
    nika = await make.player()
    for _ in range(5):
        mate = await make.player()
        await make.teammates(nika, mate)
        await set_note(nika, mate.id, "a mate")
    statements.clear()
    page = await nika.api("{ viewer { teammates { nodes { viewerNote } } } }")
    assert [node["viewerNote"] for node in page["viewer"]["teammates"]["nodes"]] == ["a mate"] * 5
    assert sum("user_notes" in statement for statement in statements) == 1
