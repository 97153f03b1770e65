import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from gamebuddy import db
from gamebuddy.schema import ids
from gamebuddy.schema.ids import Kind
from tests.chat.operations import (
    JOIN,
    LEAVE,
    MAKE_LINK,
    PREVIEW,
    REMOVE,
    REVOKE_LINK,
    SET_ROLE,
    UPDATE,
    look,
    news,
    payload,
    problems,
)  # fmt: skip
from tests.factories import Factory, Player

LINKS = "query($id: ID!) { chat(id: $id) { inviteLinks { code useCount } } }"


async def make_link(by: Player, chat_id: str, **more: Any) -> Any:
    """Make a link and give it."""
    answer = payload(await by.api(MAKE_LINK, input={"chatId": chat_id, **more}))
    assert answer["userErrors"] == []
    return answer["inviteLink"]


async def join(who: Player, code: str) -> list[tuple[str, str]]:
    return problems(await who.api(JOIN, input={"code": code}))


async def test_a_link_lets_strangers_in(make: Factory) -> None:
    owner, stranger = await make.player("owner"), await make.player("stranger")
    chat_id = await make.group(owner, title="Raid")
    await make.send(owner, chat_id, "before")
    link = await make_link(owner, chat_id)
    assert link["url"].endswith(f"/invite/{link['code']}")
    assert (link["maxUses"], link["useCount"], link["createdBy"]["username"]) == (None, 0, "owner")
    preview = {"title": "Raid", "memberCount": 1, "isMember": False}
    assert (await stranger.api(PREVIEW, code=link["code"]))["invite"] == preview
    joined = payload(await stranger.api(JOIN, input={"code": link["code"]}))["chat"]
    assert (joined["id"], joined["memberCount"], joined["viewerUnreadCount"]) == (chat_id, 2, 0)
    assert [message["text"] for message in joined["messages"]["nodes"]] == ["before", "Stranger joined by a link"]
    assert await join(stranger, link["code"]) == [], "once more changes nothing"
    assert (await owner.api(LINKS, id=chat_id))["chat"]["inviteLinks"] == [{"code": link["code"], "useCount": 1}]
    preview |= {"memberCount": 2, "isMember": True}
    assert (await stranger.api(PREVIEW, code=link["code"]))["invite"] == preview


async def test_a_browser_is_told_what_the_link_is(make: Factory) -> None:
    nika = await make.player("nika")
    chat_id = await make.group(nika, title="Secret squad")
    link = await make_link(nika, chat_id)
    async with httpx.AsyncClient() as http:
        page, same = await http.get(link["url"]), await http.get(link["url"].rpartition("/")[0] + "/of-nothing")
        assert (await http.get(link["url"] + "x" * 100)).status_code == 404
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "Secret" not in page.text
    assert page.text.replace(link["code"], "") == same.text.replace("of-nothing", "")


async def test_what_does_not_work_is_told_by_type_and_shows_nothing(make: Factory) -> None:
    owner, stranger = await make.player(), await make.player()
    chat_id = await make.group(owner)
    soon = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    expired, revoked, used = [await make_link(owner, chat_id, expiresAt=soon, maxUses=1) for _ in range(3)]
    async with make.services.database.write() as session:
        row_id = ids.read(Kind.INVITE_LINK, expired["id"])
        await session.execute(
            update(db.InviteLink).where(db.InviteLink.id == row_id).values(expires_at=datetime.now(UTC))
        )
    for _ in range(2):
        assert problems(await owner.api(REVOKE_LINK, input={"inviteLinkId": revoked["id"]})) == []
    assert await join(await make.player(), used["code"]) == []
    for link, code in ((expired, "CODE_EXPIRED"), (revoked, "NOT_FOUND"), (used, "LIMIT_REACHED")):
        assert await join(stranger, link["code"]) == [(code, "input.code")]
        assert (await stranger.api(PREVIEW, code=link["code"]))["invite"] is None
    for code in ("", "nonsense", "x" * 5_000, "' OR 1=1 --"):
        assert await join(stranger, code) == [("NOT_FOUND", "input.code")]
        assert (await stranger.api(PREVIEW, code=code))["invite"] is None


async def test_the_last_use_is_used_once(make: Factory) -> None:
    owner = await make.player()
    chat_id = await make.group(owner)
    link = await make_link(owner, chat_id, maxUses=2)
    strangers = [await make.player() for _ in range(6)]
    answers = await asyncio.gather(*(join(who, link["code"]) for who in strangers))
    assert sorted(answers) == [[], [], *[[("LIMIT_REACHED", "input.code")]] * 4]
    assert (await look(owner, chat_id))["memberCount"] == 3


