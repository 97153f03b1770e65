"""Sanctions, and appeals against them."""

import uuid
from typing import Annotated, cast

import strawberry

from gamebuddy import db
from gamebuddy.auth import policy
from gamebuddy.auth.policy import Right
from gamebuddy.resolvers import appeals, sanctions
from gamebuddy.resolvers.accounts import Device
from gamebuddy.schema import ids
from gamebuddy.schema.context import Info
from gamebuddy.schema.describe import describe_enum, field
from gamebuddy.schema.errors import DonePayload, UserError
from gamebuddy.schema.fields import Reading, Writing, mutation, query
from gamebuddy.schema.ids import Kind
from gamebuddy.schema.moderation.reports import Report
from gamebuddy.schema.node import Node
from gamebuddy.schema.paging import PageInfo, page_size
from gamebuddy.schema.players import User, known_user
from gamebuddy.schema.scalars import Cursor, Moment
from gamebuddy.schema.teammates import After, First

describe_enum(
    db.SanctionKind,
    "What is taken from an account.",
    MUTE="Writing: messages, requests, groups, and words of the profile.",
    BAN="Everything: all sessions end, and nobody signs in.",
)
describe_enum(
    db.AppealStatus,
    "What has become of an appeal.",
    OPEN="Nobody has answered yet.",
    ACCEPTED="The sanction was lifted.",
    DECLINED="The sanction stayed.",
)


@strawberry.type(description="Somebody asks for another look at his sanction. Seen by him and by the staff.")
class Appeal(Node):
    """See the description."""

    text: str = strawberry.field(description="What he says, at most 1,000 characters.")
    status: db.AppealStatus = strawberry.field(description="What has become of it.")
    answer: str | None = strawberry.field(description="What he was told; null before.")
    created_at: Moment = strawberry.field(description="When it was made.")
    answered_at: Moment | None = strawberry.field(description="When it was answered; null before.")
    row: strawberry.Private[db.Appeal]

    @classmethod
    def of(cls, row: db.Appeal) -> "Appeal":
        """Show a row."""
        return cls(
            id=ids.write(Kind.APPEAL, row.id),
            text=row.text,
            status=row.status,
            answer=row.answer,
            created_at=Moment(row.created_at),
            answered_at=Moment(row.answered_at) if row.answered_at else None,
            row=row,
        )

    @field
    async def sanction(self, info: Info) -> "Sanction":
        """What it is against."""
        return Sanction.of(cast("db.Sanction", await info.context.loaders.sanctions.load(self.row.sanction_id)))

    @field
    async def answered_by(self, info: Info) -> User | None:
        """Who answered. For the staff."""
        return await known_user(info, self.row.answered_by_id) if is_staff(info) else None


@strawberry.type(
    description="Something taken from an account, for a while or for ever. Seen by the staff and by the account itself."
)
class Sanction(Node):
    """See the description."""

    kind: db.SanctionKind = strawberry.field(description="What is taken.")
    reason: str = strawberry.field(description="Why; the account's owner reads it too.")
    created_at: Moment = strawberry.field(description="Since when.")
    until: Moment | None = strawberry.field(description="Until when; null for ever.")
    lifted_at: Moment | None = strawberry.field(description="When it was taken back or replaced; null while it holds.")
    row: strawberry.Private[db.Sanction]

    @classmethod
    def of(cls, row: db.Sanction) -> "Sanction":
        """Show a row."""
        return cls(
            id=ids.write(Kind.SANCTION, row.id),
            kind=row.kind,
            reason=row.reason,
            created_at=Moment(row.created_at),
            until=Moment(row.until) if row.until else None,
            lifted_at=Moment(row.lifted_at) if row.lifted_at else None,
            row=row,
        )

    @field
    async def user(self, info: Info) -> User:
        """Whose account it is."""
        return await known_user(info, self.row.account_id) or User.nobody()

    @field
    async def by(self, info: Info) -> User | None:
        """Who imposed it. For the staff."""
        return await known_user(info, self.row.by_id) if is_staff(info) else None

    @field
    async def report(self, info: Info) -> Report | None:
        """The report that it rests on. For those of the staff who handle it; null where none was named."""
        if self.row.report_id is None or not is_staff(info):
            return None
        row = await info.context.loaders.reports.load(self.row.report_id)
        return Report.of(row) if row else None

    @field
    async def appeal(self, info: Info) -> Appeal | None:
        """What its owner says against it; null where he says nothing."""
        row = await info.context.loaders.appeals_of.load(self.row.id)
        return Appeal.of(row) if row else None


