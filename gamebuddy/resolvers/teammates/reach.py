"""Who can reach whom: the one place that knows blocks, hidden accounts, and the two sides of age."""

import hashlib
import uuid

from sqlalchemy import (
    ColumnElement,
    and_,
    exists,
    func,
    literal_column,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased

from gamebuddy import db
from gamebuddy.auth.viewer import Onlooker, Viewer
from gamebuddy.db import ReadSession, WriteSession
from gamebuddy.errors import Code, reject
from gamebuddy.resolvers.accounts.lookup import is_visible


def is_within_reach(viewer: Onlooker) -> ColumnElement[bool]:
    """Tell of the account in the statement whether the viewer may turn to it at all.

    It is active and verified, and neither has blocked the other.
    """
    block = aliased(db.Block)
    return and_(
        is_visible(viewer),
        db.Account.status == db.AccountStatus.ACTIVE,
        db.Account.role != db.Role.GUEST,
        ~exists().where(block.account_id == viewer.account_id, block.blocked_id == db.Account.id),
    )


def is_of_same_side_of_age(viewer: Viewer) -> ColumnElement[bool]:
    """Tell of the account in the statement whether it and the viewer are both minors or both not.

    Who tells no birth date counts as an adult.
    """
    return _is_minor(viewer.account_id) == _is_minor(db.Account.id)


def is_teammate_of(viewer: Onlooker) -> ColumnElement[bool]:
    """Tell of the account in the statement whether it plays with the viewer."""
    half = aliased(db.Teammate)
    return exists().where(half.account_id == viewer.account_id, half.teammate_id == db.Account.id)


async def can_meet(session: ReadSession, viewer: Viewer, other_id: uuid.UUID) -> bool:
    """Tell whether the viewer may ask a stranger at all; every reason why not looks the same."""
    found: bool = await session.scalar(
        select(exists().where(db.Account.id == other_id, is_within_reach(viewer), is_of_same_side_of_age(viewer)))
    )
    return found


async def lock_pair(session: WriteSession, one: uuid.UUID, other: uuid.UUID) -> None:
    """Let what two do to each other happen one after the other, until the transaction ends.

    Rows that do not exist yet cannot be locked: without this a block and a request that come at the same moment would
    both find nothing of each other. Taken before any row of the pair: request, teammates, block, direct chat.
    """
    first, second = sorted((one, other))
    digest = hashlib.blake2b(b"pair" + first.bytes + second.bytes, digest_size=8).digest()
    await session.execute(select(func.pg_advisory_xact_lock(int.from_bytes(digest, signed=True))))


def between(one: uuid.UUID, other: uuid.UUID) -> ColumnElement[bool]:
    """Compare as the unique index does, so that it is used."""
    sender, receiver = db.TeammateRequest.sender_id, db.TeammateRequest.receiver_id
    first, second = sorted((one, other))
    return and_(func.least(sender, receiver) == first, func.greatest(sender, receiver) == second)


def no_such_player(*field: str | int) -> Exception:
    """Make the one rejection for unknown, hidden, blocked and unreachable people."""
    return reject(Code.NOT_FOUND, "There is no such player, or you cannot reach this one.", *field)


def _is_minor(account_id: uuid.UUID | InstrumentedAttribute[uuid.UUID]) -> ColumnElement[bool]:
    profile = aliased(db.Profile)
    return exists().where(
        profile.account_id == account_id,
        profile.birth_date > literal_column("(now() AT TIME ZONE 'UTC')::date - interval '18 years'"),
    )
