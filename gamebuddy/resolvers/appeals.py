"""Appeals: one against each sanction, answered by somebody else than the one who imposed it."""

import uuid
from collections.abc import Collection

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from gamebuddy import db, mail, text
from gamebuddy.auth import policy
from gamebuddy.auth.gate import Gate
from gamebuddy.auth.policy import Right
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import AppealStatus, AuditAction, ReadSession, Role, SanctionKind, WriteSession
from gamebuddy.errors import Code, reject
from gamebuddy.mail import Letter, LetterKind
from gamebuddy.resolvers import audit, sanctions, standing
from gamebuddy.resolvers.accounts.sessions import Device, lock_account
from gamebuddy.resolvers.accounts.signing_in import prove_owner
from gamebuddy.resolvers.paging import Page

LONGEST_APPEAL = 1_000


async def appeal_ban(
    session: WriteSession, gate: Gate, *, login: str, password: str, device: Device, words: str
) -> db.Appeal:
    """Ask for another look at a ban, which has ended all sessions: the password shows whose it is.

    A try counts as one to sign in. The same words again change nothing.

    Raises:
        Rejected: RETRY_LATER, WRONG_CREDENTIALS; NOT_FOUND when no ban is in force; CONFLICT after another appeal
            against it; as `text.checked` for the words.
        Unavailable: when too many wait.
    """
    words = text.checked(words, "text", longest=LONGEST_APPEAL)
    account, _ = await prove_owner(session, gate, login=login, password=password, device=device)
    await standing.lift_what_is_over(session, account)
    return await _file(session, account.id, SanctionKind.BAN, words)


async def appeal_mute(session: WriteSession, viewer: Viewer, *, words: str) -> db.Appeal:
    """Ask for another look at one's own mute. The same words again change nothing.

    Raises:
        Rejected: NOT_FOUND when no mute is in force; CONFLICT after another appeal against it; as `text.checked` for
            the words.
    """
    words = text.checked(words, "text", longest=LONGEST_APPEAL)
    return await _file(session, viewer.account_id, SanctionKind.MUTE, words)


async def answer(
    session: WriteSession, viewer: Viewer, *, appeal_id: uuid.UUID, is_accepted: bool, words: str
) -> db.Appeal:
    """Answer an appeal; if it is accepted, the sanction ends. A letter tells whose it is. Once more changes nothing.

    Raises:
        Rejected: NOT_FOUND for what the viewer may not judge; NOT_ALLOWED against a sanction of his own; CONFLICT when
            it was answered otherwise, or the sanction is over; as `text.checked` for the words.
    """
    words = text.checked(words, "answer", longest=LONGEST_APPEAL)
    found = (await by_ids(session, viewer, [appeal_id])).get(appeal_id)
    sanction = await session.get(db.Sanction, found.sanction_id) if found else None
    # The account before what hangs on it, as everywhere: of two who answer at once, one waits here.
    account = await lock_account(session, sanction.account_id) if sanction else None
    if found is None or sanction is None or account is None or sanction.account_id == viewer.account_id:
        raise reject(Code.NOT_FOUND, "There is no such appeal.", "appeal_id")
    if sanction.by_id == viewer.account_id:
        raise reject(Code.NOT_ALLOWED, "Somebody else judges your own decision.", "appeal_id")
    appeal: db.Appeal = await session.get_one(db.Appeal, appeal_id, populate_existing=True)
    status = AppealStatus.ACCEPTED if is_accepted else AppealStatus.DECLINED
    if (appeal.status, appeal.answer, appeal.answered_by_id) == (status, words, viewer.account_id):
        return appeal
    if appeal.status is not AppealStatus.OPEN:
        raise reject(Code.CONFLICT, "This appeal is answered already.", "appeal_id")
    in_force = await standing.find_in_force(session, account.id, sanction.kind)
    if in_force is None or in_force.id != sanction.id:
        raise reject(Code.CONFLICT, "This sanction is over.", "appeal_id")
    appeal.status, appeal.answer, appeal.answered_by_id = status, words, viewer.account_id
    appeal.answered_at = func.now()
    await session.flush()
    await session.refresh(appeal)
    await audit.record(
        session,
        AuditAction.ANSWER_APPEAL,
        actor_id=viewer.account_id,
        target_id=account.id,
        reason=words,
        kind=sanction.kind.value,
        status=status.value,
    )
    if is_accepted:
        await sanctions.end(session, viewer, account, sanction.kind, words)
    await mail.post(session, Letter(LetterKind.APPEAL_ANSWERED, account.id))
    return appeal


