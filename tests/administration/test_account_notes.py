from typing import Any

import pytest
from sqlalchemy import delete, func, select

from gamebuddy import db
from gamebuddy.db import AuditAction, Role
from gamebuddy.schema import ids
from gamebuddy.schema.context import Services
from gamebuddy.schema.ids import Kind
from tests.accounts.operations import call, payload, problems
from tests.factories import Factory, Player

NOTE = "note { text at author { username } }"
NOTES = "query($id: ID!) { accountNotes(userId: $id) { text author { username } } }"
ACCOUNT = "query($id: ID!) { node(id: $id) { ... on Account { notes { text } } } }"


@pytest.fixture
async def admin(make: Factory) -> Player:
    return await make.player("boss", role=Role.ADMIN)


@pytest.fixture
async def mod(make: Factory) -> Player:
    return await make.player("mod_", role=Role.MODERATOR)


@pytest.fixture
async def nika(make: Factory) -> Player:
    return await make.player("nika")


async def add(by: Player, about: Player, text: str) -> Any:
    return await call(by.api, "addAccountNote", NOTE, userId=about.id, text=text)


async def read(by: Player, about: Player) -> list[str]:
    return [note["text"] for note in (await by.api(NOTES, id=about.id))["accountNotes"]]


async def test_the_staff_reads_what_it_has_written_down(
    admin: Player, mod: Player, nika: Player, services: Services
) -> None:
    made = payload(await add(mod, nika, "was warned"))["note"]
    assert (made["text"], made["author"], bool(made["at"])) == ("was warned", {"username": "mod_"}, True)
    payload(await add(admin, nika, "was warned again"))
    for by in (admin, mod):
        assert await read(by, nika) == ["was warned again", "was warned"]
    account = (await admin.api(ACCOUNT, id=ids.write(Kind.ACCOUNT, nika.account_id)))["node"]
    assert [note["text"] for note in account["notes"]] == ["was warned again", "was warned"]
    async with services.database.read() as session:
        entries = (
            await session.scalars(
                select(db.AuditEntry).where(db.AuditEntry.action == AuditAction.ADD_ACCOUNT_NOTE).order_by("number")
            )
        ).all()
    assert [(entry.actor_id, entry.target_id) for entry in entries] == [
        (mod.account_id, nika.account_id),
        (admin.account_id, nika.account_id),
    ]
    assert "warned" not in str([entry.detail for entry in entries])


async def test_the_newest_fifty_are_shown(mod: Player, nika: Player, services: Services) -> None:
    async with services.database.write() as session:
        for number in range(52):
            session.add(db.AccountNote(account_id=nika.account_id, author_id=None, text=str(number)))
            await session.flush()
    assert await read(mod, nika) == [str(number) for number in range(51, 1, -1)]


async def test_what_is_no_note_is_told(mod: Player, nika: Player) -> None:
    assert problems(await add(mod, nika, " ")) == [("TOO_SHORT", "input.text")]
    assert problems(await add(mod, nika, "x" * 1_001)) == [("TOO_LONG", "input.text")]
    payload(await add(mod, nika, "🎮" * 1_000))
    unknown = await call(mod.api, "addAccountNote", NOTE, userId=ids.write(Kind.USER, db.new_id()), text="who")
    assert problems(unknown) == [("NOT_FOUND", "input.userId")]


async def test_nobody_notes_on_himself_on_equals_or_above(
    admin: Player, mod: Player, nika: Player, make: Factory, services: Services
) -> None:
    other, second = await make.player("other", role=Role.MODERATOR), await make.player("second", role=Role.ADMIN)
    tried = "mutation($i: AddAccountNoteInput!) { addAccountNote(input: $i) { userErrors { code } } }"
    for by, about in ((mod, mod), (mod, other), (mod, admin), (admin, second), (admin, admin), (nika, mod)):
        error = await by.api.error(tried, i={"userId": about.id, "text": "hm"})
        assert error["extensions"]["code"] == "FORBIDDEN"
    async with services.database.read() as session:
        refused = select(func.count()).where(db.AuditEntry.action == AuditAction.REFUSED)
        assert await session.scalar(refused) == 5
        assert await session.scalar(select(func.count()).select_from(db.AccountNote)) == 0


async def test_nobody_else_reads_them_and_nobody_what_is_about_himself(
    admin: Player, mod: Player, nika: Player, make: Factory
) -> None:
    other = await make.player("other", role=Role.MODERATOR)
    payload(await add(admin, mod, "careful"))
    payload(await add(mod, nika, "was warned"))
    assert (await nika.api.error(NOTES, id=nika.id))["extensions"]["code"] == "FORBIDDEN"
    assert (await read(mod, mod), await read(other, mod), await read(admin, mod)) == ([], [], ["careful"])
    account = ids.write(Kind.ACCOUNT, nika.account_id)
    assert [(await by.api(ACCOUNT, id=account))["node"] for by in (nika, mod)] == [None, None]


async def test_notes_go_with_the_account_and_outlive_their_author(
    admin: Player, mod: Player, nika: Player, services: Services
) -> None:
    payload(await add(mod, nika, "was warned"))
    payload(await add(admin, mod, "careful"))
    async with services.database.write() as session:
        await session.execute(delete(db.Account).where(db.Account.id == mod.account_id))
    assert (await admin.api(NOTES, id=nika.id))["accountNotes"] == [{"text": "was warned", "author": None}]
    async with services.database.read() as session:
        assert (await session.scalars(select(db.AccountNote.text))).all() == ["was warned"]