@strawberry.type(description="An appeal and its place in a list.")
class AppealEdge:
    """See the description."""

    node: Appeal = strawberry.field(description="The appeal.")
    cursor: Cursor = strawberry.field(description="Its place.")


@strawberry.type(description="A page of appeals.")
class AppealConnection:
    """See the description."""

    edges: list[AppealEdge] = strawberry.field(description="Appeals with their places.")
    nodes: list[Appeal] = strawberry.field(description="The appeals alone.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")


@strawberry.input(description="What is taken from somebody, and why.")
class SanctionUserInput:
    """See the description."""

    user_id: strawberry.ID = strawberry.field(description="From whom.")
    kind: db.SanctionKind = strawberry.field(description="What.")
    reason: str = strawberry.field(description="Why, 1 to 500 characters. The account's owner reads it.")
    until: strawberry.Maybe[Moment | None] = strawberry.field(
        description="Until when; null for ever. A moderator bans for at most 30 days.", default=None
    )
    report_id: strawberry.ID | None = strawberry.field(
        description="A report about him that it rests on; one that waits becomes ACTIONED with the same reason.",
        default=None,
    )


@strawberry.input(description="What is given back to somebody, and why.")
class LiftSanctionInput:
    """See the description."""

    user_id: strawberry.ID = strawberry.field(description="To whom.")
    kind: db.SanctionKind = strawberry.field(description="What.")
    reason: str = strawberry.field(description="Why, 1 to 500 characters; written to the audit log.")


@strawberry.input(description="Why a ban is not right. The password shows whose it is, for a ban ends all sessions.")
class AppealBanInput:
    """See the description."""

    login: str = strawberry.field(description="User name or e-mail address, in any case.")
    password: str = strawberry.field(description="The password. A try counts as one to sign in.")
    text: str = strawberry.field(description="What the staff should know, 1 to 1,000 characters.")


@strawberry.input(description="Why a mute is not right.")
class AppealMuteInput:
    """See the description."""

    text: str = strawberry.field(description="What the staff should know, 1 to 1,000 characters.")


@strawberry.input(description="What an appeal is answered.")
class AnswerAppealInput:
    """See the description."""

    appeal_id: strawberry.ID = strawberry.field(description="An open appeal against what somebody else imposed.")
    is_accepted: bool = strawberry.field(description="Whether the sanction is lifted.")
    answer: str = strawberry.field(description="Why, 1 to 1,000 characters. The account's owner gets it by letter.")


@strawberry.type(description="A sanction after the change.")
class SanctionPayload:
    """See the description."""

    sanction: Sanction | None = strawberry.field(description="Null when nothing was changed.", default=None)
    user_errors: list[UserError] = strawberry.field(
        description="What to mend; empty exactly on success.", default_factory=list
    )


@strawberry.type(description="An appeal after the change.")
class AppealPayload:
    """See the description."""

    appeal: Appeal | None = strawberry.field(description="Null when nothing was changed.", default=None)
    user_errors: list[UserError] = strawberry.field(
        description="What to mend; empty exactly on success.", default_factory=list
    )


def is_staff(info: Info) -> bool:
    """Tell whether the viewer is shown who of the staff did what."""
    return policy.decide(info.context.viewer, Right.MODERATE).is_allowed


