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
from gamebuddy.schema.scalars import write_moment
from tests.accounts.operations import PASSWORD, call, done, payload, problems, refused, sign_in
from tests.api import Api
from tests.factories import Factory, Player
from tests.post_office import PostOffice

WORDS = "It was my brother."
APPEAL = "appeal { id text status answer answeredAt answeredBy { username } sanction { kind user { username } } }"
QUEUE = """query($status: AppealStatus, $first: Int, $after: Cursor) {
  appeals(status: $status, first: $first, after: $after) {
    nodes { id text sanction { user { username } by { username } } } pageInfo { hasNextPage endCursor }
  }
}"""
MINE = "{ viewer { sanctions { kind reason until by { username } appeal { text status answer answeredBy { id } } } } }"


@pytest.fixture
async def mod(make: Factory) -> Player:
    return await make.player("mod_", role=Role.MODERATOR)


@pytest.fixture
async def other(make: Factory) -> Player:
    return await make.player("other", role=Role.MODERATOR)


@pytest.fixture
async def nika(make: Factory, services: Services) -> Player:
    return await make.player("nika", password_hash=await services.gate.passwords.hash(PASSWORD))


def until(**delta: float) -> str:
    return write_moment(datetime.now(UTC) + timedelta(**delta))


async def sanction(by: Player, who: Player, kind: str) -> None:
    given = {"userId": who.id, "kind": kind, "reason": "loud", "until": until(days=3)}
    payload(await call(by.api, "sanctionUser", "sanction { id }", **given))


async def appeal_ban(api: Api, **more: Any) -> Any:
    return await call(api, "appealBan", **({"login": "nika", "password": PASSWORD, "text": WORDS} | more))


async def queue(by: Player, status: str | None = "OPEN") -> list[str]:
    return [node["id"] for node in (await by.api(QUEUE, status=status))["appeals"]["nodes"]]


async def answer(by: Player, appeal_id: str, *, accept: bool = True, words: str = "Welcome back.") -> Any:
    return await call(by.api, "answerAppeal", APPEAL, appealId=appeal_id, isAccepted=accept, answer=words)


async def test_a_banned_player_appeals_with_his_password_and_is_let_in_again(
    api: Api, mod: Player, other: Player, nika: Player, post_office: PostOffice, services: Services
) -> None:
    await sanction(mod, nika, "BAN")
    assert payload(await appeal_ban(api)) == {"isDone": True, "userErrors": []}
    (appeal_id,) = await queue(other)
    answered = payload(await answer(other, appeal_id))["appeal"]
    assert (answered["text"], answered["status"], answered["answer"]) == (WORDS, "ACCEPTED", "Welcome back.")
    assert answered["answeredBy"]["username"] == "other"
    assert answered["sanction"] == {"kind": "BAN", "user": {"username": "nika"}}
    payload(await sign_in(api))
    letter = await post_office.letter_to("nika@example.com")
    assert letter["Subject"] == "Your appeal has been answered"
    body = letter.get_body(("plain",))
    assert body is not None
    assert "you can sign in again" in body.get_content()
    assert "Welcome back." in body.get_content()
    async with services.database.read() as session:
        entries = (await session.scalars(select(db.AuditEntry).order_by(db.AuditEntry.number))).all()
    assert [(entry.action, entry.actor_id, entry.target_id) for entry in entries] == [
        (AuditAction.SANCTION, mod.account_id, nika.account_id),
        (AuditAction.ANSWER_APPEAL, other.account_id, nika.account_id),
        (AuditAction.LIFT_SANCTION, other.account_id, nika.account_id),
    ]


