"""graphql-ws, graphql-sse and Apollo Client follow events as docs/clients.md shows it: live, cut, expired, refused."""

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from gamebuddy.settings import Settings
from tests.accounts.operations import arrive
from tests.api import Api, Json
from tests.clients.node import Node, Program
from tests.conftest import free_port, running
from tests.factories import Factory, Player
from tests.post_office import PostOffice
from tests.proxy import Proxy

SCRIPT = Path(__file__).with_name("follow.mjs")
EVENTS = """subscription Events($after: Cursor) { events(after: $after) {
  __typename id cursor ... on MessageSent { message { id text } } } }"""
WAYS = pytest.mark.parametrize("way", ["graphql-ws", "graphql-sse", "apollo-ws", "apollo-multipart"])

type Follow = Callable[..., contextlib.AbstractAsyncContextManager[Program]]


@pytest.fixture
def follow(node: Node, programs: Path, settings: Settings) -> Follow:
    """Start the program at an address, with tokens."""

    def start(way: str, tokens: Json, *, url: str = settings.url, query: str = EVENTS, **more: Any) -> Any:
        more.setdefault("after", None)
        return node.running(
            SCRIPT, way=way, tokens=tokens, url=f"{url}/graphql", query=query, programs=str(programs), **more
        )

    return start


@pytest.fixture
async def nika(api: Api, post_office: PostOffice) -> Json:
    """Tokens of one who has registered."""
    return (await arrive(api, post_office, "nika"))["tokens"]  # type: ignore[no-any-return]


@pytest.fixture
async def max_(make: Factory) -> Player:
    return await make.player("max")


@pytest.fixture
async def chat_id(api: Api, nika: Json, max_: Player) -> str:
    """A chat of the two."""
    me = (await api.signed_in(nika["accessToken"])("{ viewer { user { id } } }"))["viewer"]["user"]["id"]
    answer = await max_.api("mutation($user: ID!) { openDirectChat(input: {userId: $user}) { chat { id } } }", user=me)
    chat_id: str = answer["openDirectChat"]["chat"]["id"]
    return chat_id


async def texts(program: Program, count: int) -> list[str]:
    """Read on until so many messages have been told."""
    return [(await program.until(kind="event", type="MessageSent"))["text"] for _ in range(count)]


@WAYS
async def test_messages_come_as_they_are_sent(
    follow: Follow, make: Factory, nika: Json, max_: Player, chat_id: str, way: str
) -> None:
    async with follow(way, nika) as program:
        await program.until(type="CaughtUp")
        for text in ("one", "two, with ünïcode", "three 😀\r\n--graphql\n\ndata: x"):
            await make.send(max_, chat_id, text)
            assert await texts(program, 1) == [text]


@WAYS
async def test_what_may_not_be_followed_is_a_problem_with_its_code(
    follow: Follow, make: Factory, nika: Json, max_: Player, way: str
) -> None:
    others = await make.group(max_)
    query = f'subscription {{ events: chatEvents(chatId: "{others}") {{ __typename id cursor }} }}'
    async with follow(way, nika, query=query) as program:
        assert (await program.until(kind="problem"))["code"] == "NOT_FOUND"
    async with follow(way, nika, query="subscription { events { nothing } }") as program:
        assert (await program.until(kind="problem"))["code"] == "GRAPHQL_VALIDATION_FAILED"


@WAYS
async def test_after_a_cut_nothing_is_lost_and_nothing_comes_twice(
    follow: Follow, make: Factory, settings: Settings, nika: Json, max_: Player, chat_id: str, way: str
) -> None:
    async with Proxy.before(settings.url) as proxy, follow(way, nika, url=proxy.url) as program:
        await program.until(type="CaughtUp")
        await make.send(max_, chat_id, "0")
        assert await texts(program, 1) == ["0"]
        for number in (1, 4):
            proxy.cut()
            for missed in range(number, number + 3):
                await make.send(max_, chat_id, str(missed))
            await program.until(kind="opened", isResumed=True)
            proxy.mend()
            assert await texts(program, 3) == [str(missed) for missed in range(number, number + 3)]
            await program.until(type="CaughtUp")


@WAYS
async def test_what_is_sent_again_is_told_once(
    follow: Follow, make: Factory, settings: Settings, api: Api, nika: Json, max_: Player, chat_id: str, way: str
) -> None:
    start = (await api.signed_in(nika["accessToken"])("{ viewer { eventCursor } }"))["viewer"]["eventCursor"]
    for number in range(3):
        await make.send(max_, chat_id, str(number))
    async with (
        Proxy.before(settings.url) as proxy,
        follow(way, nika, url=proxy.url, after=start, staysAt=start) as program,
    ):
        assert await texts(program, 3) == ["0", "1", "2"]
        await program.until(type="CaughtUp")
        proxy.cut()
        await make.send(max_, chat_id, "3")
        proxy.mend()
        assert await texts(program, 1) == ["3"], "the server has sent all four"


@contextlib.asynccontextmanager
async def short_lived(settings: Settings, tokens: Json) -> AsyncIterator[tuple[str, Json]]:
    """Run a server whose tokens live for two seconds; gives its address and such tokens."""
    short = settings.model_copy(update={"port": free_port(), "access_token_seconds": 2})
    async with running(short), Api.open(short.url) as there:
        answer = await there(
            """mutation($token: String!) { refreshSession(input: {refreshToken: $token}) {
                tokens { accessToken refreshToken } } }""",
            token=tokens["refreshToken"],
        )
        yield short.url, answer["refreshSession"]["tokens"]


@WAYS
async def test_an_expired_token_is_refreshed_and_the_stream_goes_on(
    follow: Follow, make: Factory, settings: Settings, nika: Json, max_: Player, chat_id: str, way: str
) -> None:
    async with short_lived(settings, nika) as (url, tokens), follow(way, tokens, url=url) as program:
        await program.until(type="CaughtUp")
        for number in range(2):
            await program.until(kind="refreshed")
            await make.send(max_, chat_id, str(number))
            assert await texts(program, 1) == [str(number)]


@WAYS
async def test_the_end_of_the_session_is_the_end(follow: Follow, api: Api, nika: Json, way: str) -> None:
    async with follow(way, nika) as program:
        await program.until(type="CaughtUp")
        await api.signed_in(nika["accessToken"])("mutation { signOut { isDone } }")
        assert (await program.until(kind="problem"))["name"] == "SessionEnded"


@WAYS
async def test_a_token_that_is_no_good_from_the_start_is_refreshed(follow: Follow, nika: Json, way: str) -> None:
    async with follow(way, nika | {"accessToken": "e30.e30.e30"}) as program:
        await program.until(kind="refreshed")
        await program.until(type="CaughtUp")
