import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select

from gamebuddy import db
from gamebuddy.db import Role
from gamebuddy.schema import ids
from gamebuddy.schema.context import Services
from gamebuddy.schema.ids import Kind
from tests.accounts.operations import payload, problems
from tests.chat.operations import DELETE, EDIT
from tests.factories import Factory, Player
from tests.moderation.operations import evidence, filed, queue, report


@pytest.fixture
async def mod(make: Factory) -> Player:
    return await make.player("mod_", role=Role.MODERATOR)


@pytest.fixture
async def nika(make: Factory) -> Player:
    return await make.player("nika")


@pytest.fixture
async def troll(make: Factory) -> Player:
    return await make.player("troll", display_name="Troll", bio="you are all noobs")


async def test_a_player_is_reported_as_he_shows_himself(
    make: Factory, mod: Player, nika: Player, troll: Player
) -> None:
    made = payload(await report(nika, userId=troll.id, comment="look at his bio"))["report"]
    assert made["createdAt"]
    assert {name: made[name] for name in ("status", "reason", "comment", "closedAt", "resolution")} == {
        "status": "OPEN", "reason": "HARASSMENT", "comment": "look at his bio", "closedAt": None, "resolution": None,
    }  # fmt: skip
    assert (made["reporter"]["username"], made["reportedUser"]["username"]) == ("nika", "troll")
    change = "mutation($i: UpdateProfileInput!) { updateProfile(input: $i) { user { displayName } } }"
    await troll.api(change, i={"displayName": "Angel", "bio": "peace"})
    node = (
        "query($id: ID!) { node(id: $id) { ... on Report { profile { username displayName bio languages ageBand } } } }"
    )
    assert (await mod.api(node, id=made["id"]))["node"]["profile"] == {
        "username": "troll", "displayName": "Troll", "bio": "you are all noobs", "languages": ["en"],
        "ageBand": "FROM_25_TO_34",
    }  # fmt: skip
    assert await evidence(mod, made["id"]) == []


async def test_what_was_seen_outlives_edits_and_deletion(
    make: Factory, mod: Player, nika: Player, troll: Player
) -> None:
    chat_id = await make.direct_chat(troll, nika)
    sent = [await make.send(troll if number % 2 else nika, chat_id, f"line {number}") for number in range(40)]
    bad = sent[19]
    await troll.api(EDIT, input={"messageId": bad["id"], "text": "an insult"})
    await troll.api(EDIT, input={"messageId": bad["id"], "text": "a joke"})
    report_id = await filed(nika, messageId=bad["id"])
    await troll.api(DELETE, input={"messageId": bad["id"], "forEveryone": True})
    await troll.api(DELETE, input={"messageId": sent[17]["id"], "forEveryone": True})
    seen = await evidence(mod, report_id)
    assert [line["text"] for line in seen] == [
        "a joke" if number == 19 else f"line {number}" for number in range(4, 35)
    ]
    assert [line["isReported"] for line in seen].index(True) == 15
    assert seen[15]["earlierTexts"] == ["line 19", "an insult"]
    assert [line["author"]["username"] for line in seen[14:16]] == ["nika", "troll"]
    assert sum(bool(line["earlierTexts"]) for line in seen) == 1


async def test_words_that_were_taken_back_before_are_seen_by_the_staff(
    make: Factory, mod: Player, nika: Player, troll: Player
) -> None:
    chat_id = await make.direct_chat(troll, nika)
    bad = await make.send(troll, chat_id, "an insult")
    await troll.api(DELETE, input={"messageId": bad["id"], "forEveryone": True})
    (line,) = await evidence(mod, await filed(nika, messageId=bad["id"]))
    assert (line["text"], line["earlierTexts"]) == ("", ["an insult"])


async def test_nothing_is_kept_but_what_the_reporter_sees(
    make: Factory, mod: Player, nika: Player, troll: Player
) -> None:
    friend = await make.player("friend")
    group = await make.group(troll, friend)
    await make.send(troll, group, "before her time")
    await troll.api(
        "mutation($i: UpdateChatInput!) { updateChat(input: $i) { userErrors { code } } }",
        i={"chatId": group, "historyForNewcomers": 0},
    )
    await make.teammates(troll, nika)
    add = "mutation($i: AddMembersInput!) { addMembers(input: $i) { userErrors { code } } }"
    await troll.api(add, i={"chatId": group, "userIds": [nika.id]})
    hidden, bad = await make.send(friend, group, "hidden by her"), await make.send(troll, group, "an insult")
    await nika.api(DELETE, input={"messageId": hidden["id"], "forEveryone": False})
    assert [line["text"] for line in await evidence(mod, await filed(nika, messageId=bad["id"]))] == ["an insult"]


