"""Registering: an account claims an address, a code proves it. Guests come without, and keep what they have."""

import base64
import secrets
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from gamebuddy import db, text
from gamebuddy.auth import names, passwords
from gamebuddy.auth.gate import Gate
from gamebuddy.auth.names import Email
from gamebuddy.auth.throttle import Hit, Limit, network_of
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import CodePurpose, WriteSession
from gamebuddy.errors import Code, Problem, Rejected, reject
from gamebuddy.events import log
from gamebuddy.resolvers.accounts import codes
from gamebuddy.resolvers.accounts.codes import Asked
from gamebuddy.resolvers.accounts.sessions import Device, SignedIn, check_device, lock_account, open_session
from gamebuddy.resolvers.wording import WordFilter

CLAIM_LIFETIME = timedelta(hours=48)  # for so long an unproved account keeps its user name from others
DEFAULT_LOCALE = "en"
GUEST_NAME = "Guest"


async def register(
    session: WriteSession,
    gate: Gate,
    caller: Viewer | None,
    *,
    email: str,
    username: str,
    password: str,
    address: str,
    words: WordFilter,
    display_name: str | None = None,
    locale: str | None = None,
) -> datetime:
    """Make an account that claims an address, send its code there, and tell until when the code works.

    Nothing here depends on whether somebody has proved the address before; what the letter says does. When a guest
    asks, his account takes the new one over once the address is proved.

    Raises:
        Rejected: what is wrong with the input, all of it at once; TAKEN; RETRY_LATER.
        Unavailable: when too many wait.
    """
    require_all(
        lambda: names.email(email, "email"),
        lambda: names.username(username, "username"),
        lambda: passwords.check(password, "password", own=(username, email)),
        lambda: None if display_name is None else text.display_name(display_name, "display_name"),
        lambda: words.refuse(username, "username"),
        lambda: None if display_name is None else words.clean(display_name, "display_name"),
    )
    claimed = names.email(email)
    await gate.throttle.take(session, Hit(Limit.REGISTER_BY_ADDRESS, network_of(address)))
    password_hash = await gate.passwords.hash(password)
    guest = await _guest(session, caller)
    shown = guest.display_name if guest and guest.display_name != GUEST_NAME else username
    account_id = await insert_account(
        session,
        db.Account(
            username=names.username(username),
            display_name=shown if display_name is None else words.clean(text.display_name(display_name)),
            email=claimed.address,
            email_key=claimed.key,
            password_hash=password_hash,
            locale=locale or DEFAULT_LOCALE,
            guest_id=guest.id if guest else None,
        ),
    )
    session.add(db.Profile(account_id=account_id, languages=[locale] if locale else []))
    await session.flush()
    return await codes.send(session, gate, _asked(claimed), account_id)


async def sign_in_as_guest(session: WriteSession, gate: Gate, *, device: Device) -> SignedIn:
    """Make an account without name or address, and sign in to it. Nobody gets into it again once its session ends.

    Raises:
        Rejected: TOO_SHORT or TOO_LONG for the device's name; RETRY_LATER.
    """
    check_device(device)
    await gate.throttle.take(session, Hit(Limit.REGISTER_BY_ADDRESS, network_of(device.address)))
    account = db.Account(username=made_up_name("guest"), display_name=GUEST_NAME)
    session.add(account)
    await session.flush()
    session.add(db.Profile(account_id=account.id, is_looking_for_teammates=False))
    await session.flush()
    return await open_session(session, gate, account, device)


async def resend_verification(session: WriteSession, gate: Gate, *, email: str, address: str) -> None:
    """Send a new code to whoever claims an address; the old one is worthless. An address nobody claims gets nothing.

    Raises:
        Rejected: INVALID, RETRY_LATER.
    """
    claimed = names.email(email, "email")
    await gate.throttle.take(session, Hit(Limit.ASK_FOR_LETTER_BY_ADDRESS, network_of(address)))
    claimant_id: uuid.UUID | None = await session.scalar(
        select(db.Account.id)
        .where(_claims(claimed))
        .order_by(db.Account.created_at.desc(), db.Account.id.desc())
        .limit(1)
    )
    await codes.send(session, gate, _asked(claimed), claimant_id)


