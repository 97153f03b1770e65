"""Accounts as the staff sees them, and what it does with them."""

import json
import uuid
from typing import Annotated

import strawberry

from gamebuddy import db
from gamebuddy.auth import policy
from gamebuddy.auth.policy import Right
from gamebuddy.resolvers import administration, audit
from gamebuddy.resolvers.administration import Wanted
from gamebuddy.schema import ids
from gamebuddy.schema.context import Context, Info
from gamebuddy.schema.describe import field
from gamebuddy.schema.fields import Reading, Writing, mutation, query
from gamebuddy.schema.ids import Kind
from gamebuddy.schema.moderation import AccountNote, Sanction
from gamebuddy.schema.node import Node
from gamebuddy.schema.paging import PageInfo, page_size
from gamebuddy.schema.players import User, known_user
from gamebuddy.schema.scalars import Cursor, EmailAddress, Moment
from gamebuddy.schema.teammates import After, First, UserPayload
from gamebuddy.schema.viewer import Session


@strawberry.type(description="A player as administrators see him. Each look is written to the audit log.")
class Account(Node):
    """See the description."""

    email: EmailAddress | None = strawberry.field(description="The address, proved or not; null for guests.")
    status: db.AccountStatus = strawberry.field(description="Whether the account can be used.")
    role: db.Role = strawberry.field(description="What it may do.")
    created_at: Moment = strawberry.field(description="When it was made.")
    last_seen_at: Moment | None = strawberry.field(description="When it last signed in or renewed a session.")
    row: strawberry.Private[db.Account]

    @classmethod
    def of(cls, row: db.Account) -> "Account":
        """Show a row."""
        return cls(
            id=ids.write(Kind.ACCOUNT, row.id),
            email=EmailAddress(row.email) if row.email is not None else None,
            status=row.status,
            role=row.role,
            created_at=Moment(row.created_at),
            last_seen_at=Moment(row.last_seen_at) if row.last_seen_at else None,
            row=row,
        )

    @field
    def user(self) -> User:
        """What everybody sees of him."""
        return User.of(self.row)

    @field
    async def sanctions(self, info: Info) -> list[Sanction]:
        """What was taken from the account, the newest first; also what is over."""
        rows = await info.context.loaders.sanctions_of.load(self.row.id)
        return [Sanction.of(row) for row in rows or ()]

    @field
    async def notes(self, info: Info) -> list[AccountNote]:
        """What the staff has written down about the account, the newest first, at most 50; none about your own."""
        rows = await info.context.loaders.account_notes_of.load(self.row.id)
        return [AccountNote.of(row) for row in rows or ()]

    @field
    async def sessions(self, info: Info) -> list[Session]:
        """Where the account is signed in, the most recently used first; at most 20."""
        rows = await info.context.loaders.sessions_of.load(self.row.id)
        return [Session.of(row) for row in rows or ()]


@strawberry.type(description="An account and its place in a list.")
class AccountEdge:
    """See the description."""

    node: Account = strawberry.field(description="The account.")
    cursor: Cursor = strawberry.field(description="Its place.")


@strawberry.type(description="A page of accounts, the newest first.")
class AccountConnection:
    """See the description."""

    edges: list[AccountEdge] = strawberry.field(description="Accounts with their places.")
    nodes: list[Account] = strawberry.field(description="The accounts alone.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")


@strawberry.type(
    description="One act that was written down: who did what to whom, and why. "
    "Seen by administrators, and by the one who did it."
)
class AuditEntry(Node):
    """See the description."""

    action: str = strawberry.field(description="What was done, such as SET_ROLE. New values may come.")
    reason: str | None = strawberry.field(description="Why, where the act asks for a reason.")
    detail: str = strawberry.field(description="What changed, as a JSON object.")
    at: Moment = strawberry.field(description="When.")
    row: strawberry.Private[db.AuditEntry]

    @classmethod
    def of(cls, row: db.AuditEntry) -> "AuditEntry":
        """Show a row."""
        return cls(
            id=ids.write(Kind.AUDIT_ENTRY, row.id),
            action=row.action.value,
            reason=row.reason,
            detail=json.dumps(row.detail, ensure_ascii=False, sort_keys=True),
            at=Moment(row.at),
            row=row,
        )

    @field
    async def actor(self, info: Info) -> User | None:
        """Who did it; null for the server itself."""
        return await known_user(info, self.row.actor_id)

    @field
    async def target(self, info: Info) -> User | None:
        """To whom; null where it was nobody in particular."""
        return await known_user(info, self.row.target_id)


@strawberry.type(description="An entry and its place in the log.")
class AuditEdge:
    """See the description."""

    node: AuditEntry = strawberry.field(description="The entry.")
    cursor: Cursor = strawberry.field(description="Its place.")


@strawberry.type(description="A page of the audit log, the newest first.")
class AuditConnection:
    """See the description."""

    edges: list[AuditEdge] = strawberry.field(description="Entries with their places.")
    nodes: list[AuditEntry] = strawberry.field(description="The entries alone.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")


