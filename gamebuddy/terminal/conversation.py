"""The messenger itself: lists chats, shows what is said, sends what is typed."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime

from rich.console import Console
from rich.control import Control
from rich.segment import ControlType
from rich.table import Table
from rich.text import Text

from gamebuddy.terminal.following import follow
from gamebuddy.terminal.session import Json, Pauses, Refused, Session, Unreachable

CHATS = """
query Chats {
  viewer {
    user { id displayName }
    eventCursor
    chats(first: 20) { nodes { id title viewerUnreadCount lastMessage { text author { displayName } } } }
  }
}"""
HISTORY = """
query History($chat: ID!) {
  node(id: $chat) {
    ... on Chat { messages(last: 10) { nodes { id seq text createdAt author { id displayName } } } }
  }
}"""
SEND = """
mutation Send($input: SendMessageInput!) {
  sendMessage(input: $input) { message { id } userErrors { code message } }
}"""
MARK_READ = "mutation Read($input: MarkReadInput!) { markRead(input: $input) { userErrors { code } } }"
HELP = "/3 opens chat 3 · /chats lists them · /quit leaves · anything else is sent to the open chat"
PREVIEW = 40  # characters of the last message in the list


@dataclass(frozen=True)
class Letter:
    """A message on its way; its `client_id` stays the same however often it is sent."""

    chat_id: str
    text: str
    client_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass
class Conversation:
    """One person at a terminal."""

    session: Session
    console: Console
    lines: AsyncIterator[str]
    chats: list[Json] = field(default_factory=list)
    open_chat: Json | None = None
    _letters: asyncio.Queue[Letter] = field(default_factory=asyncio.Queue)
    _marks: asyncio.Queue[tuple[str, int]] = field(default_factory=asyncio.Queue)

    async def run(self) -> None:
        """Talk until the lines end, and everything typed has been sent.

        Raises:
            SessionEnded: somebody has to sign in again.
        """
        cursor = await self._load()
        self._say(HELP)
        works = (self._type(), self._show_events(cursor), self._send_letters(), self._send_marks())
        doing = [asyncio.create_task(work) for work in works]
        try:
            done, _ = await asyncio.wait(doing, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in doing:
                task.cancel()
            await asyncio.gather(*doing, return_exceptions=True)

    async def _load(self) -> str:
        """Read the chats, list them, and give the cursor that fits them: what happens behind it is news."""
        viewer = (await self._patiently(CHATS))["viewer"]
        self.chats = viewer["chats"]["nodes"]
        table = Table("", "chat", "new", "last message", title=f"Chats of {printable(viewer['user']['displayName'])}")
        for number, chat in enumerate(self.chats, 1):
            last = chat["lastMessage"]
            preview = printable(f"{_name(last)}: {last['text']}")[:PREVIEW].replace("\n", " ") if last else ""
            unread = str(chat["viewerUnreadCount"] or "")
            table.add_row(f"/{number}", Text(printable(chat["title"])), unread, Text(preview))
        self.console.print(table)
        cursor: str = viewer["eventCursor"]
        return cursor

    async def _type(self) -> None:
        async for line in self.lines:
            if self.console.is_terminal:  # what was typed is shown when it has arrived
                self.console.control(Control((ControlType.CURSOR_UP, 1), (ControlType.ERASE_IN_LINE, 2)))
            match line.split():
                case ["/quit"]:
                    break
                case ["/chats"]:
                    await self._load()
                case [command] if command.startswith("/") and command[1:].isdecimal():
                    await self._open(int(command[1:]))
                case _ if line.startswith("/"):
                    self._say(HELP)
                case _ if self.open_chat is None:
                    self._say("Open a chat first, as with /1.")
                case _:
                    self._letters.put_nowait(Letter(self.open_chat["id"], line))
        await self._letters.join()
        await self._marks.join()

    async def _open(self, number: int) -> None:
        if not 0 < number <= len(self.chats):
            self._say(f"There is no chat {number}.")
            return
        self.open_chat = chat = self.chats[number - 1]
        node = (await self._patiently(HISTORY, chat=chat["id"]))["node"]
        messages = node["messages"]["nodes"] if node else []
        self.console.rule(Text(printable(chat["title"])))
        for message in messages:
            self._show(message, message["createdAt"])
        if messages:
            self._marks.put_nowait((chat["id"], messages[-1]["seq"]))

    async def _show_events(self, cursor: str) -> None:
        async for event in follow(self.session, cursor, self._say):
            match event["__typename"]:
                case "MessageSent":
                    chat, message = event["chat"], event["message"]
                    if self.open_chat is not None and chat["id"] == self.open_chat["id"]:
                        self._show(message, event["at"])
                        self._marks.put_nowait((chat["id"], message["seq"]))
                    else:
                        self._show(message, event["at"], where=f"{chat['title']}, {chat['viewerUnreadCount']} new")
                case "ResyncRequired":
                    await self._load()

    async def _send_letters(self) -> None:
        while True:
            letter = await self._letters.get()
            given = {"chatId": letter.chat_id, "clientId": letter.client_id, "text": letter.text}
            try:
                answer = await self._patiently(SEND, input=given)
                for problem in answer["sendMessage"]["userErrors"]:
                    self._say(f"Not sent: {problem['message']}")
            except Refused as refused:
                self._say(f"Not sent: {refused}")
            self._letters.task_done()

    async def _send_marks(self) -> None:
        """Say what was read, beside the events: what comes next is shown though the network is slow."""
        while True:
            chat_id, seq = await self._marks.get()
            with contextlib.suppress(Refused):  # a chat that one has left meanwhile
                await self._patiently(MARK_READ, input={"chatId": chat_id, "upToSeq": seq})
            self._marks.task_done()

    async def _patiently(self, query: str, **variables: object) -> Json:
        """Ask until there is an answer: everything asked here may be repeated."""
        pauses = Pauses()
        while True:
            try:
                return await self.session.request(query, **variables)
            except Unreachable:
                await pauses.wait()

    def _show(self, message: Json, at: str, where: str | None = None) -> None:
        line = Text(f"{datetime.fromisoformat(at).astimezone():%H:%M} ", style="dim")
        if where is not None:
            line.append(f"[{printable(where)}] ", style="yellow")
        line.append(printable(_name(message)), style="bold cyan")
        line.append(f": {printable(message['text'])}", style="default")
        self.console.print(line)

    def _say(self, text: str) -> None:
        self.console.print(Text(printable(text), style="dim"))


def printable(text: str) -> str:
    """Take out what would steer the terminal: what others write is shown and nothing else."""
    return "".join(sign if sign == "\n" or sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def _name(message: Json) -> str:
    return message["author"]["displayName"] if message["author"] else "·"
