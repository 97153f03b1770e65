"""Who plays with whom: requests, teammates, blocks."""

import hashlib
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    ColumnElement,
    ColumnExpressionArgument,
    and_,
    delete,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, aliased

from gamebuddy import db, text
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import ReadSession, RequestStatus, WriteSession
from gamebuddy.errors import Code, reject
from gamebuddy.events import log
from gamebuddy.events.types import TeammateRequestChanged
from gamebuddy.resolvers.accounts.lookup import is_visible
from gamebuddy.resolvers.paging import Page

LONGEST_MESSAGE = 300


class Relation(StrEnum):
    """How the viewer stands to another account."""

    NONE = "NONE"
    SELF = "SELF"
    REQUEST_SENT = "REQUEST_SENT"
    REQUEST_RECEIVED = "REQUEST_RECEIVED"
    TEAMMATES = "TEAMMATES"


class Direction(StrEnum):
    """Which requests: those that others sent, or one's own."""

    INCOMING = "INCOMING"
    OUTGOING = "OUTGOING"


@dataclass(frozen=True, slots=True)
class Listed:
    """Somebody in a list of people, and since when he is in it: his place in the list, newest first."""

    since: datetime
    account_id: uuid.UUID


async def send_request(
    session: WriteSession, viewer: Viewer, *, user_id: uuid.UUID, message: str | None, game_id: uuid.UUID | None
) -> db.TeammateRequest:
    """Ask somebody to play together.

    A repeat gives the request that is pending already; when the other one has asked before, his request is accepted.

    Raises:
        Rejected: INVALID for oneself, NOT_FOUND for whoever the viewer cannot reach and for an unknown game, CONFLICT
            for teammates, TOO_LONG for the message.
    """
    if user_id == viewer.account_id:
        raise reject(Code.INVALID, "You cannot ask yourself.", "user_id")
    if message is not None:
        message = text.checked(message, "message", longest=LONGEST_MESSAGE)
    await lock_pair(session, viewer.account_id, user_id)
    if not await can_meet(session, viewer, user_id):
        raise no_such_player("user_id")
    if game_id is not None and not await session.scalar(select(exists().where(db.Game.id == game_id))):
        raise reject(Code.NOT_FOUND, "There is no such game.", "game_id")
    if await session.get(db.Teammate, (viewer.account_id, user_id)):
        raise reject(Code.CONFLICT, "You are teammates already.", "user_id")
    # The index allows one pending request a pair, from whichever side: one that is there already is gone on with.
    added = await session.scalar(
        insert(db.TeammateRequest)
        .values(id=db.new_id(), sender_id=viewer.account_id, receiver_id=user_id, message=message, game_id=game_id)
        .values(status=RequestStatus.PENDING)
        .on_conflict_do_nothing()
        .returning(db.TeammateRequest)
    )
    if added is not None:
        await _tell(session, viewer, added)
        return added  # type: ignore[no-any-return]
    pending: db.TeammateRequest = (
        await session.scalars(
            select(db.TeammateRequest).where(
                db.TeammateRequest.status == RequestStatus.PENDING, _between(viewer.account_id, user_id)
            )
        )
    ).one()
    if pending.sender_id == viewer.account_id:
        return pending
    return await answer_request(session, viewer, request_id=pending.id, accept=True)


async def answer_request(
    session: WriteSession, viewer: Viewer, *, request_id: uuid.UUID, accept: bool
) -> db.TeammateRequest:
    """Accept or decline what somebody else asked; the same answer again changes nothing.

    Raises:
        Rejected: NOT_FOUND for what the viewer did not receive, CONFLICT for what has ended in another way.
    """
    request = await _found(session, viewer, request_id)
    if request.receiver_id != viewer.account_id:
        raise _no_such_request()
    answer = RequestStatus.ACCEPTED if accept else RequestStatus.DECLINED
    await lock_pair(session, request.sender_id, request.receiver_id)
    if not await _end(session, request, answer):
        return _ended_so(request, answer)
    if accept:
        await session.execute(
            insert(db.Teammate)
            .values(
                [
                    {"account_id": request.sender_id, "teammate_id": request.receiver_id},
                    {"account_id": request.receiver_id, "teammate_id": request.sender_id},
                ]
            )
            .on_conflict_do_nothing()
        )
    await _tell(session, viewer, request)
    return request


