"""Rows, indexes and constraints, and the doors to them."""

from gamebuddy.db.accounts import (
    Account,
    AccountStatus,
    Audience,
    CodePurpose,
    Departure,
    OneTimeCode,
    RateLimit,
    RecoveryCode,
    Role,
    SecondFactor,
    Session,
)
from gamebuddy.db.base import Row, new_id
from gamebuddy.db.chat import Chat, ChatKind, ChatMember, MemberRole, Message, MessageKind
from gamebuddy.db.events import Event, EventLog
from gamebuddy.db.games import Game, GameRank, GameRole, Genre, Platform
from gamebuddy.db.moderation import AuditAction, AuditEntry, Sanction, SanctionKind
from gamebuddy.db.profiles import (
    HOURS_A_WEEK,
    UNKNOWN_RATING,
    AgeBand,
    PlayerGame,
    PlayStyle,
    Profile,
    Region,
    VoiceChat,
)
from gamebuddy.db.session import Database, ReadSession, WriteSession, is_conflict_of_order
from gamebuddy.db.teammates import Block, RequestStatus, Teammate, TeammateRequest

__all__ = [
    "HOURS_A_WEEK",
    "UNKNOWN_RATING",
    "Account",
    "AccountStatus",
    "AgeBand",
    "Audience",
    "AuditAction",
    "AuditEntry",
    "Block",
    "Chat",
    "ChatKind",
    "ChatMember",
    "CodePurpose",
    "Database",
    "Departure",
    "Event",
    "EventLog",
    "Game",
    "GameRank",
    "GameRole",
    "Genre",
    "MemberRole",
    "Message",
    "MessageKind",
    "OneTimeCode",
    "Platform",
    "PlayStyle",
    "PlayerGame",
    "Profile",
    "RateLimit",
    "ReadSession",
    "RecoveryCode",
    "Region",
    "RequestStatus",
    "Role",
    "Row",
    "Sanction",
    "SanctionKind",
    "SecondFactor",
    "Session",
    "Teammate",
    "TeammateRequest",
    "VoiceChat",
    "WriteSession",
    "is_conflict_of_order",
    "new_id",
]
