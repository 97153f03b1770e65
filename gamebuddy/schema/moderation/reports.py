"""Reports, as those see them who filed them, and as those who handle them."""

import uuid
from typing import Annotated

import strawberry

from gamebuddy import db
from gamebuddy.auth.policy import Right
from gamebuddy.auth.viewer import Viewer
from gamebuddy.resolvers import reports
from gamebuddy.resolvers.paging import Page
from gamebuddy.resolvers.reports import Subject
from gamebuddy.schema import ids
from gamebuddy.schema.context import Info
from gamebuddy.schema.describe import describe_enum, field
from gamebuddy.schema.errors import UserError
from gamebuddy.schema.fields import Reading, Writing, mutation, query
from gamebuddy.schema.ids import Kind
from gamebuddy.schema.node import Node
from gamebuddy.schema.paging import Cursors, PageInfo, page_size
from gamebuddy.schema.players import User, known_user
from gamebuddy.schema.scalars import CountryCode, Cursor, LanguageTag, Moment
from gamebuddy.schema.teammates import After, First

describe_enum(
    db.ReportReason,
    "What is wrong.",
    SPAM="Advertising, or the same again and again.",
    HARASSMENT="Insults, threats, stalking.",
    HATE="Contempt for people for what they are.",
    CHEATING="Cheats, boosting, trade in accounts.",
    SEXUAL_CONTENT="Sexual content, or advances.",
    UNDERAGE="Too young to be here, or to be spoken to like that.",
    IMPERSONATION="Somebody who says that he is somebody else.",
    OTHER="Anything else: say it in the comment.",
)
describe_enum(
    db.ReportStatus,
    "How far a report has come.",
    OPEN="It waits for somebody of the staff.",
    IN_REVIEW="Somebody is at it.",
    ACTIONED="It was right, and something was done.",
    DISMISSED="Nothing had to be done.",
)


@strawberry.type(description="A message as it was when it was reported. Seen by those who handle the report.")
class EvidenceMessage:
    """See the description."""

    text: str = strawberry.field(description="What it said then; empty where it was deleted before.")
    created_at: Moment = strawberry.field(description="When it was sent.")
    is_reported: bool = strawberry.field(description="Whether it is the one that was reported.")
    earlier_texts: list[str] = strawberry.field(
        description="What the reported message said before it was edited or deleted, the first words first."
    )
    file_names: list[str] = strawberry.field(description="The names of its attachments.")
    row: strawberry.Private[db.Evidence]

    @classmethod
    def of(cls, row: db.Evidence) -> "EvidenceMessage":
        """Show a row."""
        return cls(
            text=row.text,
            created_at=Moment(row.sent_at),
            is_reported=row.is_reported,
            earlier_texts=row.earlier_texts,
            file_names=row.file_names,
            row=row,
        )

    @field
    async def author(self, info: Info) -> User | None:
        """Who wrote it; null once that account is erased."""
        return await known_user(info, self.row.author_id)


@strawberry.type(description="How a player showed himself when he was reported. Seen by those who handle the report.")
class EvidenceProfile:
    """See the description."""

    username: str = strawberry.field(description="His user name.")
    display_name: str = strawberry.field(description="His name as shown.")
    bio: str | None = strawberry.field(description="What he said of himself.")
    country: CountryCode | None = strawberry.field(description="Where he lived.")
    languages: list[LanguageTag] = strawberry.field(description="What he spoke.")
    age_band: db.AgeBand | None = strawberry.field(description="His age, roughly.")


