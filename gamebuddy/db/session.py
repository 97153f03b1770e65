"""Doors to the database: reads see one snapshot, writes are one transaction."""

import asyncio
from collections import namedtuple
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import cache
from typing import Any, overload

import asyncpg
from sqlalchemy import Select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_sessionmaker, create_async_engine

from gamebuddy.db.base import Row
from gamebuddy.errors import Unavailable

SERIALIZATION_FAILURE, DEADLOCK = "40001", "40P01"
TRIES = 3
# Broken connections, shutdowns, read-only servers, full disks, cancelled statements: none is the caller's fault.
OUTAGES = ("08", "57", "53", "25006", "55P03", "58")


@cache
def record(names: tuple[str, ...]) -> Any:
    """Make the type of the rows with these columns."""
    return namedtuple("Record", names)  # noqa: PYI024 - the names come with the statement


class ReadSession(AsyncSession):
    """Reads of one operation, in one READ ONLY snapshot.

    Fields of an operation resolve side by side and share its connection, so statements take turns. One that stands in a
    `queue` takes a connection when its place there comes, and keeps the place until it is closed.
    """

    def __init__(self, *args: Any, queue: asyncio.Semaphore | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self._turn = asyncio.Lock()
        self._queue = queue
        self._has_place = False
        self._link: AsyncConnection | None = None

    async def execute(self, *args: Any, **options: Any) -> Any:
        """Run a statement when it is its turn.

        Raises:
            Unavailable: when the database does not answer or the pool is exhausted for 2 s.
        """
        async with self._turn:
            await self._take_place()
            with translated_outages():
                return await super().execute(*args, **options)

    async def scalar(self, *args: Any, **options: Any) -> Any:
        """Run a statement for its first value; turn and errors as `execute`."""
        async with self._turn:
            await self._take_place()
            with translated_outages():
                return await super().scalar(*args, **options)

    async def scalars(self, *args: Any, **options: Any) -> Any:
        """Run a statement for its first column; turn and errors as `execute`, which it goes through."""
        return await super().scalars(*args, **options)

    @overload
    async def rows[R: Row](self, statement: Select[R], parameters: Mapping[str, Any]) -> Sequence[R]: ...

    @overload
    async def rows(self, statement: Select[*tuple[Any, ...]], parameters: Mapping[str, Any]) -> Sequence[Any]: ...

    async def rows(self, statement: Select[Any], parameters: Mapping[str, Any]) -> Sequence[Any]:
        """Read the rows of a statement that was written once; turn and errors as `execute`.

        It goes round the unit of work, which has nothing to do with rows that are no entities: that saves a quarter.
        They are named tuples, whose values are read ten times as fast as those of SQLAlchemy's own rows. Whoever writes
        flushes first.
        """
        async with self._turn:
            await self._take_place()
            with translated_outages():
                found = await (await self._connected()).execute(statement, parameters)
                return list(map(record(tuple(found.keys()))._make, found.all()))

    async def close(self) -> None:
        """Give the connection back, after the statement that is under way: the next owner would stumble over it.

        One that broke after its last statement takes nothing away from what was done.
        """
        async with self._turn:
            self._link = None
            try:
                with suppress(Unavailable), translated_outages():
                    await super().close()
            finally:
                if self._queue is not None and self._has_place:
                    self._has_place = False
                    self._queue.release()

    async def _connected(self) -> AsyncConnection:
        """Give the connection, which is the same from the first statement to the end."""
        if self._link is None:
            self._link = await self.connection()
        return self._link

    async def _take_place(self) -> None:
        if self._queue is not None and not self._has_place:
            await self._queue.acquire()
            self._has_place = True


class WriteSession(ReadSession):
    """One transaction. Nobody commits but the door that opened it."""

    @property
    def database(self) -> "Database":
        """Where it writes."""
        found: Database = self.info["database"]
        return found

    @property
    def to_tell(self) -> list[str]:
        """Messages for the courier, sent after the commit."""
        messages: list[str] = self.info.setdefault("to_tell", [])
        return messages

    @asynccontextmanager
    async def apart(self) -> "AsyncIterator[WriteSession]":
        """Open a second transaction that commits whatever becomes of this one, such as the count of wrong tries.

        The connection of this one is given back before, as `let_go` does: if everybody held two at once, the pool would
        wait for itself for ever.
        """
        await self.let_go()
        async with self.database.write() as session:
            yield session

    @asynccontextmanager
    async def at_once(self) -> "AsyncIterator[WriteSession]":
        """Open a session whose every statement commits by itself, as counts of tries do.

        Many count in one row at the same time: none may hold its lock while this process is busy with something else.
        The connection of this session is given back before.
        """
        await self.let_go()
        async with self.database.at_once() as session:
            yield session

    async def _connected(self) -> AsyncConnection:
        """Give the connection of the transaction, which may be another one after `let_go`."""
        return await self.connection()

    async def let_go(self) -> None:
        """Give the connection back before a long wait, such as hashing. Nothing may have been written yet."""
        if self.new or self.dirty or self.deleted:
            raise RuntimeError("what was written before the wait would be lost")
        await self.rollback()


type Courier = Callable[[Sequence[str]], None]  # carries messages to all processes, later; raises nothing


class Database:
    """A pool of connections to one database."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        statement_timeout_seconds: float = 5,
        application_name: str = "gamebuddy",
    ) -> None:
        self.url = url
        self.courier: Courier | None = None  # None: PostgreSQL itself sends messages, at commit
        # One event may concern a thousand streams at once. They wait for each other, not for two seconds and no longer,
        # and leave half of the connections to those who ask.
        self._queue = asyncio.Semaphore(max(1, pool_size // 2))
        self._ending: set[asyncio.Task[None]] = set()
        milliseconds = str(int(statement_timeout_seconds * 1000))
        self.engine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg"),
            pool_size=pool_size,
            max_overflow=0,
            pool_use_lifo=True,  # the connection that was used last has its statements and plans at hand
            pool_timeout=2,
            pool_pre_ping=False,
            pool_recycle=1800,
            connect_args={
                "timeout": statement_timeout_seconds,
                # Above the server's own limit: it ends what hangs when the server no longer answers at all.
                "command_timeout": statement_timeout_seconds + 1,
                "server_settings": {
                    "application_name": application_name,
                    "statement_timeout": milliseconds,
                    "lock_timeout": milliseconds,
                    "idle_in_transaction_session_timeout": "30000",
                    "jit": "off",  # its compilation costs more than any statement here takes
                    # Short statements over an index: rows are in memory or on a disk without a head, and workers cost
                    # more to start than they save.
                    "random_page_cost": "1.1",
                    "max_parallel_workers_per_gather": "0",
                    "timezone": "UTC",
                },
            },
        )
        snapshot = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._readers = async_sessionmaker(snapshot, class_=ReadSession, expire_on_commit=False, autoflush=False)
        counting = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._counters = async_sessionmaker(
            counting, class_=WriteSession, expire_on_commit=False, info={"database": self}
        )
        self._writers = async_sessionmaker(
            self.engine, class_=WriteSession, expire_on_commit=False, info={"database": self}
        )

    def snapshot(self, *, is_patient: bool = False) -> ReadSession:
        """Make a READ ONLY snapshot that its owner closes; it takes a connection at its first statement.

        A patient one, as streams have it, waits until it is its turn. Nobody may hold two.
        """
        return self._readers(queue=self._queue) if is_patient else self._readers()

    @asynccontextmanager
    async def read(self, *, is_patient: bool = False) -> AsyncIterator[ReadSession]:
        """Open a READ ONLY snapshot and close it at the end."""
        async with self.snapshot(is_patient=is_patient) as session:
            yield session

    def give_back(self, snapshot: ReadSession) -> None:
        """Close a snapshot while others go on: it has changed nothing, so nobody has to know how it ends."""
        task = asyncio.Task(snapshot.close(), loop=asyncio.get_running_loop(), eager_start=True)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    @asynccontextmanager
    async def at_once(self) -> AsyncIterator[WriteSession]:
        """Open a session without a transaction: every statement commits by itself.

        Raises:
            Unavailable: as `write`.
        """
        with translated_outages():
            async with self._counters() as session:
                yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteSession]:
        """Open a transaction that commits at the end, or rolls back when an exception passes.

        Raises:
            Unavailable: when the database does not answer, cannot write, or the pool is exhausted for 2 s.
        """
        with translated_outages():
            # Not session.begin(): inside its block there is no going on after let_go().
            async with self._writers() as session:
                yield session
                await session.commit()
                messages = list(dict.fromkeys(session.to_tell))
        if messages and self.courier is not None:
            self.courier(messages)

    async def answers(self) -> bool:
        """Tell whether a statement gets through."""
        try:
            async with asyncio.timeout(2), self.read() as session:
                await session.execute(text("SELECT 1"))
        except (Unavailable, TimeoutError):
            return False
        return True

    async def close(self) -> None:
        """Close every connection, after snapshots that are given back at this moment."""
        await asyncio.gather(*self._ending, return_exceptions=True)
        await self.engine.dispose()


async def repeated[Result](attempt: Callable[[], Awaitable[Result]]) -> Result:
    """Repeat a transaction that lost a deadlock or an order of writes; nobody sees it.

    Raises:
        Unavailable: when it has lost three times.
    """
    for left in reversed(range(TRIES)):
        try:
            return await attempt()
        except DBAPIError as error:
            if _state(error) not in {SERIALIZATION_FAILURE, DEADLOCK}:
                raise
            if not left:
                raise Unavailable from error
    raise AssertionError


@contextmanager
def translated_outages() -> Iterator[None]:
    """Turn what a lost, full or silent database raises into Unavailable."""
    try:
        yield
    except (PoolTimeout, asyncpg.InterfaceError, asyncpg.PostgresConnectionError, OSError, TimeoutError) as error:
        raise Unavailable from error
    except DBAPIError as error:
        if error.connection_invalidated or (_state(error) or "").startswith(OUTAGES):
            raise Unavailable from error
        if _state(error) is None and isinstance(error, InterfaceError | OperationalError):
            raise Unavailable from error
        raise


def _state(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)