async def cancel_request(session: WriteSession, viewer: Viewer, *, request_id: uuid.UUID) -> db.TeammateRequest:
    """Take one's own request back; once more changes nothing.

    Raises:
        Rejected: NOT_FOUND for what the viewer did not send, CONFLICT for what was answered before.
    """
    request = await _found(session, viewer, request_id)
    if request.sender_id != viewer.account_id:
        raise _no_such_request()
    await lock_pair(session, request.sender_id, request.receiver_id)
    if not await _end(session, request, RequestStatus.CANCELLED):
        return _ended_so(request, RequestStatus.CANCELLED)
    await _tell(session, viewer, request)
    return request


async def remove_teammate(session: WriteSession, viewer: Viewer, *, user_id: uuid.UUID) -> db.Account:
    """End playing together, on both sides.

    Raises:
        Rejected: NOT_FOUND for whoever is no teammate.
    """
    await lock_pair(session, viewer.account_id, user_id)
    if not await _part(session, viewer.account_id, user_id):
        raise reject(Code.NOT_FOUND, "You have no such teammate.", "user_id")
    account: db.Account = await session.get_one(db.Account, user_id)
    return account


async def block_user(session: WriteSession, viewer: Viewer, *, user_id: uuid.UUID) -> db.Account:
    """Want nothing to do with somebody: ends playing together and takes requests back, and tells nobody.

    Raises:
        Rejected: INVALID for oneself, NOT_FOUND for whoever the viewer cannot see.
    """
    if user_id == viewer.account_id:
        raise reject(Code.INVALID, "You cannot block yourself.", "user_id")
    await lock_pair(session, viewer.account_id, user_id)
    account: db.Account | None = await session.scalar(
        select(db.Account).where(db.Account.id == user_id, is_visible(viewer))
    )
    if account is None:
        raise no_such_player("user_id")
    await _lock_direct_chat(session, viewer.account_id, user_id)
    await session.execute(
        insert(db.Block).values(account_id=viewer.account_id, blocked_id=user_id).on_conflict_do_nothing()
    )
    await _part(session, viewer.account_id, user_id)
    # Nobody is told: an event would tell the blocked one. Either side finds the request gone when it looks.
    await session.execute(
        update(db.TeammateRequest)
        .where(db.TeammateRequest.status == RequestStatus.PENDING, _between(viewer.account_id, user_id))
        .values(status=RequestStatus.CANCELLED, answered_at=func.now())
    )
    return account


async def unblock_user(session: WriteSession, viewer: Viewer, *, user_id: uuid.UUID) -> db.Account:
    """Take a block back, if there is one; nothing that it ended comes back.

    Raises:
        Rejected: NOT_FOUND for whoever the viewer neither sees nor has blocked.
    """
    await lock_pair(session, viewer.account_id, user_id)
    removed = await session.scalar(
        delete(db.Block)
        .where(db.Block.account_id == viewer.account_id, db.Block.blocked_id == user_id)
        .returning(db.Block.blocked_id)
    )
    statement = select(db.Account).where(db.Account.id == user_id)
    if removed is None:
        statement = statement.where(is_visible(viewer))
    account: db.Account | None = await session.scalar(statement)
    if account is None:
        raise no_such_player("user_id")
    return account


async def find_teammates(session: ReadSession, viewer: Viewer, *, limit: int, after: Listed | None) -> Page[Listed]:
    """List the viewer's teammates, newest first."""
    return await _people(
        session,
        viewer,
        (db.Teammate.account_id, db.Teammate.since, db.Teammate.teammate_id),
        limit=limit,
        after=after,
    )