async def verify_email(
    session: WriteSession, gate: Gate, *, email: str, code: str, device: Device, words: WordFilter
) -> SignedIn:
    """Prove an address with the code that was sent there, and sign in. Other claims of the address are dropped.

    Only now the names that were claimed with it are held against rules that flag: before, nobody else sees them.

    The fifth wrong try burns the code: from then on even the right one is too late.

    Raises:
        Rejected: INVALID, CODE_WRONG, CODE_EXPIRED, RETRY_LATER.
    """
    text.require_text(code)
    claimed = names.email(email, "email")
    check_device(device)
    await gate.throttle.take(session, Hit(Limit.TRY_CODE_BY_ADDRESS, network_of(device.address)))
    proved = aliased(db.Account)
    is_free = ~exists().where(proved.email_key == claimed.key, proved.email_verified_at.is_not(None))
    found = await codes.find(session, gate, _asked(claimed), code, _claims(claimed), is_free)
    # Locked in the order of ids: of two claims that are proved at once, the second waits, and finds itself dropped.
    await session.execute(
        select(db.Account.id).where(_claims(claimed)).order_by(db.Account.id).with_for_update(key_share=True)
    )
    await codes.use(session, gate, _asked(claimed), found)
    account = await _prove(session, found.account_id)
    await drop_claims(session, claimed)
    signed_in = await open_session(session, gate, account, device)
    await words.flag(session, signed_in.viewer, account.username, account.display_name)
    return signed_in


async def drop_claims(session: WriteSession, proved: Email) -> None:
    """Delete the accounts that claim an address which somebody has just proved."""
    await session.execute(delete(db.Account).where(_claims(proved)).execution_options(synchronize_session=False))


def require_all(*checks: Callable[[], object]) -> None:
    """Run every check and tell all that is wrong at once.

    Raises:
        Rejected: with the problems of all of them.
    """
    problems: list[Problem] = []
    for check in checks:
        try:
            check()
        except Rejected as rejected:
            problems += rejected.problems
    if problems:
        raise Rejected(*problems)


async def free_username(session: WriteSession, username: str) -> None:
    """Take a name from a claim that was not proved in time."""
    await session.execute(
        delete(db.Account)
        .where(db.Account.username == username, is_stale_claim())
        .execution_options(synchronize_session=False)
    )


def is_stale_claim() -> ColumnElement[bool]:
    """Tell of the account in the statement whether it is a claim that was not proved in time."""
    return and_(
        db.Account.email.is_not(None),
        db.Account.email_verified_at.is_(None),
        db.Account.created_at < func.now() - CLAIM_LIFETIME,
    )


async def insert_account(session: WriteSession, account: db.Account) -> uuid.UUID:
    """Insert an account; of two with one name, or one proved address, the index lets one through.

    Raises:
        Rejected: TAKEN.
    """
    await free_username(session, account.username)
    values = {column.key: getattr(account, column.key) for column in db.Account.__mapper__.column_attrs}
    values.pop("created_at")
    inserted: uuid.UUID | None = await session.scalar(
        insert(db.Account).values(values).on_conflict_do_nothing().returning(db.Account.id)
    )
    if inserted is not None:
        return inserted
    is_name = await session.scalar(select(exists().where(db.Account.username == account.username)))
    if is_name:
        raise reject(Code.TAKEN, f"The name {account.username} is taken.", "username")
    raise reject(Code.TAKEN, "This address belongs to another account.", "email")


def made_up_name(prefix: str) -> str:
    """Make a user name that nobody has: 60 random bits behind a prefix."""
    return f"{prefix}_{base64.b32encode(secrets.token_bytes(8)).decode().lower()[:12]}"


async def _guest(session: WriteSession, caller: Viewer | None) -> db.Account | None:
    """Give the account of a caller who is a guest without an address."""
    account = await session.get(db.Account, caller.account_id) if caller else None
    return account if account and account.role is db.Role.GUEST and account.email is None else None


async def _prove(session: WriteSession, account_id: uuid.UUID) -> db.Account:
    """Note that an account has proved its address: it is a user's from now on, the guest's own if a guest asked.

    Raises:
        Rejected: CODE_WRONG when another account has proved it at the same moment.
    """
    account: db.Account = await session.get_one(db.Account, account_id, populate_existing=True)
    guest = await lock_account(session, account.guest_id) if account.guest_id else None
    if guest is not None and guest.email is None and guest.status is db.AccountStatus.ACTIVE:
        account = await _take_over(session, guest, account)
    account.email_verified_at = datetime.now(UTC)
    if account.role is db.Role.GUEST:
        account.role = db.Role.USER
    try:
        await session.flush()
    except IntegrityError:
        raise codes.wrong() from None
    await log.look_again(session, account.id)  # streams of the guest begin anew with a user's rights
    return account


async def _take_over(session: WriteSession, guest: db.Account, claim: db.Account) -> db.Account:
    """Let a guest have what was registered; id and profile stay his own."""
    taken = {
        name: getattr(claim, name)
        for name in ("username", "display_name", "email", "email_key", "password_hash", "locale")
    }
    await session.delete(claim)
    await session.flush()
    for name, value in taken.items():
        setattr(guest, name, value)
    return guest


def _claims(claimed: Email) -> ColumnElement[bool]:
    """Whether an account claims an address without having proved it."""
    return (db.Account.email_key == claimed.key) & db.Account.email_verified_at.is_(None)


def _asked(claimed: Email) -> Asked:
    return Asked(CodePurpose.VERIFY_EMAIL, claimed.key, claimed.key)
