import asyncio
import hashlib
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from gamebuddy import db
from gamebuddy.resolvers import exports, housekeeping
from gamebuddy.schema.context import Services
from tests.accounts.operations import PASSWORD, call, done, payload
from tests.api import Api
from tests.factories import Factory, Player
from tests.files.operations import load, picture, send, upload
from tests.post_office import PostOffice

COPY = "dataExport { status requestedAt readyAt byteSize url expiresAt }"
ASK = f"mutation {{ exportMyData {{ {COPY} userErrors {{ code }} }} }}"
SEE = f"{{ viewer {{ {COPY} }} }}"
PATIENCE_SECONDS = 60


async def ask(player: Player) -> dict[str, Any]:
    found: dict[str, Any] = payload(await player.api(ASK))["dataExport"]
    return found


async def see(player: Player) -> dict[str, Any] | None:
    found: dict[str, Any] | None = (await player.api(SEE))["viewer"]["dataExport"]
    return found


async def ready(services: Services, player: Player) -> dict[str, Any]:
    """Have it made, here or by the server, whoever is first."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            await exports.make_all(services.database, services.files)
            found = await see(player)
            assert found is not None
            if found["status"] == "READY":
                return found
            await asyncio.sleep(0.1)


async def archive_of(copy: dict[str, Any]) -> dict[str, bytes]:
    answer = await load(copy["url"])
    assert answer.status_code == 200
    assert len(answer.content) == copy["byteSize"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def lines(archive: dict[str, bytes], name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in archive[f"{name}.jsonl"].splitlines()]


async def act(player: Player, operation: str, **given: Any) -> None:
    """Do something that has to go well."""
    assert payload(await call(player.api, operation, "userErrors { code }", **given))["userErrors"] == []


@pytest.fixture
async def friend(make: Factory) -> Player:
    return await make.player(
        "somefriend", display_name="Zaphod", email="zaphod@example.org", email_key="zaphod@example.org", bio="his bio"
    )


async def test_it_holds_what_is_mine_and_nobody_elses_words(
    make: Factory, password_hash: str, friend: Player, services: Services
) -> None:
    nika = await make.player("nika", password_hash=password_hash, games={"dota-2": 2000}, bio="all about me")
    third = await make.player("third")
    await make.teammates(nika, friend)
    await make.block(nika, third)
    direct = await make.direct_chat(nika, friend)
    group = await make.group(friend, nika, title="Heart of Gold")
    mine = [await make.send(nika, chat_id, f"mine {n}") for n, chat_id in enumerate((direct, group))]
    theirs = await make.send(friend, direct, "so long and thanks")
    await make.send(friend, group, "the answer is 42")
    await act(nika, "sendMessage", chatId=group, forwardMessageId=theirs["id"], clientId=str(db.new_id()))
    await act(nika, "editMessage", messageId=mine[0]["id"], text="mine, better")
    await act(nika, "setReaction", messageId=theirs["id"], emoji="👍", isOn=True)
    await act(nika, "setUserNote", userId=friend.id, note="plays well")
    await act(nika, "praiseTeammate", userId=friend.id, traits=["SKILLED"])
    await act(friend, "praiseTeammate", userId=nika.id, traits=["FRIENDLY"])
    await act(friend, "setUserNote", userId=nika.id, note="a secret opinion")
    await act(friend, "report", subject={"userId": nika.id}, reason="SPAM", comment="she is a bore")
    await act(nika, "report", subject={"userId": third.id}, reason="CHEATING", comment="sees through walls")
    own_file = await upload(nika, picture(), fileName="mine.png")
    assert (await send(nika, direct, own_file, clientId=str(db.new_id())))["userErrors"] == []
    other_file = await upload(friend, picture(size=(60, 20)), fileName="towel.png")
    assert (await send(friend, direct, other_file, clientId=str(db.new_id())))["userErrors"] == []
    await act(nika, "setAvatar", uploadId=await upload(nika, picture(), purpose="AVATAR"))

    await ask(nika)
    archive = await archive_of(await ready(services, nika))

    (account,) = lines(archive, "account")
    assert (account["username"], account["email"]) == ("nika", "nika@example.com")
    assert lines(archive, "profile")[0]["bio"] == "all about me"
    assert lines(archive, "games")[0]["game"] == "dota-2"
    assert len(lines(archive, "sessions")) == 1
    others = {"user_id": str(friend.account_id)}
    assert [line | others for line in lines(archive, "teammates")] == lines(archive, "teammates")
    assert [line["user_id"] for line in lines(archive, "blocks")] == [str(third.account_id)]
    assert [line["text"] for line in lines(archive, "notes")] == ["plays well"]
    assert [line["traits"] for line in lines(archive, "praise_given")] == [["SKILLED"]]
    assert {line["kind"] for line in lines(archive, "chats")} == {"DIRECT", "GROUP"}
    assert [line["text"] for line in lines(archive, "messages")] == ["mine, better", "mine 1", None, ""]
    assert [line["text"] for line in lines(archive, "message_versions")] == ["mine 0"]
    assert [line["emoji"] for line in lines(archive, "reactions")] == ["👍"]
    assert [line["comment"] for line in lines(archive, "reports")] == ["sees through walls"]
    assert {line["purpose"] for line in lines(archive, "uploads")} == {"AVATAR", "ATTACHMENT"}
    assert len([name for name in archive if name.startswith("files/")]) == 2

    everything = b"\n".join(archive.values()).decode(errors="replace").lower()
    foreign = (
        "somefriend", "zaphod", "his bio", "third", "so long", "the answer", "secret opinion", "a bore", "towel",
        "heart of gold",
    )  # fmt: skip
    assert [word for word in foreign if word in everything] == []
    assert password_hash.lower() not in everything


async def test_the_manifest_tells_what_is_in_it(make: Factory, nika: Player, services: Services) -> None:
    chat_id = await make.direct_chat(nika, await make.player("other"))
    await make.send(nika, chat_id, "one")
    await make.send(nika, chat_id, "two")
    await ask(nika)
    archive = await archive_of(await ready(services, nika))
    manifest = json.loads(archive.pop("manifest.json"))
    assert (manifest["format"], manifest["version"]) == ("gamebuddy-export", 1)
    assert datetime.fromisoformat(manifest["madeAt"]).tzinfo
    told = {file["name"]: file for file in manifest["files"]}
    assert told.keys() == archive.keys()
    for name, data in archive.items():
        assert (told[name]["sha256"], told[name]["byteSize"]) == (hashlib.sha256(data).hexdigest(), len(data))
        assert told[name]["lines"] == len(data.splitlines())
    assert told["messages.jsonl"]["lines"] == 2


async def test_nobody_else_sees_it(nika: Player, friend: Player, services: Services) -> None:
    await ask(nika)
    copy = await ready(services, nika)
    assert await see(friend) is None
    broken = copy["url"][:-1] + ("A" if copy["url"][-1] != "A" else "B")
    assert (await load(broken)).status_code == 403


async def test_two_requests_at_once_are_one(nika: Player, services: Services, post_office: PostOffice) -> None:
    asked = await asyncio.gather(*(ask(nika) for _ in range(5)))
    assert len({one["requestedAt"] for one in asked}) == 1
    assert {one["status"] for one in asked} <= {"PENDING", "READY"}
    await asyncio.gather(*(exports.make_all(services.database, services.files) for _ in range(3)))
    await ready(services, nika)
    letter = await post_office.letter_to("nika@example.com")
    assert letter["Subject"] == "The copy of your GameBuddy data is ready"
    again = await ask(nika)
    assert (again["status"], again["requestedAt"]) == ("READY", asked[0]["requestedAt"])
    assert len(post_office.to("nika@example.com")) == 1


async def test_a_day_later_there_is_a_new_one(nika: Player, services: Services) -> None:
    first = await ask(nika)
    await ready(services, nika)
    async with services.database.write() as session:
        await session.execute(update(db.Export).values(requested_at=datetime.now(UTC) - timedelta(days=2)))
    second = await ask(nika)
    assert second["requestedAt"] > first["requestedAt"]
    assert (await ready(services, nika))["readyAt"] > second["requestedAt"]


async def test_one_that_was_begun_and_never_finished_is_made_anew(nika: Player, services: Services) -> None:
    async with services.database.write() as session:
        week = datetime.now(UTC) + timedelta(days=7)
        session.add(db.Export(account_id=nika.account_id, begun_at=datetime.now(UTC), expires_at=week))
    assert await exports.make_all(services.database, services.files) == 0  # somebody is at it
    async with services.database.write() as session:
        await session.execute(update(db.Export).values(begun_at=datetime.now(UTC) - timedelta(hours=1)))
    assert (await ready(services, nika))["url"]


async def test_after_a_week_it_is_gone(nika: Player, services: Services) -> None:
    await ask(nika)
    copy = await ready(services, nika)
    left = datetime.fromisoformat(copy["expiresAt"]) - datetime.fromisoformat(copy["readyAt"])
    assert left == timedelta(days=7)
    async with services.database.write() as session:
        await session.execute(update(db.Export).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    assert await see(nika) is None
    assert (await housekeeping.sweep(services.database, services.files))["drop_exports"] == 1
    assert (await load(copy["url"])).status_code == 404
    async with services.database.read() as session:
        assert (await session.scalars(select(db.Export.id))).all() == []


async def test_it_goes_with_the_account(nika: Player, services: Services) -> None:
    await ask(nika)
    copy = await ready(services, nika)
    await done(nika.api, "deleteAccount", password=PASSWORD)
    await housekeeping.sweep(services.database, services.files)
    assert (await load(copy["url"])).status_code == 404
    async with services.database.read() as session:
        assert (await session.scalars(select(db.Export.id))).all() == []


async def test_a_guest_has_none(api: Api) -> None:
    guest = payload(await call(api, "signInAsGuest", "tokens { accessToken }"))["tokens"]["accessToken"]
    error = await api.signed_in(guest).error(ASK)
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert (await api.signed_in(guest)(SEE))["viewer"]["dataExport"] is None