async def find_blocked(session: ReadSession, viewer: Viewer, *, limit: int, after: Listed | None) -> Page[Listed]:
    """List whom the viewer has blocked, newest first."""
    return await _people(
        session, viewer, (db.Block.account_id, db.Block.created_at, db.Block.blocked_id), limit=limit, after=after
    )


async def find_requests(
    session: ReadSession, viewer: Viewer, *, direction: Direction, limit: int, after: uuid.UUID | None
) -> Page[db.TeammateRequest]:
    """List the requests that wait for an answer, newest first."""
    is_incoming = direction is Direction.INCOMING
    own, other = db.TeammateRequest.receiver_id, db.TeammateRequest.sender_id
    if not is_incoming:
        own, other = other, own
    statement = (
        select(db.TeammateRequest)
        .join(db.Account, db.Account.id == other)
        .where(own == viewer.account_id, db.TeammateRequest.status == RequestStatus.PENDING, is_visible(viewer))
        .order_by(db.TeammateRequest.id.desc())
        .limit(limit + 1)
    )
    if after is not None:
        statement = statement.where(db.TeammateRequest.id < after)
    return Page.of((await session.scalars(statement)).all(), limit, has_previous=after is not None)


async def relations_by_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, Relation]:
    """Tell how the viewer stands to accounts; strangers are left out."""
    if viewer is None:
        return {}
    me, asked = viewer.account_id, db.TeammateRequest
    pending = asked.status == RequestStatus.PENDING
    rows = await session.execute(
        union_all(
            select(db.Teammate.teammate_id, literal(Relation.TEAMMATES.value)).where(
                db.Teammate.account_id == me, db.Teammate.teammate_id.in_(ids)
            ),
            select(asked.receiver_id, literal(Relation.REQUEST_SENT.value)).where(
                pending, asked.sender_id == me, asked.receiver_id.in_(ids)
            ),
            select(asked.sender_id, literal(Relation.REQUEST_RECEIVED.value)).where(
                pending, asked.receiver_id == me, asked.sender_id.in_(ids)
            ),
        )
    )
    relations = {account_id: Relation(relation) for account_id, relation in rows}
    if me in ids:
        relations[me] = Relation.SELF
    return relations


async def blocks_by_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, bool]:
    """Tell whom of these the viewer has blocked; the others are left out."""
    if viewer is None:
        return {}
    blocked = await session.scalars(
        select(db.Block.blocked_id).where(db.Block.account_id == viewer.account_id, db.Block.blocked_id.in_(ids))
    )
    return dict.fromkeys(blocked, True)


async def requests_by_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, db.TeammateRequest]:
    """Load requests that the viewer sent to or received from people he can see."""
    if viewer is None:
        return {}
    rows = await session.scalars(
        select(db.TeammateRequest)
        .join(db.Account, _is_other_side(viewer.account_id))
        .where(db.TeammateRequest.id.in_(ids), is_visible(viewer))
    )
    return {request.id: request for request in rows}


def is_within_reach(viewer: Viewer) -> ColumnElement[bool]:
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


def is_teammate_of(viewer: Viewer) -> ColumnElement[bool]:
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


def no_such_player(*field: str | int) -> Exception:
    """Make the one rejection for unknown, hidden, blocked and unreachable people."""
    return reject(Code.NOT_FOUND, "There is no such player, or you cannot reach this one.", *field)


def _between(one: uuid.UUID, other: uuid.UUID) -> ColumnElement[bool]:
    """Compare as the unique index does, so that it is used."""
    sender, receiver = db.TeammateRequest.sender_id, db.TeammateRequest.receiver_id
    first, second = sorted((one, other))
    return and_(func.least(sender, receiver) == first, func.greatest(sender, receiver) == second)