async def test_a_declined_ban_stays_and_a_letter_says_so(
    api: Api, mod: Player, other: Player, nika: Player, post_office: PostOffice
) -> None:
    await sanction(mod, nika, "BAN")
    await done(api, "appealBan", login="NIKA@example.com", password=PASSWORD, text=WORDS)
    (appeal_id,) = await queue(other)
    assert payload(await answer(other, appeal_id, accept=False, words="No."))["appeal"]["status"] == "DECLINED"
    letter = await post_office.letter_to("nika@example.com")
    assert "It stays as it is." in str(letter.get_body(("plain",)))
    assert problems(await sign_in(api)) == [("ACCOUNT_BANNED", "input")]
    assert await refused(api, "appealBan", login="nika", password=PASSWORD, text="Please!") == [
        ("CONFLICT", "input.text")
    ]


async def test_without_the_password_nobody_learns_of_a_ban(api: Api, mod: Player, nika: Player, make: Factory) -> None:
    await sanction(mod, nika, "BAN")
    wrong = await appeal_ban(api, password="wrong horse 7")
    assert problems(wrong) == [("WRONG_CREDENTIALS", "input")]
    assert await appeal_ban(api, login="nobody", password="wrong horse 7") == wrong
    free = await make.player("free", password_hash=await make.services.gate.passwords.hash(PASSWORD))
    assert await appeal_ban(api, login="free", password="wrong horse 7") == wrong
    assert problems(await appeal_ban(api, login=free.username)) == [("NOT_FOUND", "input")]


async def test_tries_to_appeal_count_as_tries_to_sign_in(api: Api, mod: Player, nika: Player) -> None:
    await sanction(mod, nika, "BAN")
    for _ in range(5):
        assert problems(await appeal_ban(api, password="wrong horse 7")) == [("WRONG_CREDENTIALS", "input")]
    assert problems(await appeal_ban(api)) == [("RETRY_LATER", "input")]
    assert problems(await sign_in(api)) == [("RETRY_LATER", "input")]


async def test_one_who_is_muted_reads_why_and_appeals(mod: Player, other: Player, nika: Player) -> None:
    assert problems(await call(nika.api, "appealMute", APPEAL, text=WORDS)) == [("NOT_FOUND", "input")]
    await sanction(mod, nika, "MUTE")
    made = payload(await call(nika.api, "appealMute", APPEAL, text=WORDS))["appeal"]
    assert (made["status"], made["sanction"]) == ("OPEN", {"kind": "MUTE", "user": {"username": "nika"}})
    (own,) = (await nika.api(MINE))["viewer"]["sanctions"]
    assert own["until"]
    assert {name: own[name] for name in ("kind", "reason", "by", "appeal")} == {
        "kind": "MUTE",
        "reason": "loud",
        "by": None,
        "appeal": {"text": WORDS, "status": "OPEN", "answer": None, "answeredBy": None},
    }
    payload(await answer(other, made["id"], accept=False, words="No."))
    (own,) = (await nika.api(MINE))["viewer"]["sanctions"]
    assert own["appeal"] == {"text": WORDS, "status": "DECLINED", "answer": "No.", "answeredBy": None}
    for stranger in (nika, other):
        seen = (await stranger.api("query($id: ID!) { node(id: $id) { __typename } }", id=made["id"]))["node"]
        assert seen == {"__typename": "Appeal"}


async def test_there_is_one_appeal_however_often_it_is_sent(mod: Player, nika: Player, services: Services) -> None:
    await sanction(mod, nika, "MUTE")
    same = await asyncio.gather(*(call(nika.api, "appealMute", "appeal { id }", text=WORDS) for _ in range(8)))
    assert len({payload(one)["appeal"]["id"] for one in same}) == 1
    assert await refused(nika.api, "appealMute", "appeal { id }", text="Once more") == [("CONFLICT", "input.text")]
    await sanction(mod, nika, "MUTE")  # another one, against which one may appeal anew
    payload(await call(nika.api, "appealMute", "appeal { id }", text="Once more"))
    async with services.database.read() as session:
        assert len((await session.scalars(select(db.Appeal))).all()) == 2


