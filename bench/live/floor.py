"""The floor: the least that an ASGI server does for the same frames. Arguments: port, folder of PostgreSQL."""

import json
import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import uvicorn

type Send = Callable[[dict[str, Any]], Awaitable[None]]


class Floor:
    """Answers what graphql-transport-ws begins with, and sends everybody in a chat the same prepared text."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._chats: defaultdict[str, set[Send]] = defaultdict(set)
        self._connection: asyncpg.Connection | None = None

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[dict[str, Any]]], send: Send
    ) -> None:
        """Serve one socket, or the beginning of the server."""
        if scope["type"] == "lifespan":
            await receive()
            await self._listen()
            await send({"type": "lifespan.startup.complete"})
            await receive()
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept", "subprotocol": "graphql-transport-ws"})
            await receive()
            await send({"type": "websocket.send", "text": '{"type":"connection_ack"}'})
            members = self._chats[json.loads((await receive())["text"])["payload"]["variables"]["chat"]]
            members.add(send)
            caught_up = '{"id":"1","type":"next","payload":{"data":{"chatEvents":{"__typename":"CaughtUp"}}}}'
            await send({"type": "websocket.send", "text": caught_up})
            while (await receive())["type"] != "websocket.disconnect":
                pass
            members.discard(send)

    async def _listen(self) -> None:
        self._connection = await asyncpg.connect(host=self._folder, user="postgres", database="postgres")
        await self._connection.add_listener("chat", self._hear)

    async def _hear(self, _: object, __: int, ___: str, payload: object) -> None:
        text = f'{{"id":"1","type":"next","payload":{{"data":{{"chatEvents":{payload}}}}}}}'
        for send in tuple(self._chats[json.loads(str(payload))["chatId"]]):
            await send({"type": "websocket.send", "text": text})


if __name__ == "__main__":
    uvicorn.run(
        Floor(sys.argv[2]),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        log_level="warning",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_ping_interval=None,
    )
