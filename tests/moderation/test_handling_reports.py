import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from gamebuddy import db
from gamebuddy.db import AuditAction, Role
from gamebuddy.schema import ids
from gamebuddy.schema.context import Services
from gamebuddy.schema.ids import Kind
from tests.accounts.operations import payload, problems
from tests.chat.operations import texts
from tests.conftest import Statements
from tests.factories import Factory, Player
from tests.moderation.operations import EVIDENCE, QUEUE, evidence, filed, handle, queue, report

DECIDED = {"status": "ACTIONED", "resolution": "muted for a week"}
PAGE = f"query($first: Int) {{ reports(first: $first) {{ nodes {{ {EVIDENCE} reporter {{ username }} }} }} }}"


@pytest.fixture
async def mod(make: Factory) -> Player:
    return await make.player("mod_", role=Role.MODERATOR)


@pytest.fixture
async def other(make: Factory) -> Player:
    return await make.player("other", role=Role.MODERATOR)


@pytest.fixture
async def nika(make: Factory) -> Player:
    return await make.player("nika")


@pytest.fixture
async def troll(make: Factory) -> Player:
    return await make.player("troll")


async def entries(services: Services) -> list[db.AuditEntry]:
    async with services.database.read() as session:
        return list(await session.scalars(select(db.AuditEntry).order_by(db.AuditEntry.number)))


async def test_a_report_is_claimed_released_and_decided(
    mod: Player, other: Player, nika: Player, troll: Player, services: Services
) -> None:
    report_id = await filed(nika, userId=troll.id)
    claimed = payload(await handle(mod, "claimReport", report_id))["report"]
    assert (claimed["status"], claimed["assignee"]["username"]) == ("IN_REVIEW", "mod_")
    for operation, more in (("claimReport", {}), ("releaseReport", {}), ("resolveReport", DECIDED)):
        assert problems(await handle(other, operation, report_id, **more)) == [("CONFLICT", "input.reportId")]
    released = payload(await handle(mod, "releaseReport", report_id))["report"]
    assert (released["status"], released["assignee"]) == ("OPEN", None)
    payload(await handle(mod, "releaseReport", report_id))
    decided = payload(await handle(other, "resolveReport", report_id, **DECIDED))["report"]
    assert (decided["status"], decided["resolution"], decided["assignee"]["username"]) == (*DECIDED.values(), "other")
    assert decided["closedAt"]
    payload(await handle(other, "resolveReport", report_id, **DECIDED))
    for operation, more in (("claimReport", {}), ("releaseReport", {}), ("resolveReport", DECIDED)):
        assert problems(await handle(mod, operation, report_id, **more)) == [("CONFLICT", "input.reportId")]
    written = [(entry.action, entry.actor_id, entry.target_id, entry.reason) for entry in await entries(services)]
    assert written == [
        (AuditAction.CLAIM_REPORT, mod.account_id, troll.account_id, None),
        (AuditAction.RELEASE_REPORT, mod.account_id, troll.account_id, None),
        (AuditAction.RESOLVE_REPORT, other.account_id, troll.account_id, "muted for a week"),
    ]


async def test_of_many_who_claim_at_once_one_has_it(make: Factory, nika: Player, troll: Player) -> None:
    staff = [await make.player(role=Role.MODERATOR) for _ in range(6)]
    report_id = await filed(nika, userId=troll.id)
    answers = await asyncio.gather(*(handle(one, "claimReport", report_id) for one in staff))
    assert sum(bool(answer["claimReport"]["report"]) for answer in answers) == 1
    holder = next(one for one, answer in zip(staff, answers, strict=True) if answer["claimReport"]["report"])
    assert payload(await handle(holder, "claimReport", report_id))["report"]["assignee"]["username"] == holder.username


