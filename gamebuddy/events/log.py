"""The event log: events are written in the transaction that makes them true, and read on from any place."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import batched

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    Text,
    all_,
    and_,
    any_,
    cast,
    delete,
    exists,
    func,
    insert,
    lateral,
    literal,
    or_,
    select,
    text,
    true,
    union,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from gamebuddy import db
from gamebuddy.db import ReadSession, WriteSession
from gamebuddy.events import types

CHANNEL = "gamebuddy"
GROWN = "grown"  # the message that says no more than: read on
SUSPECTS_A_MESSAGE = 100  # PostgreSQL takes 8,000 bytes
PASSING_A_MESSAGE = 40

_XID = db.Event.__table__.c.xid


@dataclass(frozen=True, slots=True)
class Kept:
    """A row of the log."""

    id: int
    xid: int
    at: datetime
    event: types.Event


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a snapshot of the database sees: transactions that ended below `xmax`, but for those still `running`."""

    xmin: int
    xmax: int
    running: frozenset[int]

    def sees(self, xid: int) -> bool:
        """Tell whether the rows of a committed transaction are in the snapshot."""
        return xid < self.xmin or (xid < self.xmax and xid not in self.running)

    def sees_all_up_to(self, xid: int) -> bool:
        """Tell whether nothing that was written by this transaction or an earlier one is missing."""
        return xid < self.xmin

    def or_later(self, other: "Snapshot") -> "Snapshot":
        """Give the later of the two; it sees all that the other one does."""
        return max(self, other, key=lambda snapshot: (snapshot.xmax, -len(snapshot.running)))

    def has(self, xid: ColumnElement[int]) -> ColumnElement[bool]:
        """Ask the same of a column."""
        running = literal(sorted(self.running), ARRAY(BigInteger))
        return or_(xid < self.xmin, and_(xid < self.xmax, xid != all_(running)))

    def lacks(self, xid: ColumnElement[int]) -> ColumnElement[bool]:
        """Ask the contrary, so that an index on the column serves."""
        running = literal(sorted(self.running), ARRAY(BigInteger))
        return and_(xid >= self.xmin, or_(xid >= self.xmax, xid == any_(running)))


@dataclass(frozen=True, slots=True)
class AccountPlace:
    """How far a reader of everything that concerns an account has come.

    It has every row that the snapshot `seen` sees, and of those that `reading` sees the rows up to `id`. So nothing is
    lost when transactions commit in another order than they began, and hardly anything comes twice.
    """

    epoch: uuid.UUID
    seen: Snapshot
    reading: Snapshot | None = None
    id: int = 0

    def onward(self, until: Snapshot) -> "tuple[AccountPlace, ...]":
        """Give the stretches that lead from here to all that a later snapshot sees; each has a `reading`.

        What is left of the one that was begun comes first: whoever forgot it for a new one would repeat it, or lose it.
        """
        if self.reading is None:
            return (AccountPlace(self.epoch, self.seen, until),)
        if self.reading == until:
            return (self,)
        return self, AccountPlace(self.epoch, self.reading, until)

    def is_kept(self, reach: "Reach", now: Snapshot) -> bool:
        """Tell whether one can read on from here.

        After going back to a backup the place lies in the future; after a long absence what it has not seen is trimmed.
        """
        is_past = max(self.seen.xmax, self.reading.xmax if self.reading else 0) <= now.xmax
        return self.epoch == reach.epoch and is_past and self.seen.sees_all_up_to(reach.trimmed_xid)


@dataclass(frozen=True, slots=True)
class Reach:
    """How far back the log goes: its epoch, and the last transaction of which events were trimmed; 0 for none."""

    epoch: uuid.UUID
    trimmed_xid: int


@dataclass(frozen=True, slots=True)
class Step:
    """A row of the log, and the place behind it."""

    kept: Kept
    place: AccountPlace


@dataclass(frozen=True, slots=True)
class ChatPlace:
    """How far a reader of one chat has come: numbers of a chat have no gaps and commit in their order."""

    epoch: uuid.UUID
    seq: int


type Departures = dict[tuple[uuid.UUID, uuid.UUID], int]  # (chat, account): the number of the event


