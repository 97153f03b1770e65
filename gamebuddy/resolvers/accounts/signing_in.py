"""Signing in: whose password it is, and whether that is enough."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, exists, select

from gamebuddy import db, text
from gamebuddy.auth import names
from gamebuddy.auth.gate import Gate
from gamebuddy.auth.throttle import MESSAGE, Hit, Limit, network_of
from gamebuddy.auth.viewer import Viewer
from gamebuddy.auth.viewer import by_session as viewer_of_session
from gamebuddy.db import WriteSession
from gamebuddy.errors import Code, Rejected, Unauthenticated, reject, retry_later
from gamebuddy.resolvers import standing
from gamebuddy.resolvers.accounts import second_factor
from gamebuddy.resolvers.accounts.sessions import Device, SignedIn, check_device, lock_account, open_session

KNOWN_FOR = timedelta(days=90)  # since a device was last used


class Candidate(NamedTuple):
    """An account that a login may mean."""

    id: uuid.UUID
    password_hash: str | None
    has_second_factor: bool


class Proved(NamedTuple):
    """An account whose password somebody has just given; nothing of it is locked yet."""

    password_hash: str
    username: str
    email: str


async def sign_in(
    session: WriteSession, gate: Gate, *, login: str, password: str, device: Device, totp_code: str | None = None
) -> SignedIn:
    """Open a session for whoever knows the password; `login` is a user name or an e-mail address, in any case.

    The 21st session ends the one that was idle longest. Whatever is wrong takes as long and says the same.

    Raises:
        Rejected: RETRY_LATER, WRONG_CREDENTIALS; and with the right password ACCOUNT_BANNED, EMAIL_NOT_VERIFIED,
            TOTP_REQUIRED, TOTP_WRONG.
        Unavailable: when too many wait.
    """
    account, tries = await prove_owner(
        session, gate, login=login, password=password, device=device, totp_code=totp_code
    )
    await standing.lift_what_is_over(session, account)
    if account.status is db.AccountStatus.BANNED:
        raise await standing.banned(session, account)
    if account.email_verified_at is None:
        raise reject(Code.EMAIL_NOT_VERIFIED, "Confirm your e-mail address first: the letter has a code.")
    await second_factor.require(session, gate, account, totp_code)
    await gate.throttle.forget(session, tries)
    return await open_session(session, gate, account, device)


async def prove_owner(
    session: WriteSession, gate: Gate, *, login: str, password: str, device: Device, totp_code: str | None = None
) -> tuple[db.Account, Hit]:
    """Give the account whose password it is, in whatever state, its row locked; and what the try was counted on.

    A second factor is not asked for here, only counted where one is given.

    Raises:
        Rejected: RETRY_LATER, WRONG_CREDENTIALS.
        Unavailable: when too many wait.
    """
    text.require_text(login)
    text.require_text(password)
    text.require_text(totp_code or "")
    check_device(device)
    key = login_key(login)
    tries = await _count_try(session, gate, key, device)
    return await _prove(session, gate, key, password, tries, totp_code), tries


def login_key(login: str) -> str:
    """Give what a login is compared by: a user name or the key of an address."""
    if "@" not in login:
        return login.strip().lower()
    try:
        return names.email(login.strip()).key
    except Rejected:
        return login.strip().lower()


def is_meant_by(key: str) -> ColumnElement[bool]:
    """Tell of the account in the statement whether a login belongs to it, by name or by proved address."""
    account = db.Account
    meant = account.email_key == key if "@" in key else account.username == key
    return and_(meant, account.email_verified_at.is_not(None), account.status != db.AccountStatus.DELETED)


def strangers_tries(account: db.Account) -> list[Hit]:
    """Give the counts of tries from devices that nobody knows, under either login of an account."""
    return [Hit(Limit.SIGN_IN, key) for key in (account.username, account.email_key) if key]


async def check_password(session: WriteSession, gate: Gate, viewer: Viewer, password: str, field: str) -> Proved:
    """Ask one who is signed in for the password again. Nothing may have been written yet; lock afterwards.

    Raises:
        Rejected: RETRY_LATER, WRONG_CREDENTIALS.
        Unavailable: when too many wait.
    """
    text.require_text(password)
    await gate.throttle.take(session, _own_tries(viewer))
    account = db.Account
    row = (
        await session.execute(
            select(account.password_hash, account.username, account.email).where(account.id == viewer.account_id)
        )
    ).one()
    await session.let_go()
    if not await gate.passwords.verify(password, row.password_hash):
        raise reject(Code.WRONG_CREDENTIALS, "This is not your password.", field)
    return Proved(row.password_hash, row.username, row.email or "")


async def lock_proved(
    session: WriteSession, gate: Gate, viewer: Viewer, proved: Proved, *, whole: bool = False
) -> db.Account:
    """Lock the account whose password was given, if all is as it was then; `whole` as in `lock_account`.

    Raises:
        Rejected: CONFLICT when the password has changed meanwhile.
        Unauthenticated: when the session has ended meanwhile.
    """
    account = await lock_account(session, viewer.account_id, whole=whole)
    if account is None or await viewer_of_session(session, viewer.session_id) is None:
        raise Unauthenticated
    if account.password_hash != proved.password_hash:
        raise reject(Code.CONFLICT, "Your password has changed meanwhile.")
    await gate.throttle.forget(session, _own_tries(viewer))
    return account


async def _count_try(session: WriteSession, gate: Gate, key: str, device: Device) -> Hit:
    """Count a try; gives what it was counted on.

    A device that the account was used on counts by itself: a stranger's tries do not lock it out. The rest share a
    count, which is the login's and not the account's: if a name and an address shared one, it would tell that they
    belong together.

    Raises:
        Rejected: RETRY_LATER.
    """
    network = network_of(device.address)
    async with session.at_once() as own:
        known = await own.scalars(
            select(db.Session.ip_address)
            .join(db.Account, db.Account.id == db.Session.account_id)
            .where(
                is_meant_by(key),
                db.Session.user_agent.is_not_distinct_from(device.program),
                db.Session.last_used_at > datetime.now(UTC) - KNOWN_FOR,
            )
            .distinct()
        )
        is_known = network in {network_of(address) for address in known if address}
        tries = Hit(Limit.SIGN_IN, f"{key} from {network} with {device.program}" if is_known else key)
        retry_at = await gate.throttle.count_all(own, Hit(Limit.SIGN_IN_BY_ADDRESS, network), tries)
    if retry_at is not None:
        raise retry_later(MESSAGE, retry_at)
    return tries


async def _prove(
    session: WriteSession, gate: Gate, key: str, password: str, tries: Hit, totp_code: str | None
) -> db.Account:
    """Give the account whose password it is, its row locked; a hash of older parameters is replaced.

    Raises:
        Rejected: WRONG_CREDENTIALS, RETRY_LATER.
    """
    while True:
        candidate = await _whose_password(gate, password, await _candidates(session, key))
        if candidate.has_second_factor:
            await _count_second_factor(session, gate, candidate, tries, totp_code)
        stored = candidate.password_hash or ""
        fresh = await gate.passwords.hash(password) if gate.passwords.needs_rehash(stored) else stored
        account = await lock_account(session, candidate.id)
        if account is not None and account.password_hash == stored:
            account.password_hash = fresh
            return account
        # Changed while nothing was locked: by its owner, or by a rehash beside this one. Look again.
        await session.let_go()


async def _candidates(session: WriteSession, key: str) -> Sequence[Candidate | None]:
    """Find which accounts a login may mean: first the one it belongs to, then the newest that claims the address.

    The connection is given back. There are always two, so that a wrong password always costs two hashes: whoever
    claims another's address and then signs in by it learns nothing.
    """
    account, factor = db.Account, db.SecondFactor
    has_factor = exists().where(factor.account_id == account.id, factor.confirmed_at.is_not(None))
    columns = select(account.id, account.password_hash, has_factor).where(account.status != db.AccountStatus.DELETED)
    owner = columns.where(account.email_key == key, account.email_verified_at.is_not(None))
    claim = columns.where(account.email_key == key, account.email_verified_at.is_(None)).order_by(
        account.created_at.desc(), account.id.desc()
    )
    named = columns.where(account.username == key)
    statements = (owner, claim.limit(1)) if "@" in key else (named, named.where(account.id.is_(None)))
    rows = [(await session.execute(statement)).one_or_none() for statement in statements]
    await session.let_go()
    return [Candidate(*row) if row else None for row in rows]


async def _whose_password(gate: Gate, password: str, candidates: Sequence[Candidate | None]) -> Candidate:
    for candidate in candidates:
        stored = candidate.password_hash if candidate else None
        if await gate.passwords.verify(password, stored) and candidate:
            return candidate
    raise reject(Code.WRONG_CREDENTIALS, "Login and password do not belong together.")


async def _count_second_factor(
    session: WriteSession, gate: Gate, candidate: Candidate, tries: Hit, totp_code: str | None
) -> None:
    """Count a try of the second factor apart from those of the password, which was right.

    Raises:
        Rejected: RETRY_LATER.
    """
    async with session.at_once() as own:
        await gate.throttle.forget(own, tries)
        retry_at = None if totp_code is None else await gate.throttle.count(own, second_factor.tries_of(candidate.id))
    if retry_at is not None:
        raise retry_later(MESSAGE, retry_at)


def _own_tries(viewer: Viewer) -> Hit:
    return Hit(Limit.PASSWORD, str(viewer.account_id))
