"""What administrators do with accounts: look, make, give and take roles."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, or_, select, text

from gamebuddy import db, mail
from gamebuddy import text as texts
from gamebuddy.auth import names, passwords, policy
from gamebuddy.auth import viewer as viewers
from gamebuddy.auth.gate import Gate
from gamebuddy.auth.policy import Right
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import AccountStatus, AuditAction, ReadSession, Role, WriteSession
from gamebuddy.errors import Code, reject
from gamebuddy.events import log
from gamebuddy.mail import Letter, LetterKind
from gamebuddy.resolvers import audit
from gamebuddy.resolvers.accounts.registration import drop_claims, insert_account, require_all
from gamebuddy.resolvers.accounts.sessions import lock_account
from gamebuddy.resolvers.paging import Page

LONGEST_REASON = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which accounts an administrator looks for; None limits nothing. `search` is part of a name or an address."""

    search: str | None = None
    role: Role | None = None
    status: AccountStatus | None = None


async def set_role(session: WriteSession, viewer: Viewer, *, user_id: uuid.UUID, role: Role, reason: str) -> db.Account:
    """Give an account another role; its streams begin anew with it, and it may at once what the role may.

    Raises:
        Rejected: NOT_FOUND; NOT_ALLOWED for the last administrator; INVALID to make a guest of somebody, or somebody of
            an account without a proved address; as `text.checked` for the reason.
        Forbidden: when the viewer is no administrator any more.
    """
    reason = texts.checked(reason, "reason", longest=LONGEST_REASON)
    await lock_staff(session)
    # Who waited for the lock may have been demoted meanwhile.
    policy.require(await viewers.by_session(session, viewer.session_id), Right.ADMINISTER)
    account = await lock_account(session, user_id)
    if account is None or (account.email is not None and account.email_verified_at is None):
        raise reject(Code.NOT_FOUND, "There is no such player.", "user_id")
    if account.email is None:
        raise reject(Code.INVALID, "A guest gets a role by registering.", "user_id")
    if role is Role.GUEST:
        raise reject(Code.INVALID, "Nobody who has proved an address becomes a guest.", "role")
    if account.role is role:
        return account
    if role is not Role.ADMIN:
        await require_another_admin(session, account)
    before, account.role = account.role, role
    await session.flush()
    await audit.record(
        session,
        AuditAction.SET_ROLE,
        actor_id=viewer.account_id,
        target_id=account.id,
        reason=reason,
        before=before.value,
        after=role.value,
    )
    await log.look_again(session, account.id)
    return account


async def create_user(
    session: WriteSession, gate: Gate, viewer: Viewer, *, username: str, email: str, password: str, role: Role
) -> db.Account:
    """Make an account whose address counts as proved; a letter tells its owner. A reserved name is allowed.

    Raises:
        Rejected: what is wrong with the input, all of it at once; INVALID for the role GUEST; TAKEN.
        Unavailable: when too many wait.
    """
    if role is Role.GUEST:
        raise reject(Code.INVALID, "A guest has no address and no password.", "role")
    account = await insert_proved(session, gate, username=username, email=email, password=password, role=role)
    policy.require(await viewers.by_session(session, viewer.session_id), Right.ADMINISTER)
    await audit.record(
        session,
        AuditAction.CREATE_USER,
        actor_id=viewer.account_id,
        target_id=account.id,
        role=role.value,
    )
    await mail.post(session, Letter(LetterKind.ACCOUNT_CREATED, account.id))
    return account


async def create_admin(session: WriteSession, gate: Gate, *, username: str, email: str, password: str) -> db.Account:
    """Make an administrator from the command line; a reserved name is allowed.

    Raises:
        Rejected: what is wrong with the input, all of it at once; TAKEN for the name or the address.
    """
    account = await insert_proved(session, gate, username=username, email=email, password=password, role=Role.ADMIN)
    await audit.record(
        session,
        AuditAction.CREATE_USER,
        actor_id=None,
        target_id=account.id,
        role=Role.ADMIN,
    )
    return account


async def insert_proved(
    session: WriteSession, gate: Gate, *, username: str, email: str, password: str, role: Role
) -> db.Account:
    """Insert an account whose address counts as proved, with an empty profile.

    Raises:
        Rejected: what is wrong with the input, all of it at once; TAKEN for the name or the address.
    """
    require_all(
        lambda: names.email(email, "email"),
        lambda: names.any_username(username, "username"),
        lambda: passwords.check(password, "password", own=(username, email)),
    )
    proved = names.email(email)
    await session.let_go()
    account_id = await insert_account(
        session,
        db.Account(
            username=names.any_username(username),
            display_name=username,
            role=role,
            email=proved.address,
            email_key=proved.key,
            email_verified_at=datetime.now(UTC),
            password_hash=await gate.passwords.hash(password),
        ),
    )
    session.add(db.Profile(account_id=account_id, is_looking_for_teammates=False))
    await session.flush()
    await drop_claims(session, proved)
    account: db.Account = await session.get_one(db.Account, account_id)
    return account


async def look(
    session: WriteSession, viewer: Viewer, *, account_id: uuid.UUID | None = None, **wanted: str | None
) -> None:
    """Write down that somebody looks at addresses and sessions of others, before he does."""
    await audit.record(
        session, AuditAction.LOOK_AT_ACCOUNTS, actor_id=viewer.account_id, target_id=account_id, **wanted
    )


async def find_accounts(
    session: ReadSession, viewer: Viewer, wanted: Wanted, *, after: uuid.UUID | None, limit: int
) -> Page[db.Account]:
    """List accounts, the newest first, also those that are banned, deleted or not proved. `after` is the last one.

    Raises:
        Unauthenticated, Forbidden: for whoever is no administrator.
    """
    policy.require(viewer, Right.ADMINISTER)
    account = db.Account
    statement = select(account).order_by(account.id.desc()).limit(limit + 1)
    if wanted.search:
        # Not LIKE: what somebody types is text, and no pattern.
        part = wanted.search.lower()
        columns = (account.username, account.display_name, account.email)
        statement = statement.where(or_(*(func.strpos(func.lower(column), part) > 0 for column in columns)))
    if wanted.role is not None:
        statement = statement.where(account.role == wanted.role)
    if wanted.status is not None:
        statement = statement.where(account.status == wanted.status)
    if after is not None:
        statement = statement.where(account.id < after)
    found: Sequence[db.Account] = (await session.scalars(statement)).all()
    return Page.of(found, limit, has_previous=after is not None)


async def accounts_by_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, db.Account]:
    """Load accounts whole, for administrators alone."""
    if not policy.decide(viewer, Right.ADMINISTER).is_allowed:
        return {}
    rows = await session.scalars(select(db.Account).where(db.is_one_of(db.Account.id, ids)))
    return {row.id: row for row in rows}


async def lock_staff(session: WriteSession) -> None:
    """Let those wait who would change who is an administrator: two who demote each other must not both be right."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('gamebuddy administrators'))"))


async def require_another_admin(session: WriteSession, account: db.Account) -> None:
    """Let an account stop to be an administrator only while there is another one. The staff is locked.

    Raises:
        Rejected: NOT_ALLOWED.
    """
    others = select(func.count()).where(
        db.Account.role == Role.ADMIN, db.Account.status == AccountStatus.ACTIVE, db.Account.id != account.id
    )
    if account.role is Role.ADMIN and not await session.scalar(others):
        raise reject(Code.NOT_ALLOWED, "The last administrator cannot go.")
