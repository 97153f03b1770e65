"""The clients of a fault run: readers that always come back with their last cursor, and posters that do not give up."""

import asyncio
import itertools
import random
import time
import uuid
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from bench.crowd import Chat, Player
from bench.faults.tally import Tally

HEARTBEAT_SECONDS = 1.0  # how often the nodes send a ping
SILENCE_SECONDS = 4 * HEARTBEAT_SECONDS  # then a reader looks for another node
ANSWER_SECONDS = 5.0
LONGEST_PAUSE = 0.3  # between two tries
THINKING_SECONDS = 0.15  # between two posts of one player, on average
REPEATED_SHARE = 0.05  # of the posts that are sent again although they were answered

FIELDS = """__typename id cursor at
  ... on ChatEvent { seq chat { id } }
  ... on MessageSent { message { id text } }
  ... on ResyncRequired { reason }
  ... on AccessRevoked { reason }"""
EVENTS = f"subscription ($after: Cursor) {{ events(after: $after) {{ {FIELDS} }} }}"
CHAT = f"subscription ($after: Cursor, $chat: ID!) {{ chatEvents(chatId: $chat, after: $after) {{ {FIELDS} }} }}"
SEND = "mutation ($i: SendMessageInput!) { sendMessage(input: $i) { message { id seq } userErrors { code message } } }"
READ = "mutation ($i: MarkReadInput!) { markRead(input: $i) { userErrors { code message } } }"

type Json = dict[str, Any]


@dataclass(eq=False)
class Reader:
    """Follows one chat, or everything of an account. `history` has the numbers of each chat's events as they came."""

    player: Player
    chats: Sequence[Chat]
    is_of_account: bool
    dice: random.Random
    tally: Tally
    cursor: str | None = None
    history: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _ids: set[str] = field(default_factory=set)
    _connection: ClientConnection | None = None

    @property
    def name(self) -> str:
        """Who reads what."""
        return f"{self.player.name}, {'everything' if self.is_of_account else self.chats[0].id}"

    async def read(self, addresses: Sequence[str]) -> None:
        """Read for ever, at one node or another."""
        while True:
            address = self.dice.choice(addresses).replace("http", "ws", 1)
            try:
                async with connect(
                    f"{address}/graphql",
                    subprotocols=[Subprotocol("graphql-transport-ws")],
                    open_timeout=ANSWER_SECONDS,
                    close_timeout=1,
                    ping_interval=None,
                    compression=None,
                ) as connection:
                    self._connection = connection
                    self.tally.seen["connections of readers"] += 1
                    await self._follow(connection)
            except (OSError, WebSocketException, TimeoutError, EOFError):
                pass
            finally:
                self._connection = None
            await asyncio.sleep(self.dice.uniform(0, LONGEST_PAUSE))

    def cut(self) -> bool:
        """Break the connection without a word, with whatever is on its way; tells whether there was one."""
        if self._connection is None:
            return False
        self._connection.transport.abort()
        return True

    async def _follow(self, connection: ClientConnection) -> None:
        payload = {"Authorization": f"Bearer {self.player.token}"}
        await _say(connection, {"type": "connection_init", "payload": payload})
        while True:
            async with asyncio.timeout(SILENCE_SECONDS):
                frame: Json = orjson.loads(await connection.recv())
            match frame["type"]:
                case "connection_ack":
                    await _say(connection, {"id": "1", "type": "subscribe", "payload": self._operation()})
                case "ping":
                    await _say(connection, {"type": "pong"})
                case "next":
                    self._take(frame["payload"])
                case "error":
                    self._note_errors(frame["payload"])
                    return
                case "complete":
                    return

    def _operation(self) -> Json:
        if self.is_of_account:
            return {"query": EVENTS, "variables": {"after": self.cursor}}
        return {"query": CHAT, "variables": {"after": self.cursor, "chat": self.chats[0].id}}

    def _take(self, payload: Json) -> None:
        if payload.get("errors"):
            self._note_errors(payload["errors"])
            raise EOFError  # not taken: to be read again from the last place
        (event,) = payload["data"].values()
        if event["__typename"] in {"ResyncRequired", "AccessRevoked"}:
            self.tally.wrong.append(f"{self.name}: {event['__typename']}, {event['reason']}")
        self.cursor = event["cursor"] or self.cursor
        if event.get("seq") is None:
            return
        if event["id"] in self._ids:
            self.tally.seen["events sent again, known by their id"] += 1
            return
        self._ids.add(event["id"])
        self.tally.seen["events read"] += 1
        self.tally.delays.all.append((datetime.now(UTC) - datetime.fromisoformat(event["at"])).total_seconds() * 1000)
        self.history[event["chat"]["id"]].append(event["seq"])

    def _note_errors(self, errors: list[Json]) -> None:
        for error in errors:
            _note(self.tally, error, f"{self.name} reads")


