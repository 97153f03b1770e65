"""What letters say, from what is in the database when they are sent: what is over by then is not said any more."""

import uuid

from sqlalchemy import ColumnElement, Select, func, select

from gamebuddy import db
from gamebuddy.auth.codes import LIFETIME, Codes
from gamebuddy.db import CodePurpose, ReadSession
from gamebuddy.mail.jobs import Letter, LetterKind
from gamebuddy.mail.writing import Content, Recipient

MINUTES = int(LIFETIME.total_seconds() // 60)


async def find(session: ReadSession, codes: Codes, letter: Letter) -> Content | None:
    """Find what a letter says to whom; None when there is nothing to say any more."""
    match letter.kind:
        case LetterKind.CONFIRM_ADDRESS:
            found = await _confirmation(session, codes, letter, CodePurpose.VERIFY_EMAIL, "confirm_address")
        case LetterKind.CONFIRM_NEW_ADDRESS:
            found = await _confirmation(session, codes, letter, CodePurpose.CHANGE_EMAIL, "confirm_new_address")
        case LetterKind.RESET_PASSWORD:
            found = await _reset(session, codes, letter)
        case LetterKind.ADDRESS_CHANGED:
            found = await _undo(session, codes, letter)
        case LetterKind.ACCOUNT_DELETED:
            found = await _farewell(session, letter)
        case LetterKind.APPEAL_ANSWERED:
            found = await _answer_to_appeal(session, letter)
        case _:
            found = await _notice(session, letter)
    return found


async def _confirmation(
    session: ReadSession, codes: Codes, letter: Letter, purpose: CodePurpose, name: str
) -> Content | None:
    """Bring the code to the address it shall prove; if that belongs to somebody, tell him, and nobody else."""
    found = (await session.execute(_open_code(letter.account_id, purpose))).one_or_none()
    if found is None:
        return None
    code, account = found
    owner: db.Account | None = await session.scalar(
        select(db.Account).where(_has_proved(code.email_key or account.email_key), _is_active())
    )
    if owner is not None and owner.id != account.id:
        return _to(owner, "address_in_use", username=owner.username)
    words = {"username": account.username, "code": codes.code_of(code.id), "minutes": MINUTES}
    return _to(account, name, code.email, **words)


async def _reset(session: ReadSession, codes: Codes, letter: Letter) -> Content | None:
    found = (await session.execute(_open_code(letter.account_id, CodePurpose.RESET_PASSWORD))).one_or_none()
    if found is None:
        return None
    code, account = found
    return _to(account, "reset_password", username=account.username, code=codes.code_of(code.id), minutes=MINUTES)


async def _undo(session: ReadSession, codes: Codes, letter: Letter) -> Content | None:
    """Tell the address that an account had before."""
    found = (await session.execute(_open_code(letter.account_id, CodePurpose.UNDO_EMAIL_CHANGE))).one_or_none()
    if found is None:
        return None
    code, account = found
    words = {"username": account.username, "code": codes.long_code_of(code.id), "until": code.expires_at}
    return _to(account, "address_changed", code.email, **words)


async def _farewell(session: ReadSession, letter: Letter) -> Content | None:
    found = (
        await session.execute(
            select(db.Departure, db.Account)
            .join(db.Account, db.Account.id == db.Departure.account_id)
            .where(db.Account.id == letter.account_id)
        )
    ).one_or_none()
    if found is None:
        return None
    departure, account = found
    return _to(account, "account_deleted", departure.email, username=departure.username, until=departure.ends_at)


async def _answer_to_appeal(session: ReadSession, letter: Letter) -> Content | None:
    """Tell what became of the last appeal that was answered, also to one who is banned still."""
    appeal, sanction, account = db.Appeal, db.Sanction, db.Account
    found = (
        await session.execute(
            select(appeal, sanction, account)
            .join(sanction, sanction.id == appeal.sanction_id)
            .join(account, account.id == sanction.account_id)
            .where(
                account.id == letter.account_id,
                account.email_verified_at.is_not(None),
                appeal.answered_at.is_not(None),
            )
            .order_by(appeal.answered_at.desc())
            .limit(1)
        )
    ).one_or_none()
    if found is None:
        return None
    answered, against, owner = found
    words = {
        "username": owner.username,
        "is_ban": against.kind is db.SanctionKind.BAN,
        "is_accepted": answered.status is db.AppealStatus.ACCEPTED,
        "answer": answered.answer,
    }
    return _to(owner, "appeal_answered", **words)


async def _notice(session: ReadSession, letter: Letter) -> Content | None:
    account: db.Account | None = await session.scalar(
        select(db.Account).where(
            db.Account.id == letter.account_id, db.Account.email_verified_at.is_not(None), _is_active()
        )
    )
    return _to(account, letter.kind.replace("-", "_"), username=account.username) if account else None


def _open_code(account_id: uuid.UUID, purpose: CodePurpose) -> Select[db.OneTimeCode, db.Account]:
    """Ask for the code that an account waits for, unless it is used or too old."""
    code = db.OneTimeCode
    return (
        select(code, db.Account)
        .join(db.Account, db.Account.id == code.account_id)
        .where(
            code.account_id == account_id, code.purpose == purpose, code.used_at.is_(None), code.expires_at > func.now()
        )
    )


def _has_proved(email_key: str | None) -> ColumnElement[bool]:
    return (db.Account.email_key == email_key) & db.Account.email_verified_at.is_not(None)


def _is_active() -> ColumnElement[bool]:
    return db.Account.status == db.AccountStatus.ACTIVE


def _to(account: db.Account, name: str, address: str | None = None, **words: object) -> Content:
    recipient = Recipient(address=address or account.email or "", locale=account.locale)
    return Content(name=name, recipient=recipient, words=words)
