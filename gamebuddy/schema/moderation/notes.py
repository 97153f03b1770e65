"""What the staff writes down about accounts."""

from typing import Annotated

import strawberry

from gamebuddy import db
from gamebuddy.auth.policy import Right
from gamebuddy.resolvers import account_notes
from gamebuddy.schema import ids
from gamebuddy.schema.context import Info
from gamebuddy.schema.describe import field
from gamebuddy.schema.errors import UserError
from gamebuddy.schema.fields import Reading, Writing, mutation, query
from gamebuddy.schema.ids import Kind
from gamebuddy.schema.players import User, known_user
from gamebuddy.schema.scalars import Moment


@strawberry.type(
    description="What one of the staff has written down about an account. Seen by moderators and administrators; never "
    "by the one whom it is about, and by moderators not about the staff."
)
class AccountNote:
    """See the description."""

    text: str = strawberry.field(description="1 to 1,000 code points.")
    at: Moment = strawberry.field(description="When it was written.")
    row: strawberry.Private[db.AccountNote]

    @classmethod
    def of(cls, row: db.AccountNote) -> "AccountNote":
        """Show a row."""
        return cls(text=row.text, at=Moment(row.created_at), row=row)

    @field
    async def author(self, info: Info) -> User | None:
        """Who wrote it; null once that account is erased."""
        return await known_user(info, self.row.author_id)


@strawberry.input(description="A note about an account.")
class AddAccountNoteInput:
    """See the description."""

    user_id: strawberry.ID = strawberry.field(description="About whom.")
    text: str = strawberry.field(description="1 to 1,000 code points; the staff alone reads it.")


@strawberry.type(description="A note after it was written.")
class AccountNotePayload:
    """See the description."""

    note: AccountNote | None = strawberry.field(description="Null when nothing was written.", default=None)
    user_errors: list[UserError] = strawberry.field(
        description="What to mend; empty exactly on success.", default_factory=list
    )


@strawberry.type
class AccountNoteQueries:
    """Root fields of the staff that read notes."""

    @query(Right.MODERATE)
    async def account_notes(
        self, door: Reading, user_id: Annotated[strawberry.ID, strawberry.argument(description="About whom.")]
    ) -> list[AccountNote]:
        """What the staff has written down about an account, the newest first, at most 50; none about oneself.

        Moderators see what is about players; administrators see what is about the staff, too.
        """
        account_id = ids.read(Kind.USER, user_id)
        found = await account_notes.by_account_ids(door.session, door.viewer, [account_id])
        return [AccountNote.of(row) for row in found.get(account_id, ())]


@strawberry.type
class AccountNoteMutations:
    """Root fields of the staff that write notes. Each is written to the audit log."""

    @mutation(Right.MODERATE)
    async def add_account_note(self, door: Writing, input: AddAccountNoteInput) -> AccountNotePayload:
        """Write down something about an account, for the staff; it goes with the account, and each call adds one.

        Nobody writes about himself or about one of the same or a higher role.
        """
        row = await account_notes.add(
            door.session, door.viewer, user_id=ids.read(Kind.USER, input.user_id), content=input.text
        )
        return AccountNotePayload(note=AccountNote.of(row))