async def test_a_repeat_gives_the_first_and_a_closed_one_is_followed_by_another(
    make: Factory, mod: Player, nika: Player, troll: Player, services: Services
) -> None:
    chat_id = await make.direct_chat(troll, nika)
    bad = await make.send(troll, chat_id, "an insult")
    answers = await asyncio.gather(*(filed(nika, messageId=bad["id"]) for _ in range(8)))
    answers += await asyncio.gather(*(filed(nika, messageId=bad["id"], comment="again") for _ in range(2)))
    assert len(set(answers)) == 1
    by_user = set(await asyncio.gather(*(filed(nika, userId=troll.id) for _ in range(8))))
    assert len(by_user) == 1
    assert by_user != set(answers)
    async with services.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(db.Report)) == 2
        assert await session.scalar(select(func.count()).select_from(db.Evidence)) == 1
        assert await session.scalar(select(db.Report.comment).where(db.Report.comment.is_not(None))) is None
    await mod.api(
        "mutation($i: ResolveReportInput!) { resolveReport(input: $i) { userErrors { code } } }",
        i={"reportId": answers[0], "status": "DISMISSED", "resolution": "harmless"},
    )
    assert await filed(nika, messageId=bad["id"]) != answers[0]


async def test_what_one_cannot_see_is_as_what_does_not_exist(
    make: Factory, nika: Player, troll: Player, services: Services
) -> None:
    friend, blocker = await make.player(), await make.player()
    gone = await make.player(status=db.AccountStatus.DELETED)
    await make.block(blocker, nika)
    message = await make.send(troll, await make.direct_chat(troll, friend), "between others")
    unknown = [
        await report(nika, userId=ids.write(Kind.USER, db.new_id())),
        await report(nika, messageId=ids.write(Kind.MESSAGE, db.new_id())),
    ]
    assert [problems(answer) for answer in unknown] == [
        [("NOT_FOUND", "input.subject.userId")],
        [("NOT_FOUND", "input.subject.messageId")],
    ]
    assert await report(nika, userId=blocker.id) == unknown[0]
    assert await report(nika, userId=gone.id) == unknown[0]
    assert await report(nika, messageId=message["id"]) == unknown[1]
    async with services.database.read() as session:
        assert await session.scalar(select(db.Report.id)) is None


async def test_what_makes_no_sense_is_told(make: Factory, nika: Player, troll: Player) -> None:
    group = await make.group(nika, troll)
    own = await make.send(nika, group, "mine")
    assert problems(await report(nika, userId=nika.id)) == [("INVALID", "input.subject")]
    assert problems(await report(nika, messageId=own["id"])) == [("INVALID", "input.subject")]
    assert problems(await report(nika, userId=troll.id, comment="x" * 1001)) == [("TOO_LONG", "input.comment")]
    assert problems(await report(nika, userId=troll.id, comment=" ")) == [("TOO_SHORT", "input.comment")]
    await nika.api(
        "mutation($i: UpdateChatInput!) { updateChat(input: $i) { userErrors { code } } }",
        i={"chatId": group, "title": "New"},
    )
    nodes = await nika.api("query($id: ID!) { chat(id: $id) { messages(last: 1) { nodes { id kind } } } }", id=group)
    (said,) = nodes["chat"]["messages"]["nodes"]
    assert said["kind"] == "SYSTEM"
    assert problems(await report(nika, messageId=said["id"])) == [("NOT_ALLOWED", "input.subject.messageId")]
    document = "mutation($s: ReportSubject!) { report(input: {subject: $s, reason: SPAM}) { userErrors { code } } }"
    for subject in ({}, {"userId": troll.id, "messageId": own["id"]}, {"userId": None}):
        assert (await nika.api.error(document, s=subject))["extensions"]["code"] == "BAD_USER_INPUT"


async def test_one_who_blocks_his_victims_is_reported_by_what_he_writes(
    make: Factory, mod: Player, nika: Player, troll: Player
) -> None:
    friend = await make.player("friend")
    group = await make.group(friend, troll, nika)
    await make.block(troll, nika)
    bad = await make.send(troll, group, "an insult")
    made = payload(await report(nika, messageId=bad["id"]))
    assert made["report"]["reportedUser"]["username"] == "deleted_account"  # whoever wrote it is hidden from her
    (report_id,) = await queue(mod)
    assert await queue(mod, "OPEN") == [report_id]
    assert (await evidence(mod, report_id))[0]["author"]["username"] == "troll"
    assert await evidence(nika, report_id) == []


