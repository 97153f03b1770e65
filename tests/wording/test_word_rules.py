import asyncio
import uuid

import pytest
from sqlalchemy import select

from gamebuddy import db
from gamebuddy.db import AuditAction, Role
from gamebuddy.schema import ids
from gamebuddy.schema.context import Services
from gamebuddy.schema.ids import Kind
from gamebuddy.settings import Settings
from tests.accounts.operations import call, payload, problems, register
from tests.api import Api
from tests.conftest import free_port, running
from tests.factories import Factory, Player
from tests.wording.operations import RULE, add, send

BLOCKED = ("NOT_ALLOWED", "input.text")
TEST = "query($text: String!) { testPhrase(text: $text) { shown findings { effect found start } } }"


@pytest.fixture
async def admin(make: Factory) -> Player:
    return await make.player("boss", role=Role.ADMIN)


async def test_a_blocked_word_is_said_nowhere(admin: Player, make: Factory, services: Services, api: Api) -> None:
    nika, max_, stranger = await make.player("nika"), await make.player("max"), await make.player("stranger")
    chat, group = await make.direct_chat(nika, max_), await make.group(nika, max_)
    message = await make.send(nika, chat, "harmless")
    await add(admin, services, "darn")
    assert problems(await send(nika, chat, "D4RN it")) == [BLOCKED]
    edit = await call(nika.api, "editMessage", "message { text }", messageId=message["id"], text="d.a.r.n")
    assert problems(edit) == [BLOCKED]
    for field in ("displayName", "bio"):
        changed = await call(nika.api, "updateProfile", "user { id }", **{field: "Darn"})
        assert problems(changed) == [("NOT_ALLOWED", f"input.{field}")]
    retitled = await call(nika.api, "updateChat", "chat { title }", chatId=group, title="darn group")
    assert problems(retitled) == [("NOT_ALLOWED", "input.title")]
    made = await call(nika.api, "createGroup", "chat { id }", title="darn", memberIds=[], clientId=str(uuid.uuid4()))
    assert problems(made) == [("NOT_ALLOWED", "input.title")]
    asked = await call(nika.api, "sendTeammateRequest", "request { id }", userId=stranger.id, message="play, darn?")
    assert problems(asked) == [("NOT_ALLOWED", "input.message")]
    assert problems(await register(api, username="darn_42")) == [("NOT_ALLOWED", "input.username")]
    assert payload(await send(nika, chat, "darning socks"))["message"]["text"] == "darning socks"


async def test_a_masked_word_is_stored_and_shown_under_its_mask(
    admin: Player, make: Factory, services: Services
) -> None:
    nika, max_ = await make.player("nika"), await make.player("max")
    chat = await make.direct_chat(nika, max_)
    await add(admin, services, "darn", "MASK", "ANYWHERE")
    client_id = str(uuid.uuid4())
    first = payload(await send(nika, chat, "ohdarnit!", client_id))["message"]
    assert first["text"] == "oh****it!"
    assert payload(await send(nika, chat, "ohdarnit!", client_id))["message"] == first
    edited = await call(nika.api, "editMessage", "message { text }", messageId=first["id"], text="oh darn")
    assert payload(edited)["message"]["text"] == "oh ****"
    renamed = await call(nika.api, "updateProfile", "user { displayName }", displayName="Darn Nika")
    assert payload(renamed)["user"]["displayName"] == "**** Nika"
    async with services.database.read() as session:
        stored = (await session.scalars(select(db.Message.text))).all()
    assert [text for text in stored if "darn" in text] == []