@strawberry.type(
    description="Somebody says that a player, or what he wrote, breaks the rules. Seen by who filed it, and by those "
    "of the staff who handle it: nobody handles what is about himself or what he filed, and administrators alone what "
    "is about the staff. The reported one learns of it from nobody."
)
class Report(Node):
    """See the description."""

    reason: db.ReportReason = strawberry.field(description="What is wrong.")
    comment: str | None = strawberry.field(
        description="What the reporter adds, at most 1,000 characters; of the word filter, which rules it followed."
    )
    status: db.ReportStatus = strawberry.field(description="How far it has come.")
    created_at: Moment = strawberry.field(description="When it was filed.")
    closed_at: Moment | None = strawberry.field(description="When it was decided; null while it waits.")
    row: strawberry.Private[db.Report]

    @classmethod
    def of(cls, row: db.Report) -> "Report":
        """Show a row."""
        return cls(
            id=ids.write(Kind.REPORT, row.id),
            reason=row.reason,
            comment=row.comment,
            status=row.status,
            created_at=Moment(row.created_at),
            closed_at=Moment(row.closed_at) if row.closed_at else None,
            row=row,
        )

    @field
    async def reporter(self, info: Info) -> User | None:
        """Who filed it; null for the word filter, and once that account is erased."""
        return await known_user(info, self.row.reporter_id)

    @field
    async def reported_user(self, info: Info) -> User:
        """Whom it is about, or who wrote the message; a nameless one where the account is erased or hidden from you."""
        return await known_user(info, self.row.reported_id) or User.nobody()

    @field
    def profile(self, info: Info) -> EvidenceProfile | None:
        """How the reported one showed himself then. For the staff; null once the account is erased."""
        kept = self.row.profile
        if self._is_own(info) or kept is None:
            return None
        return EvidenceProfile(
            username=kept["username"],
            display_name=kept["display_name"],
            bio=kept["bio"],
            country=CountryCode(kept["country"]) if kept["country"] else None,
            languages=[LanguageTag(language) for language in kept["languages"]],
            age_band=db.AgeBand(kept["age_band"]) if kept["age_band"] else None,
        )

    @field
    async def evidence(self, info: Info) -> list[EvidenceMessage]:
        """What was seen then: the message, and up to 15 on either side; of a player, only what a rule flagged.

        It outlives edits and deletion. For the staff; each look is written to the audit log before anything is shown.
        """
        if self._is_own(info):
            return []
        await info.context.loaders.looks.load(self.row.id)
        return [EvidenceMessage.of(row) for row in await info.context.loaders.evidence.load(self.row.id) or ()]

    @field
    async def assignee(self, info: Info) -> User | None:
        """Who of the staff is at it, or decided. For the staff."""
        return None if self._is_own(info) else await known_user(info, self.row.assignee_id)

    @field
    def resolution(self, info: Info) -> str | None:
        """Why it was decided so. For the staff; null while it waits."""
        return None if self._is_own(info) else self.row.resolution

    def _is_own(self, info: Info) -> bool:
        viewer = info.context.viewer
        return viewer is None or self.row.reporter_id == viewer.account_id


@strawberry.type(description="A report and its place in a list.")
class ReportEdge:
    """See the description."""

    node: Report = strawberry.field(description="The report.")
    cursor: Cursor = strawberry.field(description="Its place.")


@strawberry.type(description="A page of reports.")
class ReportConnection:
    """See the description."""

    edges: list[ReportEdge] = strawberry.field(description="Reports with their places.")
    nodes: list[Report] = strawberry.field(description="The reports alone.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")

    @classmethod
    def over(cls, page: Page[db.Report], cursors: Cursors, scope: str) -> "ReportConnection":
        """Show a page."""
        edges = [ReportEdge(node=Report.of(row), cursor=cursors.write(scope, str(row.id))) for row in page.items]
        return cls(
            edges=edges,
            nodes=[edge.node for edge in edges],
            page_info=PageInfo.over(
                [edge.cursor for edge in edges], has_next=page.has_next, has_previous=page.has_previous
            ),
        )


@strawberry.input(description="What to report: exactly one of the fields.", one_of=True)
class ReportSubject:
    """See the description."""

    user_id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="A player.", default=None)
    message_id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="A message that you see.", default=None)


@strawberry.input(description="What is wrong with whom, or with what he wrote.")
class ReportInput:
    """See the description."""

    subject: ReportSubject = strawberry.field(description="A player or a message.")
    reason: db.ReportReason = strawberry.field(description="What is wrong.")
    comment: str | None = strawberry.field(description="At most 1,000 characters, for the staff.", default=None)


@strawberry.input(description="Which report to take on.")
class ClaimReportInput:
    """See the description."""

    report_id: strawberry.ID = strawberry.field(description="A report that nobody is at.")


@strawberry.input(description="Which report to put back.")
class ReleaseReportInput:
    """See the description."""

    report_id: strawberry.ID = strawberry.field(description="A report that you have claimed.")


@strawberry.input(description="What is decided on a report.")
class ResolveReportInput:
    """See the description."""

    report_id: strawberry.ID = strawberry.field(description="A report that you have claimed, or nobody.")
    status: db.ReportStatus = strawberry.field(description="ACTIONED or DISMISSED.")
    resolution: str = strawberry.field(description="Why, 1 to 1,000 characters; read by the staff.")


