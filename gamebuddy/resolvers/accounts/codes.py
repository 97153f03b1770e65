"""One-time codes: sent to an address, tried a few times, used once."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert

from gamebuddy import db, mail
from gamebuddy.auth.codes import LIFETIME
from gamebuddy.auth.gate import Gate
from gamebuddy.auth.names import Email
from gamebuddy.auth.throttle import Hit, Limit
from gamebuddy.db import CodePurpose, WriteSession
from gamebuddy.errors import Code, Rejected, reject
from gamebuddy.mail import Letter, LetterKind

MOST_TRIES = 5  # of one code
LETTERS = {
    CodePurpose.VERIFY_EMAIL: LetterKind.CONFIRM_ADDRESS,
    CodePurpose.CHANGE_EMAIL: LetterKind.CONFIRM_NEW_ADDRESS,
    CodePurpose.RESET_PASSWORD: LetterKind.RESET_PASSWORD,
    CodePurpose.UNDO_EMAIL_CHANGE: LetterKind.ADDRESS_CHANGED,
}
LONG = frozenset({CodePurpose.UNDO_EMAIL_CHANGE})  # what works for days has a long code


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom somebody asks about: the words he used, and the address that letters go to if they mean anybody.

    Answers depend on the words alone. If a name and an address shared a count, it would tell that they belong together.
    """

    purpose: CodePurpose
    words: str
    address_key: str

    @property
    def tries(self) -> Hit:
        """The count of tries under these words."""
        return Hit(Limit.CODE_TRIES, f"{self.purpose}:{self.words}")

    @property
    def letters(self) -> list[Hit]:
        """The counts of letters: under these words, and to this address. Two for everybody: it takes as long."""
        return [Hit(Limit.LETTERS, f"asked for as {self.words}"), Hit(Limit.LETTERS, self.address_key)]


async def send(
    session: WriteSession, gate: Gate, asked: Asked, account_id: uuid.UUID | None, to: Email | None = None
) -> datetime:
    """Make a new code for an account, or for nobody, and post it; tells until when it works.

    `to` is an address other than the account's own. An address gets a few letters an hour and no more: then the same is
    done for nobody. Without a letter there is no code, so nobody can guess at codes that nobody was sent.
    """
    expires_at = datetime.now(UTC) + LIFETIME
    of_words, *of_address = [await gate.throttle.count(session, hit) is not None for hit in asked.letters]
    if of_words or account_id is None or any(of_address):
        account_id = db.new_id()
    # Always in this order, here and below: letters, tries, code. So those who meet wait and do not deadlock.
    if not of_words:
        await gate.throttle.forget(session, asked.tries)
    await write(session, asked.purpose, account_id, expires_at, to)
    await mail.post(session, Letter(LETTERS[asked.purpose], account_id))
    return expires_at


async def write(
    session: WriteSession,
    purpose: CodePurpose,
    account_id: uuid.UUID,
    expires_at: datetime,
    to: Email | None = None,
) -> None:
    """Give an account a new code in the place of the old one; nothing happens where there is no such account."""
    row = db.OneTimeCode
    fresh = {
        "id": db.new_id(),
        "email": to.address if to else None,
        "email_key": to.key if to else None,
        "tries": 0,
        "expires_at": expires_at,
        "used_at": None,
    }
    owner = select(
        literal(fresh["id"]),
        db.Account.id,
        literal(purpose, row.purpose.type),
        literal(fresh["email"], row.email.type),
        literal(fresh["email_key"], row.email_key.type),
        literal(expires_at),
    ).where(db.Account.id == account_id)
    await session.execute(
        insert(row)
        .from_select([row.id, row.account_id, row.purpose, row.email, row.email_key, row.expires_at], owner)
        .on_conflict_do_update(index_elements=[row.account_id, row.purpose], set_=fresh | {"created_at": func.now()})
    )


async def find(
    session: WriteSession, gate: Gate, asked: Asked, code: str, *whose: ColumnElement[bool]
) -> db.OneTimeCode:
    """Find the code that somebody gives, among those of the accounts in question.

    The try is counted before it is looked at, in a transaction of its own that stays whatever becomes of this one. Call
    it before the first statement of the session.

    Raises:
        Rejected: CODE_WRONG, CODE_EXPIRED.
    """
    async with session.apart() as own:
        # A crash may lose a count. A commit that waits for the disk where there is a code would tell that there is one.
        await own.execute(text("SET LOCAL synchronous_commit = off"))
        is_burnt = await gate.throttle.count(own, asked.tries) is not None
        row = db.OneTimeCode
        candidates: Sequence[db.OneTimeCode] = (
            await own.scalars(
                update(row)
                .where(row.purpose == asked.purpose, row.account_id == db.Account.id, *whose)
                .values(tries=row.tries + 1)
                .returning(row)
                .execution_options(synchronize_session=False)
            )
        ).all()
    is_code_of = gate.codes.is_long_code_of if asked.purpose in LONG else gate.codes.is_code_of
    matching = [row for row in candidates if is_code_of(row.id, code)]
    if is_burnt or any(row.tries > MOST_TRIES for row in matching):
        raise expired()
    if not matching:
        raise wrong()
    return matching[0]


async def use(session: WriteSession, gate: Gate, asked: Asked, code: db.OneTimeCode) -> None:
    """Use a code up, and let letters and tries count from the beginning: whoever asked reads his letters.

    Raises:
        Rejected: CODE_EXPIRED when it is too old, or was used or replaced meanwhile.
    """
    await gate.throttle.forget(session, *asked.letters)
    await gate.throttle.forget(session, asked.tries)
    used = await session.scalar(
        update(db.OneTimeCode)
        .where(db.OneTimeCode.id == code.id, db.OneTimeCode.used_at.is_(None), db.OneTimeCode.expires_at > func.now())
        .values(used_at=func.now())
        .returning(db.OneTimeCode.id)
        .execution_options(synchronize_session=False)
    )
    if used is None:
        raise expired()


def wrong() -> Rejected:
    """Make the rejection of what is not the newest code."""
    return reject(Code.CODE_WRONG, "This is not the code that was sent last.", "code")


def expired() -> Rejected:
    """Make the rejection of a code that works no more."""
    return reject(Code.CODE_EXPIRED, "The code is too old or was tried too often. Ask for a new one.", "code")