async def find(
    session: ReadSession, viewer: Viewer, *, status: AppealStatus | None, after: uuid.UUID | None, limit: int
) -> Page[db.Appeal]:
    """List appeals that the viewer may judge: those that are OPEN the oldest first, and no longer than the sanction.

    All others come the newest first. `after` is the last one of the page before.

    Raises:
        Unauthenticated, Forbidden: for whoever is not of the staff.
    """
    policy.require(viewer, Right.MODERATE)
    appeal, is_queue = db.Appeal, status is AppealStatus.OPEN
    statement = select(appeal).join(db.Sanction, db.Sanction.id == appeal.sanction_id).where(_is_judged_by(viewer))
    statement = statement.order_by(appeal.id if is_queue else appeal.id.desc()).limit(limit + 1)
    if status is not None:
        statement = statement.where(appeal.status == status)
    if is_queue:
        statement = statement.where(standing.is_in_force())
    if after is not None:
        statement = statement.where(appeal.id > after if is_queue else appeal.id < after)
    return Page.of((await session.scalars(statement)).all(), limit, has_previous=after is not None)


async def by_ids(session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, db.Appeal]:
    """Load appeals that the viewer may judge, and his own."""
    return {row.id: row for row in await _seen(session, viewer, db.is_one_of(db.Appeal.id, ids))}


async def by_sanction_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, db.Appeal]:
    """Load appeals as `by_ids`, by the sanctions that they are against."""
    return {row.sanction_id: row for row in await _seen(session, viewer, db.is_one_of(db.Appeal.sanction_id, ids))}


async def _seen(session: ReadSession, viewer: Viewer | None, which: ColumnElement[bool]) -> Collection[db.Appeal]:
    if viewer is None:
        return ()
    rows = await session.scalars(
        select(db.Appeal)
        .join(db.Sanction, db.Sanction.id == db.Appeal.sanction_id)
        .where(which, or_(db.Sanction.account_id == viewer.account_id, _is_judged_by(viewer)))
    )
    found: Collection[db.Appeal] = rows.all()
    return found


def _is_judged_by(viewer: Viewer) -> ColumnElement[bool]:
    """Tell of the sanction in the statement whether the viewer judges appeals against it: he may act on its owner."""
    if not policy.decide(viewer, Right.MODERATE).is_allowed:
        return false()
    below = [role for role in Role if policy.outranks(viewer, role)]
    account = db.Account
    return and_(
        db.Sanction.account_id != viewer.account_id,
        exists().where(account.id == db.Sanction.account_id, account.role.in_(below)),
    )


async def _file(session: WriteSession, account_id: uuid.UUID, kind: SanctionKind, words: str) -> db.Appeal:
    sanction = await standing.find_in_force(session, account_id, kind)
    if sanction is None:
        raise reject(Code.NOT_FOUND, f"There is no {kind.value.lower()} in force.")
    filed: db.Appeal | None = await session.scalar(
        insert(db.Appeal)
        .values(id=db.new_id(), sanction_id=sanction.id, text=words)
        .on_conflict_do_nothing(index_elements=["sanction_id"])
        .returning(db.Appeal)
    )
    if filed is not None:
        return filed
    first: db.Appeal = (await session.scalars(select(db.Appeal).where(db.Appeal.sanction_id == sanction.id))).one()
    if first.text != words:
        raise reject(Code.CONFLICT, "You have appealed already; each sanction is looked at once more.", "text")
    return first
