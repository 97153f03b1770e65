"""What a player tells of himself, and what the search compares."""

import uuid
from datetime import date
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Date, Enum, ForeignKey, Index, Integer, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import BIT, UUID
from sqlalchemy.orm import Mapped, mapped_column

from gamebuddy.db.base import Items, Moment, Row, account_id_column
from gamebuddy.db.games import Platform, platforms_type
from gamebuddy.db.teammates import Trait

HOURS_A_WEEK = 168
UNKNOWN_RATING = 1500


class Region(StrEnum):
    """Where a player's servers are."""

    EUROPE = "EUROPE"
    CIS = "CIS"
    NORTH_AMERICA = "NORTH_AMERICA"
    SOUTH_AMERICA = "SOUTH_AMERICA"
    MIDDLE_EAST = "MIDDLE_EAST"
    AFRICA = "AFRICA"
    SOUTH_ASIA = "SOUTH_ASIA"
    EAST_ASIA = "EAST_ASIA"
    SOUTHEAST_ASIA = "SOUTHEAST_ASIA"
    OCEANIA = "OCEANIA"


class PlayStyle(StrEnum):
    """How serious the play is."""

    CASUAL = "CASUAL"
    BALANCED = "BALANCED"
    COMPETITIVE = "COMPETITIVE"


class VoiceChat(StrEnum):
    """Whether a player talks."""

    REQUIRED = "REQUIRED"
    PREFERRED = "PREFERRED"
    TEXT_ONLY = "TEXT_ONLY"
    ANY = "ANY"


class AgeBand(StrEnum):
    """The age as others see it; the birth date stays private."""

    UNDER_18 = "UNDER_18"
    FROM_18_TO_24 = "FROM_18_TO_24"
    FROM_25_TO_34 = "FROM_25_TO_34"
    FROM_35 = "FROM_35"


class Profile(Row):
    """One row an account.

    `slots` are hours of the local week, 0 to 167 from Monday 0:00, sorted. `schedule` is the same week in UTC, bit 0
    being Monday 0:00; it is made from the slots and the time zone for the week after `schedule_made_on`.
    """

    __tablename__ = "profiles"
    __table_args__ = (
        CheckConstraint("cardinality(languages) <= 20", name="languages_count"),
        Index("ix_profiles_zone", "time_zone", "schedule_made_on", postgresql_where=text("schedule IS NOT NULL")),
        Index("ix_profiles_avatar_id", "avatar_id", postgresql_where=text("avatar_id IS NOT NULL")),
        Index("ix_profiles_looking", "active_on", postgresql_where=text("is_looking_for_teammates")),
    )

    account_id: Mapped[uuid.UUID] = mapped_column(account_id_column(), primary_key=True)
    bio: Mapped[str | None] = mapped_column(default=None)
    birth_date: Mapped[date | None] = mapped_column(Date, default=None)
    country: Mapped[str | None] = mapped_column(default=None)
    region: Mapped[Region | None] = mapped_column(default=None)
    time_zone: Mapped[str | None] = mapped_column(default=None)
    languages: Mapped[list[str]] = mapped_column(Items(Text), default_factory=list)  # the first is the main one
    platforms: Mapped[list[Platform]] = mapped_column(platforms_type(), default_factory=list)
    genre_ids: Mapped[list[uuid.UUID]] = mapped_column(Items(UUID(as_uuid=True)), default_factory=list)
    genre_bits: Mapped[int] = mapped_column(BigInteger, default=0)  # bit n is the genre with number n
    play_style: Mapped[PlayStyle | None] = mapped_column(default=None)
    voice_chat: Mapped[VoiceChat | None] = mapped_column(default=None)
    slots: Mapped[list[int]] = mapped_column(Items(SmallInteger), default_factory=list)
    schedule: Mapped[str | None] = mapped_column(BIT(HOURS_A_WEEK), default=None)
    schedule_made_on: Mapped[date | None] = mapped_column(Date, default=None)
    is_looking_for_teammates: Mapped[bool] = mapped_column(default=True)
    reputation: Mapped[int | None] = mapped_column(Integer, default=None)  # thousandths; null before the first praise
    avatar_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("uploads.id"), default=None)
    praise_count: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    top_traits: Mapped[list[Trait]] = mapped_column(
        Items(Enum(Trait, native_enum=False, length=32)), default_factory=list, server_default=text("'{}'")
    )
    active_on: Mapped[date] = mapped_column(Date, server_default=text("CURRENT_DATE"), init=False)
    updated_at: Mapped[Moment] = mapped_column(server_default=text("now()"), init=False)


class PlayerGame(Row):
    """A game somebody plays. `rating` is one scale for all games, 0 to 3000; `role_bits` has bit n for position n."""

    __tablename__ = "player_games"
    __table_args__ = (
        CheckConstraint("rating BETWEEN 0 AND 3000", name="rating_range"),
        Index("ix_player_games_game_id_rating", "game_id", "rating"),
    )

    account_id: Mapped[uuid.UUID] = mapped_column(account_id_column(), primary_key=True)
    game_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("games.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger)  # the place in the player's own list
    rank_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("game_ranks.id", ondelete="SET NULL"), default=None)
    rating: Mapped[int] = mapped_column(SmallInteger, default=UNKNOWN_RATING)
    role_bits: Mapped[int] = mapped_column(Integer, default=0)
    is_favorite: Mapped[bool] = mapped_column(default=False)