async def append(session: WriteSession, *events: types.Event) -> None:
    """Write events, and wake every process when the transaction commits.

    The number of a chat event was taken from the chat's row before, whose lock is held until the end.
    """
    if not events:
        return
    await session.execute(insert(db.Event), [types.to_columns(event) for event in events])
    # Sent at COMMIT, dropped at ROLLBACK; equal messages of one transaction are one. It names no row on purpose: a
    # process reads on from its own place, so a lost, doubled or early notification changes nothing.
    await _tell(session, GROWN)


async def look_again(session: WriteSession, *suspects: uuid.UUID) -> None:
    """Have every process look, as soon as this commits, at the rights of sessions and accounts; what ended closes."""
    for some in batched(suspects, SUSPECTS_A_MESSAGE):
        await _tell(session, json.dumps({"look_again": [str(suspect) for suspect in some]}))


async def pass_on(session: WriteSession, *events: types.Passing) -> None:
    """Tell every process, as soon as this commits, of what is not kept; a message that is lost is lost."""
    for some in batched(events, PASSING_A_MESSAGE):
        await _tell(session, json.dumps({"passing": [types.to_message(event) for event in some]}))


async def reach(session: ReadSession) -> Reach:
    """Tell how far back the log goes."""
    row = (await session.execute(select(db.EventLog.epoch, db.EventLog.trimmed_xid))).one()
    return Reach(row.epoch, row.trimmed_xid)


async def forget(session: WriteSession, account_id: uuid.UUID) -> None:
    """Take an account that goes out of the log; events of chats stay, so that their numbers have no hole.

    Reads the whole log once.
    """
    row, name = db.Event, str(account_id)
    payload = cast(row.payload, Text)
    await session.execute(text("SET LOCAL statement_timeout = '60s'"))
    for statement in (
        delete(row).where(row.account_id == account_id, row.chat_id.is_(None)),
        update(row)
        .where(or_(row.actor_id == account_id, row.account_id == account_id, payload.contains(name)))
        .values(
            actor_id=func.nullif(row.actor_id, account_id),
            account_id=func.nullif(row.account_id, account_id),
            payload=cast(func.replace(payload, name, str(uuid.UUID(int=0))), JSONB),
        ),
    ):
        await session.execute(statement.execution_options(synchronize_session=False))


async def trim(session: WriteSession, *, older_than: timedelta, limit: int) -> int:
    """Delete the oldest events, up to a limit, and note how far; messages stay. Tells how many it took."""
    oldest = select(db.Event.id, db.Event.created_at).order_by(db.Event.id).limit(limit).subquery()
    due = select(oldest.c.id).where(oldest.c.created_at < func.now() - older_than)
    xids = await session.scalars(
        delete(db.Event)
        .where(db.Event.id.in_(due))
        .returning(db.Event.xid)
        .execution_options(synchronize_session=False)
    )
    trimmed = xids.all()
    if trimmed:
        await session.execute(
            update(db.EventLog)
            .values(trimmed_xid=func.greatest(db.EventLog.trimmed_xid, max(trimmed)))
            .execution_options(synchronize_session=False)
        )
    return len(trimmed)


async def snapshot(session: ReadSession) -> Snapshot:
    """Tell what the session's snapshot sees."""
    written: str = await session.scalar(select(cast(func.pg_current_snapshot(), Text)))
    xmin, xmax, running = written.split(":")
    return Snapshot(int(xmin), int(xmax), frozenset(int(xid) for xid in running.split(",") if xid))


async def place_now(session: ReadSession) -> AccountPlace:
    """Give the place from which a client that has loaded its state in this snapshot misses nothing."""
    return AccountPlace((await reach(session)).epoch, await snapshot(session))


async def chat_head(session: ReadSession, chat_id: uuid.UUID) -> int:
    """Give the number of the newest event of a chat, 0 for one without events."""
    head: int | None = await session.scalar(select(db.Chat.last_seq).where(db.Chat.id == chat_id))
    return head or 0


async def goes_on_from(session: ReadSession, chat_id: uuid.UUID, seq: int) -> bool:
    """Tell whether the event behind a number of a chat is kept: numbers have no gaps, so all that follow are."""
    found: bool = await session.scalar(select(exists().where(db.Event.chat_id == chat_id, db.Event.seq == seq + 1)))
    return found


