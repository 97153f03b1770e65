"""What one operation carries: who asks, from where, and the snapshot that its reads share."""

import asyncio
import uuid
from dataclasses import dataclass

from strawberry import Info as StrawberryInfo
from strawberry import Schema
from strawberry.fastapi import BaseContext

from gamebuddy.auth import viewer as viewers
from gamebuddy.auth.gate import Gate
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import Database, ReadSession
from gamebuddy.errors import Unavailable
from gamebuddy.events.hub import Hub
from gamebuddy.events.presence import Attendance
from gamebuddy.files import Files
from gamebuddy.resolvers.chat import Outbox
from gamebuddy.resolvers.limits import ChangedLimits
from gamebuddy.resolvers.wording import WordFilter
from gamebuddy.schema.crowd import Crowd
from gamebuddy.schema.documents import Documents, Prepared
from gamebuddy.schema.farewell import Farewell
from gamebuddy.schema.loaders import Loaders
from gamebuddy.schema.paging import Cursors
from gamebuddy.schema.sharing import Sharing, Trace
from gamebuddy.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """The other end: its address as the trusted proxies tell it, and what it calls itself."""

    address: str
    user_agent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What a process has once."""

    settings: Settings
    database: Database
    gate: Gate
    files: Files
    hub: Hub
    attendance: Attendance
    crowd: Crowd
    sharing: Sharing
    outbox: Outbox
    words: WordFilter
    limits: ChangedLimits
    cursors: Cursors
    schema: Schema
    documents: Documents
    farewell: Farewell


class Context(BaseContext):
    """One operation, or one event of a stream. Loaders and snapshot are its own and never outlive it."""

    def __init__(self, services: Services, client: Client, session_id: uuid.UUID | None = None) -> None:
        super().__init__()
        self.services = services
        self.client = client
        self.session_id = session_id
        self.onlooker: Viewer | None = None  # as `viewer`, where it decides no more than which rows are loaded
        self.trace: Trace | None = None  # of an execution that others may share
        self.prepared: Prepared | None = None
        self.is_following = False  # a stream
        self._is_over = False
        self._snapshot: ReadSession | None = None
        self._loaders: Loaders | None = None

    def fork(self) -> "Context":
        """Make the context of another operation of the same client."""
        context = Context(self.services, self.client, self.session_id)
        context.connection_params = self.connection_params
        context.request, context.response = self.request, self.response
        return context

    @property
    def viewer(self) -> Viewer | None:
        """Who asks; None where nobody is signed in. What is made of it is his alone."""
        if self.trace is not None:
            self.trace.note_personal()
        return self.onlooker

    @property
    def is_signed_in(self) -> bool:
        """Whether somebody asks. All who follow events are signed in, so it makes nothing personal."""
        return self.onlooker is not None

    @property
    def snapshot(self) -> ReadSession:
        """The reads of this operation: one READ ONLY transaction, opened by its first statement.

        Raises:
            Unavailable: when the operation is over; whatever of it still runs would keep a connection.
        """
        if self._is_over:
            raise Unavailable
        if self.trace is not None:
            self.trace.note_personal()
        if self._snapshot is None:
            self._snapshot = self.services.database.snapshot(is_patient=self.is_following)
        return self._snapshot

    @property
    def loaders(self) -> Loaders:
        """What was loaded from the snapshot, by kind."""
        if self._loaders is None:
            self._loaders = Loaders(self)
        return self._loaders

    async def authenticate(self) -> Viewer | None:
        """Load who asks from the session's row, anew at each call; None when there is no session or it has ended."""
        self.onlooker = await viewers.by_session(self.snapshot, self.session_id) if self.session_id else None
        return self.onlooker

    async def renew(self) -> None:
        """Forget what was read: after a commit, and between two events of a stream."""
        if (snapshot := self._forget()) is not None:
            await asyncio.shield(snapshot.close())  # also when the operation is cancelled meanwhile

    def release(self) -> None:
        """Forget what was read, as `renew` does, where an answer need not wait until the snapshot has ended."""
        if (snapshot := self._forget()) is not None:
            self.services.database.give_back(snapshot)

    def _forget(self) -> ReadSession | None:
        snapshot, self._snapshot = self._snapshot, None
        if self._loaders is not None:
            self._loaders.forget()
        return snapshot

    async def close(self) -> None:
        """End the operation."""
        self._is_over = True
        await self.renew()

    def become(self, viewer: Viewer | None) -> None:
        """Go on as somebody else: the one who has just signed in, or nobody after signing out."""
        self.onlooker = viewer
        self.session_id = viewer.session_id if viewer else None


Info = StrawberryInfo[Context, None]
