"""The catalogue: genres, games, their rank ladders and roles."""

import uuid
from enum import StrEnum

from sqlalchemy import Enum, Float, ForeignKey, Identity, Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, mapped_column

from gamebuddy.db.base import Id, Items, Moment, Row


class Platform(StrEnum):
    """Where a game is played."""

    PC = "PC"
    PLAYSTATION = "PLAYSTATION"
    XBOX = "XBOX"
    SWITCH = "SWITCH"
    MOBILE = "MOBILE"
    VR = "VR"


def platforms_type() -> Items:
    """Give the column type of a set of platforms."""
    return Items(Enum(Platform, native_enum=False, create_constraint=False, length=32))


class Genre(Row):
    """A kind of game. `number` is its bit in the sets that the search compares, 0 to 62, never reused.

    What an administrator has saved, at `saved_at`, is left alone by the catalogue of later releases.
    """

    __tablename__ = "genres"

    id: Mapped[Id]
    number: Mapped[int] = mapped_column(SmallInteger, unique=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name_en: Mapped[str]
    name_ru: Mapped[str]
    saved_at: Mapped[Moment | None] = mapped_column(default=None)


class Game(Row):
    """A game people look for teammates in. `player_count` is kept in step with player_games.

    `saved_at` as in a genre; it speaks for ranks and roles too.
    """

    __tablename__ = "games"
    __table_args__ = (Index("ix_games_genre_ids", "genre_ids", postgresql_using="gin"),)

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    genre_ids: Mapped[list[uuid.UUID]] = mapped_column(Items(UUID(as_uuid=True)))
    platforms: Mapped[list[Platform]] = mapped_column(platforms_type())
    is_cross_play: Mapped[bool] = mapped_column(default=False)
    player_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    number: Mapped[int] = mapped_column(SmallInteger, Identity(), unique=True, init=False)  # small: see db/search.py
    saved_at: Mapped[Moment | None] = mapped_column(default=None)


class FormerSlug(Row):
    """A short name that a game had before, or that a game had which was merged into it. It still finds the game."""

    __tablename__ = "former_slugs"
    __table_args__ = (Index("ix_former_slugs_game_id", "game_id"),)

    slug: Mapped[str] = mapped_column(primary_key=True)
    game_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("games.id", ondelete="CASCADE"))


class GameRank(Row):
    """A step of a game's ladder; `level` is 0 for the lowest and 1 for the highest, 0.5 for the only one."""

    __tablename__ = "game_ranks"
    __table_args__ = (Index("uq_game_ranks_game_id_position", "game_id", "position", unique=True),)

    id: Mapped[Id]
    game_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("games.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(SmallInteger)
    name: Mapped[str]
    level: Mapped[float] = mapped_column(Float)


class GameRole(Row):
    """What one can play in a game. `position` is its bit in the sets that the search compares, 0 to 30."""

    __tablename__ = "game_roles"
    __table_args__ = (
        Index("uq_game_roles_game_id_position", "game_id", "position", unique=True),
        Index("uq_game_roles_game_id_slug", "game_id", "slug", unique=True),
    )

    id: Mapped[Id]
    game_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("games.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(SmallInteger)
    slug: Mapped[str]
    name: Mapped[str]
