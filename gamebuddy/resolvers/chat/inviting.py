"""Invite links: ways into a group for those who are nobody's teammates."""

import secrets
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import aliased

from gamebuddy import db
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import MemberRole, ReadSession, WhoMay, WriteSession
from gamebuddy.errors import Code, Rejected, reject
from gamebuddy.resolvers.chat.access import lock_chat, lock_chat_from_outside
from gamebuddy.resolvers.chat.joining import join_group
from gamebuddy.resolvers.chat.news import NewsKind
from gamebuddy.resolvers.chat.rights import HOLDERS, ChatAction, is_allowed, require

CODE_BYTES = 16
MOST_LINKS = 50  # that work at the same time, in one group
MOST_USES = 1_000


@dataclass(frozen=True, slots=True)
class Preview:
    """What a holder of a link sees of a group."""

    title: str
    member_count: int
    is_member: bool


async def create_link(
    session: WriteSession, viewer: Viewer, *, chat_id: uuid.UUID, expires_at: datetime | None, max_uses: int | None
) -> db.InviteLink:
    """Make a link into a group; it works as long as its maker may invite.

    Raises:
        Rejected: NOT_FOUND for the chat, NOT_ALLOWED, INVALID for a moment that is over and for 0 or over 1,000 uses,
            LIMIT_REACHED above 50 links.
    """
    chat, member = await lock_chat(session, viewer, chat_id)
    require(chat, member, ChatAction.INVITE)
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise reject(Code.INVALID, "This moment is over.", "expires_at")
    if max_uses is not None and not 1 <= max_uses <= MOST_USES:
        raise reject(Code.INVALID, f"1 to {MOST_USES:,} uses.", "max_uses")
    count = await session.scalar(select(func.count()).where(db.InviteLink.chat_id == chat_id, _works()))
    if count >= MOST_LINKS:
        raise reject(Code.LIMIT_REACHED, f"A group has at most {MOST_LINKS} links. Revoke one first.", "chat_id")
    link = db.InviteLink(
        chat_id=chat_id,
        created_by_id=viewer.account_id,
        code=secrets.token_urlsafe(CODE_BYTES),
        expires_at=expires_at,
        max_uses=max_uses,
    )
    session.add(link)
    await session.flush()
    return link


async def revoke_link(session: WriteSession, viewer: Viewer, *, link_id: uuid.UUID) -> db.InviteLink:
    """Let a link work no more; once more changes nothing. Its maker may, and the group's owner and admins.

    Raises:
        Rejected: NOT_FOUND for a link that the viewer does not see.
    """
    link = (await links_by_ids(session, viewer, [link_id], with_ended=True)).get(link_id)
    if link is None:
        raise reject(Code.NOT_FOUND, "There is no such link.", "invite_link_id")
    await lock_chat(session, viewer, link.chat_id)
    await session.refresh(link, with_for_update=True)
    if link.revoked_at is None:
        link.revoked_at = datetime.now(UTC)
        await session.flush()
    return link


async def revoke_all_of(session: WriteSession, chat_id: uuid.UUID, account_id: uuid.UUID) -> None:
    """Let the links of somebody who goes work no more, also when he comes back."""
    await session.execute(
        update(db.InviteLink)
        .where(
            db.InviteLink.chat_id == chat_id,
            db.InviteLink.created_by_id == account_id,
            db.InviteLink.revoked_at.is_(None),
        )
        .values(revoked_at=func.now())
        .execution_options(synchronize_session=False)
    )


