"""Words that are not said here."""

import uuid
from typing import Annotated

import strawberry

from gamebuddy import db
from gamebuddy.auth.policy import Right
from gamebuddy.errors import BadInput
from gamebuddy.resolvers import wording
from gamebuddy.schema import ids
from gamebuddy.schema.describe import describe_enum
from gamebuddy.schema.errors import UserError
from gamebuddy.schema.fields import Reading, Writing, mutation, query
from gamebuddy.schema.ids import Kind
from gamebuddy.schema.node import Node
from gamebuddy.schema.scalars import Moment

describe_enum(
    db.WordEffect,
    "What becomes of a text with a word that is not said here.",
    BLOCK="It is refused, and its author is told so.",
    MASK="The word is masked by stars before anything is stored; in a user name it is refused.",
    FLAG="It passes, and the staff finds a report of it in its queue; its author is not told.",
)
describe_enum(
    db.WordMatch,
    "Where a word is found.",
    WHOLE_WORDS="Only between the ends of words, so that harmless words may contain it.",
    ANYWHERE="Also within longer words.",
)


@strawberry.type(description="A word or phrase that is not said here. Seen by the staff.")
class WordRule(Node):
    """See the description."""

    phrase: str = strawberry.field(description="As it was written down.")
    effect: db.WordEffect = strawberry.field(description="What becomes of a text with it.")
    match: db.WordMatch = strawberry.field(description="Where it is found.")
    created_at: Moment = strawberry.field(description="Since when.")

    @classmethod
    def of(cls, row: db.WordRule) -> "WordRule":
        """Show a row."""
        return cls(
            id=ids.write(Kind.WORD_RULE, row.id),
            phrase=row.phrase,
            effect=row.effect,
            match=row.match,
            created_at=Moment(row.created_at),
        )


@strawberry.type(description="A place where a rule was found in a text. Seen by the staff.")
class WordFinding:
    """See the description."""

    rule_id: strawberry.ID = strawberry.field(description="Which rule.")
    effect: db.WordEffect = strawberry.field(description="What it does.")
    found: str = strawberry.field(description="What it found, as it is written in the text.")
    start: int = strawberry.field(description="Where, in code points from 0.")


@strawberry.type(description="What the rules would make of a text. Seen by the staff.")
class PhraseTest:
    """See the description."""

    shown: str | None = strawberry.field(description="What others would read; null when the text would be refused.")
    findings: list[WordFinding] = strawberry.field(description="What was found, from left to right.")


@strawberry.input(description="A word or phrase that is not to be said here.")
class SaveWordRuleInput:
    """See the description."""

    phrase: str = strawberry.field(
        description="1 to 50 characters with two letters at least. A rule for the same word in another spelling is"
        " changed by it."
    )
    effect: db.WordEffect = strawberry.field(description="What becomes of a text with it.")
    match: db.WordMatch = strawberry.field(description="Where it is found.")
    reason: str = strawberry.field(description="Why, 1 to 500 characters; written to the audit log.")


@strawberry.input(description="A rule that goes.")
class DeleteWordRuleInput:
    """See the description."""

    rule_id: strawberry.ID = strawberry.field(description="Which rule.")
    reason: str = strawberry.field(description="Why, 1 to 500 characters; written to the audit log.")


@strawberry.type(description="A rule after the change. Seen by the staff.")
class WordRulePayload:
    """See the description."""

    rule: WordRule | None = strawberry.field(description="Null when nothing was changed, or it is gone.", default=None)
    user_errors: list[UserError] = strawberry.field(
        description="What to mend; empty exactly on success.", default_factory=list
    )


@strawberry.type
class WordingQueries:
    """Root fields of the staff that read rules."""

    @query(Right.MODERATE)
    async def word_rules(self, door: Reading) -> list[WordRule]:
        """Every word that is not said here, in the order of phrases; at most 5,000. None is there at first."""
        return [WordRule.of(row) for row in await wording.all_rules(door.session)]

    @query(Right.MODERATE)
    async def test_phrase(
        self, door: Reading, text: Annotated[str, strawberry.argument(description="Any text, up to 4,000 characters.")]
    ) -> PhraseTest:
        """What the rules would make of a text, by the very filter that messages and profiles go through."""
        if len(text) > wording.LONGEST_TEST:
            raise BadInput(f"`text` has at most {wording.LONGEST_TEST} characters.")
        tried = door.services.words.try_out(text)
        return PhraseTest(
            shown=tried.shown,
            findings=[
                WordFinding(
                    rule_id=ids.write(Kind.WORD_RULE, match.rule.id),
                    effect=match.rule.effect,
                    found=text[match.start : match.end],
                    start=match.start,
                )
                for match in tried.matches
            ],
        )


@strawberry.type
class WordingMutations:
    """Root fields of administrators that change rules. Each is written to the audit log."""

    @mutation(Right.ADMINISTER)
    async def save_word_rule(self, door: Writing, input: SaveWordRuleInput) -> WordRulePayload:
        """Add a word that is not to be said here, or change its rule; every node follows within seconds.

        Case, look-alike letters and digits, invisible characters, repeated letters and separators do not hide it.
        Messages, names and texts of profiles, titles of groups and teammate requests are held against it when they are
        written; what stands there already stays.
        """
        row = await wording.save_rule(
            door.session,
            door.viewer,
            phrase=input.phrase,
            effect=input.effect,
            match=input.match,
            reason=input.reason,
        )
        return WordRulePayload(rule=WordRule.of(row))

    @mutation(Right.ADMINISTER)
    async def delete_word_rule(self, door: Writing, input: DeleteWordRuleInput) -> WordRulePayload:
        """Take a rule away; what it has masked stays masked."""
        rule_id: uuid.UUID = ids.read(Kind.WORD_RULE, input.rule_id)
        await wording.delete_rule(door.session, door.viewer, rule_id=rule_id, reason=input.reason)
        return WordRulePayload()
