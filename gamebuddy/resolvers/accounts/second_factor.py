"""The second factor: codes of an authenticator app (TOTP, RFC 6238), or a recovery code in their place."""

import base64
import hashlib
import uuid

import pyotp
import structlog
from sqlalchemy import delete, func, select, update

from gamebuddy import db
from gamebuddy.auth.gate import Gate
from gamebuddy.auth.keys import Purpose, Unsealable
from gamebuddy.auth.throttle import Hit, Limit
from gamebuddy.db import WriteSession
from gamebuddy.errors import Code, Rejected, reject

WINDOW = 1  # steps of 30 seconds that clocks may differ, either way

log = structlog.get_logger(__name__)


async def require(
    session: WriteSession, gate: Gate, account: db.Account, code: str | None, field: str = "totp_code"
) -> None:
    """Let through whoever has the second factor of an account, if it has one. A code works once, for ever.

    The try was counted by the caller, in a transaction that stays; the account's row is locked.

    Raises:
        Rejected: TOTP_REQUIRED, TOTP_WRONG.
    """
    factor = await locked(session, account.id)
    if factor is None or factor.confirmed_at is None:
        return
    if not code or not code.strip():
        raise reject(Code.TOTP_REQUIRED, "This account asks for a code of its authenticator app.", field)
    if not await _use_recovery_code(session, account.id, code):
        use_step(gate, factor, code, field)
    await session.flush()
    await gate.throttle.forget(session, tries_of(account.id))


def use_step(gate: Gate, factor: db.SecondFactor, code: str, field: str) -> None:
    """Use the step of 30 seconds that a code belongs to; none up to it is taken again.

    Raises:
        Rejected: TOTP_WRONG.
    """
    try:
        secret = gate.keys.unseal(Purpose.TOTP_SECRET, factor.sealed_secret)
    except Unsealable:  # the server's key was taken off its list too early: only a recovery code is left
        log.exception("second_factor_unsealable", account_id=str(factor.account_id))
        raise _wrong(field) from None
    try:
        step = pyotp.TOTP(in_base32(secret)).verify_and_get_timecode(code.replace(" ", ""), valid_window=WINDOW)
    except pyotp.OTPVerificationError:
        raise _wrong(field) from None
    if factor.last_step is not None and step <= factor.last_step:
        raise _wrong(field)
    factor.last_step = step
    factor.sealed_secret = gate.keys.seal(Purpose.TOTP_SECRET, secret)  # with the newest key


async def locked(session: WriteSession, account_id: uuid.UUID) -> db.SecondFactor | None:
    """Give the second factor of an account, locked; it may still wait for its first code."""
    factor: db.SecondFactor | None = await session.scalar(
        select(db.SecondFactor)
        .where(db.SecondFactor.account_id == account_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return factor


async def clear(session: WriteSession, account_id: uuid.UUID) -> None:
    """Forget the second factor of an account, and its recovery codes."""
    for row in (db.SecondFactor, db.RecoveryCode):
        await session.execute(
            delete(row).where(row.account_id == account_id).execution_options(synchronize_session=False)
        )


def tries_of(account_id: uuid.UUID) -> Hit:
    """Give what tries of an account's second factor are counted on."""
    return Hit(Limit.SECOND_FACTOR, str(account_id))


def in_base32(raw: bytes) -> str:
    """Write bytes as authenticator apps read them."""
    return base64.b32encode(raw).decode().rstrip("=")


def digest_of(recovery_code: str) -> bytes:
    """Give what is kept of a recovery code; case, spaces and dashes do not count."""
    bare = recovery_code.replace("-", "").replace(" ", "").lower()
    return hashlib.sha256(bare.encode("utf-8", "surrogatepass")).digest()


async def _use_recovery_code(session: WriteSession, account_id: uuid.UUID, code: str) -> bool:
    row = db.RecoveryCode
    used = await session.scalar(
        update(row)
        .where(row.account_id == account_id, row.digest == digest_of(code), row.used_at.is_(None))
        .values(used_at=func.now())
        .returning(row.digest)
        .execution_options(synchronize_session=False)
    )
    return used is not None


def _wrong(field: str) -> Rejected:
    return reject(Code.TOTP_WRONG, "This code is wrong, or was used already.", field)