async def test_a_repeat_is_the_same_message_whatever_has_become_of_the_rules(
    admin: Player, make: Factory, services: Services
) -> None:
    nika, max_ = await make.player("nika"), await make.player("max")
    chat, before, under = await make.direct_chat(nika, max_), str(uuid.uuid4()), str(uuid.uuid4())
    unmasked = payload(await send(nika, chat, "oh darn", before))["message"]
    rule = await add(admin, services, "darn", "MASK")
    assert payload(await send(nika, chat, "oh darn", before))["message"] == unmasked
    masked = payload(await send(nika, chat, "oh darn", under))["message"]
    payload(await call(admin.api, "deleteWordRule", RULE, ruleId=rule["id"], reason="too strict"))
    await services.words.follow()
    assert payload(await send(nika, chat, "oh darn", under))["message"] == masked
    assert problems(await send(nika, chat, "no dear", under)) == [("IDEMPOTENCY_MISMATCH", "input.clientId")]


async def test_the_staff_tries_a_phrase_by_the_same_filter(admin: Player, make: Factory, services: Services) -> None:
    mod = await make.player("mod_", role=Role.MODERATOR)
    await add(admin, services, "darn", "MASK")
    await add(admin, services, "fool", "BLOCK")
    tried = (await mod.api(TEST, text="oh d-a-r-n"))["testPhrase"]
    assert tried == {"shown": "oh *******", "findings": [{"effect": "MASK", "found": "d-a-r-n", "start": 3}]}
    assert (await mod.api(TEST, text="darn f00l"))["testPhrase"]["shown"] is None
    assert (await mod.api(TEST, text="foolish"))["testPhrase"] == {"shown": "foolish", "findings": []}
    rules = (await mod.api("{ wordRules { phrase effect match } }"))["wordRules"]
    assert [rule["phrase"] for rule in rules] == ["darn", "fool"]
    assert (await mod.api.error(TEST, text="x" * 4_001))["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_rule_for_the_same_word_takes_the_place_of_the_first(admin: Player, services: Services) -> None:
    first = await add(admin, services, "darn")
    second = await add(admin, services, "dаrn", "MASK", "ANYWHERE")
    assert second == {"id": first["id"], "phrase": "dаrn", "effect": "MASK", "match": "ANYWHERE"}
    async with services.database.read() as session:
        entries = (await session.scalars(select(db.AuditEntry).order_by(db.AuditEntry.number))).all()
    assert [entry.action for entry in entries] == [AuditAction.SAVE_WORD_RULE] * 2
    assert (entries[1].reason, entries[1].detail["before"]) == (
        "house rules",
        {"effect": "BLOCK", "match": "WHOLE_WORDS"},
    )


async def test_what_is_no_rule_is_told(admin: Player) -> None:
    given = {"effect": "BLOCK", "match": "ANYWHERE", "reason": "why"}
    for phrase, code in ((" ", "TOO_SHORT"), ("x" * 51, "TOO_LONG"), ("a", "INVALID"), ("!?", "INVALID")):
        answer = await call(admin.api, "saveWordRule", RULE, phrase=phrase, **given)
        assert problems(answer) == [(code, "input.phrase")]
    nothing = ids.write(Kind.WORD_RULE, db.new_id())
    answer = await call(admin.api, "deleteWordRule", RULE, ruleId=nothing, reason="why")
    assert problems(answer) == [("NOT_FOUND", "input.ruleId")]


async def test_every_node_follows_by_itself(
    admin: Player, make: Factory, settings: Settings, services: Services
) -> None:
    nika, max_ = await make.player("nika"), await make.player("max")
    chat = await make.direct_chat(nika, max_)
    second = settings.model_copy(update={"port": free_port()})
    async with running(second), Api.open(second.url) as elsewhere:
        there = Player(elsewhere.signed_in(nika.api.token or ""), nika.account_id, nika.session_id, "nika")
        given = {"phrase": "darn", "effect": "MASK", "match": "WHOLE_WORDS", "reason": "house rules"}
        payload(await call(admin.api, "saveWordRule", RULE, **given))
        async with asyncio.timeout(30):
            for who in (nika, there):
                while payload(await send(who, chat, "darn"))["message"]["text"] != "****":
                    await asyncio.sleep(0.1)
