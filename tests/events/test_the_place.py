"""A reader's place loses nothing and repeats nothing, in whatever order transactions begin, write and commit."""

import uuid
from contextlib import AsyncExitStack
from typing import Literal

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gamebuddy import db
from gamebuddy.db import WriteSession
from gamebuddy.events import log
from gamebuddy.events.log import AccountPlace
from gamebuddy.events.types import MessagesRead, TeammateRequestChanged
from gamebuddy.schema.context import Services
from tests.factories import Factory

WRITERS = 3
Step = tuple[Literal["write", "commit", "abort", "read"], int]
steps = st.lists(
    st.tuples(st.sampled_from(["write", "write", "commit", "abort", "read"]), st.integers(0, WRITERS - 1)), max_size=40
)


class Writer:
    """One who writes to a chat of his own and tells the account something, in transactions that stay open a while."""

    def __init__(self, services: Services, chat_id: uuid.UUID, account_id: uuid.UUID) -> None:
        self.services, self.chat_id, self.account_id = services, chat_id, account_id
        self.session: WriteSession | None = None
        self.seq = self.committed = 0

    async def write(self) -> None:
        if self.session is None:
            self.session = self.services.database._writers()
        self.seq += 1
        read = MessagesRead(actor_id=None, chat_id=self.chat_id, seq=self.seq, up_to_seq=self.seq)
        asked = TeammateRequestChanged(actor_id=None, account_id=self.account_id, request_id=uuid.uuid4())
        await log.append(self.session, read, asked)

    async def end(self, *, commit: bool) -> None:
        if self.session is not None:
            await (self.session.commit() if commit else self.session.rollback())
            await self.session.close()
            self.session = None
            self.committed = self.seq = self.seq if commit else self.committed


async def read_on(
    services: Services, account_id: uuid.UUID, place: AccountPlace, limit: int
) -> tuple[list[int], AccountPlace]:
    """Read one page as the query `events` does."""
    async with services.database.read() as session:
        now = await log.place_now(session)
        steps = await log.read_account(session, account_id, place=place, until=now.seen, limit=limit)
    return [step.kept.id for step in steps], now if len(steps) < limit else steps[-1].place


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=steps, limit=st.integers(1, 5))
@example(steps=[("write", 1), ("write", 0), ("commit", 0), ("read", 0)], limit=1)  # a lower id comes between two pages
async def test_a_place_loses_nothing_and_repeats_nothing(
    steps: list[Step], limit: int, services: Services, make: Factory
) -> None:
    reader = await make.player(f"reader_{uuid.uuid4().hex[:12]}")
    chats = [db.Chat(kind=db.ChatKind.GROUP, title="place") for _ in range(WRITERS)]
    async with services.database.write() as session:
        session.add_all(chats)
        await session.flush()
        session.add_all([db.ChatMember(chat_id=chat.id, account_id=reader.account_id) for chat in chats])
    writers = [Writer(services, chat.id, reader.account_id) for chat in chats]
    async with services.database.read() as session:
        place = await log.place_now(session)
    seen: list[int] = []
    async with AsyncExitStack() as cleanup:
        for writer in writers:
            cleanup.push_async_callback(writer.end, commit=False)
        for step, number in steps:
            if step == "write":
                await writers[number].write()
            elif step == "read":
                ids, place = await read_on(services, reader.account_id, place, limit)
                seen += ids
            else:
                await writers[number].end(commit=step == "commit")
        for writer in writers:
            await writer.end(commit=True)
    while True:
        ids, place = await read_on(services, reader.account_id, place, limit)
        seen += ids
        if len(ids) < limit:
            break
    assert len(seen) == len(set(seen)) == 2 * sum(writer.committed for writer in writers)


async def test_a_snapshot_says_of_columns_what_it_says_of_numbers(services: Services) -> None:
    from sqlalchemy import BigInteger, literal, select

    snapshot = log.Snapshot(10, 15, frozenset({10, 12}))
    async with services.database.read() as session:
        for xid in range(8, 18):
            column = literal(xid, BigInteger)
            has, lacks = (await session.execute(select(snapshot.has(column), snapshot.lacks(column)))).one()
            assert (has, lacks) == (snapshot.sees(xid), not snapshot.sees(xid))
