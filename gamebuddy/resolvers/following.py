"""What the staff sets and every process keeps in memory: each follows it by a version that changes with it."""

import uuid
from abc import ABC, abstractmethod
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from gamebuddy import db
from gamebuddy.db import Database, ReadSession, WriteSession
from gamebuddy.workers import Rounds

FOLLOW_SECONDS = 1.0


class Followed(ABC):
    """Rules in the memory of a process, which follows every change within a second or two."""

    name: ClassVar[str]  # of the row that holds their version

    def __init__(self, database: Database) -> None:
        self._database = database
        self._version: uuid.UUID | None = None
        self._rounds = Rounds(f"follower of {self.name}", self.follow, pause_seconds=FOLLOW_SECONDS)

    async def start(self) -> None:
        """Read the rules, and follow them."""
        await self.follow()
        await self._rounds.start()

    async def stop(self) -> None:
        """Follow them no more."""
        await self._rounds.stop()

    async def follow(self) -> None:
        """Read the rules again if they have changed."""
        row = db.RulesVersion
        async with self._database.read() as session:
            version = await session.scalar(select(row.version).where(row.name == self.name))
            if version == self._version:
                return
            await self.read(session)
        self._version = version

    @classmethod
    async def change(cls, session: WriteSession) -> None:
        """Say that the rules are others from this commit on. The row makes those wait who change them too."""
        row, version = db.RulesVersion, uuid.uuid4()
        await session.execute(
            insert(row)
            .values(name=cls.name, version=version)
            .on_conflict_do_update(index_elements=["name"], set_={"version": version})
        )

    @abstractmethod
    async def read(self, session: ReadSession) -> None:
        """Take the rules into memory."""
