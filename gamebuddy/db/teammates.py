"""Who plays with whom: requests, teammates, blocks; and what one keeps and says of others: notes, praise."""

import uuid
from datetime import date
from enum import StrEnum

from sqlalchemy import CheckConstraint, Date, Enum, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from gamebuddy.db.base import CreatedAt, Id, Items, Moment, Row, account_id_column, new_id


class RequestStatus(StrEnum):
    """How far a teammate request has come."""

    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    DECLINED = "DECLINED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


class TeammateRequest(Row):
    """One asks another to play together. At most one is pending between two, from whichever side."""

    __tablename__ = "teammate_requests"
    __table_args__ = (
        Index(
            "uq_teammate_requests_pending_pair",
            text("least(sender_id, receiver_id)"),
            text("greatest(sender_id, receiver_id)"),
            unique=True,
            postgresql_where=text("status = 'PENDING'"),
        ),
        Index("ix_teammate_requests_receiver_id_status_id", "receiver_id", "status", "id"),
        Index("ix_teammate_requests_sender_id_status_id", "sender_id", "status", "id"),
        CheckConstraint("sender_id <> receiver_id", name="two_people"),
    )

    id: Mapped[Id] = mapped_column(default_factory=new_id)
    sender_id: Mapped[uuid.UUID] = mapped_column(account_id_column())
    receiver_id: Mapped[uuid.UUID] = mapped_column(account_id_column())
    message: Mapped[str | None] = mapped_column(default=None)
    game_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("games.id", ondelete="SET NULL"), default=None)
    status: Mapped[RequestStatus] = mapped_column(default=RequestStatus.PENDING)
    created_at: Mapped[CreatedAt] = mapped_column(init=False)
    answered_at: Mapped[Moment | None] = mapped_column(default=None)


class Teammate(Row):
    """One half of a pair: two rows a pair, so that either side reads its own."""

    __tablename__ = "teammates"
    __table_args__ = (
        Index("ix_teammates_account_id_since", "account_id", "since", "teammate_id"),
        Index("ix_teammates_teammate_id", "teammate_id"),
    )

    account_id: Mapped[uuid.UUID] = mapped_column(account_id_column(), primary_key=True)
    teammate_id: Mapped[uuid.UUID] = mapped_column(account_id_column(), primary_key=True)
    since: Mapped[CreatedAt] = mapped_column(init=False)


class Block(Row):
    """`account_id` wants nothing to do with `blocked_id`; it works in both directions and nobody is told."""

    __tablename__ = "blocks"
    __table_args__ = (
        Index("ix_blocks_account_id_created_at", "account_id", "created_at", "blocked_id"),
        Index("ix_blocks_blocked_id", "blocked_id"),
    )

    account_id: Mapped[uuid.UUID] = mapped_column(account_id_column(), primary_key=True)
    blocked_id: Mapped[uuid.UUID] = mapped_column(account_id_column(), primary_key=True)
    created_at: Mapped[CreatedAt] = mapped_column(init=False)


class UserNote(Row):
    """What somebody has written down about a player, for himself alone."""

    __tablename__ = "user_notes"
    __table_args__ = (Index("ix_user_notes_about_id", "about_id"),)

    account_id: Mapped[uuid.UUID] = mapped_column(account_id_column(), primary_key=True)
    about_id: Mapped[uuid.UUID] = mapped_column(account_id_column(), primary_key=True)
    text: Mapped[str]
    updated_at: Mapped[CreatedAt] = mapped_column(init=False)


class Trait(StrEnum):
    """What somebody is praised for."""

    FRIENDLY = "FRIENDLY"
    SKILLED = "SKILLED"
    TEAM_PLAYER = "TEAM_PLAYER"
    LEADER = "LEADER"
    RELIABLE = "RELIABLE"
    GOOD_COMMUNICATION = "GOOD_COMMUNICATION"


class Praise(Row):
    """One praises another whose teammate he is or was: once a pair and week (`week` is its Monday, in UTC)."""

    __tablename__ = "praises"
    __table_args__ = (
        Index("uq_praises_by_id_account_id_week", "by_id", "account_id", "week", unique=True),
        Index("ix_praises_account_id", "account_id", "by_id"),
        CheckConstraint("by_id <> account_id", name="two_people"),
        CheckConstraint("cardinality(traits) BETWEEN 1 AND 6", name="some_traits"),
    )

    id: Mapped[Id] = mapped_column(default_factory=new_id)
    by_id: Mapped[uuid.UUID] = mapped_column(account_id_column())
    account_id: Mapped[uuid.UUID] = mapped_column(account_id_column())
    week: Mapped[date] = mapped_column(Date)
    traits: Mapped[list[Trait]] = mapped_column(Items(Enum(Trait, native_enum=False, length=32)))
    game_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("games.id", ondelete="SET NULL"), default=None)
    created_at: Mapped[CreatedAt] = mapped_column(init=False)


class Companionship(Row):
    """That two were teammates once: kept when they part, so that those who have played together may still praise."""

    __tablename__ = "companionships"
    __table_args__ = (
        Index("ix_companionships_second_id", "second_id"),
        CheckConstraint("first_id < second_id", name="pair_order"),
    )

    first_id: Mapped[uuid.UUID] = mapped_column(account_id_column(), primary_key=True)
    second_id: Mapped[uuid.UUID] = mapped_column(account_id_column(), primary_key=True)
    since: Mapped[CreatedAt] = mapped_column(init=False)
