import asyncio
import io
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import func, select, update

from gamebuddy import db
from gamebuddy.resolvers import housekeeping
from gamebuddy.schema.context import Services
from tests.chat.operations import UPDATE
from tests.factories import Factory, Player
from tests.files.operations import SET_AVATAR, announce, load, picture, upload

AVATAR = "query($id: ID!, $size: Int) { user(by: {id: $id}) { avatarUrl(size: $size) } }"
CHAT = "query($id: ID!) { chat(id: $id) { avatarUrl } }"


@pytest.fixture
async def nika(make: Factory) -> Player:
    return await make.player("nika")


async def size_of(url: str) -> tuple[int, int]:
    answer = await load(url)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/webp"
    return Image.open(io.BytesIO(answer.content)).size


async def test_an_avatar_comes_in_three_sizes(make: Factory, nika: Player) -> None:
    data = picture("JPEG", (900, 700))
    upload_id = await upload(nika, data, purpose="AVATAR", mediaType="image/jpeg", fileName="me.jpg")
    payload = (await nika.api(SET_AVATAR, input={"uploadId": upload_id}))["setAvatar"]
    user = payload["user"]
    assert payload["userErrors"] == []
    assert [await size_of(user[name]) for name in ("small", "avatarUrl", "large")] == [
        (64, 64), (256, 256), (512, 512),
    ]  # fmt: skip
    other = await make.player("other")
    url = (await other.api(AVATAR, id=nika.id))["user"]["avatarUrl"]
    assert await size_of(url) == (256, 256)
    assert url == (await other.api(AVATAR, id=nika.id))["user"]["avatarUrl"]  # so that clients need not load it again
    for size in (0, 1025, -1):
        assert (await other.api.error(AVATAR, id=nika.id, size=size))["extensions"]["code"] == "BAD_USER_INPUT"


async def test_nobody_gets_a_link_to_whom_he_cannot_see(make: Factory, nika: Player) -> None:
    blocked = await make.player("blocked")
    upload_id = await upload(nika, picture(), purpose="AVATAR")
    await nika.api(SET_AVATAR, input={"uploadId": upload_id})
    assert (await make.api(AVATAR, id=nika.id))["user"] == {"avatarUrl": None}  # not signed in
    await make.block(nika, blocked)
    assert (await blocked.api(AVATAR, id=nika.id))["user"] is None


async def test_an_avatar_can_be_taken_away_and_its_files_go(nika: Player, services: Services) -> None:
    upload_id = await upload(nika, picture(), purpose="AVATAR")
    url = (await nika.api(SET_AVATAR, input={"uploadId": upload_id}))["setAvatar"]["user"]["avatarUrl"]
    gone = (await nika.api(SET_AVATAR, input={"uploadId": None}))["setAvatar"]
    assert gone == {"user": {"avatarUrl": None, "small": None, "large": None}, "userErrors": []}
    await a_day_passes(services)
    assert (await load(url)).status_code == 404
    assert await leftovers(services) == (0, [])


async def test_of_two_at_once_one_stays_and_the_other_goes(nika: Player, services: Services) -> None:
    uploads = [await upload(nika, picture(), purpose="AVATAR") for _ in range(4)]
    answers = await asyncio.gather(*(nika.api(SET_AVATAR, input={"uploadId": one}) for one in uploads))
    assert all(answer["setAvatar"]["userErrors"] == [] for answer in answers)
    await a_day_passes(services)
    rows, files = await leftovers(services)
    assert (rows, len(files)) == (1, 3)
    user = (await nika.api(AVATAR, id=nika.id))["user"]
    assert (await load(user["avatarUrl"])).status_code == 200


async def test_an_upload_is_used_once_and_by_its_owner_for_its_purpose(make: Factory, nika: Player) -> None:
    other = await make.player("other")
    mine = await upload(nika, picture(), purpose="AVATAR")
    attachment = await upload(nika, picture())
    for player, upload_id in ((other, mine), (nika, attachment)):
        refused = (await player.api(SET_AVATAR, input={"uploadId": upload_id}))["setAvatar"]
        assert refused["userErrors"] == [{"code": "NOT_FOUND", "path": ["input", "uploadId"]}]
    twice = await asyncio.gather(*(nika.api(SET_AVATAR, input={"uploadId": mine}) for _ in range(5)))
    assert sum(answer["setAvatar"]["userErrors"] == [] for answer in twice) == 1


async def test_what_was_not_sent_or_is_no_picture_is_told(nika: Player) -> None:
    announced = await announce(nika, b"x", purpose="AVATAR")
    refused = (await nika.api(SET_AVATAR, input={"uploadId": announced["uploadId"]}))["setAvatar"]
    assert refused["userErrors"] == [{"code": "INVALID", "path": ["input", "uploadId"]}]
    script = await upload(nika, b"<script>alert(1)</script>", purpose="AVATAR")
    refused = (await nika.api(SET_AVATAR, input={"uploadId": script}))["setAvatar"]
    assert refused["userErrors"] == [{"code": "UNSUPPORTED", "path": ["input", "uploadId"]}]


async def test_groups_have_pictures_and_direct_chats_those_of_the_other(make: Factory, nika: Player) -> None:
    friend = await make.player("friend")
    group, direct = await make.group(nika, friend), await make.direct_chat(nika, friend)
    picture_id = await upload(nika, picture(), purpose="AVATAR")
    changed = (await nika.api(UPDATE, input={"chatId": group, "avatarUploadId": picture_id}))["updateChat"]
    assert changed["userErrors"] == []
    url = (await friend.api(CHAT, id=group))["chat"]["avatarUrl"]
    assert await size_of(url) == (256, 256)
    refused = (await friend.api(UPDATE, input={"chatId": group, "avatarUploadId": None}))["updateChat"]
    assert [error["code"] for error in refused["userErrors"]] == ["NOT_ALLOWED"]
    await nika.api(UPDATE, input={"chatId": group, "avatarUploadId": None})
    assert (await friend.api(CHAT, id=group))["chat"] == {"avatarUrl": None}

    own = await upload(nika, picture(), purpose="AVATAR")
    await nika.api(SET_AVATAR, input={"uploadId": own})
    assert await size_of((await friend.api(CHAT, id=direct))["chat"]["avatarUrl"]) == (256, 256)
    assert (await nika.api(CHAT, id=direct))["chat"] == {"avatarUrl": None}


async def test_unused_uploads_go_after_a_day(nika: Player, services: Services) -> None:
    await upload(nika, picture(), purpose="AVATAR")
    await announce(nika, b"x")
    await housekeeping.sweep(services.database, services.files)
    rows, files = await leftovers(services)
    assert (rows, len(files)) == (2, 1)
    await a_day_passes(services)
    assert await leftovers(services) == (0, [])


async def a_day_passes(services: Services) -> None:
    """Let everything that is idle be so for a day, and sweep."""
    async with services.database.write() as session:
        await session.execute(update(db.Upload).values(idle_since=db.Upload.idle_since - timedelta(days=1, minutes=1)))
    await housekeeping.sweep(services.database, services.files)


async def leftovers(services: Services) -> tuple[int, list[str]]:
    """Give how many uploads there are, and which files."""
    async with services.database.read() as session:
        count = await session.scalar(select(func.count()).select_from(db.Upload))
    assert services.files.folder is not None
    return count, [str(path) for path in services.files.folder.rglob("*") if path.is_file()]
