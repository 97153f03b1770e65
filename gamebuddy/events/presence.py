"""Who is here: leases on accounts, renewed by the processes that hold their sockets; what changes is passed on."""

import time
import uuid
from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert

from gamebuddy import db
from gamebuddy.db import Database, WriteSession, new_id
from gamebuddy.events import log
from gamebuddy.events.types import PresenceChanged
from gamebuddy.workers import Rounds

TICK_SECONDS = 2.0  # changes are gathered for so long: a thousand who come at once are one statement
RENEWAL_SECONDS = 20.0
LEASE = timedelta(seconds=60)
GRACE_SECONDS = 8.0  # a connection that breaks and comes back is nobody's news
AWAY_AFTER = timedelta(minutes=5)


class Attendance:
    """Keeps the leases of one process. A process that dies renews none: its accounts are offline a minute later."""

    def __init__(
        self, database: Database, *, tick_seconds: float = TICK_SECONDS, grace_seconds: float = GRACE_SECONDS
    ) -> None:
        self._database = database
        self._rounds = Rounds("attendance", self.tick, pause_seconds=tick_seconds)
        self._grace_seconds = grace_seconds
        self._node = new_id()
        self._sockets: Counter[uuid.UUID] = Counter()
        self._left_at: dict[uuid.UUID, float] = {}  # of those whose last socket has closed
        self._active_at: dict[uuid.UUID, datetime] = {}
        self._told: dict[uuid.UUID, bool] = {}  # what the others know: whether the account is away
        self._renewed_at = 0.0

    async def start(self) -> None:
        """Begin; returns at once."""
        await self._rounds.start()

    async def stop(self) -> None:
        """End. The leases run out by themselves: who comes back to another process within a minute was never gone."""
        await self._rounds.stop()

    def came(self, account_id: uuid.UUID) -> None:
        """Say that a socket of an account has opened."""
        self._sockets[account_id] += 1
        self._left_at.pop(account_id, None)
        self.did_something(account_id)

    def went(self, account_id: uuid.UUID) -> None:
        """Say that a socket of an account has closed."""
        self._sockets[account_id] -= 1
        if not self._sockets[account_id]:
            del self._sockets[account_id]
            self._left_at[account_id] = time.monotonic()

    def did_something(self, account_id: uuid.UUID) -> None:
        """Say that an account has done something; matters to those only who have a socket here."""
        if account_id in self._sockets:
            self._active_at[account_id] = datetime.now(UTC)

    async def tick(self) -> None:
        """Write what has changed, and now and then that the rest is as it was.

        Raises:
            Unavailable: when the database does not answer; nothing is forgotten.
        """
        now = time.monotonic()
        for account_id in [one for one, left_at in self._left_at.items() if now - left_at > self._grace_seconds]:
            del self._left_at[account_id], self._active_at[account_id]
        here = {account_id: self._is_away(account_id) for account_id in (*self._sockets, *self._left_at)}
        changed = {account_id for account_id, is_away in here.items() if self._told.get(account_id) is not is_away}
        gone = self._told.keys() - here.keys()
        is_due = now - self._renewed_at > RENEWAL_SECONDS
        if not changed and not gone and not is_due:
            return
        async with self._database.write() as session:
            await self._renew(session, here if is_due else changed)
            await self._give_up(session, gone)
            lost = await _take_overdue(session) if is_due else ()
            await log.pass_on(
                session, *(PresenceChanged(actor_id=None, account_id=one) for one in {*changed, *gone, *lost})
            )
        self._told = here
        self._renewed_at = now if is_due else self._renewed_at

    def _is_away(self, account_id: uuid.UUID) -> bool:
        return datetime.now(UTC) - self._active_at[account_id] > AWAY_AFTER

    async def _renew(self, session: WriteSession, account_ids: Collection[uuid.UUID]) -> None:
        if not account_ids:
            return
        lease, ids = db.Lease, list(account_ids)
        moments = [self._active_at[one] for one in ids]
        ours = db.given("ours", account_id=(lease.account_id, ids), active_at=(lease.active_at, moments))
        until = literal(datetime.now(UTC) + LEASE)
        statement = insert(lease).from_select(
            ["account_id", "node", "until", "active_at"],
            select(ours.c.account_id, literal(self._node), until, ours.c.active_at),
        )
        fresh = {name: statement.excluded[name] for name in ("until", "active_at")}
        await session.execute(statement.on_conflict_do_update(index_elements=["account_id", "node"], set_=fresh))

    async def _give_up(self, session: WriteSession, account_ids: Collection[uuid.UUID]) -> None:
        if account_ids:
            await session.execute(
                delete(db.Lease)
                .where(db.Lease.node == self._node, db.is_one_of(db.Lease.account_id, account_ids))
                .execution_options(synchronize_session=False)
            )


async def _take_overdue(session: WriteSession) -> Collection[uuid.UUID]:
    """Delete the leases of processes that renew them no more; gives whose they were."""
    lease = db.Lease
    overdue = (
        select(lease.account_id, lease.node)
        .where(lease.until < func.now())
        .with_for_update(skip_locked=True)
        .subquery()
    )
    rows = await session.scalars(
        delete(lease)
        .where(lease.account_id == overdue.c.account_id, lease.node == overdue.c.node)
        .returning(lease.account_id)
        .execution_options(synchronize_session=False)
    )
    return set(rows)
