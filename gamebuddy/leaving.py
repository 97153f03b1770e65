"""How a process leaves: nobody new comes in, long connections end one after the other, what runs is answered.

A proxy before it loses nothing: whoever is refused a connection has sent nothing yet, and goes to another node.
"""

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from uvicorn import Server
from uvicorn.supervisors import Multiprocess

from gamebuddy.schema.farewell import Farewell

LOOK_SECONDS = 0.05


@contextmanager
def leaving_on_sigterm(farewell: Farewell) -> Iterator[None]:
    """Leave in order when SIGTERM comes; the server that runs this application ends when that is done."""
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    if threading.current_thread() is not threading.main_thread() or not isinstance(server, Server):
        yield
        return
    loop, tasks = asyncio.get_running_loop(), set[asyncio.Task[None]]()

    async def leave(frame: FrameType | None) -> None:
        until = time.monotonic() + farewell.seconds
        try:
            await asyncio.gather(_take_nobody_in(server), farewell.say())
            # A connection that waits for a next request is the client's to close: it might be sending one just now.
            while server.server_state.connections and time.monotonic() < until:  # noqa: ASYNC110 - nobody is told
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            server.handle_exit(signal.SIGTERM, frame)

    def begin(_: int, frame: FrameType | None) -> None:
        if not farewell.has_begun:
            farewell.has_begun = True
            loop.call_soon_threadsafe(lambda: tasks.add(loop.create_task(leave(frame))))

    signal.signal(signal.SIGTERM, begin)
    yield


async def _take_nobody_in(server: Server) -> None:
    """Close the ports. Whoever is connected already, but not yet accepted, is served: closing would cut him off."""
    listening = getattr(server, "servers", [])  # none yet, when the signal comes early
    doors = [socket.socket(fileno=os.dup(door.fileno())) for one in listening for door in one.sockets]
    for one in listening:
        one.close()
    await asyncio.sleep(LOOK_SECONDS)  # the loop lets go of its own
    for door in doors:
        door.setblocking(False)
        waiting = []
        with suppress(BlockingIOError), door:
            while True:
                waiting.append(door.accept()[0])
        for connection in waiting:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: _protocol(server), connection)


def _protocol(server: Server) -> asyncio.Protocol:
    """Make what speaks HTTP on a connection, as the server itself makes it."""
    make: Any = server.config.http_protocol_class
    protocol: asyncio.Protocol = make(
        config=server.config, server_state=server.server_state, app_state=server.lifespan.state
    )
    return protocol


class Workers(Multiprocess):
    """Several processes with one port, which goes with the last of them."""

    def terminate_all(self) -> None:
        """Tell all to leave."""
        for door in self.sockets:
            door.close()
        super().terminate_all()
