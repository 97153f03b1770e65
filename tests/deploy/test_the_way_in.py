"""What is true through nginx: the journey, streams that come at once, the limits, and what outsiders do not reach."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from tests.accounts.operations import register
from tests.api import PATIENCE, Api
from tests.deploy.nodes import Node
from tests.deploy.proxy import Nginx
from tests.factories import Factory, Player
from tests.files.operations import CREATE
from tests.post_office import PostOffice
from tests.test_journey import test_two_people_meet_and_talk as journey
from tests.transport.streams import APOLLO_IOS, SSE, streamed

pytestmark = pytest.mark.xdist_group("deploy")

FOLLOW = "subscription { events { __typename ... on MessageSent { message { text } } } }"
JSON = {"Content-Type": "application/json"}


def code(response: httpx.Response) -> str:
    assert response.headers["content-type"].split(";")[0] == "application/json"
    found: str = response.json()["errors"][0]["extensions"]["code"]
    return found


async def raw(nginx: Nginx, head: bytes) -> bytes:
    """Send what no client would; gives the whole answer."""
    reader, writer = await asyncio.open_connection("localhost", nginx.port, ssl=nginx.tls)
    writer.write(head + b"\r\n")
    async with asyncio.timeout(PATIENCE):
        answer = await reader.readuntil(b"\r\n\r\n")
        (size,) = re.findall(rb"(?i)content-length: (\d+)", answer)
        answer += await reader.readexactly(int(size))
    writer.close()
    return answer


async def test_two_people_meet_and_talk_on_two_nodes(
    door: Api, nginx: Nginx, nodes: list[Node], post_office: PostOffice
) -> None:
    await journey(door, post_office)
    for node in nodes:
        assert f" 127.0.0.1:{node.port} " in nginx.log, "it had no part in it"


async def test_a_message_reaches_the_sockets_of_all_nodes(
    make: Factory, nika: Player, nginx: Nginx, nodes: list[Node]
) -> None:
    chat_id = await make.group(nika)
    before = len(nginx.log)
    async with nika.api.socket() as one, nika.api.socket() as other:
        streams = [await socket.subscribe(FOLLOW) for socket in (one, other)]
        for stream in streams:
            await stream.until("CaughtUp")
        await make.send(nika, chat_id, "to both")
        for stream in streams:
            assert (await stream.until("MessageSent"))["message"]["text"] == "to both"
    served_by = [line for line in nginx.log[before:].splitlines() if " 101 " in line]
    assert {node.port for node in nodes if f":{node.port} " in "\n".join(served_by)} == {node.port for node in nodes}


@pytest.mark.parametrize("accept", [APOLLO_IOS, SSE], ids=["multipart", "sse"])
async def test_events_come_while_the_stream_is_open(make: Factory, nika: Player, accept: str) -> None:
    chat_id = await make.group(nika)
    async with streamed(nika.api, accept, FOLLOW) as stream:
        await stream.until("CaughtUp")
        for number in range(3):
            await make.send(nika, chat_id, f"message {number}")
            assert (await stream.until("MessageSent"))["message"]["text"] == f"message {number}"


async def test_a_body_is_refused_in_the_words_of_the_api(door: Api) -> None:
    a_little, far = b'{"query": "' + b"x" * 100_000 + b'"}', b"x" * 300_000

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"x" * 10_000

    for body in (a_little, far, chunks()):
        response = await door.http.post("/graphql", content=body, headers=JSON)
        assert (response.status_code, code(response)) == (413, "PAYLOAD_TOO_LARGE")


async def test_a_file_of_ten_megabytes_passes_and_a_larger_one_does_not(nika: Player, nginx: Nginx) -> None:
    data = b"gg wp. " * (10_000_000 // 7)
    asked = {"fileName": "a.txt", "mediaType": "text/plain", "byteSize": len(data), "purpose": "ATTACHMENT"}
    announced = (await nika.api(CREATE, input=asked))["createUpload"]
    path = announced["url"].removeprefix("https://localhost")
    headers = {header["name"]: header["value"] for header in announced["headers"]}
    assert (await nika.api.http.put(path, content=data + b"!", headers=headers)).status_code == 413
    assert (await nika.api.http.put(path, content=data, headers=headers)).status_code == 200
    too_large = await nika.api.http.put(path, content=b"x" * 12_000_000, headers=headers)
    assert (too_large.status_code, code(too_large)) == (413, "PAYLOAD_TOO_LARGE")
    assert path.rsplit("/", 1)[1] not in nginx.log, "a link is a key"


async def test_whoever_invents_addresses_stays_one_client(door: Api, nginx: Nginx) -> None:
    async def register_as(client: Api, number: int) -> list[str]:
        client.http.headers["X-Forwarded-For"] = f"198.51.100.{number}"
        client.http.headers["Forwarded"] = f"for=198.51.100.{number}"
        answer = await register(client, email=f"{number}@example.com", username=f"nika_{number}")
        return [error["code"] for error in answer["register"]["userErrors"]]

    assert [await register_as(door, number) for number in range(21)] == [[]] * 20 + [["RETRY_LATER"]]
    neighbour = httpx.AsyncHTTPTransport(local_address="127.0.0.2", verify=nginx.tls)
    async with httpx.AsyncClient(base_url=nginx.url, transport=neighbour) as http:
        assert await register_as(replace(door, http=http), 21) == []


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/readyz",
        "/dev/mail",
        "/metrics/",
        "//metrics",
        "/x/../metrics",
        "/%6detrics",
        "/readyz?x",
        "/sockets",
    ],
)
async def test_what_is_for_operators_is_not_public(nginx: Nginx, nodes: list[Node], door: Api, path: str) -> None:
    answer = await raw(nginx, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 404 "), answer
    assert b"gamebuddy_requests_total" not in answer
    async with httpx.AsyncClient() as http:
        assert (await http.get(f"{nodes[0].url}/readyz")).status_code == 200


async def test_what_is_public_is_there(door: Api) -> None:
    for path in ("/", "/healthz", "/graphql/schema.graphql"):
        response = await door.http.get(path)
        assert response.status_code == 200, path
        assert response.headers["strict-transport-security"]
        assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400),
        (b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 40_000 + b"\r\n", 400),
        (b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: localhost\r\n", 414),
        (b"GET /healthz HTTP/1.1\r\nHost: a/b\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n", 421),
        (b"GET https://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\n", 421),
    ],
    ids=["two lengths", "two sizes", "large header", "long address", "no host", "another host", "absolute"],
)
async def test_requests_that_mean_two_things_are_refused(nginx: Nginx, door: Api, head: bytes, status: int) -> None:
    answer = await raw(nginx, head)
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer
    assert b'"BAD_REQUEST"' in answer


async def test_without_tls_there_is_only_the_way_to_it(nginx: Nginx, door: Api) -> None:
    async with httpx.AsyncClient(base_url=f"http://localhost:{nginx.plain_port}") as http:
        for response in (await http.get("/graphql?query={x}"), await http.post("/graphql?query={x}", json={})):
            assert response.status_code == 301
            assert response.headers["location"] == "https://localhost/graphql?query={x}"
