"""Made-up players who are signed in, and chats of them, as rows: what a run needs before it begins."""

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bench import serving
from gamebuddy import db
from gamebuddy.auth.gate import Gate
from gamebuddy.db import Database, migrations
from gamebuddy.resolvers import games
from gamebuddy.schema import ids
from gamebuddy.schema.ids import Kind

BATCH = 500


@dataclass(frozen=True, slots=True)
class Player:
    """Somebody with a live session and its access token."""

    name: str
    account_id: uuid.UUID
    token: str


@dataclass(frozen=True, slots=True)
class Chat:
    """A group."""

    row_id: uuid.UUID
    members: tuple[Player, ...]

    @property
    def id(self) -> str:
        """Its id for clients."""
        return str(ids.write(Kind.CHAT, self.row_id))


async def prepare(url: str) -> Database:
    """Bring an empty database to the schema of this release; the caller closes it."""
    database = Database(url, pool_size=2, statement_timeout_seconds=60)
    await migrations.upgrade(database)
    async with database.write() as session:
        await games.load_catalogue(session)
    return database


async def players(database: Database, count: int) -> list[Player]:
    """Make players with verified accounts."""
    gate = Gate(serving.settings())
    found: list[Player] = []
    for first in range(0, count, BATCH):
        async with database.write() as session:
            accounts = [_account(number) for number in range(first, min(count, first + BATCH))]
            session.add_all(accounts)
            await session.flush()
            sessions = [_session(account) for account in accounts]
            session.add_all([*sessions, *(db.Profile(account_id=account.id) for account in accounts)])
        for account, signed_in in zip(accounts, sessions, strict=True):
            token, _ = gate.tokens.issue(account.id, signed_in.id)
            found.append(Player(account.username, account.id, token))
    await gate.close()
    return found


async def chat(database: Database, members: Sequence[Player]) -> Chat:
    """Make a group; its first member owns it."""
    row = db.Chat(kind=db.ChatKind.GROUP, title="Group", member_count=len(members))
    roles = [db.MemberRole.OWNER] + [db.MemberRole.MEMBER] * (len(members) - 1)
    async with database.write() as session:
        session.add(row)
        await session.flush()
        session.add_all(
            db.ChatMember(chat_id=row.id, account_id=member.account_id, role=role)
            for member, role in zip(members, roles, strict=True)
        )
    return Chat(row.id, tuple(members))


def _account(number: int) -> db.Account:
    name = f"player_{number}"
    return db.Account(
        username=name,
        display_name=f"Player {number}",
        role=db.Role.USER,
        email=f"{name}@example.com",
        email_key=f"{name}@example.com",
        email_verified_at=datetime.now(UTC),
    )


def _session(account: db.Account) -> db.Session:
    now = datetime.now(UTC)
    return db.Session(
        account_id=account.id,
        salt=secrets.token_bytes(16),
        device_name="",
        last_used_at=now,
        expires_at=now + timedelta(days=60),
    )
