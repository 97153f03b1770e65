"""Apollo iOS reads our multipart answers, however the network cuts them."""

import pytest

from gamebuddy.settings import Settings
from tests.api import Api
from tests.conftest import free_port, running
from tests.factories import Factory
from tests.transport.apollo_ios import AppleParts, Unreadable
from tests.transport.streams import APOLLO_IOS, streamed

CONTENT_TYPE = 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0'
FOLLOW = "subscription($after: Cursor) { events(after: $after) { __typename ... on MessageSent { message { text } } } }"
AWKWARD = [
    "a\r\n--graphql\r\nb",
    "--graphql--",
    "{}",
    "a\r\n\r\nb",
    "content-type: text/plain",
    "😀 ё \u2028",
    "\\r\\n--",
]


@pytest.fixture
async def answer(settings: Settings, make: Factory) -> bytes:
    """A whole answer, as it comes: events with awkward texts, a heartbeat, and at last the end of the session."""
    quick = settings.model_copy(update={"port": free_port(), "heartbeat_seconds": 0.05})
    nika = await make.player("nika")
    chat_id = await make.group(nika)
    cursor = (await nika.api("{ viewer { eventCursor } }"))["viewer"]["eventCursor"]
    for text in AWKWARD:
        await make.send(nika, chat_id, text)
    whole = b""
    async with (
        running(quick),
        Api.open(quick.url) as there,
        streamed(there.signed_in(nika.api.token or ""), APOLLO_IOS, FOLLOW, after=cursor) as stream,
    ):
        assert stream.response.headers["content-type"] == CONTENT_TYPE
        reader, feed = stream.reader, stream.reader.feed

        def keep(data: bytes) -> None:
            nonlocal whole
            whole += data
            feed(data)

        reader.feed = keep  # type: ignore[method-assign]
        await stream.until("CaughtUp")
        while not reader.heartbeats:
            keep(await anext(stream.chunks))
        await nika.api("mutation { signOut { isDone } }")
        await stream.end()
    return whole


def read(*pieces: bytes) -> AppleParts:
    reader = AppleParts(CONTENT_TYPE)
    for piece in pieces:
        reader.feed(piece)
    reader.close()
    return reader


async def test_every_part_is_read_as_it_was_sent(answer: bytes) -> None:
    parts = read(answer)
    events = [body["payload"]["data"]["events"] for body in parts.bodies if body.get("payload")]
    texts = [event["message"]["text"] for event in events if event["__typename"] == "MessageSent"]
    assert [text.replace("\r", "") for text in texts] == [text.replace("\r", "") for text in AWKWARD]
    assert events[len(AWKWARD)]["__typename"] == "CaughtUp"
    assert parts.heartbeats > 0


async def test_it_does_not_matter_where_the_network_cuts(answer: bytes) -> None:
    whole = read(answer)
    for at in range(1, len(answer)):
        assert read(answer[:at], answer[at:]) == whole
    for size in (1, 2, 3, 7, 64, 1_000):
        assert read(*(answer[at : at + size] for at in range(0, len(answer), size))) == whole


async def test_no_part_waits_for_the_one_behind_it(answer: bytes) -> None:
    """What has come up to and with a boundary is shown, though nothing follows."""
    reader, shown = AppleParts(CONTENT_TYPE), 0
    for piece in answer.split(b"\r\n--graphql")[:-1]:
        reader.feed(piece + b"\r\n--graphql")
        is_event = b'"payload"' in piece
        shown += is_event
        assert len(reader.bodies) == shown


@pytest.mark.parametrize(
    "content_type",
    [
        'multipart/mixed; boundary="graphql"; subscriptionSpec="1.0"',
        'multipart/mixed;boundary="graphql"',
        "multipart/mixed;subscriptionSpec=1.0",
        "application/json",
    ],
)
def test_the_reader_is_as_strict_as_apollo_ios_about_the_header(content_type: str) -> None:
    with pytest.raises(Unreadable):
        AppleParts(content_type)


@pytest.mark.parametrize(
    "part", [b"", b"content-type: text/html\r\n\r\n{}", b"content-type: application/json\r\n\r\n{"]
)
def test_the_reader_is_as_strict_as_apollo_ios_about_parts(part: bytes) -> None:
    body = b"\r\n--graphql\r\n" + part + b"\r\n--graphql--"
    if part:
        with pytest.raises(Unreadable):
            read(body)
    else:
        assert read(body).bodies == []
    with pytest.raises(Unreadable):
        read(body + b"\r\n")
