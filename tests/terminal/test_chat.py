"""`gamebuddy chat`, as a person uses it: at a terminal, through a pipe, on a bad network."""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Self

import pytest

from gamebuddy.settings import Settings
from tests.accounts.operations import PASSWORD, arrive
from tests.api import Api
from tests.conftest import free_port, running
from tests.factories import Factory, Player
from tests.leaks import LEAKS
from tests.post_office import PostOffice
from tests.proxy import Proxy

PATIENCE = 90  # seconds until what does not happen is a failure; a program that starts takes long on a busy machine
STYLE = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Terminal:
    """The program and what it has shown so far."""

    process: asyncio.subprocess.Process
    output: asyncio.StreamReader
    keys: Any
    shown: str = ""

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, url: str, *options: str, is_pty: bool = False, **environment: str) -> AsyncIterator[Self]:
        """Start it, at a terminal of its own or with pipes."""
        theirs, ours = os.openpty() if is_pty else (None, None)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GAMEBUDDY_", "CHAT_"))}
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "gamebuddy", "chat", "--url", url, *options],
            stdin=ours if is_pty else subprocess.PIPE,
            stdout=ours if is_pty else subprocess.PIPE,
            stderr=ours if is_pty else subprocess.STDOUT,
            env=kept | {"COLUMNS": "200", "TERM": "xterm"} | environment,
            start_new_session=True,
        )
        try:
            if theirs is not None and ours is not None:
                os.close(ours)
                reader = asyncio.StreamReader()
                loop = asyncio.get_running_loop()
                pipe = os.fdopen(theirs, "r+b", buffering=0)
                await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
                yield cls(process, reader, pipe)
            else:
                assert process.stdout is not None
                yield cls(process, process.stdout, process.stdin)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    def type(self, line: str) -> None:
        """Type a line and press Enter."""
        self.keys.write(f"{line}\n".encode())

    async def shows(self, text: str, *, times: int = 1) -> None:
        """Wait until it has shown something so often."""
        try:
            async with asyncio.timeout(PATIENCE):
                while self.shown.count(text) < times:
                    data = await self.output.read(65_536)
                    assert data, f"it ended without {text!r}:\n{self.shown}"
                    self.shown += STYLE.sub("", data.decode(errors="replace"))
        except TimeoutError:
            raise AssertionError(f"{text!r} is not among what it has shown:\n{self.shown}") from None

    async def ends(self) -> int:
        """Wait until it has ended; gives its status."""
        try:
            async with asyncio.timeout(PATIENCE):
                with contextlib.suppress(OSError):  # a terminal whose program is gone
                    while data := await self.output.read(65_536):
                        self.shown += STYLE.sub("", data.decode(errors="replace"))
                return await self.process.wait()
        except TimeoutError:
            raise AssertionError(f"it has not ended; it has shown:\n{self.shown}") from None


@pytest.fixture
async def nika(api: Api, post_office: PostOffice) -> Api:
    """One who has registered, and so has a password."""
    tokens = (await arrive(api, post_office, "nika"))["tokens"]
    LEAKS.note(PASSWORD)
    return api.signed_in(tokens["accessToken"])


@pytest.fixture
async def max_(make: Factory) -> Player:
    return await make.player("max")


@pytest.fixture
async def chat_id(nika: Api, max_: Player) -> str:
    """The direct chat of the two."""
    me = (await nika("{ viewer { user { id } } }"))["viewer"]["user"]["id"]
    open_chat = "mutation($user: ID!) { openDirectChat(input: {userId: $user}) { chat { id } } }"
    chat_id: str = (await max_.api(open_chat, user=me))["openDirectChat"]["chat"]["id"]
    return chat_id


async def said(player: Player, chat_id: str) -> list[str]:
    """Everything that stands in a chat."""
    query = "query($id: ID!) { node(id: $id) { ... on Chat { messages(last: 50) { nodes { text } } } } }"
    return [message["text"] for message in (await player.api(query, id=chat_id))["node"]["messages"]["nodes"]]


async def comes_to_stand(player: Player, chat_id: str, text: str) -> None:
    """Wait until a message has arrived at the server."""
    async with asyncio.timeout(PATIENCE):
        while text not in await said(player, chat_id):
            await asyncio.sleep(0.1)


async def test_a_person_signs_in_reads_and_answers(
    settings: Settings, make: Factory, nika: Api, max_: Player, chat_id: str
) -> None:
    await make.send(max_, chat_id, "are you there?")
    async with Terminal.open(settings.url, is_pty=True) as terminal:
        await terminal.shows("User name or e-mail: ")
        terminal.type("nika")
        await terminal.shows("Password: ")
        terminal.type(PASSWORD)
        await terminal.shows("Max: are you there?")
        terminal.type("hello?")
        await terminal.shows("Open a chat first")
        terminal.type("/1")
        await terminal.shows("Max: are you there?", times=2)
        terminal.type("I am")
        await terminal.shows("nika: I am")
        await make.send(max_, chat_id, "shall we play?")
        await terminal.shows("Max: shall we play?")
        terminal.type("/quit")
        assert await terminal.ends() == 0
    assert PASSWORD not in terminal.shown
    assert await said(max_, chat_id) == ["are you there?", "I am", "shall we play?"]
    assert (await nika("{ viewer { unreadChatCount } }"))["viewer"]["unreadChatCount"] == 0


