import asyncio
import time
from datetime import datetime
from typing import Any

import pytest

from gamebuddy.schema.context import Services
from tests.factories import Factory, Player
from tests.files.operations import announce, load, picture, put


@pytest.fixture
async def nika(make: Factory) -> Player:
    return await make.player("nika")


async def test_a_link_takes_the_bytes_that_were_announced(nika: Player) -> None:
    data = picture()
    announced = await announce(nika, data)
    assert announced["headers"] == [{"name": "Content-Type", "value": "image/png"}]
    assert announced["uploadId"].startswith("upl_")
    left = datetime.fromisoformat(announced["expiresAt"]).timestamp() - time.time()
    assert 800 < left < 910
    assert (await put(announced, data)).status_code == 200
    assert (await put(announced, data)).status_code == 200  # a repeat after a lost answer


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"byteSize": 0}, "TOO_SHORT", "byteSize"),
        ({"byteSize": -1}, "TOO_SHORT", "byteSize"),
        ({"byteSize": 10_000_001}, "TOO_LONG", "byteSize"),
        ({"byteSize": 5_000_001, "purpose": "AVATAR"}, "TOO_LONG", "byteSize"),
        ({"mediaType": "image/svg+xml", "fileName": "a.svg"}, "UNSUPPORTED", "mediaType"),
        ({"mediaType": "text/html", "fileName": "a.html"}, "UNSUPPORTED", "mediaType"),
        ({"mediaType": "application/pdf", "fileName": "a.pdf"}, "UNSUPPORTED", "mediaType"),
        ({"mediaType": "application/postscript", "fileName": "a.eps"}, "UNSUPPORTED", "mediaType"),
        ({"mediaType": "image/gif", "fileName": "a.gif"}, "UNSUPPORTED", "mediaType"),
        ({"mediaType": "text/plain", "fileName": "a.txt", "purpose": "AVATAR"}, "UNSUPPORTED", "mediaType"),
        ({"mediaType": "", "fileName": "a"}, "UNSUPPORTED", "mediaType"),
        ({"mediaType": "IMAGE/PNG"}, "UNSUPPORTED", "mediaType"),
        ({"fileName": "a.jpg"}, "UNSUPPORTED", "fileName"),
        ({"fileName": "a.html", "mediaType": "text/plain"}, "UNSUPPORTED", "fileName"),
        ({"fileName": "a.txt.gz", "mediaType": "text/plain"}, "UNSUPPORTED", "fileName"),
    ],
)
async def test_what_is_not_taken(nika: Player, change: dict[str, Any], code: str, field: str) -> None:
    refused = await announce(nika, b"x", **change)
    assert refused["userErrors"] == [{"code": code, "path": ["input", field]}]
    assert (refused["uploadId"], refused["url"], refused["headers"]) == (None, None, [])


async def test_other_bytes_than_announced_are_refused(nika: Player, services: Services) -> None:
    data = picture()
    announced = await announce(nika, data)
    assert (await put(announced, data + b"x")).status_code == 413
    assert (await put(announced, data[:-1])).status_code == 413
    assert (await put(announced, data, **{"Content-Type": "text/html"})).status_code == 415

    async def chunks() -> Any:
        for _ in range(100):
            yield data

    assert (await put(announced, chunks())).status_code == 413
    assert services.files.folder is not None
    assert [path for path in services.files.folder.rglob("*") if path.is_file()] == []


async def test_a_link_is_for_one_thing_until_it_is_over(
    nika: Player, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = picture()
    announced = await announce(nika, data)
    assert (await load(announced["url"])).status_code == 403
    for forged in (announced["url"][:-1], announced["url"] + "A", announced["url"].rpartition("/")[0] + "/x"):
        assert (await put(announced | {"url": forged}, data)).status_code in {403, 404}
    later = time.time() + 3_600
    monkeypatch.setattr("gamebuddy.files.keeping.time.time", lambda: later)
    refused = await put(announced, data)
    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")


async def test_a_hundred_in_an_hour_are_too_many(nika: Player) -> None:
    answers = []
    for _ in range(10):
        answers += await asyncio.gather(*(announce(nika, b"x") for _ in range(10)))
    codes = [answer["userErrors"][0]["code"] for answer in answers if answer["userErrors"]]
    assert set(codes) == {"RETRY_LATER"}
    assert 38 <= len(codes) <= 40
