import asyncio
import uuid
from typing import Any

import pytest
from sqlalchemy import func, select

from gamebuddy import db
from gamebuddy.db import Role
from gamebuddy.schema.context import Services
from tests.accounts.operations import arrive, call, payload
from tests.api import Api
from tests.factories import Factory, Player
from tests.moderation.operations import QUEUE, REPORT, evidence, handle, queue
from tests.post_office import PostOffice
from tests.wording.operations import RULE, add, send

KNOWN = f"query($id: ID!) {{ node(id: $id) {{ ... on Report {{ {REPORT.removeprefix('report {').rstrip()[:-1]} }} }} }}"


@pytest.fixture
async def admin(make: Factory) -> Player:
    return await make.player("boss", role=Role.ADMIN)


@pytest.fixture
async def mod(make: Factory) -> Player:
    return await make.player("mod_", role=Role.MODERATOR)


@pytest.fixture
async def nika(make: Factory) -> Player:
    return await make.player("nika")


async def known(by: Player, report_id: str) -> Any:
    return (await by.api(KNOWN, id=report_id))["node"]


async def close(by: Player) -> None:
    """Decide on whatever waits."""
    for report_id in await queue(by, "OPEN"):
        payload(await handle(by, "resolveReport", report_id, status="DISMISSED", resolution="harmless"))


async def test_a_flagged_message_is_reported_with_those_around_it(
    admin: Player, mod: Player, nika: Player, make: Factory, services: Services
) -> None:
    max_ = await make.player("max")
    chat = await make.direct_chat(nika, max_)
    await make.send(max_, chat, "hello")
    await add(admin, services, "cheap gold", "FLAG")
    bad = payload(await send(nika, chat, "I have ch3ap gold", client_id := str(uuid.uuid4())))["message"]
    assert bad["text"] == "I have ch3ap gold"
    assert payload(await send(nika, chat, "I have ch3ap gold", client_id))["message"] == bad
    (report_id,) = await queue(mod)
    found = await known(mod, report_id)
    assert (found["reporter"], found["reportedUser"]["username"], found["status"]) == (None, "nika", "OPEN")
    assert (found["reason"], found["comment"]) == ("OTHER", "Flagged by the word filter: cheap gold")
    seen = await evidence(mod, report_id)
    assert [(line["text"], line["isReported"]) for line in seen] == [("hello", False), ("I have ch3ap gold", True)]
    payload(await handle(mod, "hideReportedMessage", report_id, reason="spam"))


async def test_a_message_that_is_changed_is_flagged_once_while_its_report_is_open(
    admin: Player, mod: Player, nika: Player, make: Factory, services: Services
) -> None:
    chat = await make.direct_chat(nika, await make.player("max"))
    message = await make.send(nika, chat, "harmless")
    await add(admin, services, "gold", "FLAG")
    for text in ("gold", "more gold"):
        payload(await call(nika.api, "editMessage", "message { text }", messageId=message["id"], text=text))
    (report_id,) = await queue(mod)
    (line,) = await evidence(mod, report_id)
    assert (line["text"], line["earlierTexts"]) == ("gold", ["harmless"])
    await close(mod)
    payload(await call(nika.api, "editMessage", "message { text }", messageId=message["id"], text="again gold"))
    assert len(await queue(mod, "OPEN")) == 1


async def test_what_is_no_message_is_reported_of_its_author(
    admin: Player, mod: Player, nika: Player, make: Factory, services: Services
) -> None:
    stranger = await make.player("stranger")
    group = await make.group(nika, await make.player("max"))
    await add(admin, services, "gold", "FLAG")
    for operation, fields, given, text in (
        ("updateProfile", "user { id }", {"bio": "gold here"}, "gold here"),
        ("updateProfile", "user { id }", {"displayName": "Gold"}, "Gold"),
        ("updateChat", "chat { title }", {"chatId": group, "title": "gold shop"}, "gold shop"),
        ("createGroup", "chat { id }", {"title": "GOLD", "memberIds": [], "clientId": str(uuid.uuid4())}, "GOLD"),
        ("sendTeammateRequest", "request { id }", {"userId": stranger.id, "message": "my gold"}, "my gold"),
    ):
        payload(await call(nika.api, operation, fields, **given))
        (report_id,) = await queue(mod, "OPEN")
        assert (await known(mod, report_id))["profile"]["username"] == "nika"
        assert [line["text"] for line in await evidence(mod, report_id)] == [text]
        await close(mod)