async def test_somebody_else_answers_who_may_act_on_the_player(
    make: Factory, mod: Player, other: Player, nika: Player
) -> None:
    admin, second = await make.player(role=Role.ADMIN), await make.player(role=Role.ADMIN)
    await sanction(mod, nika, "MUTE")
    await sanction(admin, other, "MUTE")
    by_nika = payload(await call(nika.api, "appealMute", APPEAL, text=WORDS))["appeal"]["id"]
    by_other = payload(await call(other.api, "appealMute", APPEAL, text=WORDS))["appeal"]["id"]
    assert problems(await answer(mod, by_nika)) == [("NOT_ALLOWED", "input.appealId")]
    assert problems(await answer(mod, by_other)) == [("NOT_FOUND", "input.appealId")]
    assert problems(await answer(other, by_other)) == [("NOT_FOUND", "input.appealId")]
    assert problems(await answer(admin, by_other)) == [("NOT_ALLOWED", "input.appealId")]
    assert [await queue(one) for one in (mod, other, second)] == [[by_nika], [by_nika], [by_nika, by_other]]
    payload(await answer(second, by_other))
    payload(await answer(other, by_nika))


async def test_of_two_who_answer_at_once_one_does(
    make: Factory, mod: Player, other: Player, nika: Player, services: Services
) -> None:
    third = await make.player("third", role=Role.MODERATOR)
    for _ in range(5):
        await sanction(mod, nika, "MUTE")
        appeal_id = payload(await call(nika.api, "appealMute", APPEAL, text=WORDS))["appeal"]["id"]
        answers = await asyncio.gather(answer(other, appeal_id), answer(third, appeal_id, accept=False))
        assert sorted(bool(one["answerAppeal"]["appeal"]) for one in answers) == [False, True]
        async with services.database.read() as session:
            appeal = await session.get_one(db.Appeal, ids.read(Kind.APPEAL, appeal_id))
            account = await session.get_one(db.Account, nika.account_id)
        assert (account.muted_until is None) is (appeal.status is db.AppealStatus.ACCEPTED)


async def test_an_answer_is_given_once_and_to_what_still_holds(
    mod: Player, other: Player, nika: Player, services: Services
) -> None:
    await sanction(mod, nika, "MUTE")
    first = payload(await call(nika.api, "appealMute", APPEAL, text=WORDS))["appeal"]["id"]
    for words, code in ((" ", "TOO_SHORT"), ("x" * 1001, "TOO_LONG")):
        assert problems(await answer(other, first, words=words)) == [(code, "input.answer")]
        assert problems(await call(nika.api, "appealMute", APPEAL, text=words)) == [(code, "input.text")]
    payload(await answer(other, first))
    payload(await answer(other, first))
    assert problems(await answer(other, first, accept=False)) == [("CONFLICT", "input.appealId")]
    await sanction(mod, nika, "MUTE")
    second = payload(await call(nika.api, "appealMute", APPEAL, text=WORDS))["appeal"]["id"]
    async with services.database.write() as session:
        over = datetime.now(UTC) - timedelta(seconds=1)
        await session.execute(update(db.Sanction).where(db.Sanction.lifted_at.is_(None)).values(until=over))
        await session.execute(update(db.Account).values(muted_until=over))
    assert await queue(other) == []
    assert await queue(other, None) == [second, first]
    assert problems(await answer(other, second)) == [("CONFLICT", "input.appealId")]
    assert (await nika.api(MINE))["viewer"]["sanctions"] == []


async def test_the_queue_goes_on_page_by_page(make: Factory, mod: Player, other: Player) -> None:
    made = []
    for _ in range(3):
        somebody = await make.player()
        await sanction(mod, somebody, "MUTE")
        made.append(payload(await call(somebody.api, "appealMute", APPEAL, text=WORDS))["appeal"]["id"])
    first = (await other.api(QUEUE, status="OPEN", first=2))["appeals"]
    assert first["pageInfo"]["hasNextPage"]
    rest = (await other.api(QUEUE, status="OPEN", first=2, after=first["pageInfo"]["endCursor"]))["appeals"]
    assert [node["id"] for node in first["nodes"] + rest["nodes"]] == made
    error = await other.api.error(QUEUE, after=first["pageInfo"]["endCursor"])
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
