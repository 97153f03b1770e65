"""Getting back in: a new password for a forgotten one, and a forgotten user name. Neither tells who exists."""

import uuid

from sqlalchemy import delete, select

from gamebuddy import db, mail, text
from gamebuddy.auth import names, passwords
from gamebuddy.auth.gate import Gate
from gamebuddy.auth.throttle import Hit, Limit, network_of
from gamebuddy.db import AuditAction, CodePurpose, WriteSession
from gamebuddy.mail import Letter, LetterKind
from gamebuddy.resolvers import audit
from gamebuddy.resolvers.accounts import codes
from gamebuddy.resolvers.accounts.codes import Asked
from gamebuddy.resolvers.accounts.sessions import end_sessions, lock_account
from gamebuddy.resolvers.accounts.signing_in import is_meant_by, login_key, strangers_tries


async def request_password_reset(session: WriteSession, gate: Gate, *, login: str, address: str) -> None:
    """Send a code for a new password to the proved address of an account; the code before it is worthless.

    For a login that nobody has the same is done, for the same time.

    Raises:
        Rejected: RETRY_LATER for the network address.
    """
    text.require_text(login)
    key = login_key(login)
    await gate.throttle.take(session, Hit(Limit.ASK_FOR_LETTER_BY_ADDRESS, network_of(address)))
    found = (await session.execute(select(db.Account.id, db.Account.email_key).where(is_meant_by(key)))).one_or_none()
    asked = _asked(key, found.email_key if found else key)
    await codes.send(session, gate, asked, found.id if found else None)


async def reset_password(
    session: WriteSession, gate: Gate, *, login: str, code: str, new_password: str, address: str
) -> None:
    """Choose a new password with a code. Every session of the account ends, and nobody is signed in.

    A second factor stays; the next to sign in is asked for it.

    Raises:
        Rejected: TOO_SHORT, TOO_LONG or WEAK_PASSWORD for the password; CODE_WRONG, CODE_EXPIRED; RETRY_LATER.
        Unavailable: when too many wait.
    """
    text.require_text(login)
    text.require_text(code)
    passwords.check(new_password, "new_password", own=(login,))
    key = login_key(login)
    await gate.throttle.take(session, Hit(Limit.TRY_CODE_BY_ADDRESS, network_of(address)))
    asked = _asked(key, key)
    found = await codes.find(session, gate, asked, code, is_meant_by(key))
    password_hash = await gate.passwords.hash(new_password)
    account = await lock_account(session, found.account_id)
    if account is None or account.email_key is None:
        raise codes.expired()
    passwords.check(new_password, "new_password", own=(account.username, account.email_key))
    await codes.use(session, gate, _asked(key, account.email_key), found)
    account.password_hash = password_hash
    await settle_new_password(session, gate, account)
    await audit.record(session, AuditAction.RESET_PASSWORD, actor_id=account.id, target_id=account.id)


async def recover_username(session: WriteSession, gate: Gate, *, email: str, address: str) -> None:
    """Send the user name of an account to its proved address; an address that nobody has proved gets nothing.

    Raises:
        Rejected: INVALID; RETRY_LATER for the network address.
    """
    given = names.email(email, "email")
    await gate.throttle.take(session, Hit(Limit.ASK_FOR_LETTER_BY_ADDRESS, network_of(address)))
    account_id = await session.scalar(select(db.Account.id).where(is_meant_by(given.key)))
    is_enough = await gate.throttle.count(session, Hit(Limit.LETTERS, given.key)) is not None
    reader_id = db.new_id() if is_enough or account_id is None else account_id
    await mail.post(session, Letter(LetterKind.RECOVER_USERNAME, reader_id))


async def settle_new_password(
    session: WriteSession, gate: Gate, account: db.Account, *, keep: uuid.UUID | None = None
) -> None:
    """Do what follows from a new password: sessions end, codes that were sent before are worthless, a letter goes out.

    The account is locked. `keep` is the session that changed it.
    """
    await end_sessions(session, account.id, keep=keep)
    await drop_codes(session, account)
    await gate.throttle.forget(session, *strangers_tries(account))
    await mail.post(session, Letter(LetterKind.PASSWORD_CHANGED, account.id))


async def drop_codes(session: WriteSession, account: db.Account) -> None:
    """Make the codes worthless that were sent under the password or the address before; an undo stays possible."""
    row = db.OneTimeCode
    await session.execute(
        delete(row)
        .where(row.account_id == account.id, row.purpose != CodePurpose.UNDO_EMAIL_CHANGE)
        .execution_options(synchronize_session=False)
    )


def _asked(key: str, address_key: str) -> Asked:
    return Asked(CodePurpose.RESET_PASSWORD, key, address_key)