@strawberry.input(description="Which message to take away.")
class HideReportedMessageInput:
    """See the description."""

    report_id: strawberry.ID = strawberry.field(description="The report of the message.")
    reason: str = strawberry.field(description="Why, 1 to 1,000 characters; written to the audit log.")


@strawberry.type(description="The report as it is now.")
class ReportPayload:
    """See the description."""

    row: strawberry.Private[db.Report | None] = None
    user_errors: list[UserError] = strawberry.field(
        description="What to mend; empty exactly on success.", default_factory=list
    )

    @field
    async def report(self, info: Info) -> Report | None:
        """The report; null when nothing was changed."""
        row = await info.context.loaders.reports.load(self.row.id) if self.row else None
        return Report.of(row) if row else None


async def reports_by(info: Info, viewer: Viewer, first: int | None, after: Cursor | None) -> ReportConnection:
    """List what the viewer has reported, the newest first."""
    cursors, scope = info.context.services.cursors, f"viewer.reports:{viewer.account_id}"
    place = uuid.UUID(cursors.read(scope, after)[0]) if after is not None else None
    page = await reports.find_own(info.context.snapshot, viewer, after=place, limit=page_size(first))
    return ReportConnection.over(page, cursors, scope)


@strawberry.type
class ReportQueries:
    """Root fields that read reports."""

    @query(Right.MODERATE)
    async def reports(
        self,
        door: Reading,
        status: Annotated[
            db.ReportStatus | None, strawberry.argument(description="Those that have come so far; null for all.")
        ] = None,
        first: First = 20,
        after: After = None,
    ) -> ReportConnection:
        """Reports that the viewer handles: those that are OPEN or IN_REVIEW the oldest first, others the newest."""
        cursors, scope = door.services.cursors, f"reports:{status}:{door.viewer.account_id}"
        place = uuid.UUID(cursors.read(scope, after)[0]) if after is not None else None
        page = await reports.find(door.session, door.viewer, status=status, after=place, limit=page_size(first))
        return ReportConnection.over(page, cursors, scope)


@strawberry.type
class ReportMutations:
    """Root fields that file reports and handle them. What the staff does is written to the audit log."""

    @mutation(Right.REPORT)
    async def report(self, door: Writing, input: ReportInput) -> ReportPayload:
        """Tell the staff of a player or a message. Nobody else learns of it.

        While a report of the same is open, a repeat gives that one. 20 at once, then one in five minutes.
        """
        user_id, message_id = input.subject.user_id, input.subject.message_id
        report = await reports.file_report(
            door.session,
            door.viewer,
            throttle=door.services.gate.throttle,
            subject=Subject(
                user_id=ids.read(Kind.USER, user_id.value) if user_id is not None else None,
                message_id=ids.read(Kind.MESSAGE, message_id.value) if message_id is not None else None,
            ),
            reason=input.reason,
            comment=input.comment,
        )
        return ReportPayload(row=report)

    @mutation(Right.MODERATE)
    async def claim_report(self, door: Writing, input: ClaimReportInput) -> ReportPayload:
        """Take a report on. For a day nobody else decides on it; then it is free again."""
        report_id = ids.read(Kind.REPORT, input.report_id)
        return ReportPayload(row=await reports.claim(door.session, door.viewer, report_id=report_id))

    @mutation(Right.MODERATE)
    async def release_report(self, door: Writing, input: ReleaseReportInput) -> ReportPayload:
        """Put a report back into the queue. Administrators also release what others have claimed."""
        report_id = ids.read(Kind.REPORT, input.report_id)
        return ReportPayload(row=await reports.release(door.session, door.viewer, report_id=report_id))

    @mutation(Right.MODERATE)
    async def resolve_report(self, door: Writing, input: ResolveReportInput) -> ReportPayload:
        """Decide on a report. The same decision again changes nothing; another one is a CONFLICT."""
        report = await reports.resolve(
            door.session,
            door.viewer,
            report_id=ids.read(Kind.REPORT, input.report_id),
            status=input.status,
            resolution=input.resolution,
        )
        return ReportPayload(row=report)

    @mutation(Right.MODERATE)
    async def hide_reported_message(self, door: Writing, input: HideReportedMessageInput) -> ReportPayload:
        """Delete a reported message for everyone in its chat. What was kept of it stays with the report."""
        report = await reports.hide_message(
            door.session,
            door.viewer,
            report_id=ids.read(Kind.REPORT, input.report_id),
            reason=input.reason,
        )
        return ReportPayload(row=report)