async def test_of_two_who_decide_at_once_one_does(
    mod: Player, other: Player, nika: Player, troll: Player, services: Services
) -> None:
    report_id = await filed(nika, userId=troll.id)
    answers = await asyncio.gather(
        *(handle(one, "resolveReport", report_id, **(DECIDED | {"resolution": one.username})) for one in (mod, other))
    )
    assert sum(bool(answer["resolveReport"]["report"]) for answer in answers) == 1
    (entry,) = await entries(services)
    async with services.database.read() as session:
        row = (await session.scalars(select(db.Report))).one()
    assert (row.assignee_id, row.resolution) == (entry.actor_id, entry.reason)


async def test_a_claim_that_was_forgotten_is_free_after_a_day(
    make: Factory, mod: Player, other: Player, nika: Player, troll: Player, services: Services
) -> None:
    report_id = await filed(nika, userId=troll.id)
    payload(await handle(mod, "claimReport", report_id))
    async with services.database.write() as session:
        await session.execute(update(db.Report).values(claimed_at=datetime.now(UTC) - timedelta(days=1, minutes=1)))
    assert payload(await handle(other, "claimReport", report_id))["report"]["assignee"]["username"] == "other"
    assert problems(await handle(mod, "resolveReport", report_id, **DECIDED)) == [("CONFLICT", "input.reportId")]
    admin = await make.player(role=Role.ADMIN)
    assert payload(await handle(admin, "releaseReport", report_id))["report"]["status"] == "OPEN"


async def test_nobody_handles_what_is_about_himself_or_what_he_filed(
    make: Factory, mod: Player, other: Player, nika: Player, troll: Player
) -> None:
    admin = await make.player("boss", role=Role.ADMIN)
    about_mod, by_mod = await filed(nika, userId=mod.id), await filed(mod, userId=troll.id)
    about_admin, by_admin = await filed(nika, userId=admin.id), await filed(admin, userId=nika.id)
    second = await make.player("second", role=Role.ADMIN)
    assert await queue(mod) == [by_admin]
    assert await queue(other) == [by_admin, by_mod]
    assert await queue(admin) == [by_mod, about_mod]
    assert await queue(second) == [by_admin, about_admin, by_mod, about_mod]
    for who, report_id in ((mod, about_mod), (mod, by_mod), (other, about_mod), (mod, about_admin), (admin, by_admin)):
        for operation, more in (
            ("claimReport", {}),
            ("releaseReport", {}),
            ("resolveReport", DECIDED),
            ("hideReportedMessage", {"reason": "mine"}),
        ):
            assert problems(await handle(who, operation, report_id, **more)) == [("NOT_FOUND", "input.reportId")]
    assert await evidence(mod, about_mod) is None
    assert await evidence(mod, by_mod) == []
    payload(await handle(second, "resolveReport", about_admin, status="DISMISSED", resolution="no"))


async def test_what_makes_no_sense_is_told(mod: Player, nika: Player, troll: Player) -> None:
    report_id = await filed(nika, userId=troll.id)
    nothing = ids.write(Kind.REPORT, db.new_id())
    assert problems(await handle(mod, "claimReport", nothing)) == [("NOT_FOUND", "input.reportId")]
    for status in ("OPEN", "IN_REVIEW"):
        answer = await handle(mod, "resolveReport", report_id, status=status, resolution="x")
        assert problems(answer) == [("INVALID", "input.status")]
    for resolution, code in ((" ", "TOO_SHORT"), ("x" * 1001, "TOO_LONG")):
        answer = await handle(mod, "resolveReport", report_id, status="ACTIONED", resolution=resolution)
        assert problems(answer) == [(code, "input.resolution")]
    answer = await handle(mod, "hideReportedMessage", report_id, reason="x")
    assert problems(answer) == [("NOT_ALLOWED", "input.reportId")]


