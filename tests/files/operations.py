"""What the tests of files send, and pictures to send."""

import io
from collections.abc import AsyncIterator
from typing import Any

import httpx
from PIL import Image

from tests.factories import Player

CREATE = """mutation($input: CreateUploadInput!) {
  createUpload(input: $input) { uploadId url headers { name value } expiresAt userErrors { code path } } }"""
SET_AVATAR = """mutation($input: SetAvatarInput!) { setAvatar(input: $input) {
  user { avatarUrl small: avatarUrl(size: 10) large: avatarUrl(size: 1024) } userErrors { code path } } }"""
SEND = """mutation($input: SendMessageInput!) { sendMessage(input: $input) {
  message { id text attachments { id kind fileName mediaType byteSize width height url thumbnailUrl } }
  userErrors { code path } } }"""


def picture(image_format: str = "PNG", size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
    """Make a picture: red on the left, blue on the right."""
    image = Image.new("RGB", size, "red")
    image.paste("blue", (size[0] // 2, 0, *size))
    out = io.BytesIO()
    image.save(out, image_format, **options)
    return out.getvalue()


async def announce(player: Player, data: bytes, **changes: Any) -> dict[str, Any]:
    """Ask where to send a file; gives the payload."""
    asked = {"fileName": "a.png", "mediaType": "image/png", "byteSize": len(data), "purpose": "ATTACHMENT"} | changes
    payload: dict[str, Any] = (await player.api(CREATE, input=asked))["createUpload"]
    return payload


async def put(announced: dict[str, Any], data: bytes | AsyncIterator[bytes], **headers: str) -> httpx.Response:
    """Send the bytes."""
    given = {header["name"]: header["value"] for header in announced["headers"]} | headers
    async with httpx.AsyncClient() as http:
        return await http.put(announced["url"], content=data, headers=given)


async def upload(player: Player, data: bytes, **changes: Any) -> str:
    """Announce and send a file; gives the id to use it by."""
    announced = await announce(player, data, **changes)
    assert announced["userErrors"] == []
    answer = await put(announced, data)
    assert answer.status_code == 200, answer.text
    upload_id: str = announced["uploadId"]
    return upload_id


async def send(player: Player, chat_id: str, *upload_ids: str, **changes: Any) -> dict[str, Any]:
    """Send a message with files; gives the payload."""
    given = {"chatId": chat_id, "clientId": changes.pop("clientId"), "attachmentUploadIds": list(upload_ids)} | changes
    payload: dict[str, Any] = (await player.api(SEND, input=given))["sendMessage"]
    return payload


async def load(url: str) -> httpx.Response:
    """Load what a link shows."""
    async with httpx.AsyncClient() as http:
        return await http.get(url)
