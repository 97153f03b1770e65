"""What a copy holds: what is kept of an account and what it wrote. Others stand in it by their ids, and say nothing."""

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Executable, case, func, or_, select

from gamebuddy import db


def statements(me: uuid.UUID) -> Mapping[str, Executable]:
    """Give what is read for each file of JSON Lines, by its name; a column is a field of a line."""
    return _account(me) | _people(me) | _chats(me) | _moderation(me)


def _account(me: uuid.UUID) -> dict[str, Executable]:
    account, profile, game, session, upload = db.Account, db.Profile, db.PlayerGame, db.Session, db.Upload
    genres = select(func.array_agg(db.Genre.slug)).where(db.Genre.id == func.any(profile.genre_ids)).scalar_subquery()
    role = db.GameRole
    roles = (
        select(func.array_agg(role.slug))
        .where(role.game_id == game.game_id, game.role_bits.bitwise_rshift(role.position).bitwise_and(1) == 1)
        .scalar_subquery()
    )
    return {
        "account": select(
            account.id, account.username, account.display_name, account.email, account.email_verified_at, account.role,
            account.status, account.locale, account.who_may_write_to_me, account.who_sees_my_presence,
            account.banned_until, account.muted_until, account.created_at, account.last_seen_at,
        ).where(account.id == me),
        "profile": select(
            profile.bio, profile.birth_date, profile.country, profile.region, profile.time_zone, profile.languages,
            profile.platforms, genres.label("genres"), profile.play_style, profile.voice_chat, profile.slots,
            profile.is_looking_for_teammates, profile.reputation, profile.praise_count, profile.top_traits,
            profile.avatar_id, profile.active_on, profile.updated_at,
        ).where(profile.account_id == me),
        "games": select(
            db.Game.slug.label("game"), db.GameRank.name.label("rank"), roles.label("roles"), game.rating,
            game.is_favorite,
        ).join_from(game, db.Game).outerjoin(db.GameRank, db.GameRank.id == game.rank_id)
        .where(game.account_id == me).order_by(game.position),
        "sessions": select(
            session.id, session.device_name, session.user_agent, session.ip_address, session.created_at,
            session.last_used_at, session.expires_at, session.revoked_at,
        ).where(session.account_id == me).order_by(session.id),
        "uploads": select(
            upload.id, upload.purpose, upload.file_name, upload.media_type, upload.byte_size, upload.width,
            upload.height, upload.created_at, upload.checked_at,
        ).where(upload.account_id == me).order_by(upload.id),
    }  # fmt: skip


def _people(me: uuid.UUID) -> dict[str, Executable]:
    teammate, request, block, note, praise = db.Teammate, db.TeammateRequest, db.Block, db.UserNote, db.Praise
    own_words = case((request.sender_id == me, request.message))
    return {
        "teammates": select(teammate.teammate_id.label("user_id"), teammate.since)
        .where(teammate.account_id == me).order_by(teammate.since),
        "teammate_requests": select(
            request.id, request.sender_id, request.receiver_id, own_words.label("message"), _game(request.game_id),
            request.status, request.created_at, request.answered_at,
        ).where(or_(request.sender_id == me, request.receiver_id == me)).order_by(request.id),
        "blocks": select(block.blocked_id.label("user_id"), block.created_at)
        .where(block.account_id == me).order_by(block.created_at),
        "notes": select(note.about_id.label("user_id"), note.text, note.updated_at)
        .where(note.account_id == me).order_by(note.updated_at),
        "praise_given": select(
            praise.account_id.label("user_id"), praise.traits, praise.week, _game(praise.game_id), praise.created_at
        ).where(praise.by_id == me).order_by(praise.id),
    }  # fmt: skip


def _chats(me: uuid.UUID) -> dict[str, Executable]:
    chat, member, message, version = db.Chat, db.ChatMember, db.Message, db.MessageVersion
    reaction, hidden, link, attachment = db.Reaction, db.HiddenMessage, db.InviteLink, db.Attachment
    other = case((chat.first_account_id == me, chat.second_account_id), else_=chat.first_account_id)
    is_mine = message.author_id == me
    is_own_text = is_mine & (message.forwarded_from_id.is_(None) | (message.forwarded_from_id == me))
    return {
        "chats": select(
            chat.id, chat.kind, other.label("with_user_id"), member.role, member.joined_at, member.invited_by_id,
            member.muted_until, member.is_archived,
        ).join_from(member, chat).where(member.account_id == me).order_by(member.joined_at),
        "messages": select(
            message.id, message.chat_id, case((is_own_text, message.text)).label("text"), message.reply_to_id,
            message.forwarded_from_id, message.created_at, message.edited_at, message.deleted_at,
        ).where(is_mine, message.kind == db.MessageKind.TEXT).order_by(message.id),
        "message_versions": select(version.message_id, version.text, version.replaced_at)
        .join_from(version, message).where(is_own_text).order_by(version.message_id, version.version),
        "attachments": select(attachment.message_id, attachment.upload_id)
        .join_from(attachment, message).where(is_mine).order_by(attachment.message_id, attachment.position),
        "reactions": select(reaction.message_id, reaction.emoji, reaction.created_at)
        .where(reaction.account_id == me).order_by(reaction.created_at),
        "hidden_messages": select(hidden.message_id).where(hidden.account_id == me).order_by(hidden.message_id),
        "invite_links": select(
            link.id, link.chat_id, link.created_at, link.expires_at, link.max_uses, link.use_count, link.revoked_at
        ).where(link.created_by_id == me).order_by(link.id),
    }  # fmt: skip


def _moderation(me: uuid.UUID) -> dict[str, Executable]:
    report, sanction, appeal, entry = db.Report, db.Sanction, db.Appeal, db.AuditEntry
    return {
        "reports": select(
            report.id, report.subject, report.reported_id, report.message_id, report.reason, report.comment,
            report.status, report.created_at, report.closed_at,
        ).where(report.reporter_id == me).order_by(report.id),
        "sanctions": select(
            sanction.id, sanction.kind, sanction.reason, sanction.created_at, sanction.until, sanction.lifted_at
        ).where(sanction.account_id == me).order_by(sanction.id),
        "appeals": select(appeal.sanction_id, appeal.text, appeal.status, appeal.created_at, appeal.answered_at)
        .join_from(appeal, sanction).where(sanction.account_id == me).order_by(appeal.id),
        "own_acts": select(entry.action, entry.at).where(entry.actor_id == me).order_by(entry.number),
    }  # fmt: skip


def _game(game_id: Any) -> ColumnElement[Any]:
    return select(db.Game.slug).where(db.Game.id == game_id).scalar_subquery().label("game")
