"""Finds messages by their words, Russian and English, among those that the viewer may see."""

import uuid
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Integer, Text, and_, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import REGCONFIG

from gamebuddy import db
from gamebuddy import text as texts
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import ReadSession
from gamebuddy.errors import BadInput
from gamebuddy.resolvers.paging import Page

LONGEST_SEARCH = 200
MOST_RANKED = 1_000  # of the newest messages that match; older ones are found by more words
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Match:
    """A message in a list of those that were found: how well it fits, the best first, then the newest."""

    rank: int
    message_id: uuid.UUID


async def search_messages(
    session: ReadSession,
    viewer: Viewer,
    *,
    text: str,
    chat_id: uuid.UUID | None,
    author_id: uuid.UUID | None,
    limit: int,
    after: Match | None,
) -> Page[Match]:
    """List messages that have all the words of a text, in any of their forms, the best first.

    "Words in quotes" stand together, `or` lets one of two do, and a minus keeps a word out; whatever else somebody
    types is words. How well a message fits is PostgreSQL's `ts_rank_cd`, divided by the length of the message.

    Raises:
        BadInput: for over 200 characters, NUL and lone surrogates.
    """
    texts.require_text(text)
    if len(text) > LONGEST_SEARCH:
        raise BadInput(f"`text` has at most {LONGEST_SEARCH} characters.")
    own, message, hidden = db.ChatMember, db.Message, db.HiddenMessage
    sought = _sought(text)
    is_hidden = (
        select(hidden.message_id)
        .where(hidden.message_id == message.id, hidden.account_id == viewer.account_id)
        .exists()
    )
    found = (
        select(message.id, message.text)
        .join(own, and_(own.chat_id == message.chat_id, own.account_id == viewer.account_id))
        .where(message.number > own.hidden_count, func.message_words(message.text).op("@@")(sought), ~is_hidden)
        .order_by(message.id.desc())
        .limit(MOST_RANKED)
    )
    if chat_id is not None:
        found = found.where(message.chat_id == chat_id)
    if author_id is not None:
        found = found.where(message.author_id == author_id)
    newest = found.subquery()
    by_length = 2  # of the ways in which ts_rank_cd takes the length of a text into account
    rank = func.ts_rank_cd(func.message_words(newest.c.text), sought, by_length) * MILLION
    ranked = select(cast(rank, Integer).label("rank"), newest.c.id).subquery()
    statement = select(ranked.c.rank, ranked.c.id).order_by(ranked.c.rank.desc(), ranked.c.id.desc()).limit(limit + 1)
    if after is not None:
        is_equal_and_older = (ranked.c.rank == after.rank) & (ranked.c.id < after.message_id)
        statement = statement.where(or_(ranked.c.rank < after.rank, is_equal_and_older))
    rows = [Match(*row) for row in await session.execute(statement)]
    return Page.of(rows, limit, has_previous=after is not None)


def _sought(text: str) -> ColumnElement[str]:
    """Read the words in both languages; a message fits that has them in either."""
    in_russian, in_english = (
        func.websearch_to_tsquery(cast(literal(language), REGCONFIG), literal(text, Text))
        for language in ("russian", "english")
    )
    return in_russian.op("||")(in_english)