def _is_other_side(viewer_id: uuid.UUID) -> ColumnElement[bool]:
    sender, receiver = db.TeammateRequest.sender_id, db.TeammateRequest.receiver_id
    return or_(
        and_(sender == viewer_id, db.Account.id == receiver), and_(receiver == viewer_id, db.Account.id == sender)
    )


def _is_minor(account_id: uuid.UUID | InstrumentedAttribute[uuid.UUID]) -> ColumnElement[bool]:
    profile = aliased(db.Profile)
    return exists().where(
        profile.account_id == account_id,
        profile.birth_date > literal_column("(now() AT TIME ZONE 'UTC')::date - interval '18 years'"),
    )


async def _found(session: WriteSession, viewer: Viewer, request_id: uuid.UUID) -> db.TeammateRequest:
    request = (await requests_by_ids(session, viewer, [request_id])).get(request_id)
    if request is None:
        raise _no_such_request()
    return request


def _no_such_request() -> Exception:
    return reject(Code.NOT_FOUND, "There is no such request.", "request_id")


async def _end(session: WriteSession, request: db.TeammateRequest, status: RequestStatus) -> bool:
    """End a request unless somebody was faster; then the row is read anew. The WHERE decides the race."""
    ended = await session.scalar(
        update(db.TeammateRequest)
        .where(db.TeammateRequest.id == request.id, db.TeammateRequest.status == RequestStatus.PENDING)
        .values(status=status, answered_at=func.now())
        .returning(db.TeammateRequest.id)
        .execution_options(synchronize_session=False)
    )
    await session.refresh(request)
    return ended is not None


def _ended_so(request: db.TeammateRequest, status: RequestStatus) -> db.TeammateRequest:
    if request.status is not status:
        raise reject(Code.CONFLICT, f"The request is {request.status.value.lower()} already.", "request_id")
    return request


async def _part(session: WriteSession, one: uuid.UUID, other: uuid.UUID) -> bool:
    """Delete both halves; tells whether there were any."""
    pair = [(one, other), (other, one)]
    deleted = await session.scalars(
        delete(db.Teammate)
        .where(tuple_(db.Teammate.account_id, db.Teammate.teammate_id).in_(pair))
        .returning(db.Teammate.account_id)
    )
    return bool(deleted.all())


async def _lock_direct_chat(session: WriteSession, one: uuid.UUID, other: uuid.UUID) -> None:
    """Wait for a message that is being sent between the two; what comes after it finds the block."""
    first, second = sorted((one, other))
    await session.execute(
        select(db.Chat.id)
        .where(db.Chat.first_account_id == first, db.Chat.second_account_id == second)
        .with_for_update(key_share=True)
    )


async def _tell(session: WriteSession, viewer: Viewer, request: db.TeammateRequest) -> None:
    await log.append(
        session,
        *(
            TeammateRequestChanged(account_id=account_id, actor_id=viewer.account_id, request_id=request.id)
            for account_id in (request.sender_id, request.receiver_id)
        ),
    )


async def _people(
    session: ReadSession,
    viewer: Viewer,
    columns: tuple[InstrumentedAttribute[uuid.UUID], InstrumentedAttribute[datetime], InstrumentedAttribute[uuid.UUID]],
    *,
    limit: int,
    after: Listed | None,
) -> Page[Listed]:
    """List people by the columns owner, since and person, newest first; those who cannot be seen are left out."""
    owner, since, person = columns
    statement = (
        select(since, person)
        .join(db.Account, db.Account.id == person)
        .where(owner == viewer.account_id, is_visible(viewer))
        .order_by(since.desc(), person.desc())
        .limit(limit + 1)
    )
    if after is not None:
        place: ColumnExpressionArgument[bool] = tuple_(since, person) < tuple_(after.since, after.account_id)
        statement = statement.where(place)
    rows = [Listed(*row) for row in await session.execute(statement)]
    return Page.of(rows, limit, has_previous=after is not None)