@dataclass(eq=False)
class Poster:
    """Writes to his chats, and repeats with the same client id until there is an answer."""

    player: Player
    chats: Sequence[Chat]
    dice: random.Random
    tally: Tally
    answered: dict[str, str] = field(default_factory=dict)  # message ids by client id

    async def write(self, addresses: Sequence[str], until: float) -> None:
        """Write until that time of the monotonic clock."""
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS) as client:
            for number in itertools.count():
                if time.monotonic() > until:
                    return
                await self._send(client, addresses, number)
                await asyncio.sleep(self.dice.expovariate(1 / THINKING_SECONDS))

    async def _send(self, client: httpx.AsyncClient, addresses: Sequence[str], number: int) -> None:
        chat = self.dice.choice(self.chats)
        client_id = str(uuid.UUID(int=self.dice.getrandbits(128), version=4))
        message = {"chatId": chat.id, "clientId": client_id, "text": f"{self.player.name} says {number}"}
        for _ in range(2 if self.dice.random() < REPEATED_SHARE else 1):
            sent = (await self._ask(client, addresses, SEND, message))["sendMessage"]
            if sent["userErrors"]:
                self.tally.wrong.append(f"{self.player.name} writes: {sent['userErrors']}")
            elif self.answered.setdefault(client_id, sent["message"]["id"]) != sent["message"]["id"]:
                self.tally.wrong.append(f"{client_id} became two messages")
        self.tally.seen["messages answered"] += 1
        if sent["message"] and self.dice.random() < REPEATED_SHARE:
            await self._ask(client, addresses, READ, {"chatId": chat.id, "upToSeq": sent["message"]["seq"]})

    async def _ask(self, client: httpx.AsyncClient, addresses: Sequence[str], query: str, given: Json) -> Json:
        """Ask at one node or another until one answers."""
        headers = {"Authorization": f"Bearer {self.player.token}"}
        body = {"query": query, "variables": {"i": given}}
        while True:
            with suppress(httpx.HTTPError, orjson.JSONDecodeError):
                address = self.dice.choice(addresses)
                response = await client.post(f"{address}/graphql", json=body, headers=headers)
                answer: Json = orjson.loads(response.content)
                if not answer.get("errors"):
                    data: Json = answer["data"]
                    return data
                for error in answer["errors"]:
                    _note(self.tally, error, f"{self.player.name} writes")
            self.tally.seen["requests repeated"] += 1
            await asyncio.sleep(self.dice.uniform(0, LONGEST_PAUSE))


async def _say(connection: ClientConnection, frame: Json) -> None:
    await connection.send(orjson.dumps(frame).decode())


def _note(tally: Tally, error: Json, where: str) -> None:
    """Count an error of a kind that may come while something is broken; any other must not be."""
    code = error.get("extensions", {}).get("code")
    if code == "UNAVAILABLE":
        tally.seen["answers UNAVAILABLE"] += 1
    else:
        tally.wrong.append(f"{where}: {code}, {error.get('message')}")
