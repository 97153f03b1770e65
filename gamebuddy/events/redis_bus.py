"""Redis as the way between nodes, for more of them than one PostgreSQL should notify. The log stays in PostgreSQL.

Redis may lose what it likes: a message says no more than that there is something to read, and the hub looks by itself
now and then.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from gamebuddy.events.bus import HEARTBEAT_SECONDS, PATIENCE_SECONDS, Bus
from gamebuddy.events.log import CHANNEL

MOST_WAITING = 10_000  # messages; more say nothing that these do not

log = structlog.get_logger(__name__)


class RedisBus(Bus):
    """Listens on Redis; what a transaction has to say is published after its commit."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._redis = Redis.from_url(
            url, decode_responses=True, socket_connect_timeout=PATIENCE_SECONDS, socket_timeout=PATIENCE_SECONDS
        )
        self._pubsub: PubSub | None = None
        self._outgoing: asyncio.Queue[str] = asyncio.Queue(MOST_WAITING)
        self._sender: asyncio.Task[None] | None = None

    @property
    def is_listening(self) -> bool:
        """Whether a connection stands and listens."""
        return self._pubsub is not None

    async def connect(self) -> None:
        """Begin to listen and to send."""
        await super().connect()
        self._sender = asyncio.create_task(self._send(), name="redis sends")

    async def disconnect(self) -> None:
        """Stop listening, and close what publishes."""
        await super().disconnect()
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.gather(self._sender, return_exceptions=True)
        await self._redis.aclose()

    async def subscribe(self, group: str) -> None:
        """Listen on one more channel, now or as soon as there is a connection."""
        self._channels.add(group)
        if self._pubsub is not None:
            await self._pubsub.subscribe(group)

    async def unsubscribe(self, group: str) -> None:
        """Listen on one channel less."""
        self._channels.discard(group)
        if self._pubsub is not None:
            await self._pubsub.unsubscribe(group)

    async def publish(self, channel: str, message: str) -> None:
        """Send a message at once."""
        await self._redis.publish(channel, message)

    def send_soon(self, messages: Sequence[str]) -> None:
        """Send what a transaction had to say; nobody waits for it. What gets lost is found by the next look."""
        for message in messages:
            with suppress(asyncio.QueueFull):
                self._outgoing.put_nowait(message)

    async def _send(self) -> None:
        while True:
            message = await self._outgoing.get()
            try:
                await self.publish(CHANNEL, message)
            except (RedisError, OSError) as error:
                log.warning("a notification was lost", reason=repr(error))

    async def _listen_until_lost(self) -> None:
        pubsub = self._redis.pubsub()
        try:
            await pubsub.subscribe(*(self._channels or {CHANNEL}))
            # Confirmed, so what is published from here on is heard; what came before is read.
            while (await pubsub.get_message(timeout=PATIENCE_SECONDS)) is None:
                pass
            self._pubsub = pubsub
            self._returned()
            while True:
                message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=HEARTBEAT_SECONDS / 2)
                if message is None:
                    await pubsub.ping()  # a half-open connection answers nothing
                elif message["type"] == "message":
                    self._take(message["channel"], message["data"])
        finally:
            self._pubsub = None
            await pubsub.aclose()  # type: ignore[no-untyped-call]
