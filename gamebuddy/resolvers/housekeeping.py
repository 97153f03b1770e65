"""What time takes away: rows that nobody needs any more, sanctions that are over, accounts whose grace has ended."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, text, update

from gamebuddy import db
from gamebuddy.db import AccountStatus, Database, Role, SanctionKind, WriteSession
from gamebuddy.db.search import ENTERED_DAYS
from gamebuddy.events import log as event_log
from gamebuddy.files import Files
from gamebuddy.resolvers import departure, exports, profiles, reports, schedules, uploads
from gamebuddy.resolvers.accounts.registration import is_stale_claim
from gamebuddy.resolvers.accounts.sessions import is_live
from gamebuddy.resolvers.accounts.signing_in import KNOWN_FOR
from gamebuddy.workers import Rounds

PAUSE_SECONDS = 600.0
BATCH = 1_000  # rows a transaction: nobody waits long for a lock of it
OLD_CODE = timedelta(days=1)
OLD_GUEST = timedelta(days=1)
OLD_JOB = timedelta(days=7)

log = structlog.get_logger(__name__)

type Sweep = Callable[[WriteSession], Awaitable[int]]


def housekeeper(
    database: Database, files: Files, *, event_days: int = 30, pause_seconds: float = PAUSE_SECONDS
) -> Rounds:
    """Make what sweeps every ten minutes; of many processes one at a time does."""

    async def work() -> None:
        await sweep(database, files, event_days=event_days)

    return Rounds("housekeeper", work, pause_seconds=pause_seconds, jitter=0.2)


async def sweep(database: Database, files: Files, *, event_days: int = 30) -> dict[str, int]:
    """Do everything that is due, in small transactions; tells how many rows each sweep took.

    Raises:
        Unavailable: when the database does not answer.
    """

    async def trim_events(session: WriteSession) -> int:
        return await event_log.trim(session, older_than=timedelta(days=event_days), limit=BATCH)

    taken: dict[str, int] = {}
    for work in (*SWEEPS, trim_events):
        name = work.__name__
        taken[name] = 0
        while True:
            async with database.write() as session:
                # Another process at the same work is left to it.
                is_mine = await session.scalar(text("SELECT pg_try_advisory_xact_lock(hashtext('gamebuddy sweeps'))"))
                count = await work(session) if is_mine else 0
            taken[name] += count
            if count < BATCH and not (count and work in ONE_BY_ONE):
                break
    taken["drop_uploads"] = await uploads.sweep(database, files)
    taken["drop_exports"] = await exports.sweep(database, files)
    if any(taken.values()):
        log.info("swept", **{name: count for name, count in taken.items() if count})
    return taken


async def lift_sanctions(session: WriteSession) -> int:
    """Let bans and mutes end whose time is over."""
    account, sanction = db.Account, db.Sanction
    is_over = {
        SanctionKind.BAN: and_(account.status == AccountStatus.BANNED, account.banned_until <= func.now()),
        SanctionKind.MUTE: account.muted_until <= func.now(),
    }
    given_back: dict[SanctionKind, dict[str, Any]] = {
        SanctionKind.BAN: {"status": AccountStatus.ACTIVE, "banned_until": None},
        SanctionKind.MUTE: {"muted_until": None},
    }
    count = 0
    for kind in SanctionKind:
        due = select(account.id).where(is_over[kind]).limit(BATCH).with_for_update(key_share=True, skip_locked=True)
        ids = (await session.scalars(due)).all()
        await session.execute(
            update(sanction)
            .where(db.is_one_of(sanction.account_id, ids), sanction.kind == kind, sanction.lifted_at.is_(None))
            .values(lifted_at=func.now())
            .execution_options(synchronize_session=False)
        )
        await session.execute(
            update(account)
            .where(db.is_one_of(account.id, ids))
            .values(given_back[kind])
            .execution_options(synchronize_session=False)
        )
        count = max(count, len(ids))
    return count


async def erase_departed(session: WriteSession) -> int:
    """Erase one account whose grace has ended."""
    return int(await departure.erase_one(session) is not None)


async def drop_claims(session: WriteSession) -> int:
    """Delete accounts whose address was not proved in time."""
    return await _delete(session, db.Account, is_stale_claim())


async def drop_guests(session: WriteSession) -> int:
    """Delete guests whom nobody can be any more: they have no password, and no session that lives."""
    account = db.Account
    is_lost = and_(
        account.role == Role.GUEST,
        account.email.is_(None),
        account.status == AccountStatus.ACTIVE,
        account.created_at < func.now() - OLD_GUEST,
        ~exists().where(db.Session.account_id == account.id, is_live()),
    )
    due = select(account.id).where(is_lost).limit(BATCH).with_for_update(skip_locked=True)
    ids = (await session.scalars(due)).all()
    await profiles.forget(session, ids)
    await reports.forget(session, ids)
    return await _delete(session, account, db.is_one_of(account.id, ids))


async def drop_sessions(session: WriteSession) -> int:
    """Delete sessions that have ended, once their device counts as unknown again."""
    is_over = or_(db.Session.revoked_at.is_not(None), db.Session.expires_at <= func.now())
    return await _delete(session, db.Session, and_(is_over, db.Session.last_used_at < func.now() - KNOWN_FOR))


async def drop_codes(session: WriteSession) -> int:
    """Delete codes that work no more."""
    return await _delete(session, db.OneTimeCode, db.OneTimeCode.expires_at < func.now() - OLD_CODE)


async def drop_counts(session: WriteSession) -> int:
    """Delete buckets that are empty again."""
    return await _delete(session, db.RateLimit, db.RateLimit.theoretical_arrival_at < func.now())


async def drop_job_log(session: WriteSession) -> int:
    """Delete what the job queue noted about jobs that are long done."""
    result = await session.execute(
        text(
            "DELETE FROM pgqueuer_log WHERE id IN"
            " (SELECT id FROM pgqueuer_log WHERE created < now() - CAST(:age AS interval) LIMIT :batch)"
        ),
        {"age": OLD_JOB, "batch": BATCH},
    )
    return int(result.rowcount)


async def renew_schedules(session: WriteSession) -> int:
    """Make weeks again where clocks change."""
    return await schedules.renew_some(session, datetime.now(UTC).date(), limit=BATCH)


async def drop_search_entries(session: WriteSession) -> int:
    """Delete the entries of players who were not here for so long that nobody is shown them; a visit brings them back.

    Looks back a month. What a longer pause of all housekeeping leaves behind harms nobody: the search passes over it.
    """
    profile, entry = db.Profile, db.SearchEntry
    left_on = func.current_date() - ENTERED_DAYS
    gone = select(profile.account_id).where(
        profile.is_looking_for_teammates,
        profile.active_on.between(left_on - 31, left_on - 1),
        exists().where(entry.account_id == profile.account_id),
    )
    mine = entry.account_id.in_(gone.limit(BATCH))
    result = await session.execute(delete(entry).where(mine).execution_options(synchronize_session=False))
    return int(result.rowcount)


async def _delete(session: WriteSession, table: type[db.Row], is_due: ColumnElement[bool]) -> int:
    (key,) = table.__table__.primary_key
    due = select(key).where(is_due).limit(BATCH).with_for_update(skip_locked=True)
    result = await session.execute(delete(table).where(key.in_(due)).execution_options(synchronize_session=False))
    return int(result.rowcount)


SWEEPS: tuple[Sweep, ...] = (
    lift_sanctions,
    erase_departed,
    drop_claims,
    drop_guests,
    drop_sessions,
    drop_codes,
    drop_counts,
    drop_job_log,
    renew_schedules,
    drop_search_entries,
)
ONE_BY_ONE = frozenset({erase_departed})