@strawberry.input(description="A role for somebody.")
class SetUserRoleInput:
    """See the description."""

    user_id: strawberry.ID = strawberry.field(description="Whose role.")
    role: db.Role = strawberry.field(description="USER, MODERATOR or ADMIN; nobody is made a guest.")
    reason: str = strawberry.field(description="Why, 1 to 500 characters; written to the audit log.")


@strawberry.input(description="An account that somebody else will use.")
class CreateUserInput:
    """See the description."""

    email: EmailAddress = strawberry.field(description="It counts as confirmed; a letter goes there.")
    username: str = strawberry.field(description="`[a-z0-9_]{3,32}` in any case; reserved names are allowed.")
    password: str = strawberry.field(description="8 to 128 characters; its owner chooses another one by resetPassword.")
    role: db.Role = strawberry.field(description="USER, MODERATOR or ADMIN.")


async def account_node(context: Context, account_id: uuid.UUID) -> Account | None:
    """Show one account to an administrator, and write down that he looked; null for everybody else."""
    viewer = context.viewer
    if viewer is None or not policy.decide(viewer, Right.ADMINISTER).is_allowed:
        return None
    async with context.services.database.write() as session:
        await administration.look(session, viewer, account_id=account_id)
    row = await context.loaders.staff_views.load(account_id)
    return Account.of(row) if row else None


@strawberry.type
class AdministrationQueries:
    """Root fields of the staff that read."""

    @query(Right.ADMINISTER)
    async def accounts(
        self,
        door: Reading,
        search: Annotated[
            str | None, strawberry.argument(description="Part of a user name, a display name or an address.")
        ] = None,
        role: Annotated[db.Role | None, strawberry.argument(description="Of this role alone.")] = None,
        status: Annotated[db.AccountStatus | None, strawberry.argument(description="In this state alone.")] = None,
        first: First = 20,
        after: After = None,
    ) -> AccountConnection:
        """Accounts, the newest first, also guests and those that are banned, deleted or not confirmed.

        Each look is written to the audit log before anything is shown.
        """
        wanted = Wanted(search=search, role=role, status=status)
        cursors, scope = door.services.cursors, f"accounts:{wanted}:{door.viewer.account_id}"
        limit = page_size(first)
        place = uuid.UUID(cursors.read(scope, after)[0]) if after is not None else None
        # A connection beside the snapshot's: what is seen has to be written down even if nothing else is.
        async with door.services.database.write() as session:
            await administration.look(session, door.viewer, search=search, role=role, status=status)
        page = await administration.find_accounts(door.session, door.viewer, wanted, after=place, limit=limit)
        edges = [AccountEdge(node=Account.of(row), cursor=cursors.write(scope, str(row.id))) for row in page.items]
        return AccountConnection(
            edges=edges,
            nodes=[edge.node for edge in edges],
            page_info=PageInfo.over(
                [edge.cursor for edge in edges], has_next=page.has_next, has_previous=page.has_previous
            ),
        )

    @query(Right.READ_AUDIT_LOG)
    async def audit_log(
        self,
        door: Reading,
        actor_id: Annotated[strawberry.ID | None, strawberry.argument(description="What this user did.")] = None,
        target_id: Annotated[strawberry.ID | None, strawberry.argument(description="What was done to him.")] = None,
        first: First = 20,
        after: After = None,
    ) -> AuditConnection:
        """What was written down, the newest first: all of it for administrators, one's own acts for everybody else."""
        actor = ids.read(Kind.USER, actor_id) if actor_id is not None else None
        target = ids.read(Kind.USER, target_id) if target_id is not None else None
        cursors, scope = door.services.cursors, f"auditLog:{actor}:{target}:{door.viewer.account_id}"
        page = await audit.find(
            door.session,
            door.viewer,
            actor_id=actor,
            target_id=target,
            after=cursors.read(scope, after)[0] if after is not None else None,
            limit=page_size(first),
        )
        edges = [AuditEdge(node=AuditEntry.of(row), cursor=cursors.write(scope, row.number)) for row in page.items]
        return AuditConnection(
            edges=edges,
            nodes=[edge.node for edge in edges],
            page_info=PageInfo.over(
                [edge.cursor for edge in edges], has_next=page.has_next, has_previous=page.has_previous
            ),
        )


@strawberry.type
class AdministrationMutations:
    """Root fields of the staff that change something. Each is written to the audit log."""

    @mutation(Right.ADMINISTER)
    async def set_user_role(self, door: Writing, input: SetUserRoleInput) -> UserPayload:
        """Give somebody another role, from the next operation on. The last administrator stays one."""
        account = await administration.set_role(
            door.session,
            door.viewer,
            user_id=ids.read(Kind.USER, input.user_id),
            role=input.role,
            reason=input.reason,
        )
        return UserPayload(user=User.of(account))

    @mutation(Right.ADMINISTER)
    async def create_user(self, door: Writing, input: CreateUserInput) -> UserPayload:
        """Make an account that can be used at once; a letter tells its owner."""
        account = await administration.create_user(
            door.session,
            door.services.gate,
            door.viewer,
            username=input.username,
            email=input.email,
            password=input.password,
            role=input.role,
        )
        return UserPayload(user=User.of(account))
