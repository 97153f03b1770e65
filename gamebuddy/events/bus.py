"""How a process hears that something has happened: PostgreSQL's LISTEN, or Redis, as backends of broadcaster."""

import asyncio
import contextlib
import random
from abc import abstractmethod

import asyncpg
import structlog
from broadcaster import Event
from broadcaster._backends.base import BroadcastBackend

HEARTBEAT_SECONDS = 5.0
PATIENCE_SECONDS = 3.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 0.5  # a server that is back is noticed within a second
RETURNED = ""  # the message after a reconnection: something may have been missed

log = structlog.get_logger(__name__)


class Bus(BroadcastBackend):
    """A connection of its own that listens and comes back.

    broadcaster's own backends share their connection with what they publish and never come back when it breaks. After
    each return this one gives every channel the message RETURNED, so that readers look for what they missed.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._channels: set[str] = set()
        self._incoming: asyncio.Queue[Event] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    @property
    @abstractmethod
    def is_listening(self) -> bool:
        """Whether a connection stands and listens."""

    @abstractmethod
    async def _listen_until_lost(self) -> None:
        """Connect, listen on all channels, say `_returned`, and return or raise when the connection has ended."""

    async def connect(self) -> None:
        """Begin to listen; the task goes on until `disconnect`."""
        self._task = asyncio.create_task(self._stay_connected(), name="event bus")

    async def disconnect(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def next_published(self) -> Event:
        """Wait for the next message."""
        return await self._incoming.get()

    def _take(self, channel: str, message: str) -> None:
        self._incoming.put_nowait(Event(channel, message))

    def _returned(self) -> None:
        for channel in tuple(self._channels):
            self._take(channel, RETURNED)

    async def _stay_connected(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._listen_until_lost()
                pause = FIRST_PAUSE_SECONDS
            except Exception as error:  # noqa: BLE001 - whatever it was, nobody hears anything until it listens again
                log.warning("the event listener is away", reason=repr(error), again_in_seconds=round(pause, 2))
            # With jitter: after a restart of the server not all processes come at once.
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


class PostgresBus(Bus):
    """Listens on PostgreSQL, where messages are sent by the transactions that make them true."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._connection: asyncpg.Connection | None = None
        self._turn = asyncio.Lock()  # a connection does one thing at a time

    @property
    def is_listening(self) -> bool:
        """Whether a connection stands and listens."""
        return self._connection is not None and not self._connection.is_closed()

    async def subscribe(self, group: str) -> None:
        """Listen on one more channel, now or as soon as there is a connection."""
        self._channels.add(group)
        async with self._turn:
            if self.is_listening and self._connection is not None:
                await self._connection.add_listener(group, self._hear)

    async def unsubscribe(self, group: str) -> None:
        """Listen on one channel less."""
        self._channels.discard(group)
        async with self._turn:
            if self.is_listening and self._connection is not None:
                await self._connection.remove_listener(group, self._hear)

    async def publish(self, channel: str, message: str) -> None:
        """Send a message at once, on a connection of its own: the listening one is never kept waiting."""
        connection = await self._open()
        try:
            await connection.execute("SELECT pg_notify($1, $2)", channel, message)
        finally:
            await connection.close()

    def _hear(self, _: object, __: int, channel: str, payload: object) -> None:
        self._take(channel, str(payload))

    async def _open(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            self._url,
            timeout=PATIENCE_SECONDS,
            command_timeout=PATIENCE_SECONDS,
            server_settings={
                "application_name": "gamebuddy listener",
                "tcp_keepalives_idle": "10",
                "tcp_keepalives_interval": "3",
                "tcp_keepalives_count": "3",
            },
        )

    async def _listen_until_lost(self) -> None:
        connection = await self._open()
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        try:
            async with self._turn:
                for channel in tuple(self._channels):
                    await connection.add_listener(channel, self._hear)
                # add_listener returns when LISTEN has: what commits from here on is heard, what came before is read.
                self._connection = connection
            self._returned()
            while not lost.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(lost.wait(), HEARTBEAT_SECONDS)
                    return
                async with self._turn:
                    await connection.fetchval("SELECT 1")  # a half-open connection answers nothing
        finally:
            self._connection = None
            connection.terminate()
