"""Who is here, for those who may know."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Text, and_, case, cast, exists, func, or_, select, update

from gamebuddy import db
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import AccountStatus, Audience, ReadSession, Role, WriteSession
from gamebuddy.errors import Code, reject
from gamebuddy.events import log
from gamebuddy.events.presence import AWAY_AFTER
from gamebuddy.events.types import PresenceChanged
from gamebuddy.resolvers import teammates
from gamebuddy.resolvers.accounts.lookup import is_visible


class PresenceStatus(StrEnum):
    """Whether somebody is here."""

    ONLINE = "ONLINE"
    AWAY = "AWAY"
    OFFLINE = "OFFLINE"


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether somebody is here, when he last was, to the minute, and what he says he is playing."""

    status: PresenceStatus
    last_seen_at: datetime | None
    game_id: uuid.UUID | None


async def by_ids(session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Presence]:
    """Tell who is here; whoever does not show it to the viewer is left out."""
    if viewer is None:
        return {}
    account, lease = db.Account, db.Lease
    active_at = func.max(lease.active_at).filter(lease.until > func.now())
    rows = await session.execute(
        select(
            account.id,
            active_at.label("active_at"),
            func.max(cast(lease.game_id, Text)).filter(lease.until > func.now()).label("game_id"),
            func.greatest(account.last_seen_at, func.max(lease.active_at)).label("last_seen_at"),
        )
        .outerjoin(lease, lease.account_id == account.id)
        .where(
            db.is_one_of(account.id, ids),
            account.status == AccountStatus.ACTIVE,
            is_visible(viewer),
            shows_itself(viewer),
        )
        .group_by(account.id)
    )
    return {
        row.id: Presence(
            _status(row.active_at), _minute(row.last_seen_at), uuid.UUID(row.game_id) if row.game_id else None
        )
        for row in rows
    }


async def set_playing(session: WriteSession, viewer: Viewer, *, game_id: uuid.UUID | None) -> None:
    """Say what the viewer is playing, or nothing, for as long as he is connected.

    Raises:
        Rejected: NOT_FOUND for the game.
    """
    if game_id is not None and not await session.scalar(select(exists().where(db.Game.id == game_id))):
        raise reject(Code.NOT_FOUND, "There is no such game.", "game_id")
    lease = db.Lease
    await session.execute(
        update(lease)
        .where(lease.account_id == viewer.account_id)
        .values(game_id=game_id)
        .execution_options(synchronize_session=False)
    )
    await log.pass_on(session, PresenceChanged(actor_id=viewer.account_id, account_id=viewer.account_id))


def shows_itself(viewer: Viewer) -> ColumnElement[bool]:
    """Tell of the account in the statement whether it lets the viewer know when it is here."""
    shows, everyone = db.Account.who_sees_my_presence, viewer.role is not Role.GUEST
    by_setting = case(
        (shows == Audience.EVERYONE, everyone),
        (shows == Audience.TEAMMATES, teammates.is_teammate_of(viewer)),
        else_=False,
    )
    return or_(db.Account.id == viewer.account_id, by_setting)


def is_here() -> ColumnElement[bool]:
    """Tell of the account in the statement whether it is here."""
    return exists().where(and_(db.Lease.account_id == db.Account.id, db.Lease.until > func.now()))


def _status(active_at: datetime | None) -> PresenceStatus:
    if active_at is None:
        return PresenceStatus.OFFLINE
    return PresenceStatus.AWAY if datetime.now(UTC) - active_at > AWAY_AFTER else PresenceStatus.ONLINE


def _minute(at: datetime | None) -> datetime | None:
    return at.replace(second=0, microsecond=0) if at else None
