"""Words that are not said here, as the staff has written them down."""

import uuid
from enum import StrEnum

from sqlalchemy.orm import Mapped, mapped_column

from gamebuddy.db.base import CreatedAt, Id, Row, new_id


class WordEffect(StrEnum):
    """What becomes of a text with such a word."""

    BLOCK = "BLOCK"
    MASK = "MASK"
    FLAG = "FLAG"


class WordMatch(StrEnum):
    """Where such a word is found."""

    WHOLE_WORDS = "WHOLE_WORDS"
    ANYWHERE = "ANYWHERE"


class WordRule(Row):
    """A word or a phrase. `reading` is how it reads under every disguise: no two rules mean the same."""

    __tablename__ = "word_rules"

    id: Mapped[Id] = mapped_column(default_factory=new_id)
    phrase: Mapped[str]
    reading: Mapped[str] = mapped_column(unique=True)
    effect: Mapped[WordEffect]
    match: Mapped[WordMatch]
    created_at: Mapped[CreatedAt] = mapped_column(init=False)


class RulesVersion(Row):
    """Changed with rules that every process keeps in memory; who sees another version reads them again."""

    __tablename__ = "rules_versions"

    name: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[uuid.UUID]
