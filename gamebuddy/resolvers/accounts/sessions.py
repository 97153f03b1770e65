"""Sessions: one a device. Opened by signing in, renewed by refresh tokens, ended by their owner or by what happens."""

import secrets
import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, and_, func, select, update

from gamebuddy import db, mail, text
from gamebuddy.auth.gate import Gate
from gamebuddy.auth.tokens import Presented
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import AuditAction, ReadSession, WriteSession
from gamebuddy.errors import Code, reject
from gamebuddy.events import log as event_log
from gamebuddy.mail import Letter, LetterKind
from gamebuddy.resolvers import audit

MOST_SESSIONS = 20
IDLE_LIFETIME = timedelta(days=60)
ABSOLUTE_LIFETIME = timedelta(days=365)
SALT_BYTES = 16
LONGEST_DEVICE_NAME = 80
LONGEST_USER_AGENT = 200

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What somebody signs in with; only its owner is shown it."""

    address: str
    name: str | None = None
    user_agent: str | None = None

    @property
    def program(self) -> str | None:
        """What the program calls itself, as far as it is kept."""
        return self.user_agent[:LONGEST_USER_AGENT] if self.user_agent else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Who is signed in now, and the tokens to go on with."""

    viewer: Viewer
    access_token: str = field(repr=False)
    access_token_expires_at: datetime
    refresh_token: str = field(repr=False)
    refresh_token_expires_at: datetime


def check_device(device: Device) -> None:
    """Look at what a device calls itself.

    Raises:
        Rejected: TOO_SHORT or TOO_LONG for `device_name`.
    """
    if device.name is not None:
        text.checked(device.name, "device_name", longest=LONGEST_DEVICE_NAME)


async def open_session(session: WriteSession, gate: Gate, account: db.Account, device: Device) -> SignedIn:
    """Sign an account in on a device; the 21st session ends the one that was idle longest.

    The account's row is locked by the caller: it is the lock of its sessions.
    """
    await _end_surplus(session, account.id)
    now = datetime.now(UTC)
    row = db.Session(
        account_id=account.id,
        salt=secrets.token_bytes(SALT_BYTES),
        device_name=device.name or "",
        user_agent=device.program,
        ip_address=device.address,
        last_used_at=now,
        expires_at=now + IDLE_LIFETIME,
    )
    session.add(row)
    await session.flush()
    await _mark_seen(session, account)
    return _signed_in(gate, account, row)


async def refresh_session(session: WriteSession, gate: Gate, *, refresh_token: str) -> SignedIn:
    """Renew a session: its newest refresh token gets the next one.

    The one before gets the same successor again, for an answer may have been lost on its way. An older one has been
    stolen, or its successor has: the session ends for both, and the owner gets a letter.

    Raises:
        Rejected: SESSION_REVOKED for whatever does not renew a live session.
    """
    presented = gate.refresh_tokens.read(refresh_token)
    renewed = None
    if presented is not None:
        # Apart, because a session that was ended here has to stay ended although the answer is a rejection.
        async with session.apart() as own:
            renewed = await _renew(own, gate, presented)
    if renewed is None:
        raise reject(Code.SESSION_REVOKED, "This session has ended. Sign in again.")
    return renewed


async def sign_out(session: WriteSession, viewer: Viewer) -> None:
    """End the session that asks; its streams end with the commit."""
    await _end(session, db.Session.id == viewer.session_id)


async def revoke_session(session: WriteSession, viewer: Viewer, *, session_id: uuid.UUID) -> None:
    """End one of the viewer's own sessions; on every node its tokens are refused and its sockets closed at once.

    Raises:
        Rejected: NOT_FOUND for whatever is no live session of the viewer's.
    """
    ended = await _end(session, db.Session.id == session_id, db.Session.account_id == viewer.account_id)
    if not ended:
        raise reject(Code.NOT_FOUND, "You have no such session.", "session_id")


async def end_other_sessions(session: WriteSession, viewer: Viewer) -> None:
    """End every session of the viewer's but the one that asks."""
    await lock_account(session, viewer.account_id)
    await end_sessions(session, viewer.account_id, keep=viewer.session_id)


async def end_sessions(session: WriteSession, account_id: uuid.UUID, *, keep: uuid.UUID | None = None) -> None:
    """End every session of an account but the one to keep. The account's row is locked by the caller.

    Without the lock, one who is signing in at this moment would come through.
    """
    await _end(session, db.Session.account_id == account_id, db.Session.id != (keep or uuid.UUID(int=0)))


async def find_sessions(session: ReadSession, viewer: Viewer) -> Sequence[db.Session]:
    """List the viewer's live sessions, the most recently used first."""
    return (await sessions_by_account_ids(session, viewer, [viewer.account_id])).get(viewer.account_id, ())


