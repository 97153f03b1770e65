"""Getting a second factor and giving it up: the owner's authenticator app and recovery codes."""

import secrets
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pyotp
from sqlalchemy import delete, exists, insert, select

from gamebuddy import db, mail, text
from gamebuddy.auth.gate import Gate
from gamebuddy.auth.keys import Purpose
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import AuditAction, ReadSession, WriteSession
from gamebuddy.errors import Code, reject
from gamebuddy.mail import Letter, LetterKind
from gamebuddy.resolvers import audit
from gamebuddy.resolvers.accounts import second_factor
from gamebuddy.resolvers.accounts.signing_in import check_password, lock_proved

ISSUER = "GameBuddy"
SECRET_BYTES = 20  # as long as the SHA-1 that authenticator apps compute: RFC 4226, section 4
RECOVERY_CODES = 10
RECOVERY_CODE_BYTES = 10  # 80 bits: nobody finds one from its digest


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app needs: the secret in base 32, and with names in one otpauth:// address."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)


async def begin(session: WriteSession, gate: Gate, viewer: Viewer, *, password: str) -> Enrolment:
    """Make a secret for an authenticator app; it counts once a code of it is confirmed. Another beginning replaces it.

    Raises:
        Rejected: WRONG_CREDENTIALS, RETRY_LATER; CONFLICT when there is a second factor already.
        Unavailable: when too many wait.
    """
    proved = await check_password(session, gate, viewer, password, "password")
    account = await lock_proved(session, gate, viewer, proved)
    factor = await second_factor.locked(session, account.id)
    if factor is not None and factor.confirmed_at is not None:
        raise reject(Code.CONFLICT, "Your account has a second factor already. Remove it first.")
    secret = secrets.token_bytes(SECRET_BYTES)
    sealed = gate.keys.seal(Purpose.TOTP_SECRET, secret)
    if factor is None:
        session.add(db.SecondFactor(account_id=account.id, sealed_secret=sealed))
    else:
        factor.sealed_secret, factor.last_step = sealed, None
    await session.flush()
    written = second_factor.in_base32(secret)
    return Enrolment(written, pyotp.TOTP(written).provisioning_uri(name=account.username, issuer_name=ISSUER))


async def confirm(session: WriteSession, gate: Gate, viewer: Viewer, *, code: str) -> list[str]:
    """Make the second factor count, with a code that shows that the app has the secret; gives the recovery codes.

    Raises:
        Rejected: TOTP_WRONG, RETRY_LATER; CONFLICT when none was begun, or it counts already.
    """
    text.require_text(code)
    tries = second_factor.tries_of(viewer.account_id)
    await gate.throttle.take(session, tries)
    factor = await second_factor.locked(session, viewer.account_id)
    if factor is None or factor.confirmed_at is not None:
        raise reject(Code.CONFLICT, "There is no second factor that waits to be confirmed.")
    second_factor.use_step(gate, factor, code, "code")
    factor.confirmed_at = datetime.now(UTC)
    codes = await _make_recovery_codes(session, viewer.account_id)
    await gate.throttle.forget(session, tries)
    await _tell(session, viewer, AuditAction.ADD_SECOND_FACTOR, LetterKind.SECOND_FACTOR_ADDED)
    return codes


async def remove(session: WriteSession, gate: Gate, viewer: Viewer, *, password: str, code: str) -> None:
    """Ask for no second factor any more.

    Raises:
        Rejected: WRONG_CREDENTIALS, TOTP_WRONG, RETRY_LATER; CONFLICT when there is none.
        Unavailable: when too many wait.
    """
    await _require_both(session, gate, viewer, password, code)
    await second_factor.clear(session, viewer.account_id)
    await _tell(session, viewer, AuditAction.REMOVE_SECOND_FACTOR, LetterKind.SECOND_FACTOR_REMOVED)


async def renew_recovery_codes(
    session: WriteSession, gate: Gate, viewer: Viewer, *, password: str, code: str
) -> list[str]:
    """Make new recovery codes; the old ones are worthless.

    Raises:
        Rejected: WRONG_CREDENTIALS, TOTP_WRONG, RETRY_LATER; CONFLICT when there is no second factor.
        Unavailable: when too many wait.
    """
    await _require_both(session, gate, viewer, password, code)
    return await _make_recovery_codes(session, viewer.account_id)


async def has_second_factor(session: ReadSession, viewer: Viewer) -> bool:
    """Tell whether signing in asks for a second factor."""
    factor = db.SecondFactor
    found: bool = await session.scalar(
        select(exists().where(factor.account_id == viewer.account_id, factor.confirmed_at.is_not(None)))
    )
    return found


async def _require_both(session: WriteSession, gate: Gate, viewer: Viewer, password: str, code: str) -> None:
    text.require_text(code)
    proved = await check_password(session, gate, viewer, password, "password")
    await gate.throttle.take(session, second_factor.tries_of(viewer.account_id))
    account = await lock_proved(session, gate, viewer, proved)
    factor = await second_factor.locked(session, account.id)
    if factor is None or factor.confirmed_at is None:
        raise reject(Code.CONFLICT, "Your account has no second factor.")
    await second_factor.require(session, gate, account, code, "code")


async def _make_recovery_codes(session: WriteSession, account_id: uuid.UUID) -> list[str]:
    """Make codes like `abcd-efgh-ijkl-mnop`; their owner sees them this once."""
    written = [second_factor.in_base32(secrets.token_bytes(RECOVERY_CODE_BYTES)).lower() for _ in range(RECOVERY_CODES)]
    codes = ["-".join(letters[start : start + 4] for start in range(0, len(letters), 4)) for letters in written]
    row = db.RecoveryCode
    await session.execute(delete(row).where(row.account_id == account_id).execution_options(synchronize_session=False))
    digests = [{"account_id": account_id, "digest": second_factor.digest_of(code)} for code in codes]
    await session.execute(insert(row), digests)
    return codes


async def _tell(session: WriteSession, viewer: Viewer, action: AuditAction, letter: LetterKind) -> None:
    await session.flush()
    await audit.record(session, action, actor_id=viewer.account_id, target_id=viewer.account_id)
    await mail.post(session, Letter(letter, viewer.account_id))
