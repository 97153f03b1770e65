"""What becomes of a session: it is renewed, and it ends."""

import uuid
from datetime import UTC, datetime

import structlog
from sqlalchemy import func, select, update

from gamebuddy import db
from gamebuddy.auth.gate import Gate
from gamebuddy.auth.tokens import Presented
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import WriteSession
from gamebuddy.errors import Code, reject
from gamebuddy.events import log as event_log
from gamebuddy.resolvers.accounts.signing_in import (
    ABSOLUTE_LIFETIME,
    IDLE_LIFETIME,
    SignedIn,
    lock_account,
    mark_seen,
    signed_in,
)

log = structlog.get_logger(__name__)


async def refresh_session(session: WriteSession, gate: Gate, *, refresh_token: str) -> SignedIn:
    """Renew a session: its newest refresh token gets the next one.

    The one before gets the same successor again, for an answer may have been lost on its way. An older one has been
    stolen, or its successor has: the session ends for both.

    Raises:
        Rejected: SESSION_REVOKED for whatever does not renew a live session.
    """
    presented = gate.refresh_tokens.read(refresh_token)
    renewed = None
    if presented is not None:
        # Apart, because a session that was ended here has to stay ended although the answer is a rejection.
        async with session.apart() as own:
            renewed = await _renew(own, gate, presented)
    if renewed is None:
        raise reject(Code.SESSION_REVOKED, "This session has ended. Sign in again.")
    return renewed


async def sign_out(session: WriteSession, viewer: Viewer) -> None:
    """End the session that asks; its streams end with the commit."""
    await _end(session, viewer.session_id)


async def _renew(session: WriteSession, gate: Gate, presented: Presented) -> SignedIn | None:
    """Renew a live session, or end it when the token is an old one; None when there is nothing to renew."""
    owner_id = await session.scalar(select(db.Session.account_id).where(db.Session.id == presented.session_id))
    # First the account, then the session: the order in which signing in locks them.
    account = await lock_account(session, owner_id) if owner_id else None
    row: db.Session | None = await session.scalar(
        select(db.Session)
        .where(
            db.Session.id == presented.session_id,
            db.Session.revoked_at.is_(None),
            db.Session.expires_at > func.now(),
        )
        .with_for_update()
    )
    if account is None or row is None or not gate.refresh_tokens.is_genuine(presented, row.salt):
        return None
    if account.status is not db.AccountStatus.ACTIVE or presented.generation > row.generation:
        return None
    if presented.generation < row.generation - 1:
        await _end(session, row.id)
        log.warning("refresh_token_reused", account_id=str(account.id), session_id=str(row.id))
        return None
    if presented.generation == row.generation:
        row.generation += 1
    row.last_used_at = datetime.now(UTC)
    row.expires_at = min(row.last_used_at + IDLE_LIFETIME, row.created_at + ABSOLUTE_LIFETIME)
    await mark_seen(session, account)
    return signed_in(gate, account, row)


async def _end(session: WriteSession, session_id: uuid.UUID) -> None:
    await session.execute(
        update(db.Session)
        .where(db.Session.id == session_id, db.Session.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .execution_options(synchronize_session=False)
    )
    await event_log.end_streams(session, session_id=session_id)
