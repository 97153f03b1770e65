"""What the search reads instead of profiles: a row for each profile, game and language, kept in step by triggers."""

import uuid
from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, Date, Index, Integer, SmallInteger
from sqlalchemy.dialects.postgresql import BIT, UUID
from sqlalchemy.orm import Mapped, MappedAsDataclass, mapped_column

from gamebuddy.db.base import Row
from gamebuddy.db.profiles import HOURS_A_WEEK

# A cell is one number for game, language, region and play style: docs/decisions/0017-streams-with-bounds.md.
LANGUAGES, REGIONS, STYLES = 4096, 11, 4
SIGNATURE_BITS = 63
ENTERED_DAYS = 61  # since the last visit; a day more than anybody is listed, for clocks and midnights


class Language(Row):
    """A language that somebody speaks, by a small number; 0 stands for those who have told none.

    A trigger enters it; no sequence counts, for that loses a number with every transaction that is rolled back.
    """

    __tablename__ = "languages"
    __table_args__ = (CheckConstraint(f"number BETWEEN 1 AND {LANGUAGES - 1}", name="fits_a_cell"),)

    tag: Mapped[str] = mapped_column(primary_key=True)  # the first part: en for en-US, too
    number: Mapped[int] = mapped_column(SmallInteger, unique=True)


class SearchCell(Row):
    """A cell that anybody was ever entered under; most combinations are empty, and to look into each takes time."""

    __tablename__ = "search_cells"

    cell: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)


class Entry(MappedAsDataclass, kw_only=True, eq=False, repr=False):
    """A profile under one of its games (or under none, game number 0) and one of its languages (or none, number 0).

    `cell` is ((game * 4096 + language) * 11 + region) * 4 + style, where 0 stands for what is not told. The index reads
    a cell in the order of ratings, and holds whatever the score needs besides.
    """

    account_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True), primary_key=True)
    cell: Mapped[int] = mapped_column(Integer, primary_key=True)
    rating: Mapped[int] = mapped_column(SmallInteger)
    role_bits: Mapped[int] = mapped_column(Integer)
    voice: Mapped[int] = mapped_column(SmallInteger)  # place in VoiceChat from 1; 0 for what is not told
    platform_bits: Mapped[int] = mapped_column(SmallInteger)
    birth_date: Mapped[date | None] = mapped_column(Date)
    active_on: Mapped[date] = mapped_column(Date)
    reputation: Mapped[int | None] = mapped_column(SmallInteger)
    genre_bits: Mapped[int] = mapped_column(BigInteger)
    schedule: Mapped[str | None] = mapped_column(BIT(HOURS_A_WEEK))
    game_bits: Mapped[int] = mapped_column(BigInteger)  # bit n for a game of the profile whose number is n modulo 63


CARRIED = [
    "account_id", "role_bits", "voice", "platform_bits", "birth_date", "active_on", "reputation", "genre_bits",
    "schedule", "game_bits",
]  # fmt: skip


class SearchEntry(Entry, Row):
    """An entry of somebody who is looking. Who was not here for 61 days has none."""

    __tablename__ = "search_entries"
    __table_args__ = (Index("ix_search_entries_cell_rating", "cell", "rating", postgresql_include=CARRIED),)


class HereEntry(Entry, Row):
    """The same entry once more for whoever has a lease: a search for those who are here reads few others.

    Kept in step by triggers on leases and on what entries are made of; unlogged as leases are, for it goes with them.
    """

    __tablename__ = "search_entries_here"
    __table_args__ = (
        Index("ix_search_entries_here_cell_rating", "cell", "rating", postgresql_include=CARRIED),
        {"prefixes": ["UNLOGGED"]},
    )
