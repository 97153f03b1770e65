"""Registering: an account claims an address, a code proves it."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, delete, exists, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from gamebuddy import db, mail, text
from gamebuddy.auth import names, passwords
from gamebuddy.auth.codes import LIFETIME
from gamebuddy.auth.gate import Gate
from gamebuddy.auth.names import Email
from gamebuddy.auth.throttle import Hit, Limit, network_of
from gamebuddy.db import WriteSession
from gamebuddy.errors import Code, Problem, Rejected, reject
from gamebuddy.mail import Letter, LetterKind
from gamebuddy.resolvers.accounts.signing_in import Device, SignedIn, check_device, open_session

CLAIM_LIFETIME = timedelta(hours=48)  # for so long an unproved account keeps its user name from others
DEFAULT_LOCALE = "en"


async def register(
    session: WriteSession,
    gate: Gate,
    *,
    email: str,
    username: str,
    password: str,
    address: str,
    display_name: str | None = None,
    locale: str | None = None,
) -> datetime:
    """Make an account that claims an address, send its code there, and tell until when the code works.

    Nothing here depends on whether somebody has proved the address before; what the letter says does.

    Raises:
        Rejected: what is wrong with the input, all of it at once; TAKEN; RETRY_LATER.
        Unavailable: when too many wait.
    """
    _require_all(
        lambda: names.email(email, "email"),
        lambda: names.username(username, "username"),
        lambda: passwords.check(password, "password", own=(username, email)),
        lambda: None if display_name is None else text.display_name(display_name, "display_name"),
    )
    claimed = names.email(email)
    await gate.throttle.take(session, Hit(Limit.REGISTER_BY_ADDRESS, network_of(address)))
    account_id = await _insert(
        session,
        db.Account(
            username=names.username(username),
            display_name=username if display_name is None else text.display_name(display_name),
            email=claimed.address,
            email_key=claimed.key,
            password_hash=await gate.passwords.hash(password),
            locale=locale or DEFAULT_LOCALE,
        ),
    )
    session.add(db.Profile(account_id=account_id, languages=[locale] if locale else []))
    await session.flush()
    return await _send_code(session, gate, account_id, claimed)


async def resend_verification(session: WriteSession, gate: Gate, *, email: str, address: str) -> None:
    """Send a new code to whoever claims an address; the old one is worthless. An address nobody claims gets nothing.

    Raises:
        Rejected: INVALID, RETRY_LATER.
    """
    claimed = names.email(email, "email")
    await gate.throttle.take(session, Hit(Limit.RESEND_BY_ADDRESS, network_of(address)))
    claimant_id: uuid.UUID | None = await session.scalar(
        select(db.Account.id)
        .where(_claims(claimed))
        .order_by(db.Account.created_at.desc(), db.Account.id.desc())
        .limit(1)
    )
    # For nobody the same is done, for the same time: the code finds no account, and the letter no reader.
    await _send_code(session, gate, claimant_id or db.new_id(), claimed)


async def verify_email(session: WriteSession, gate: Gate, *, email: str, code: str, device: Device) -> SignedIn:
    """Prove an address with the code that was sent there, and sign in. Other claims of the address are dropped.

    The fifth wrong try burns the code: from then on even the right one is too late.

    Raises:
        Rejected: INVALID, CODE_WRONG, CODE_EXPIRED, RETRY_LATER.
    """
    text.require_text(code)
    claimed = names.email(email, "email")
    check_device(device)
    await gate.throttle.take(session, Hit(Limit.VERIFY_BY_ADDRESS, network_of(device.address)))
    await _count_try(session, gate, claimed)
    account_id = await _use_code(session, gate, claimed, code)
    account = await _prove(session, account_id)
    await session.execute(delete(db.Account).where(_claims(claimed)).execution_options(synchronize_session=False))
    await gate.throttle.forget(session, _tries(claimed))
    return await open_session(session, gate, account, device)


async def create_admin(session: WriteSession, gate: Gate, *, username: str, email: str, password: str) -> db.Account:
    """Make an administrator whose address counts as proved; a reserved name is allowed.

    Raises:
        Rejected: what is wrong with the input, all of it at once; TAKEN for the name or the address.
    """
    _require_all(
        lambda: names.email(email, "email"),
        lambda: names.any_username(username, "username"),
        lambda: passwords.check(password, "password", own=(username, email)),
    )
    proved = names.email(email)
    account_id = await _insert(
        session,
        db.Account(
            username=names.any_username(username),
            display_name=username,
            role=db.Role.ADMIN,
            email=proved.address,
            email_key=proved.key,
            email_verified_at=datetime.now(UTC),
            password_hash=await gate.passwords.hash(password),
        ),
    )
    session.add(db.Profile(account_id=account_id, is_looking_for_teammates=False))
    await session.flush()
    await session.execute(delete(db.Account).where(_claims(proved)).execution_options(synchronize_session=False))
    account: db.Account = await session.get_one(db.Account, account_id)
    return account


def _require_all(*checks: Callable[[], object]) -> None:
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


async def _insert(session: WriteSession, account: db.Account) -> uuid.UUID:
    """Insert an account; of two with one name, or one proved address, the index lets one through.

    Raises:
        Rejected: TAKEN.
    """
    await session.execute(
        delete(db.Account)
        .where(
            db.Account.username == account.username,
            db.Account.email.is_not(None),
            db.Account.email_verified_at.is_(None),
            db.Account.created_at < func.now() - CLAIM_LIFETIME,
        )
        .execution_options(synchronize_session=False)
    )
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


async def _send_code(session: WriteSession, gate: Gate, account_id: uuid.UUID, claimed: Email) -> datetime:
    """Make a new code for an account and post it; tells until when it works.

    An address gets a few letters an hour and no more; the answer is the same. Without a letter there is no code: nobody
    can guess at codes that nobody was sent.
    """
    expires_at = datetime.now(UTC) + LIFETIME
    if await gate.throttle.count(session, Hit(Limit.LETTERS, claimed.key)) is not None:
        return expires_at
    row = db.OneTimeCode
    fresh = {"id": db.new_id(), "created_at": func.now(), "expires_at": expires_at, "used_at": None}
    owner = select(
        literal(fresh["id"]), db.Account.id, literal(db.CodePurpose.VERIFY_EMAIL, row.purpose.type), literal(expires_at)
    ).where(db.Account.id == account_id)
    await session.execute(
        insert(row)
        .from_select([row.id, row.account_id, row.purpose, row.expires_at], owner)
        .on_conflict_do_update(index_elements=[row.account_id, row.purpose], set_=fresh)
    )
    await gate.throttle.forget(session, _tries(claimed))
    await mail.post(session, Letter(LetterKind.CONFIRM_ADDRESS, account_id))
    return expires_at


async def _count_try(session: WriteSession, gate: Gate, claimed: Email) -> None:
    """Count a try for a code, before it is looked at and whatever becomes of it.

    Raises:
        Rejected: CODE_EXPIRED when there have been too many.
    """
    async with session.apart() as own:
        is_burnt = await gate.throttle.count(own, _tries(claimed)) is not None
    if is_burnt:
        raise _expired()


async def _use_code(session: WriteSession, gate: Gate, claimed: Email, code: str) -> uuid.UUID:
    """Find whose code it is and use it up.

    Raises:
        Rejected: CODE_WRONG, CODE_EXPIRED.
    """
    proved = aliased(db.Account)
    # Locked in the order of ids: of two claims that are proved at once, the second waits, and finds itself dropped.
    claims = await session.execute(
        select(db.Account.id, db.OneTimeCode.id.label("code_id"))
        .join(db.OneTimeCode, db.OneTimeCode.account_id == db.Account.id)
        .where(
            _claims(claimed),
            db.OneTimeCode.purpose == db.CodePurpose.VERIFY_EMAIL,
            ~exists().where(proved.email_key == claimed.key, proved.email_verified_at.is_not(None)),
        )
        .order_by(db.Account.id)
        .with_for_update(of=db.Account)
    )
    matching = [row for row in claims if gate.codes.is_code_of(row.code_id, code)]
    if not matching:
        raise _wrong()
    used: uuid.UUID | None = await session.scalar(
        update(db.OneTimeCode)
        .where(
            db.OneTimeCode.id == matching[0].code_id,
            db.OneTimeCode.used_at.is_(None),
            db.OneTimeCode.expires_at > func.now(),
        )
        .values(used_at=func.now())
        .returning(db.OneTimeCode.account_id)
        .execution_options(synchronize_session=False)
    )
    if used is None:
        raise _expired()
    return used


async def _prove(session: WriteSession, account_id: uuid.UUID) -> db.Account:
    """Note that an account has proved its address; a guest becomes a user.

    Raises:
        Rejected: CODE_WRONG when another account has proved it at the same moment.
    """
    account: db.Account = await session.get_one(db.Account, account_id)
    account.email_verified_at = datetime.now(UTC)
    if account.role is db.Role.GUEST:
        account.role = db.Role.USER
    try:
        await session.flush()
    except IntegrityError:
        raise _wrong() from None
    return account


def _claims(claimed: Email) -> ColumnElement[bool]:
    """Whether an account claims an address without having proved it."""
    return (db.Account.email_key == claimed.key) & db.Account.email_verified_at.is_(None)


def _tries(claimed: Email) -> Hit:
    return Hit(Limit.CODE_TRIES, claimed.key)


def _wrong() -> Rejected:
    return reject(Code.CODE_WRONG, "This is not the code that was sent last.", "code")


def _expired() -> Rejected:
    return reject(Code.CODE_EXPIRED, "The code is too old or was tried too often. Ask for a new one.", "code")