async def test_the_staff_sees_also_whoever_has_blocked_it(
    make: Factory, mod: Player, nika: Player, troll: Player
) -> None:
    await make.block(troll, mod)
    await make.block(nika, mod)
    report_id = await filed(nika, userId=troll.id)
    node = "query($id: ID!) { node(id: $id) { ... on Report { reporter { username } reportedUser { username } } } }"
    assert (await mod.api(node, id=report_id))["node"] == {
        "reporter": {"username": "nika"},
        "reportedUser": {"username": "troll"},
    }


async def test_a_reporter_sees_his_report_and_nothing_that_is_for_the_staff(
    make: Factory, mod: Player, nika: Player, troll: Player
) -> None:
    bad = await make.send(troll, await make.direct_chat(troll, nika), "an insult")
    report_id = await filed(nika, messageId=bad["id"])
    await mod.api(
        "mutation($i: ResolveReportInput!) { resolveReport(input: $i) { userErrors { code } } }",
        i={"reportId": report_id, "status": "ACTIONED", "resolution": "muted, as twice before"},
    )
    node = """query($id: ID!) { node(id: $id) { ... on Report {
      status reporter { username } reportedUser { username } assignee { username } resolution profile { bio }
      evidence { text }
    } } }"""
    assert (await nika.api(node, id=report_id))["node"] == {
        "status": "ACTIONED", "reporter": {"username": "nika"}, "reportedUser": {"username": "troll"},
        "assignee": None, "resolution": None, "profile": None, "evidence": [],
    }  # fmt: skip
    for other in (troll, await make.player()):
        assert (await other.api(node, id=report_id))["node"] is None


async def test_a_reporter_lists_what_he_reported_and_what_became_of_it(
    make: Factory, mod: Player, nika: Player, troll: Player
) -> None:
    first, second = await filed(nika, userId=troll.id), await filed(nika, userId=mod.id)
    await filed(troll, userId=nika.id)
    await mod.api(
        "mutation($i: ResolveReportInput!) { resolveReport(input: $i) { userErrors { code } } }",
        i={"reportId": first, "status": "ACTIONED", "resolution": "muted"},
    )
    own = """query($first: Int, $after: Cursor) { viewer { reports(first: $first, after: $after) {
      nodes { id status } pageInfo { hasNextPage endCursor } } } }"""
    page = (await nika.api(own, first=1))["viewer"]["reports"]
    assert (page["nodes"], page["pageInfo"]["hasNextPage"]) == ([{"id": second, "status": "OPEN"}], True)
    rest = (await nika.api(own, first=5, after=page["pageInfo"]["endCursor"]))["viewer"]["reports"]
    assert (rest["nodes"], rest["pageInfo"]["hasNextPage"]) == ([{"id": first, "status": "ACTIONED"}], False)


async def test_after_twenty_reports_one_has_to_wait(make: Factory, nika: Player, troll: Player) -> None:
    codes: list[Any] = []
    for _ in range(21):
        codes += (await report(nika, userId=troll.id))["report"]["userErrors"]
    (problem,) = codes
    assert problem["code"] == "RETRY_LATER"
    assert problem["retryAt"]


async def test_an_erased_account_is_in_no_report(
    make: Factory, mod: Player, nika: Player, troll: Player, services: Services
) -> None:
    from gamebuddy.resolvers import reports

    chat_id = await make.direct_chat(troll, nika)
    bad = await make.send(troll, chat_id, "an insult")
    about_message, about_user = await filed(nika, messageId=bad["id"]), await filed(nika, userId=troll.id)
    by_him = await filed(troll, userId=nika.id)
    async with services.database.write() as session:
        await reports.forget(session, [troll.account_id])
    (line,) = await evidence(mod, about_message)
    assert (line["text"], line["author"]) == ("an insult", None)
    node = "query($id: ID!) { node(id: $id) { ... on Report {"
    node += " profile { bio } reporter { username } reportedUser { id displayName profile { bio } avatarUrl } } } }"
    found = (await mod.api(node, id=about_user))["node"]
    assert (found["profile"], found["reportedUser"]["displayName"]) == (None, "Deleted account")
    assert (await mod.api(node, id=by_him))["node"]["reporter"] is None
    async with services.database.read() as session:
        connection = await session.connection()
        for table in ("reports", "evidence"):
            rows = await connection.exec_driver_sql(f"SELECT row_to_json({table})::text FROM {table}")
            assert all(str(troll.account_id) not in row[0] and "Troll" not in row[0] for row in rows)