async def sessions_by_account_ids(
    session: ReadSession, _: Viewer | None, ids: Collection[uuid.UUID]
) -> Mapping[uuid.UUID, Sequence[db.Session]]:
    """List the live sessions of accounts, the most recently used first. Who may look is decided by the caller."""
    found: defaultdict[uuid.UUID, list[db.Session]] = defaultdict(list)
    rows = await session.scalars(
        select(db.Session)
        .where(db.is_one_of(db.Session.account_id, ids), is_live())
        .order_by(db.Session.last_used_at.desc(), db.Session.id.desc())
    )
    for row in rows:
        found[row.account_id].append(row)
    return found


async def sessions_by_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, db.Session]:
    """Load live sessions of the viewer's own."""
    if viewer is None:
        return {}
    rows = await session.scalars(
        select(db.Session).where(
            db.is_one_of(db.Session.id, ids), db.Session.account_id == viewer.account_id, is_live()
        )
    )
    return {row.id: row for row in rows}


def is_live() -> ColumnElement[bool]:
    """Tell of the session in the statement whether it is neither revoked nor expired."""
    return and_(db.Session.revoked_at.is_(None), db.Session.expires_at > func.now())


async def lock_account(session: WriteSession, account_id: uuid.UUID, *, whole: bool = False) -> db.Account | None:
    """Lock an account that is not deleted, and with it the list of its sessions.

    `whole` waits for those, too, who are writing a row that points at it, and lets none begin.
    """
    account: db.Account | None = await session.scalar(
        select(db.Account)
        .where(db.Account.id == account_id, db.Account.status != db.AccountStatus.DELETED)
        .with_for_update(key_share=not whole)
        .execution_options(populate_existing=True)
    )
    return account


async def _renew(session: WriteSession, gate: Gate, presented: Presented) -> SignedIn | None:
    """Renew a live session, or end it when the token is an old one; None when there is nothing to renew."""
    owner_id = await session.scalar(select(db.Session.account_id).where(db.Session.id == presented.session_id))
    # First the account, then the session: the order in which signing in locks them.
    account = await lock_account(session, owner_id) if owner_id else None
    row: db.Session | None = await session.scalar(
        select(db.Session).where(db.Session.id == presented.session_id, is_live()).with_for_update()
    )
    if account is None or row is None or not gate.refresh_tokens.is_genuine(presented, row.salt):
        return None
    if account.status is not db.AccountStatus.ACTIVE or presented.generation > row.generation:
        return None
    if presented.generation < row.generation - 1:
        await _end_stolen(session, row)
        return None
    if presented.generation == row.generation:
        row.generation += 1
    row.last_used_at = datetime.now(UTC)
    row.expires_at = min(row.last_used_at + IDLE_LIFETIME, row.created_at + ABSOLUTE_LIFETIME)
    await _mark_seen(session, account)
    return _signed_in(gate, account, row)


async def _end_stolen(session: WriteSession, row: db.Session) -> None:
    """End a session that somebody has a copy of, tell its owner, and write it down."""
    await _end(session, db.Session.id == row.id)
    await audit.record(
        session, AuditAction.SESSION_STOLEN, actor_id=None, target_id=row.account_id, session_id=str(row.id)
    )
    await mail.post(session, Letter(LetterKind.SESSION_STOLEN, row.account_id))
    log.warning("refresh_token_reused", account_id=str(row.account_id), session_id=str(row.id))


async def _end_surplus(session: WriteSession, account_id: uuid.UUID) -> None:
    surplus = (
        select(db.Session.id)
        .where(db.Session.account_id == account_id, is_live())
        .order_by(db.Session.last_used_at.desc(), db.Session.id.desc())
        .offset(MOST_SESSIONS - 1)
    )
    await _end(session, db.Session.id.in_(surplus))


async def _end(session: WriteSession, *which: ColumnElement[bool]) -> bool:
    """End sessions and, with the commit, their streams and sockets on every node; tells whether there were any."""
    ended = await session.scalars(
        update(db.Session)
        .where(*which, db.Session.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(db.Session.id)
        .execution_options(synchronize_session=False)
    )
    session_ids = ended.all()
    if session_ids:
        await event_log.look_again(session, *session_ids)
    return bool(session_ids)


async def _mark_seen(session: WriteSession, account: db.Account) -> None:
    """Note that somebody is here today."""
    account.last_seen_at = datetime.now(UTC)
    await session.flush()
    await session.execute(
        update(db.Profile).where(db.Profile.account_id == account.id).values(active_on=func.current_date())
    )


def _signed_in(gate: Gate, account: db.Account, row: db.Session) -> SignedIn:
    """Give the tokens of a session as it stands."""
    access_token, expires_at = gate.tokens.issue(account.id, row.id)
    return SignedIn(
        viewer=Viewer.of(account, row.id),
        access_token=access_token,
        access_token_expires_at=expires_at,
        refresh_token=gate.refresh_tokens.write(row.id, row.salt, row.generation),
        refresh_token_expires_at=row.expires_at,
    )