@pytest.mark.parametrize("way", ["removed", "left", "demoted"])
async def test_links_die_with_the_right_of_their_maker(make: Factory, way: str) -> None:
    owner, admin, stranger = [await make.player() for _ in range(3)]
    chat_id = await make.group(owner, admin)
    await owner.api(UPDATE, input={"chatId": chat_id, "whoMayInvite": "ADMINS"})
    await owner.api(SET_ROLE, input={"chatId": chat_id, "userId": admin.id, "role": "ADMIN"})
    link = await make_link(admin, chat_id)
    if way == "removed":
        await owner.api(REMOVE, input={"chatId": chat_id, "userId": admin.id})
    elif way == "left":
        await admin.api(LEAVE, input={"chatId": chat_id})
    else:
        await owner.api(SET_ROLE, input={"chatId": chat_id, "userId": admin.id, "role": "MEMBER"})
    assert await join(stranger, link["code"]) == [("NOT_FOUND", "input.code")]
    assert (await stranger.api(PREVIEW, code=link["code"]))["invite"] is None


async def test_who_sees_and_revokes_which_links(make: Factory) -> None:
    owner, member, other, stranger = [await make.player() for _ in range(4)]
    chat_id = await make.group(owner, member, other)
    mine, theirs = await make_link(owner, chat_id), await make_link(member, chat_id)

    async def codes(player: Player) -> Any:
        links = (await player.api(LINKS, id=chat_id))["chat"]["inviteLinks"]
        return links and [link["code"] for link in links]

    assert await codes(owner) == [mine["code"], theirs["code"]]
    assert await codes(member) == [theirs["code"]]
    assert await codes(other) == []
    for player in (other, stranger):
        node = await player.api("query($id: ID!) { node(id: $id) { id } }", id=theirs["id"])
        assert node["node"] is None
    for player, link in ((member, mine), (other, theirs), (stranger, mine)):
        answer = await player.api(REVOKE_LINK, input={"inviteLinkId": link["id"]})
        assert problems(answer) == [("NOT_FOUND", "input.inviteLinkId")]
    unknown = ids.write(Kind.INVITE_LINK, uuid.uuid4())
    answer = await owner.api(REVOKE_LINK, input={"inviteLinkId": unknown})
    assert problems(answer) == [("NOT_FOUND", "input.inviteLinkId")]
    await owner.api(UPDATE, input={"chatId": chat_id, "whoMayInvite": "OWNER"})
    assert await codes(member) is None
    assert problems(await owner.api(REVOKE_LINK, input={"inviteLinkId": theirs["id"]})) == []
    assert await codes(owner) == [mine["code"]]


async def test_wrong_links_are_not_made(make: Factory) -> None:
    owner, member = await make.player(), await make.player()
    chat_id, direct = await make.group(owner, member), await make.direct_chat(owner, member)
    past = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    for given, code, field in (
        ({"expiresAt": past}, "INVALID", "expiresAt"),
        ({"maxUses": 0}, "INVALID", "maxUses"),
        ({"maxUses": 1_001}, "INVALID", "maxUses"),
    ):
        answer = await owner.api(MAKE_LINK, input={"chatId": chat_id, **given})
        assert problems(answer) == [(code, f"input.{field}")]
    assert problems(await owner.api(MAKE_LINK, input={"chatId": direct})) == [("NOT_ALLOWED", "input.chatId")]
    await owner.api(UPDATE, input={"chatId": chat_id, "whoMayInvite": "ADMINS"})
    assert problems(await member.api(MAKE_LINK, input={"chatId": chat_id})) == [("NOT_ALLOWED", "input.chatId")]
    assert await news(owner, chat_id) == []


async def test_a_group_has_at_most_fifty_links(make: Factory) -> None:
    owner = await make.player()
    chat_id = await make.group(owner)
    async with make.services.database.write() as session:
        session.add_all(
            db.InviteLink(chat_id=ids.read(Kind.CHAT, chat_id), created_by_id=owner.account_id, code=f"code {n}")
            for n in range(50)
        )
    assert problems(await owner.api(MAKE_LINK, input={"chatId": chat_id})) == [("LIMIT_REACHED", "input.chatId")]