async def test_names_are_flagged_once_their_address_is_proved(
    admin: Player, mod: Player, services: Services, api: Api, post_office: PostOffice
) -> None:
    await add(admin, services, "gold", "FLAG", "ANYWHERE")
    await arrive(api, post_office, "goldseller")
    (report_id,) = await queue(mod)
    assert [line["text"] for line in await evidence(mod, report_id)] == ["goldseller"]


async def test_flags_at_once_about_one_author_are_one_report(
    admin: Player, mod: Player, nika: Player, make: Factory, services: Services
) -> None:
    await add(admin, services, "gold", "FLAG")
    titles = [
        call(nika.api, "createGroup", "chat { id }", title="gold", memberIds=[], clientId=str(uuid.uuid4()))
        for _ in range(8)
    ]
    for answer in await asyncio.gather(*titles):
        payload(answer)
    assert len(await queue(mod)) == 1


async def test_messages_of_a_shared_transaction_are_each_reported(
    admin: Player, mod: Player, make: Factory, services: Services
) -> None:
    pairs = [(await make.player(), await make.player()) for _ in range(6)]
    chats = [await make.direct_chat(*pair) for pair in pairs]
    await add(admin, services, "gold", "FLAG")
    sent = [
        send(author, chat, "gold" if number % 2 else "silver")
        for number, (chat, pair) in enumerate(zip(chats, pairs, strict=True))
        for author in pair
    ]
    for answer in await asyncio.gather(*sent):
        payload(answer)
    assert len(await queue(mod)) == 6


async def test_the_author_finds_out_nothing(
    admin: Player, mod: Player, nika: Player, make: Factory, services: Services
) -> None:
    chat = await make.direct_chat(nika, await make.player("max"))
    await add(admin, services, "gold", "FLAG")
    payload(await send(nika, chat, "gold"))
    (report_id,) = await queue(mod)
    assert await known(nika, report_id) is None
    assert (await nika.api("{ viewer { reports(first: 5) { nodes { id } } } }"))["viewer"]["reports"]["nodes"] == []
    assert (await nika.api.error(QUEUE))["extensions"]["code"] == "FORBIDDEN"


async def test_what_a_rule_blocks_is_not_reported_and_a_flag_masks_nothing(
    admin: Player, mod: Player, nika: Player, make: Factory, services: Services
) -> None:
    chat = await make.direct_chat(nika, await make.player("max"))
    await add(admin, services, "gold", "FLAG")
    await add(admin, services, "darn", "BLOCK")
    tried = await mod.api("query($t: String!) { testPhrase(text: $t) { shown findings { effect } } }", t="gold")
    assert tried["testPhrase"] == {"shown": "gold", "findings": [{"effect": "FLAG"}]}
    await send(nika, chat, "darn gold")
    assert await queue(mod) == []
    rule = await call(admin.api, "saveWordRule", RULE, phrase="gold", effect="MASK", match="ANYWHERE", reason="x")
    payload(rule)
    await services.words.follow()
    assert payload(await send(nika, chat, "gold"))["message"]["text"] == "****"
    async with services.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(db.Report)) == 0


async def test_reports_of_erased_reporters_do_not_count_for_the_filter(
    admin: Player, mod: Player, nika: Player, make: Factory, services: Services
) -> None:
    async with services.database.write() as session:
        session.add_all(
            db.Report(
                subject=db.ReportSubject.USER,
                reporter_id=None,
                reported_id=nika.account_id,
                reason=db.ReportReason.SPAM,
            )
            for _ in range(2)
        )
    await add(admin, services, "gold", "FLAG")
    payload(await call(nika.api, "updateProfile", "user { id }", bio="gold"))
    assert len(await queue(mod)) == 3
