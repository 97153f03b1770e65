"""Which words are not said here: rules that the staff keeps, and the filter that every process has of them."""

import uuid
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from gamebuddy import db, text, words
from gamebuddy.auth import policy
from gamebuddy.auth.policy import Right
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import AuditAction, Database, ReadSession, WordEffect, WordMatch, WriteSession
from gamebuddy.errors import Code, reject
from gamebuddy.resolvers import audit
from gamebuddy.resolvers.following import Followed
from gamebuddy.words import Match, Matcher

LONGEST_PHRASE = 50
LONGEST_REASON = 500
LONGEST_TEST = 4_000
MOST_RULES = 5_000
NOT_SAID = "This contains words that are not said here."


class Rule(NamedTuple):
    """What is to be done about a phrase."""

    id: uuid.UUID
    effect: WordEffect
    phrase: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Flagged:
    """A text that the staff is to look at, the phrases that say so, and the message that it stands in, if it does."""

    text: str
    phrases: Sequence[str]
    message: db.Message | None


type TellStaff = Callable[[WriteSession, Viewer, Flagged], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Tried:
    """What would become of a text: what was found, from left to right, and what others would read; None: nothing."""

    matches: Sequence[Match[Rule]]
    shown: str | None


class WordFilter(Followed):
    """The rules in the memory of a process, which follows every change within a second or two."""

    name = "words"

    def __init__(self, database: Database, tell_staff: TellStaff) -> None:
        super().__init__(database)
        self._tell_staff = tell_staff
        self._matcher: Matcher[Rule] = Matcher()
        self._flags: Matcher[Rule] = Matcher()

    async def read(self, session: ReadSession) -> None:
        """Take the rules into memory."""
        rules = await all_rules(session)
        self._matcher = _matcher(rules)
        self._flags = _matcher([rule for rule in rules if rule.effect is WordEffect.FLAG])

    def clean(self, value: str, *field: str | int) -> str:
        """Give a text with masks over what the rules mask.

        Raises:
            Rejected: NOT_ALLOWED for what they block.
        """
        tried = self.try_out(value)
        if tried.shown is None:
            raise reject(Code.NOT_ALLOWED, NOT_SAID, *field)
        return tried.shown

    def refuse(self, value: str, *field: str | int) -> None:
        """Let a name through in which there is nothing to block or to mask: it cannot have masks.

        Raises:
            Rejected: NOT_ALLOWED.
        """
        if self.try_out(value).shown != value:
            raise reject(Code.NOT_ALLOWED, NOT_SAID, *field)

    async def flag(
        self, session: WriteSession, viewer: Viewer, *values: str | None, message: db.Message | None = None
    ) -> None:
        """Report what the viewer has just stored where rules flag it, in the same transaction; he learns nothing."""
        for value in values:
            if value and (matches := self._flags.find(value)):
                phrases = list(dict.fromkeys(match.rule.phrase for match in matches))
                await self._tell_staff(session, viewer, Flagged(text=value, phrases=phrases, message=message))

    def try_out(self, value: str) -> Tried:
        """Tell what would become of a text."""
        matches = self._matcher.find(value)
        if any(match.rule.effect is WordEffect.BLOCK for match in matches):
            return Tried(matches, None)
        masks = [match for match in matches if match.rule.effect is WordEffect.MASK]
        return Tried(matches, words.masked(value, masks) if masks else value)


async def all_rules(session: ReadSession) -> Sequence[db.WordRule]:
    """Give every rule, in the order of phrases."""
    rules: Sequence[db.WordRule] = (
        await session.scalars(select(db.WordRule).order_by(db.WordRule.phrase, db.WordRule.id))
    ).all()
    return rules


async def by_ids(
    session: ReadSession, viewer: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, db.WordRule]:
    """Load rules, for the staff alone."""
    if not policy.decide(viewer, Right.MODERATE).is_allowed:
        return {}
    rows = await session.scalars(select(db.WordRule).where(db.is_one_of(db.WordRule.id, ids)))
    return {row.id: row for row in rows}


async def save_rule(
    session: WriteSession, viewer: Viewer, *, phrase: str, effect: WordEffect, match: WordMatch, reason: str
) -> db.WordRule:
    """Add a rule, or change the one that means the same word; every node follows within seconds.

    Raises:
        Rejected: TOO_SHORT, TOO_LONG for phrase and reason; INVALID for a phrase without two letters; LIMIT_REACHED
            above 5,000 rules.
    """
    reason = text.checked(reason, "reason", longest=LONGEST_REASON)
    phrase = " ".join(text.checked(phrase, "phrase", longest=LONGEST_PHRASE).split())
    reading = words.reading_of(phrase)
    if len(reading.replace(" ", "")) < 2:  # noqa: PLR2004 - one letter would mask everything
        raise reject(Code.INVALID, "A rule needs two letters at least.", "phrase")
    await WordFilter.change(session)
    row = db.WordRule
    if await session.scalar(select(func.count()).select_from(row)) >= MOST_RULES:
        raise reject(Code.LIMIT_REACHED, f"There are at most {MOST_RULES:,} rules.")
    before = await session.scalar(select(row).where(row.reading == reading))
    detail = {"effect": effect.value, "match": match.value}
    rule: db.WordRule = (
        await session.scalars(
            insert(row)
            .values(id=db.new_id(), phrase=phrase, reading=reading, effect=effect, match=match)
            .on_conflict_do_update(
                index_elements=["reading"], set_={"phrase": phrase, "effect": effect, "match": match}
            )
            .returning(row),
        )
    ).one()
    await audit.record(
        session,
        AuditAction.SAVE_WORD_RULE,
        actor_id=viewer.account_id,
        reason=reason,
        phrase=phrase,
        before={"effect": before.effect.value, "match": before.match.value} if before else {},
        after=detail,
    )
    if before is not None:
        await session.refresh(rule)
    return rule


async def delete_rule(session: WriteSession, viewer: Viewer, *, rule_id: uuid.UUID, reason: str) -> None:
    """Take a rule away; what it has masked stays masked.

    Raises:
        Rejected: NOT_FOUND; TOO_SHORT, TOO_LONG for the reason.
    """
    reason = text.checked(reason, "reason", longest=LONGEST_REASON)
    await WordFilter.change(session)
    rule = await session.get(db.WordRule, rule_id)
    if rule is None:
        raise reject(Code.NOT_FOUND, "There is no such rule.", "rule_id")
    await session.delete(rule)
    await session.flush()
    await audit.record(
        session, AuditAction.DELETE_WORD_RULE, actor_id=viewer.account_id, reason=reason, phrase=rule.phrase
    )


def _matcher(rules: Sequence[db.WordRule]) -> Matcher[Rule]:
    return Matcher(
        (Rule(rule.id, rule.effect, rule.phrase), rule.phrase, rule.match is WordMatch.WHOLE_WORDS) for rule in rules
    )
