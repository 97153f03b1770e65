"""Signing in: whose password it is, and the session that follows."""

import secrets
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, select, update

from gamebuddy import db, text
from gamebuddy.auth import names
from gamebuddy.auth.gate import Gate
from gamebuddy.auth.throttle import Hit, Limit, network_of
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import WriteSession
from gamebuddy.errors import Code, Rejected, reject
from gamebuddy.events import log

MOST_SESSIONS = 20
IDLE_LIFETIME = timedelta(days=60)
ABSOLUTE_LIFETIME = timedelta(days=365)
SALT_BYTES = 16
LONGEST_DEVICE_NAME = 80
LONGEST_USER_AGENT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What somebody signs in with; only its owner is shown it."""

    address: str
    name: str | None = None
    user_agent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Who is signed in now, and the tokens to go on with."""

    viewer: Viewer
    access_token: str = field(repr=False)
    access_token_expires_at: datetime
    refresh_token: str = field(repr=False)
    refresh_token_expires_at: datetime


class Candidate(NamedTuple):
    """An account that a login may mean."""

    id: uuid.UUID
    password_hash: str | None


async def sign_in(session: WriteSession, gate: Gate, *, login: str, password: str, device: Device) -> SignedIn:
    """Open a session for whoever knows the password; `login` is a user name or an e-mail address, in any case.

    The 21st session ends the one that was idle longest. Whatever is wrong takes as long and says the same.

    Raises:
        Rejected: RETRY_LATER, WRONG_CREDENTIALS; and with the right password ACCOUNT_BANNED, EMAIL_NOT_VERIFIED.
        Unavailable: when too many wait.
    """
    text.require_text(login)
    text.require_text(password)
    check_device(device)
    key = _login_key(login)
    # The bucket is the login's, not the account's: if a name and an address shared one, it would tell that they belong
    # together. Somebody locked out by a stranger under one still gets in under the other.
    await gate.throttle.take(
        session, Hit(Limit.SIGN_IN_BY_ADDRESS, network_of(device.address)), Hit(Limit.SIGN_IN, key)
    )
    account = await _prove(session, gate, password, await _candidates(session, key))
    if account.status is db.AccountStatus.BANNED:
        raise reject(Code.ACCOUNT_BANNED, "This account is banned.")
    if account.email_verified_at is None:
        raise reject(Code.EMAIL_NOT_VERIFIED, "Confirm your e-mail address first: the letter has a code.")
    await gate.throttle.forget(
        session, Hit(Limit.SIGN_IN, account.username), Hit(Limit.SIGN_IN, account.email_key or "")
    )
    return await open_session(session, gate, account, device)


def check_device(device: Device) -> None:
    """Look at what a device calls itself.

    Raises:
        Rejected: TOO_SHORT or TOO_LONG for `device_name`.
    """
    if device.name is not None:
        text.checked(device.name, "device_name", longest=LONGEST_DEVICE_NAME)


async def open_session(session: WriteSession, gate: Gate, account: db.Account, device: Device) -> SignedIn:
    """Sign an account in on a device. The account's row is locked by the caller: it is the lock of its sessions."""
    await _end_surplus(session, account.id)
    now = datetime.now(UTC)
    row = db.Session(
        account_id=account.id,
        salt=secrets.token_bytes(SALT_BYTES),
        device_name=device.name or "",
        user_agent=device.user_agent[:LONGEST_USER_AGENT] if device.user_agent else None,
        ip_address=device.address,
        last_used_at=now,
        expires_at=now + IDLE_LIFETIME,
    )
    session.add(row)
    await session.flush()
    await mark_seen(session, account)
    return signed_in(gate, account, row)


async def mark_seen(session: WriteSession, account: db.Account) -> None:
    """Note that somebody is here today."""
    account.last_seen_at = datetime.now(UTC)
    await session.flush()
    await session.execute(
        update(db.Profile).where(db.Profile.account_id == account.id).values(active_on=func.current_date())
    )


def signed_in(gate: Gate, account: db.Account, row: db.Session) -> SignedIn:
    """Give the tokens of a session as it stands."""
    access_token, expires_at = gate.tokens.issue(account.id, row.id)
    return SignedIn(
        viewer=Viewer.of(account, row.id),
        access_token=access_token,
        access_token_expires_at=expires_at,
        refresh_token=gate.refresh_tokens.write(row.id, row.salt, row.generation),
        refresh_token_expires_at=row.expires_at,
    )


def _login_key(login: str) -> str:
    """Give what a login is compared by: a user name or the key of an address."""
    if "@" not in login:
        return login.strip().lower()
    try:
        return names.email(login.strip()).key
    except Rejected:
        return login.strip().lower()


async def _candidates(session: WriteSession, key: str) -> tuple[Candidate | None, Candidate | None]:
    """Find which accounts a login may mean: first the one it belongs to, then the newest that claims the address.

    The connection is given back. There are always two, so that a wrong password always costs two hashes: whoever
    claims another's address and then signs in by it learns nothing.
    """
    account = db.Account
    columns = select(account.id, account.password_hash).where(account.status != db.AccountStatus.DELETED)
    owner = columns.where(account.email_key == key, account.email_verified_at.is_not(None))
    claim = columns.where(account.email_key == key, account.email_verified_at.is_(None)).order_by(
        account.created_at.desc(), account.id.desc()
    )
    named = columns.where(account.username == key)
    statements = (owner, claim.limit(1)) if "@" in key else (named, named.where(account.id.is_(None)))
    rows = [(await session.execute(statement)).one_or_none() for statement in statements]
    await session.let_go()
    first, second = (Candidate(row.id, row.password_hash) if row else None for row in rows)
    return first, second


async def _prove(
    session: WriteSession, gate: Gate, password: str, candidates: tuple[Candidate | None, ...]
) -> db.Account:
    """Give the account whose password it is, its row locked; a hash of older parameters is replaced.

    Raises:
        Rejected: WRONG_CREDENTIALS.
    """
    for candidate in candidates:
        stored = candidate.password_hash if candidate else None
        while await gate.passwords.verify(password, stored) and candidate and stored:
            fresh = await gate.passwords.hash(password) if gate.passwords.needs_rehash(stored) else stored
            account = await lock_account(session, candidate.id)
            if account is None:
                break
            if account.password_hash == stored:
                account.password_hash = fresh
                return account
            # Changed while nothing was locked: by its owner, or by a rehash beside this one. Look again.
            stored = account.password_hash
            await session.let_go()
    raise reject(Code.WRONG_CREDENTIALS, "Login and password do not belong together.")


async def lock_account(session: WriteSession, account_id: uuid.UUID) -> db.Account | None:
    """Lock an account that is not deleted, and with it the list of its sessions."""
    account: db.Account | None = await session.scalar(
        select(db.Account)
        .where(db.Account.id == account_id, db.Account.status != db.AccountStatus.DELETED)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return account


async def _end_surplus(session: WriteSession, account_id: uuid.UUID) -> None:
    surplus = (
        select(db.Session.id)
        .where(db.Session.account_id == account_id, db.Session.revoked_at.is_(None), db.Session.expires_at > func.now())
        .order_by(db.Session.last_used_at.desc(), db.Session.id.desc())
        .offset(MOST_SESSIONS - 1)
    )
    ended = await session.scalars(
        update(db.Session)
        .where(db.Session.id.in_(surplus))
        .values(revoked_at=func.now())
        .returning(db.Session.id)
        .execution_options(synchronize_session=False)
    )
    for session_id in ended.all():
        await log.end_streams(session, session_id=session_id)
