import asyncio
import uuid

import pytest

from gamebuddy.schema.context import Services
from tests.factories import Factory, Player
from tests.files.operations import load, picture, send, upload
from tests.files.test_avatars import a_day_passes, leftovers

MESSAGES = """query($id: ID!) { chat(id: $id) { messages { nodes {
  text attachments { fileName url } forwardedFrom { username } } } } }"""
NODE = "query($id: ID!) { node(id: $id) { ... on Attachment { fileName } } }"
DELETE = "mutation($i: DeleteMessageInput!) { deleteMessage(input: $i) { userErrors { code } } }"


def new_id() -> str:
    return str(uuid.uuid4())


@pytest.fixture
async def nika(make: Factory) -> Player:
    return await make.player("nika")


async def test_a_message_carries_pictures_and_files(make: Factory, nika: Player) -> None:
    friend = await make.player("friend")
    chat_id = await make.direct_chat(nika, friend)
    shot = await upload(nika, picture(size=(640, 480)), fileName="снимок экрана.png")
    config = await upload(nika, b"sensitivity 1.5", mediaType="text/plain", fileName="../../autoexec.cfg")
    payload = await send(nika, chat_id, shot, config, clientId=new_id(), text="look")
    assert payload["userErrors"] == []
    image, file = payload["message"]["attachments"]
    assert (image["kind"], image["width"], image["height"]) == ("IMAGE", 640, 480)
    assert (file["kind"], file["fileName"], file["byteSize"]) == ("FILE", "autoexec.cfg", 15)
    assert (file["width"], file["thumbnailUrl"]) == (None, None)

    shown = await load(image["url"])
    assert shown.headers["content-type"] == "image/png"
    assert shown.headers["content-disposition"].startswith("inline; filename*=UTF-8''%D1%81")
    assert shown.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert shown.headers["x-content-type-options"] == "nosniff"
    saved = await load(file["url"])
    assert (saved.content, saved.headers["content-disposition"][:10]) == (b"sensitivity 1.5", "attachment")
    assert (await load(image["thumbnailUrl"])).headers["content-type"] == "image/webp"
    messages = (await friend.api(MESSAGES, id=chat_id))["chat"]["messages"]["nodes"]
    assert [one["fileName"] for one in messages[0]["attachments"]] == ["снимок экрана.png", "autoexec.cfg"]


async def test_files_need_no_text_and_are_sent_once(make: Factory, nika: Player) -> None:
    chat_id = await make.group(nika)
    upload_id, client_id = await upload(nika, picture()), new_id()
    answers = await asyncio.gather(*(send(nika, chat_id, upload_id, clientId=client_id) for _ in range(5)))
    assert all(answer["userErrors"] == [] for answer in answers)
    assert len({answer["message"]["id"] for answer in answers}) == 1
    assert answers[0]["message"]["text"] == ""
    other = await upload(nika, picture())
    mismatch = await send(nika, chat_id, other, clientId=client_id)
    assert mismatch["userErrors"] == [{"code": "IDEMPOTENCY_MISMATCH", "path": ["input", "clientId"]}]
    again = await send(nika, chat_id, upload_id, clientId=new_id())
    assert again["userErrors"] == [{"code": "NOT_FOUND", "path": ["input", "attachmentUploadIds"]}]
    assert len((await nika.api(MESSAGES, id=chat_id))["chat"]["messages"]["nodes"]) == 1


async def test_what_is_wrong_with_one_is_told_by_its_place(make: Factory, nika: Player) -> None:
    chat_id = await make.group(nika)
    good, bad = await upload(nika, picture()), await upload(nika, b"no picture")
    payload = await send(nika, chat_id, good, bad, clientId=new_id())
    assert payload["userErrors"] == [{"code": "UNSUPPORTED", "path": ["input", "attachmentUploadIds", "1"]}]
    assert (await send(nika, chat_id, good, clientId=new_id()))["userErrors"] == []
    nothing = await send(nika, chat_id, clientId=new_id())
    assert [error["code"] for error in nothing["userErrors"]] == ["TOO_SHORT"]
    many = [await upload(nika, b"x", mediaType="text/plain", fileName="a.txt") for _ in range(11)]
    payload = await send(nika, chat_id, *many, clientId=new_id())
    assert [error["code"] for error in payload["userErrors"]] == ["LIMIT_REACHED"]


async def test_only_those_see_a_file_who_see_its_message(make: Factory, nika: Player) -> None:
    friend, stranger = await make.player("friend"), await make.player("stranger")
    chat_id = await make.direct_chat(nika, friend)
    message = (await send(nika, chat_id, await upload(nika, picture()), clientId=new_id()))["message"]
    attachment_id = message["attachments"][0]["id"]
    assert (await friend.api(NODE, id=attachment_id))["node"] == {"fileName": "a.png"}
    assert (await stranger.api(NODE, id=attachment_id))["node"] is None
    await friend.api(DELETE, i={"messageId": message["id"], "forEveryone": False})
    assert (await friend.api(NODE, id=attachment_id))["node"] is None
    assert (await nika.api(NODE, id=attachment_id))["node"] is not None


async def test_a_forwarded_file_outlives_the_first_message(make: Factory, nika: Player, services: Services) -> None:
    friend = await make.player("friend")
    direct, group = await make.direct_chat(nika, friend), await make.group(friend)
    message = (await send(nika, direct, await upload(nika, picture()), clientId=new_id()))["message"]
    forwarded = (
        await friend.api(
            "mutation($i: SendMessageInput!) { sendMessage(input: $i) { message { id attachments { url } } } }",
            i={"chatId": group, "clientId": new_id(), "forwardMessageId": message["id"]},
        )
    )["sendMessage"]["message"]
    url = forwarded["attachments"][0]["url"]
    await nika.api(DELETE, i={"messageId": message["id"], "forEveryone": True})
    left = (await friend.api(MESSAGES, id=direct))["chat"]["messages"]["nodes"]
    assert [one["attachments"] for one in left] == [[]]
    await a_day_passes(services)
    assert (await load(url)).status_code == 200
    await friend.api(DELETE, i={"messageId": forwarded["id"], "forEveryone": True})
    await a_day_passes(services)
    assert (await load(url)).status_code == 404
    assert await leftovers(services) == (0, [])
