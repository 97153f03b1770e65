"""The limits on how often: what is left of them, and what administrators make of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from gamebuddy import db, text
from gamebuddy.auth.throttle import (
    BY_ADDRESS,
    RATES,
    Budget,
    Hit,
    Limit,
    Rate,
    Throttle,
    loosest,
    network_of,
    strictest,
)
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import AuditAction, Database, ReadSession, WriteSession
from gamebuddy.errors import Code, reject
from gamebuddy.resolvers import audit
from gamebuddy.resolvers.following import Followed

LONGEST_REASON = 500


async def budgets(
    session: ReadSession, viewer: Viewer | None, *, throttle: Throttle, address: str, limits: Iterable[Limit]
) -> list[Budget]:
    """Tell what is left to the viewer and his address, in the order of `limits`; to nobody only to his address."""
    hits = []
    for limit in limits:
        if limit in BY_ADDRESS:
            hits.append(Hit(limit, network_of(address)))
        elif viewer is not None:
            hits.append(Hit(limit, str(viewer.account_id)))
    return await throttle.left(session, *hits)


@dataclass(frozen=True, slots=True)
class LimitSetting:
    """How a limit stands; `changed_at` is None while it is the built-in one."""

    limit: Limit
    rate: Rate
    changed_at: datetime | None = None


class ChangedLimits(Followed):
    """Puts the rates that administrators have set into the throttle of a process."""

    name = "limits"

    def __init__(self, database: Database, throttle: Throttle) -> None:
        super().__init__(database)
        self._throttle = throttle

    async def read(self, session: ReadSession) -> None:
        """Take the rates into memory."""
        self._throttle.changed = {
            setting.limit: setting.rate for setting in await settings(session) if setting.changed_at is not None
        }


async def settings(session: ReadSession) -> list[LimitSetting]:
    """Tell how each limit stands, as it is stored."""
    changed = {row.name: row for row in await session.scalars(select(db.ChangedLimit))}
    return [_setting(limit, changed.get(limit.value)) for limit in Limit]


async def set_limit(
    session: WriteSession, viewer: Viewer, *, limit: Limit, rate: tuple[int, float] | None, reason: str
) -> LimitSetting:
    """Give a limit another rate, how many at once and seconds for one more; None: the built-in one. All nodes follow.

    Raises:
        Rejected: TOO_SHORT, TOO_LONG for the reason; INVALID for a rate that is too strict or too loose.
    """
    reason = text.checked(reason, "reason", longest=LONGEST_REASON)
    wanted = _checked(limit, *rate) if rate is not None else None
    await ChangedLimits.change(session)
    row = db.ChangedLimit
    before = _setting(limit, await session.scalar(select(row).where(row.name == limit.value)))
    await session.execute(delete(row).where(row.name == limit.value))
    changed_at = None
    if wanted is not None:
        stored = insert(row).values(name=limit.value, burst=wanted.burst, interval=wanted.interval)
        changed_at = await session.scalar(stored.returning(row.changed_at))
    after = LimitSetting(limit, wanted or RATES[limit], changed_at)
    await audit.record(
        session,
        AuditAction.SET_LIMIT,
        actor_id=viewer.account_id,
        reason=reason,
        limit=limit.value,
        before=_told(before),
        after=_told(after),
    )
    return after


def _checked(limit: Limit, most: int, interval_seconds: float) -> Rate:
    strict, loose = strictest(limit), loosest(limit)
    shortest, longest = loose.interval.total_seconds(), strict.interval.total_seconds()
    if not strict.burst <= most <= loose.burst:
        allowed = f"Give {strict.burst} to {loose.burst}."
        raise reject(Code.INVALID, allowed, "rate", "most")
    if not shortest <= interval_seconds <= longest:
        allowed = f"Give {shortest:g} to {longest:g} seconds."
        raise reject(Code.INVALID, allowed, "rate", "interval_seconds")
    return Rate(most, timedelta(seconds=interval_seconds))


def _setting(limit: Limit, changed: db.ChangedLimit | None) -> LimitSetting:
    if changed is None:
        return LimitSetting(limit, RATES[limit])
    return LimitSetting(limit, Rate(changed.burst, changed.interval), changed.changed_at)


def _told(setting: LimitSetting) -> dict[str, Any]:
    return {
        "most": setting.rate.burst,
        "interval_seconds": setting.rate.interval.total_seconds(),
        "is_built_in": setting.changed_at is None,
    }
