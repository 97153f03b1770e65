"""What the readers of streams may see at one moment."""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import and_, func, select
from sqlalchemy.orm import aliased

from gamebuddy import db
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import ReadSession


@dataclass(frozen=True, slots=True)
class Rights:
    """What holds in the snapshot that a batch was read in."""

    roles: dict[uuid.UUID, db.Role]  # of the sessions that live
    memberships: set[tuple[uuid.UUID, uuid.UUID]]  # (chat, account)

    def keep(self, viewer: Viewer) -> bool:
        """Tell whether a session lives on as it was when its stream began."""
        return self.roles.get(viewer.session_id) is viewer.role


async def rights_of(session: ReadSession, viewers: Iterable[Viewer], chats: Collection[uuid.UUID]) -> Rights:
    """Load in one statement which sessions live, and which of the chats their accounts are in."""
    rows = await session.execute(
        select(db.Session.id, db.Account.role, db.ChatMember.chat_id, db.ChatMember.account_id)
        .join(db.Account, db.Account.id == db.Session.account_id)
        .outerjoin(
            db.ChatMember, and_(db.ChatMember.account_id == db.Account.id, db.is_one_of(db.ChatMember.chat_id, chats))
        )
        .where(
            db.is_one_of(db.Session.id, [viewer.session_id for viewer in viewers]),
            db.Session.revoked_at.is_(None),
            db.Session.expires_at > func.now(),
            db.Account.status == db.AccountStatus.ACTIVE,
        )
    )
    roles: dict[uuid.UUID, db.Role] = {}
    memberships: set[tuple[uuid.UUID, uuid.UUID]] = set()
    for session_id, role, chat_id, account_id in rows:
        roles[session_id] = role
        if chat_id is not None:
            memberships.add((chat_id, account_id))
    return Rights(roles, memberships)


async def acquainted(
    session: ReadSession, account_ids: Collection[uuid.UUID], among: Collection[uuid.UUID]
) -> set[tuple[uuid.UUID, uuid.UUID]]:
    """Give the pairs (account, other) of teammates, and of those who share a direct chat, with others of `among`."""
    half, own, their = db.Teammate, aliased(db.ChatMember), aliased(db.ChatMember)
    teammates = select(half.account_id, half.teammate_id).where(
        db.is_one_of(half.account_id, account_ids), db.is_one_of(half.teammate_id, among)
    )
    partners = (
        select(own.account_id, their.account_id)
        .join(db.Chat, and_(db.Chat.id == own.chat_id, db.Chat.kind == db.ChatKind.DIRECT))
        .join(their, and_(their.chat_id == own.chat_id, their.account_id != own.account_id))
        .where(db.is_one_of(own.account_id, account_ids), db.is_one_of(their.account_id, among))
    )
    rows = await session.execute(teammates.union(partners))
    return {(account_id, other_id) for account_id, other_id in rows}


async def chats_of(session: ReadSession, account_id: uuid.UUID) -> list[uuid.UUID]:
    """Give the chats that an account is in."""
    return list(await session.scalars(select(db.ChatMember.chat_id).where(db.ChatMember.account_id == account_id)))
