"""Asking somebody to play together."""

import uuid
from collections.abc import Collection
from enum import StrEnum

from sqlalchemy import (
    ColumnElement,
    and_,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from gamebuddy import db, text
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import ReadSession, RequestStatus, WriteSession
from gamebuddy.errors import Code, reject
from gamebuddy.events import log
from gamebuddy.events.types import TeammateRequestChanged
from gamebuddy.resolvers.accounts.lookup import is_visible
from gamebuddy.resolvers.paging import Page
from gamebuddy.resolvers.teammates.reach import between, can_meet, lock_pair, no_such_player
from gamebuddy.resolvers.teammates.reputation import remember_companions
from gamebuddy.resolvers.wording import WordFilter

LONGEST_MESSAGE = 300


class Direction(StrEnum):
    """Which requests: those that others sent, or one's own."""

    INCOMING = "INCOMING"
    OUTGOING = "OUTGOING"


async def send_request(
    session: WriteSession,
    viewer: Viewer,
    *,
    words: WordFilter,
    user_id: uuid.UUID,
    message: str | None,
    game_id: uuid.UUID | None,
) -> db.TeammateRequest:
    """Ask somebody to play together.

    A repeat gives the request that is pending already; when the other one has asked before, his request is accepted.

    Raises:
        Rejected: INVALID for oneself, NOT_FOUND for whoever the viewer cannot reach and for an unknown game, CONFLICT
            for teammates, TOO_LONG for the message, NOT_ALLOWED for words that are not said here.
    """
    if user_id == viewer.account_id:
        raise reject(Code.INVALID, "You cannot ask yourself.", "user_id")
    if message is not None:
        message = words.clean(text.checked(message, "message", longest=LONGEST_MESSAGE), "message")
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
        await words.flag(session, viewer, message)
        await _tell(session, viewer, added)
        return added  # type: ignore[no-any-return]
    pending: db.TeammateRequest = (
        await session.scalars(
            select(db.TeammateRequest).where(
                db.TeammateRequest.status == RequestStatus.PENDING, between(viewer.account_id, user_id)
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
        await remember_companions(session, request.sender_id, request.receiver_id)
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


async def requests_by_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, db.TeammateRequest]:
    """Load requests that the viewer sent to or received from people he can see."""
    if viewer is None:
        return {}
    rows = await session.scalars(
        select(db.TeammateRequest)
        .join(db.Account, _is_other_side(viewer.account_id))
        .where(db.is_one_of(db.TeammateRequest.id, ids), is_visible(viewer))
    )
    return {request.id: request for request in rows}


def _is_other_side(viewer_id: uuid.UUID) -> ColumnElement[bool]:
    sender, receiver = db.TeammateRequest.sender_id, db.TeammateRequest.receiver_id
    return or_(
        and_(sender == viewer_id, db.Account.id == receiver), and_(receiver == viewer_id, db.Account.id == sender)
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


async def _tell(session: WriteSession, viewer: Viewer, request: db.TeammateRequest) -> None:
    await log.append(
        session,
        *(
            TeammateRequestChanged(account_id=account_id, actor_id=viewer.account_id, request_id=request.id)
            for account_id in (request.sender_id, request.receiver_id)
        ),
    )