async def join_by_invite(session: WriteSession, viewer: Viewer, *, code: str) -> db.Chat:
    """Come into a group through a link; who is in it already stays as he is, and uses nothing up.

    Raises:
        Rejected: NOT_FOUND for a code that never worked, was revoked, or whose maker may not invite any more;
            CODE_EXPIRED; LIMIT_REACHED for one that is used up, and above 200 members.
    """
    found = await session.scalar(select(db.InviteLink.chat_id).where(db.InviteLink.code == code))
    if found is None:
        raise _no_such_link()
    chat = await lock_chat_from_outside(session, found)
    link: db.InviteLink = (await session.scalars(select(db.InviteLink).where(db.InviteLink.code == code))).one()
    if await session.get(db.ChatMember, (chat.id, viewer.account_id)):
        return chat
    maker = await session.get(db.ChatMember, (chat.id, link.created_by_id))
    if link.revoked_at is not None or maker is None or not is_allowed(chat, maker, ChatAction.INVITE):
        raise _no_such_link()
    if link.expires_at is not None and link.expires_at <= datetime.now(UTC):
        raise reject(Code.CODE_EXPIRED, "This link has expired.", "code")
    if link.max_uses is not None and link.use_count >= link.max_uses:
        raise reject(Code.LIMIT_REACHED, "This link has been used as often as it may be.", "code")
    link.use_count += 1
    return await join_group(
        session,
        viewer,
        chat,
        {viewer.account_id: MemberRole.MEMBER},
        inviter=maker,
        kind=NewsKind.JOINED,
        field="code",
    )


async def preview(session: ReadSession, viewer: Viewer, *, code: str) -> Preview | None:
    """Show the group behind a link that works; None for every other one."""
    link, maker, own = db.InviteLink, aliased(db.ChatMember), aliased(db.ChatMember)
    row = (
        await session.execute(
            select(db.Chat, maker, own.account_id)
            .join(link, link.chat_id == db.Chat.id)
            .join(maker, and_(maker.chat_id == db.Chat.id, maker.account_id == link.created_by_id))
            .outerjoin(own, and_(own.chat_id == db.Chat.id, own.account_id == viewer.account_id))
            .where(link.code == code, _works())
        )
    ).one_or_none()
    if row is None or not is_allowed(row[0], row[1], ChatAction.INVITE):
        return None
    chat, _, own_id = row
    return Preview(chat.title or "", chat.member_count, own_id is not None)


async def links_by_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID], *, with_ended: bool = False
) -> dict[uuid.UUID, db.InviteLink]:
    """Load links that work and that the viewer may see: all of a group for its owner and admins, else one's own."""
    if viewer is None:
        return {}
    rows = await session.scalars(
        select(db.InviteLink).where(
            db.is_one_of(db.InviteLink.id, ids), _is_shown(viewer), *([] if with_ended else [_works()])
        )
    )
    return {link.id: link for link in rows}


async def links_by_chat_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, list[db.InviteLink]]:
    """Load the links that work, of groups that the viewer is in, as `links_by_ids`; oldest first."""
    if viewer is None:
        return {}
    rows = await session.scalars(
        select(db.InviteLink)
        .where(db.is_one_of(db.InviteLink.chat_id, ids), _is_shown(viewer), _works())
        .order_by(db.InviteLink.chat_id, db.InviteLink.id)
    )
    found: dict[uuid.UUID, list[db.InviteLink]] = {chat_id: [] for chat_id in ids}
    for link in rows:
        found[link.chat_id].append(link)
    return found


def _works() -> ColumnElement[bool]:
    link = db.InviteLink
    return and_(
        link.revoked_at.is_(None),
        or_(link.expires_at.is_(None), link.expires_at > func.now()),
        or_(link.max_uses.is_(None), link.use_count < link.max_uses),
    )


def _is_shown(viewer: Viewer) -> ColumnElement[bool]:
    member = aliased(db.ChatMember)
    return (
        select(member.chat_id)
        .where(
            member.chat_id == db.InviteLink.chat_id,
            member.account_id == viewer.account_id,
            or_(member.role.in_(HOLDERS[WhoMay.ADMINS]), db.InviteLink.created_by_id == viewer.account_id),
        )
        .exists()
    )


def _no_such_link() -> Rejected:
    return reject(Code.NOT_FOUND, "This link does not work, or works no more.", "code")
