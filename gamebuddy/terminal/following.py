"""Live events, without a hole and without a repeat."""

import json
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from gamebuddy.terminal.session import Json, Pauses, Refused, Session, Unreachable, refuse

EXPIRED = 4403
REMEMBERED = 1_000
EVENTS = """
subscription Events($after: Cursor) {
  events(after: $after) {
    __typename id cursor at
    ... on MessageSent {
      chat { id title viewerUnreadCount }
      message { id seq text author { id displayName } }
    }
  }
}"""


async def follow(session: Session, after: str | None, tell: Callable[[str], None]) -> AsyncIterator[Json]:
    """Give events behind a cursor, for as long as the session lasts; `tell` is told when the connection is lost.

    Delivery is at least once, so what was seen already is left out by its id. After ResyncRequired the reader has to
    load his state anew.
    """
    seen: OrderedDict[str, None] = OrderedDict()
    pauses = Pauses()
    while True:
        try:
            async with aclosing(_stream(session, after)) as events:
                async for event in events:
                    pauses.reset()
                    after = event["cursor"] or after  # what is not kept has no cursor
                    if event["id"] in seen:
                        continue
                    seen[event["id"]] = None
                    if len(seen) > REMEMBERED:
                        seen.popitem(last=False)
                    yield event
        except Unreachable as problem:
            if pauses.failures == 0:
                tell(f"The connection is lost ({problem}). Trying again …")
        except Refused as refused:
            if refused.code != "UNAUTHENTICATED":
                raise
            session.expire()
        await (
            pauses.wait()
        )  # a stream that has completed is opened again: if there is a reason not to, the server says so


async def _stream(session: Session, after: str | None) -> AsyncGenerator[Json]:
    address = f"{session.url.replace('http', 'ws', 1)}/graphql"
    authorization = await session.authorization()
    try:
        # Pings tell a dead connection from a silent one.
        async with connect(
            address, subprotocols=[Subprotocol("graphql-transport-ws")], ping_interval=10, ping_timeout=10
        ) as socket:
            await _send(socket, type="connection_init", payload={"Authorization": authorization})
            async for text in socket:
                frame = json.loads(text)
                match frame["type"]:
                    case "connection_ack":
                        payload = {"query": EVENTS, "variables": {"after": after}}
                        await _send(socket, id="1", type="subscribe", payload=payload)
                    case "ping":
                        await _send(socket, type="pong")
                    case "next":
                        refuse(frame["payload"].get("errors"))
                        yield frame["payload"]["data"]["events"]
                    case "error":
                        refuse(frame["payload"])
                    case "complete":
                        return
    except ConnectionClosed as closed:
        if closed.rcvd is not None and closed.rcvd.code == EXPIRED:
            session.expire()
            return
        raise Unreachable(str(closed)) from closed
    except (OSError, InvalidHandshake, TimeoutError) as problem:
        raise Unreachable(str(problem) or type(problem).__name__) from problem


async def _send(socket: ClientConnection, **frame: object) -> None:
    await socket.send(json.dumps(frame))