async def test_the_queue_is_read_from_its_old_end(mod: Player, make: Factory, troll: Player) -> None:
    filed_ones = [await filed(await make.player(), userId=troll.id) for _ in range(5)]
    payload(await handle(mod, "claimReport", filed_ones[1]))
    payload(await handle(mod, "resolveReport", filed_ones[3], **DECIDED))
    assert await queue(mod, "OPEN") == [filed_ones[0], filed_ones[2], filed_ones[4]]
    assert await queue(mod, "IN_REVIEW") == [filed_ones[1]]
    assert await queue(mod, "ACTIONED") == [filed_ones[3]]
    assert await queue(mod, "DISMISSED") == []
    assert await queue(mod) == filed_ones[::-1]
    first = (await mod.api(QUEUE, status="OPEN", first=2))["reports"]
    assert first["pageInfo"]["hasNextPage"]
    rest = (await mod.api(QUEUE, status="OPEN", first=2, after=first["pageInfo"]["endCursor"]))["reports"]
    assert [node["id"] for node in rest["nodes"]] == [filed_ones[4]]
    error = await mod.api.error(QUEUE, status="ACTIONED", after=first["pageInfo"]["endCursor"])
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_each_look_at_a_private_chat_is_written_down(
    make: Factory, mod: Player, nika: Player, troll: Player, services: Services
) -> None:
    bad = await make.send(troll, await make.direct_chat(troll, nika), "an insult")
    report_id = await filed(nika, messageId=bad["id"])
    assert await queue(mod) == [report_id]
    assert await entries(services) == []  # the queue alone shows nothing of it
    assert len(await evidence(mod, report_id)) == 1
    (entry,) = await entries(services)
    assert (entry.action, entry.actor_id, entry.target_id) == (
        AuditAction.LOOK_AT_REPORT,
        mod.account_id,
        troll.account_id,
    )
    assert entry.detail == {"report": str(ids.read(Kind.REPORT, report_id))}
    assert await evidence(nika, report_id) == []
    assert len(await entries(services)) == 1
    message = "query($id: ID!) { message(id: $id) { text } }"
    assert (await mod.api(message, id=bad["id"]))["message"] is None  # there is no other way to it


async def test_a_page_with_all_it_keeps_takes_the_same_statements_for_few_and_for_many(
    make: Factory, mod: Player, nika: Player, statements: Statements
) -> None:
    counts = []
    for _ in range(2):
        for _ in range(4):
            somebody = await make.player()
            sent = await make.send(somebody, await make.direct_chat(somebody, nika), "an insult")
            await filed(nika, messageId=sent["id"])
        statements.clear()
        nodes: Any = (await mod.api(PAGE, first=50))["reports"]["nodes"]
        assert all(len(node["evidence"]) == 1 for node in nodes)
        counts.append(len(statements))
    assert counts[0] == counts[1]


async def test_a_reported_message_is_taken_away_and_everybody_in_the_chat_hears_of_it(
    make: Factory, mod: Player, other: Player, nika: Player, troll: Player, services: Services
) -> None:
    group = await make.group(nika, troll)
    bad = await make.send(troll, group, "an insult")
    report_id = await filed(nika, messageId=bad["id"])
    payload(await handle(mod, "claimReport", report_id))
    assert problems(await handle(other, "hideReportedMessage", report_id, reason="rude")) == [
        ("CONFLICT", "input.reportId")
    ]
    async with nika.api.socket() as socket:
        stream = await socket.subscribe(
            "subscription { events { __typename ... on MessageDeleted { message { id text deletedAt } } } }"
        )
        await stream.until("CaughtUp")
        payload(await handle(mod, "hideReportedMessage", report_id, reason="rude"))
        told = await stream.until("MessageDeleted")
    assert (told["message"]["id"], told["message"]["text"]) == (bad["id"], "")
    assert await texts(nika, group) == [""]
    payload(await handle(mod, "hideReportedMessage", report_id, reason="rude"))
    actions = [entry.action for entry in await entries(services)]
    assert actions == [AuditAction.CLAIM_REPORT, AuditAction.HIDE_MESSAGE]
    assert (await evidence(mod, report_id))[0]["text"] == "an insult"


async def test_the_reported_one_finds_out_nothing(make: Factory, mod: Player, nika: Player, troll: Player) -> None:
    await report(nika, userId=troll.id)
    (report_id,) = await queue(mod)
    payload(await handle(mod, "resolveReport", report_id, **DECIDED))
    assert (await troll.api("{ auditLog { nodes { action } } }"))["auditLog"]["nodes"] == []
    assert await evidence(troll, report_id) is None