async def test_what_is_said_elsewhere_names_its_chat_and_what_is_new(
    settings: Settings, make: Factory, nika: Api, max_: Player, chat_id: str
) -> None:
    async with Terminal.open(settings.url, CHAT_TOKEN=nika.token or "") as terminal:
        await terminal.shows("/quit")
        for number in (1, 2):
            await make.send(max_, chat_id, f"message {number}")
            await terminal.shows(f"[Max, {number} new] Max: message {number}")
        terminal.type("/chats")
        await terminal.shows("Chats of nika", times=2)
        terminal.keys.close()
        assert await terminal.ends() == 0


async def test_a_cut_network_loses_nothing_and_doubles_nothing(
    settings: Settings, make: Factory, nika: Api, max_: Player, chat_id: str
) -> None:
    async with (
        Proxy.before(settings.url) as proxy,
        Terminal.open(proxy.url, CHAT_LOGIN="nika", CHAT_PASSWORD=PASSWORD) as terminal,
    ):
        await terminal.shows("/quit")
        terminal.type("/1")
        terminal.type("before")
        await terminal.shows("nika: before")
        proxy.cut()
        await terminal.shows("The connection is lost")
        terminal.type("typed while away")
        for number in range(3):
            await make.send(max_, chat_id, f"missed {number}")
        proxy.mend()
        await terminal.shows("Max: missed 2")
        await terminal.shows("nika: typed while away")
        terminal.type("/quit")
        assert await terminal.ends() == 0
    assert re.findall(r"Max: (.+)", terminal.shown) == ["missed 0", "missed 1", "missed 2"]
    assert sorted(await said(max_, chat_id)) == ["before", "missed 0", "missed 1", "missed 2", "typed while away"]


async def test_a_message_whose_answer_was_lost_is_one_message(
    settings: Settings, make: Factory, nika: Api, max_: Player, chat_id: str
) -> None:
    async with Proxy.before(settings.url) as proxy, Terminal.open(proxy.url, CHAT_TOKEN=nika.token or "") as terminal:
        await terminal.shows("/quit")
        terminal.type("/1")
        await terminal.shows("Max ─")
        proxy.deafen()
        terminal.type("said once")
        await comes_to_stand(max_, chat_id, "said once")
        proxy.cut()
        proxy.mend()
        await terminal.shows("nika: said once")
        terminal.type("/quit")
        assert await terminal.ends() == 0, "what was typed has been answered"
    assert await said(max_, chat_id) == ["said once"]
    assert terminal.shown.count("said once") == 1


async def test_an_expired_token_is_refreshed(
    settings: Settings, make: Factory, nika: Api, max_: Player, chat_id: str
) -> None:
    short = settings.model_copy(update={"port": free_port(), "access_token_seconds": 1})
    sessions = "{ viewer { sessions { deviceName lastUsedAt } } }"

    async def last_used() -> str:
        found = (await nika(sessions))["viewer"]["sessions"]
        return max(str(session["lastUsedAt"]) for session in found if session["deviceName"] == "gamebuddy chat")

    async with running(short), Terminal.open(short.url, CHAT_LOGIN="nika", CHAT_PASSWORD=PASSWORD) as terminal:
        await terminal.shows("/quit")
        first = await last_used()
        async with asyncio.timeout(PATIENCE):
            while await last_used() == first:
                await asyncio.sleep(0.2)
        await make.send(max_, chat_id, "still there?")
        await terminal.shows("Max: still there?")
        terminal.type("/quit")
        assert await terminal.ends() == 0


async def test_the_end_of_the_session_is_told(settings: Settings, nika: Api) -> None:
    async with Terminal.open(settings.url, CHAT_TOKEN=nika.token or "") as terminal:
        await terminal.shows("/quit")
        await nika("mutation { signOut { isDone } }")
        assert await terminal.ends() == 1
    assert "gamebuddy: Your session has ended. Sign in again." in terminal.shown


async def test_what_goes_wrong_is_one_line(settings: Settings, nika: Api) -> None:
    async with Terminal.open(settings.url, CHAT_LOGIN="nika", CHAT_PASSWORD="not this one") as terminal:
        assert await terminal.ends() == 1
    assert terminal.shown.startswith("gamebuddy: ")
    assert terminal.shown.count("\n") == 1
    async with Terminal.open(f"http://127.0.0.1:{free_port()}", CHAT_LOGIN="n", CHAT_PASSWORD="p") as terminal:
        assert await terminal.ends() == 1
    assert terminal.shown.startswith("gamebuddy: ")


async def test_what_others_write_does_not_steer_the_terminal(
    settings: Settings, make: Factory, nika: Api, max_: Player, chat_id: str
) -> None:
    async with Terminal.open(settings.url, CHAT_TOKEN=nika.token or "") as terminal:
        await terminal.shows("/quit")
        await make.send(max_, chat_id, "[bold]a[/] \x1b[2J\x1b]0;title\x07 \u202eb")
        await terminal.shows("]0;title")
    assert "[bold]a[/] \ufffd[2J\ufffd]0;title\ufffd \ufffdb" in terminal.shown


async def test_ctrl_c_leaves(settings: Settings, nika: Api) -> None:
    async with Terminal.open(settings.url, CHAT_TOKEN=nika.token or "") as terminal:
        await terminal.shows("/quit")
        terminal.process.send_signal(signal.SIGINT)
        assert await terminal.ends() == 0
    assert "Traceback" not in terminal.shown
