"""The wish that a letter be sent, as a job in the database."""

import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import asyncpg
import orjson
from pgqueuer.queries import Queries
from sqlalchemy import text

from gamebuddy.db import WriteSession

ENTRYPOINT = "letter"


class LetterKind(StrEnum):
    """What a letter is about.

    The first four bring a code, or a name, to whoever asks: anybody can cause them, so they are few an hour. The others
    tell the owner what was done in his name.
    """

    CONFIRM_ADDRESS = "confirm-address"
    CONFIRM_NEW_ADDRESS = "confirm-new-address"
    RESET_PASSWORD = "reset-password"  # noqa: S105 - the name of a letter
    RECOVER_USERNAME = "recover-username"
    PASSWORD_CHANGED = "password-changed"  # noqa: S105 - the name of a letter
    ADDRESS_CHANGED = "address-changed"
    SECOND_FACTOR_ADDED = "second-factor-added"
    SECOND_FACTOR_REMOVED = "second-factor-removed"
    SESSION_STOLEN = "session-stolen"
    ACCOUNT_CREATED = "account-created"
    ACCOUNT_DELETED = "account-deleted"
    APPEAL_ANSWERED = "appeal-answered"
    DATA_EXPORTED = "data-exported"


@dataclass(frozen=True, slots=True)
class Letter:
    """Which letter goes to which account. Ids only: what it says is read when it is sent."""

    kind: LetterKind
    account_id: uuid.UUID

    def pack(self) -> bytes:
        """Write it for the queue."""
        return orjson.dumps({"kind": self.kind, "account_id": str(self.account_id)})

    @classmethod
    def unpack(cls, payload: bytes) -> Self:
        """Read it from the queue."""
        fields = orjson.loads(payload)
        return cls(LetterKind(fields["kind"]), uuid.UUID(fields["account_id"]))


async def forget(session: WriteSession, account_id: uuid.UUID) -> None:
    """Take back the letters to an account that goes."""
    await session.execute(
        text("DELETE FROM pgqueuer WHERE strpos(convert_from(payload, 'UTF8'), :name) > 0"), {"name": str(account_id)}
    )


async def post(session: WriteSession, letter: Letter) -> None:
    """Ask for a letter in this transaction: it is sent once the transaction has committed, and not at all otherwise."""
    connection = await (await session.connection()).get_raw_connection()
    driver = connection.driver_connection
    # SQLAlchemy begins its transaction with its first statement; before that the job would be on its own.
    if not isinstance(driver, asyncpg.Connection) or not driver.is_in_transaction():
        raise RuntimeError("write what the letter is about before you post it")
    await Queries.from_asyncpg_connection(driver).enqueue(ENTRYPOINT, letter.pack())
