"""Leaving: an account is deleted at once for everybody else, can be had back for a while, and is erased then."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from gamebuddy import db, mail, text
from gamebuddy.auth import names
from gamebuddy.auth.gate import Gate
from gamebuddy.auth.throttle import Hit, Limit, network_of
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import AccountStatus, AuditAction, ChatKind, ReadSession, RequestStatus, WriteSession
from gamebuddy.errors import Code, Rejected, reject
from gamebuddy.events import log
from gamebuddy.mail import Letter, LetterKind
from gamebuddy.resolvers import administration, audit, chat, exports, profiles, reports, teammates, uploads
from gamebuddy.resolvers.accounts import recovery, second_factor
from gamebuddy.resolvers.accounts.registration import free_username, made_up_name
from gamebuddy.resolvers.accounts.sessions import Device, SignedIn, check_device, end_sessions, open_session
from gamebuddy.resolvers.accounts.signing_in import check_password, lock_proved, login_key


class Kept(StrEnum):
    """What is kept of an account."""

    GAMES = "GAMES"
    SESSIONS = "SESSIONS"
    TEAMMATES = "TEAMMATES"
    BLOCKS = "BLOCKS"
    NOTES = "NOTES"
    PRAISE = "PRAISE"
    REACTIONS = "REACTIONS"
    INVITE_LINKS = "INVITE_LINKS"
    GROUPS = "GROUPS"
    MESSAGES = "MESSAGES"
    ATTACHMENTS = "ATTACHMENTS"


STAYS_NAMELESS = frozenset({Kept.MESSAGES, Kept.ATTACHMENTS})


@dataclass(frozen=True, slots=True)
class Preview:
    """What becomes of how much; `ends_at` is until when all of it could be had back."""

    ends_at: datetime
    counts: Mapping[Kept, int]


GRACE = timedelta(days=14)
NAME = "Deleted account"


async def delete_account(
    session: WriteSession, gate: Gate, viewer: Viewer, *, password: str, erase_messages: bool
) -> None:
    """Delete the account that asks: it signs out everywhere, leaves its groups, and names nobody any more.

    User name and address are free at once; who takes them inherits nothing. What was written stays, signed by a deleted
    account, or is erased at once and for good. The rest can be had back for 14 days.

    Raises:
        Rejected: WRONG_CREDENTIALS, RETRY_LATER, CONFLICT; NOT_ALLOWED for the last administrator.
        Unavailable: when too many wait.
    """
    proved = await check_password(session, gate, viewer, password, "password")
    await administration.lock_staff(session)
    await chat.lock_all(session, viewer)
    account = await lock_proved(session, gate, viewer, proved, whole=True)
    await administration.require_another_admin(session, account)
    await chat.leave_all(session, viewer)
    ends_at = datetime.now(UTC) + GRACE
    session.add(
        db.Departure(
            account_id=account.id,
            username=account.username,
            display_name=account.display_name,
            role=account.role,
            email=account.email or "",
            email_key=account.email_key or "",
            password_hash=proved.password_hash,
            ends_at=ends_at,
        )
    )
    await session.flush()
    await recovery.drop_codes(session, account)
    await end_sessions(session, account.id)
    _make_nobody(account)
    await session.flush()
    await _withdraw_requests(session, account.id)
    await exports.leave(session, account.id)
    if erase_messages:
        await _erase_messages(session, account.id)
    await audit.record(session, AuditAction.DELETE_ACCOUNT, actor_id=account.id, target_id=account.id)
    await mail.post(session, Letter(LetterKind.ACCOUNT_DELETED, account.id))


async def restore_account(
    session: WriteSession,
    gate: Gate,
    *,
    login: str,
    password: str,
    device: Device,
    totp_code: str | None,
    username: str | None,
) -> SignedIn:
    """Take a deletion back and sign in; `username` is the name to have if somebody has taken the old one meanwhile.

    Raises:
        Rejected: RETRY_LATER, WRONG_CREDENTIALS for whatever was not deleted within 14 days; TOTP_REQUIRED, TOTP_WRONG;
            TAKEN for the name, or for the address when somebody has proved it meanwhile.
        Unavailable: when too many wait.
    """
    text.require_text(login)
    text.require_text(password)
    text.require_text(totp_code or "")
    check_device(device)
    wanted = names.username(username, "username") if username is not None else None
    key = login_key(login)
    tries = Hit(Limit.SIGN_IN, f"restore {key}")
    await gate.throttle.take(session, Hit(Limit.SIGN_IN_BY_ADDRESS, network_of(device.address)), tries)
    departure = await _departure(session, key)
    account_id, stored = (departure.account_id, departure.password_hash) if departure else (None, None)
    await session.let_go()
    if not await gate.passwords.verify(password, stored) or account_id is None:
        raise _unknown()
    if totp_code is not None:
        await gate.throttle.take(session, second_factor.tries_of(account_id))
    account: db.Account | None = await session.scalar(
        select(db.Account).where(db.Account.id == account_id).with_for_update(key_share=True)
    )
    departure = await session.get(db.Departure, account_id)  # it may have been had back, or erased, meanwhile
    if account is None or departure is None:
        raise _unknown()
    await second_factor.require(session, gate, account, totp_code)
    await _make_somebody(session, account, departure, wanted)
    await gate.throttle.forget(session, tries)
    await audit.record(session, AuditAction.RESTORE_ACCOUNT, actor_id=account.id, target_id=account.id)
    return await open_session(session, gate, account, device)


async def preview(session: ReadSession, viewer: Viewer) -> Preview:
    """Count what would go and what would stay if the viewer deleted the account now, in one statement."""
    me, ended = viewer.account_id, func.now() + GRACE
    mine = {
        Kept.GAMES: (db.PlayerGame.account_id,),
        Kept.SESSIONS: (db.Session.account_id,),
        Kept.TEAMMATES: (db.Teammate.account_id,),
        Kept.BLOCKS: (db.Block.account_id,),
        Kept.NOTES: (db.UserNote.account_id,),
        Kept.PRAISE: (db.Praise.by_id, db.Praise.account_id),
        Kept.REACTIONS: (db.Reaction.account_id,),
        Kept.INVITE_LINKS: (db.InviteLink.created_by_id,),
        Kept.MESSAGES: (db.Message.author_id,),
    }
    counts = {
        kind: select(func.count()).where(or_(*(owner == me for owner in owners))) for kind, owners in mine.items()
    }
    attachments = select(func.count()).select_from(db.Attachment).join(db.Message).where(db.Message.author_id == me)
    groups = (
        select(func.count())
        .select_from(db.ChatMember)
        .join(db.Chat)
        .where(db.ChatMember.account_id == me, db.Chat.kind == ChatKind.GROUP)
    )
    counts |= {Kept.GROUPS: groups, Kept.ATTACHMENTS: attachments}
    columns = [counts[kind].scalar_subquery() for kind in Kept]
    ends_at, *found = (await session.execute(select(ended, *columns))).one()
    return Preview(ends_at, dict(zip(Kept, found, strict=True)))


async def erase_one(session: WriteSession) -> uuid.UUID | None:
    """Erase one account whose time is over; None when there is none.

    What it wrote stays, signed by nobody; its id stands in no row any more.
    """
    departure: db.Departure | None = await session.scalar(
        select(db.Departure).where(db.Departure.ends_at <= func.now()).limit(1).with_for_update(skip_locked=True)
    )
    if departure is None:
        return None
    account_id = departure.account_id
    await second_factor.clear(session, account_id)
    await teammates.forget_praise(session, account_id)
    await profiles.forget(session, [account_id])
    await reports.forget(session, [account_id])
    await audit.forget(session, account_id, [departure.username, departure.display_name, departure.email])
    await chat.forget(session, account_id)
    await log.forget(session, account_id)
    await mail.forget(session, account_id)
    for table, key in ((db.Lease, db.Lease.account_id), (db.Account, db.Account.id)):  # the rest goes with the account
        await session.execute(delete(table).where(key == account_id).execution_options(synchronize_session=False))
    return account_id


def _make_nobody(account: db.Account) -> None:
    """Take everything from an account that tells who it was."""
    account.status = AccountStatus.DELETED
    account.username = made_up_name("deleted")
    account.display_name = NAME
    account.role = db.Role.USER
    account.email = account.email_key = account.email_verified_at = account.password_hash = None
    account.last_seen_at = None


async def _make_somebody(
    session: WriteSession, account: db.Account, departure: db.Departure, username: str | None
) -> None:
    """Give an account back what it was.

    Raises:
        Rejected: TAKEN.
    """
    await free_username(session, username or departure.username)
    account.status = AccountStatus.ACTIVE
    account.username = username or departure.username
    account.display_name = departure.display_name
    account.role = departure.role
    account.email, account.email_key = departure.email, departure.email_key
    account.email_verified_at = datetime.now(UTC)
    account.password_hash = departure.password_hash
    await session.delete(departure)
    try:
        await session.flush()
    except IntegrityError as error:
        if "username" in str(error.orig):
            raise reject(Code.TAKEN, "Somebody has this name now. Choose another one.", "username") from None
        raise reject(Code.TAKEN, "This address belongs to another account now.", "login") from None


def _unknown() -> Rejected:
    return reject(Code.WRONG_CREDENTIALS, "Login and password do not belong together.")


async def _departure(session: WriteSession, key: str) -> db.Departure | None:
    row = db.Departure
    is_meant: ColumnElement[bool] = row.email_key == key if "@" in key else row.username == key
    found: db.Departure | None = await session.scalar(
        select(row)
        .where(is_meant, row.ends_at > func.now())
        .order_by(row.created_at.desc(), row.account_id)
        .limit(1)
        .execution_options(populate_existing=True)
    )
    return found


async def _withdraw_requests(session: WriteSession, account_id: uuid.UUID) -> None:
    request = db.TeammateRequest
    await session.execute(
        update(request)
        .where(
            request.status == RequestStatus.PENDING,
            or_(request.sender_id == account_id, request.receiver_id == account_id),
        )
        .values(status=RequestStatus.CANCELLED, answered_at=func.now())
        .execution_options(synchronize_session=False)
    )


async def _erase_messages(session: WriteSession, account_id: uuid.UUID) -> None:
    own = select(db.Message.id).where(db.Message.author_id == account_id)
    await uploads.leave_attachments(session, own)
    for table in (db.MessageVersion, db.Mention, db.Reaction):
        await session.execute(
            delete(table).where(table.message_id.in_(own)).execution_options(synchronize_session=False)
        )
    await session.execute(
        update(db.Message)
        .where(db.Message.author_id == account_id, db.Message.deleted_at.is_(None))
        .values(text="", deleted_at=func.now(), pinned_at=None, calls_everyone=False)
        .execution_options(synchronize_session=False)
    )
