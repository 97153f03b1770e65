"""Changing what one signs in with: password and address. Whoever does it gives the password again."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.exc import IntegrityError

from gamebuddy import db, mail, text
from gamebuddy.auth import names, passwords
from gamebuddy.auth.codes import LIFETIME
from gamebuddy.auth.gate import Gate
from gamebuddy.auth.names import Email
from gamebuddy.auth.throttle import Hit, Limit, network_of
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import AuditAction, CodePurpose, WriteSession
from gamebuddy.errors import Code, reject
from gamebuddy.mail import Letter, LetterKind
from gamebuddy.resolvers import audit
from gamebuddy.resolvers.accounts import codes, second_factor
from gamebuddy.resolvers.accounts.codes import Asked
from gamebuddy.resolvers.accounts.recovery import drop_codes, settle_new_password
from gamebuddy.resolvers.accounts.registration import drop_claims
from gamebuddy.resolvers.accounts.sessions import end_sessions, lock_account
from gamebuddy.resolvers.accounts.signing_in import check_password, lock_proved

UNDO_LIFETIME = timedelta(days=7)


async def change_password(
    session: WriteSession, gate: Gate, viewer: Viewer, *, current_password: str, new_password: str
) -> None:
    """Change the password; every other session ends, and a letter tells the owner.

    Raises:
        Rejected: TOO_SHORT, TOO_LONG or WEAK_PASSWORD for the new one; WRONG_CREDENTIALS, RETRY_LATER, CONFLICT.
        Unavailable: when too many wait.
    """
    passwords.check(new_password, "new_password")
    proved = await check_password(session, gate, viewer, current_password, "current_password")
    passwords.check(new_password, "new_password", own=(proved.username, proved.email))
    password_hash = await gate.passwords.hash(new_password)
    account = await lock_proved(session, gate, viewer, proved)
    account.password_hash = password_hash
    await settle_new_password(session, gate, account, keep=viewer.session_id)
    await audit.record(session, AuditAction.CHANGE_PASSWORD, actor_id=account.id, target_id=account.id)


async def change_email(session: WriteSession, gate: Gate, viewer: Viewer, *, new_email: str, password: str) -> None:
    """Send a code to a new address; the old one stays until the code has come back.

    The answer is the same whether or not the address is known; if it belongs to somebody, he is told.

    Raises:
        Rejected: INVALID for the address; WRONG_CREDENTIALS, RETRY_LATER, CONFLICT.
        Unavailable: when too many wait.
    """
    wanted = names.email(new_email, "new_email")
    proved = await check_password(session, gate, viewer, password, "password")
    await gate.throttle.take(session, Hit(Limit.EMAIL_CHANGES, str(viewer.account_id)))
    account = await lock_proved(session, gate, viewer, proved)
    if account.email_key == wanted.key:
        raise reject(Code.INVALID, "This is your address already.", "new_email")
    await codes.send(session, gate, _asked(viewer, wanted), account.id, to=wanted)


async def confirm_email_change(
    session: WriteSession, gate: Gate, viewer: Viewer, *, new_email: str, code: str, address: str
) -> None:
    """Let a new address take the place of the old one, which is told and may undo it for a week.

    Raises:
        Rejected: INVALID, CODE_WRONG, CODE_EXPIRED, RETRY_LATER; CONFLICT when another account has proved the address
            meanwhile: both keep what they have.
    """
    text.require_text(code)
    wanted = names.email(new_email, "new_email")
    await gate.throttle.take(session, Hit(Limit.TRY_CODE_BY_ADDRESS, network_of(address)))
    asked = _asked(viewer, wanted)
    found = await codes.find(
        session, gate, asked, code, db.Account.id == viewer.account_id, db.OneTimeCode.email_key == wanted.key
    )
    account = await lock_account(session, viewer.account_id)
    if account is None:
        raise codes.expired()
    await codes.use(session, gate, asked, found)
    old = Email(address=account.email or "", key=account.email_key or "")
    await _set_email(session, account, Email(address=found.email or wanted.address, key=wanted.key))
    await _let_undo(session, account, old)
    await audit.record(session, AuditAction.CHANGE_EMAIL, actor_id=account.id, target_id=account.id)


async def undo_email_change(session: WriteSession, gate: Gate, *, email: str, code: str, address: str) -> None:
    """Give an account its old address back, with the code that was sent there.

    Whoever changed it knew the password: so that works no more, every session ends, a second factor that was added
    since is gone, and a code for a new password goes to the old address.

    Raises:
        Rejected: INVALID, CODE_WRONG, CODE_EXPIRED, RETRY_LATER; CONFLICT when another account has proved the address
            meanwhile.
    """
    text.require_text(code)
    old = names.email(email, "email")
    await gate.throttle.take(session, Hit(Limit.TRY_CODE_BY_ADDRESS, network_of(address)))
    asked = Asked(CodePurpose.UNDO_EMAIL_CHANGE, old.key, old.key)
    found = await codes.find(session, gate, asked, code, db.OneTimeCode.email_key == old.key)
    account = await lock_account(session, found.account_id)
    if account is None:
        raise codes.expired()
    await codes.use(session, gate, asked, found)
    await _set_email(session, account, old)
    factor = await session.get(db.SecondFactor, account.id)
    if factor is not None and factor.confirmed_at is not None and factor.confirmed_at > found.created_at:
        await second_factor.clear(session, account.id)
    account.password_hash = None
    await end_sessions(session, account.id)
    await codes.write(session, CodePurpose.RESET_PASSWORD, account.id, datetime.now(UTC) + LIFETIME)
    await mail.post(session, Letter(LetterKind.RESET_PASSWORD, account.id))
    await audit.record(session, AuditAction.UNDO_EMAIL_CHANGE, actor_id=account.id, target_id=account.id)


async def _set_email(session: WriteSession, account: db.Account, email: Email) -> None:
    account.email, account.email_key, account.email_verified_at = email.address, email.key, datetime.now(UTC)
    try:
        await session.flush()
    except IntegrityError:
        raise reject(Code.CONFLICT, "This address belongs to another account by now.") from None
    await drop_codes(session, account)
    await drop_claims(session, email)


async def _let_undo(session: WriteSession, account: db.Account, old: Email) -> None:
    """Send a code to the old address; while an earlier one works it stays, for it leads back to the owner."""
    row = db.OneTimeCode
    is_open = await session.scalar(
        select(
            exists().where(
                row.account_id == account.id,
                row.purpose == CodePurpose.UNDO_EMAIL_CHANGE,
                row.used_at.is_(None),
                row.expires_at > func.now(),
            )
        )
    )
    if not is_open:
        expires_at = datetime.now(UTC) + UNDO_LIFETIME
        await codes.write(session, CodePurpose.UNDO_EMAIL_CHANGE, account.id, expires_at, old)
    await mail.post(session, Letter(LetterKind.ADDRESS_CHANGED, account.id))


def _asked(viewer: Viewer, wanted: Email) -> Asked:
    return Asked(CodePurpose.CHANGE_EMAIL, f"{viewer.account_id} {wanted.key}", wanted.key)