@strawberry.type
class SanctionQueries:
    """Root fields that read appeals."""

    @query(Right.MODERATE)
    async def appeals(
        self,
        door: Reading,
        status: Annotated[
            db.AppealStatus | None, strawberry.argument(description="Those of which this has become; null for all.")
        ] = None,
        first: First = 20,
        after: After = None,
    ) -> AppealConnection:
        """Appeals of players whom the viewer may act on: those that are OPEN the oldest first, others the newest.

        What is OPEN is shown as long as the sanction holds.
        """
        cursors, scope = door.services.cursors, f"appeals:{status}:{door.viewer.account_id}"
        place = uuid.UUID(cursors.read(scope, after)[0]) if after is not None else None
        page = await appeals.find(door.session, door.viewer, status=status, after=place, limit=page_size(first))
        edges = [AppealEdge(node=Appeal.of(row), cursor=cursors.write(scope, str(row.id))) for row in page.items]
        return AppealConnection(
            edges=edges,
            nodes=[edge.node for edge in edges],
            page_info=PageInfo.over(
                [edge.cursor for edge in edges], has_next=page.has_next, has_previous=page.has_previous
            ),
        )


@strawberry.type
class SanctionMutations:
    """Root fields that impose and lift sanctions, appeal and answer. What the staff does goes to the audit log."""

    @mutation(Right.MODERATE)
    async def sanction_user(self, door: Writing, input: SanctionUserInput) -> SanctionPayload:
        """Mute or ban a player; on every node it holds within a second. Only administrators act on moderators.

        A sanction of the same kind that is in force is replaced.
        """
        sanction = await sanctions.impose(
            door.session,
            door.viewer,
            user_id=ids.read(Kind.USER, input.user_id),
            kind=input.kind,
            reason=input.reason,
            until=input.until.value if input.until is not None else None,
            report_id=ids.read(Kind.REPORT, input.report_id) if input.report_id is not None else None,
        )
        return SanctionPayload(sanction=Sanction.of(sanction))

    @mutation(Right.MODERATE)
    async def lift_sanction(self, door: Writing, input: LiftSanctionInput) -> SanctionPayload:
        """Take a sanction back. Nobody lifts his own."""
        sanction = await sanctions.lift(
            door.session,
            door.viewer,
            user_id=ids.read(Kind.USER, input.user_id),
            kind=input.kind,
            reason=input.reason,
        )
        return SanctionPayload(sanction=Sanction.of(sanction))

    @mutation(Right.PUBLIC)
    async def appeal_ban(self, door: Writing, input: AppealBanInput) -> DonePayload:
        """Ask for another look at your ban, once; somebody else of the staff answers by letter.

        Without the right password nobody learns that there is a ban.
        """
        client = door.context.client
        await appeals.appeal_ban(
            door.session,
            door.services.gate,
            login=input.login,
            password=input.password,
            device=Device(address=client.address, user_agent=client.user_agent),
            words=input.text,
        )
        return DonePayload(is_done=True)

    @mutation(Right.USE_ACCOUNT)
    async def appeal_mute(self, door: Writing, input: AppealMuteInput) -> AppealPayload:
        """Ask for another look at your mute, once; somebody else of the staff answers, also by letter."""
        return AppealPayload(appeal=Appeal.of(await appeals.appeal_mute(door.session, door.viewer, words=input.text)))

    @mutation(Right.MODERATE)
    async def answer_appeal(self, door: Writing, input: AnswerAppealInput) -> AppealPayload:
        """Answer an appeal against what somebody else imposed; accepting it lifts the sanction."""
        appeal = await appeals.answer(
            door.session,
            door.viewer,
            appeal_id=ids.read(Kind.APPEAL, input.appeal_id),
            is_accepted=input.is_accepted,
            words=input.answer,
        )
        return AppealPayload(appeal=Appeal.of(appeal))