async def read_on(session: ReadSession, *, place: AccountPlace, until: Snapshot, limit: int) -> list[Step]:
    """Read what is behind a place, of all accounts, as far as a snapshot sees.

    In the order of ids in each stretch. A chat's row is locked while its events get their ids, so this is the order of
    every chat.
    """
    found: list[Step] = []
    for stretch in place.onward(until):
        left = limit - len(found)
        statement = select(db.Event).where(_within(stretch)).order_by(db.Event.id).limit(left)
        found += [_step(stretch, row) for row in await session.scalars(statement)] if left else []
    return found


def departures_in(page: Sequence[Step]) -> Departures:
    """Tell who leaves a chat on a page, and with which event; the last one for each."""
    events = [step.kept.event for step in page]
    return {(event.chat_id, event.account_id): event.seq for event in events if isinstance(event, types.MemberLeft)}


async def departures(session: ReadSession, *, place: AccountPlace, until: Snapshot) -> Departures:
    """Tell the same of all that is behind a place, as far as a snapshot sees."""
    found: Departures = {}
    for stretch in place.onward(until):
        statement = (
            select(db.Event.chat_id, db.Event.account_id, db.Event.seq)
            .where(_within(stretch), db.Event.kind == types.MemberLeft.__name__)
            .order_by(db.Event.id)
        )
        found |= {(row.chat_id, row.account_id): row.seq for row in await session.execute(statement)}
    return found


async def read_chat(session: ReadSession, chat_id: uuid.UUID, *, after: int, limit: int) -> list[Kept]:
    """Read the events of a chat after a number, in their order."""
    statement = (
        select(db.Event).where(db.Event.chat_id == chat_id, db.Event.seq > after).order_by(db.Event.seq).limit(limit)
    )
    return [_kept(row) for row in await session.scalars(statement)]


async def read_account(
    session: ReadSession, account_id: uuid.UUID, *, place: AccountPlace, until: Snapshot, limit: int
) -> list[Step]:
    """Read what concerns an account behind its place, as far as a snapshot sees: its own events, and its chats'.

    These are the chats it is in at this moment. Order as in `read_on`.
    """
    found: list[Step] = []
    for stretch in place.onward(until):
        left = limit - len(found)
        statement = _of_account(account_id, _within(stretch), left)
        found += [_step(stretch, row) for row in await session.scalars(statement)] if left else []
    return found


async def _tell(session: WriteSession, message: str) -> None:
    """Send a message when the transaction commits: by PostgreSQL itself, or by whoever carries messages instead."""
    if session.database.courier is not None:
        session.to_tell.append(message)
    else:
        await session.execute(select(func.pg_notify(CHANNEL, message)))


def _of_account(account_id: uuid.UUID, within: ColumnElement[bool], limit: int) -> Select[db.Event]:
    # One short walk over the index of each chat, instead of one over everything that happened anywhere.
    of_chat = lateral(
        select(db.Event.id).where(db.Event.chat_id == db.ChatMember.chat_id, within).order_by(db.Event.id).limit(limit)
    )
    of_chats = select(of_chat.c.id).select_from(db.ChatMember).join(of_chat, true())
    of_account = select(db.Event.id).where(db.Event.account_id == account_id, within).order_by(db.Event.id).limit(limit)
    ids = union(of_chats.where(db.ChatMember.account_id == account_id), select(of_account.subquery().c.id)).subquery()
    return select(db.Event).join(ids, ids.c.id == db.Event.id).order_by(db.Event.id).limit(limit)


def _within(stretch: AccountPlace) -> ColumnElement[bool]:
    """Ask for what `seen` lacks and `reading` has, behind the id."""
    has = true() if stretch.reading is None else stretch.reading.has(_XID)
    return and_(stretch.seen.lacks(_XID), has, db.Event.id > stretch.id)


def _step(stretch: AccountPlace, row: db.Event) -> Step:
    return Step(_kept(row), replace(stretch, id=row.id))


def _kept(row: db.Event) -> Kept:
    columns = {name: getattr(row, name) for name in types.COLUMNS}
    return Kept(row.id, row.xid, row.created_at, types.from_columns(row.kind, row.payload, columns))
