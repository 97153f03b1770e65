"""A copy of one's own data."""

import uuid
from enum import StrEnum

import strawberry

from gamebuddy import db
from gamebuddy.auth.policy import Right
from gamebuddy.files import FILE
from gamebuddy.resolvers import exports
from gamebuddy.schema.context import Info
from gamebuddy.schema.describe import describe_enum, field
from gamebuddy.schema.errors import UserError
from gamebuddy.schema.fields import Writing, mutation
from gamebuddy.schema.scalars import Moment, WebAddress


class DataExportStatus(StrEnum):
    """How far a copy is."""

    PENDING = "PENDING"
    READY = "READY"


describe_enum(
    DataExportStatus,
    "How far a copy of one's data is.",
    PENDING="It is being made, which usually takes less than a minute; a letter tells when it is ready.",
    READY="It can be loaded.",
)


@strawberry.type(
    description="A copy of one's own data: a ZIP archive with JSON Lines, one's files, and a manifest of them. "
    "Others stand in it by their ids alone. Seen by the account's owner alone."
)
class DataExport:
    """See the description."""

    status: DataExportStatus = strawberry.field(description="How far it is.")
    requested_at: Moment = strawberry.field(description="When it was asked for.")
    ready_at: Moment | None = strawberry.field(description="When it was made; what came later is not in it.")
    byte_size: int | None = strawberry.field(description="How large it is; null while it is pending.")
    expires_at: Moment = strawberry.field(description="When it is deleted: seven days after it was made.")
    export_id: strawberry.Private[uuid.UUID]

    @classmethod
    def of(cls, row: db.Export) -> "DataExport":
        """Show a row."""
        return cls(
            status=DataExportStatus.READY if row.ready_at else DataExportStatus.PENDING,
            requested_at=Moment(row.requested_at),
            ready_at=Moment(row.ready_at) if row.ready_at else None,
            byte_size=row.byte_size,
            expires_at=Moment(row.expires_at),
            export_id=row.id,
        )

    @field
    async def url(self, info: Info) -> WebAddress | None:
        """Where to load it; null while it is pending. The link works for an hour or two, for whoever has it."""
        if self.status is DataExportStatus.PENDING:
            return None
        files = info.context.services.files
        return WebAddress(await files.link_to_read(self.export_id, FILE, exports.MEDIA_TYPE, exports.NAME))


@strawberry.type(description="The copy that is, or will be.")
class ExportMyDataPayload:
    """See the description."""

    data_export: DataExport | None = strawberry.field(description="How far it is.", default=None)
    user_errors: list[UserError] = strawberry.field(
        description="What to mend; empty exactly on success.", default_factory=list
    )


@strawberry.type
class ExportMutations:
    """Root fields that copy data."""

    @mutation(Right.MANAGE_ACCOUNT)
    async def export_my_data(self, door: Writing) -> ExportMyDataPayload:
        """Ask for a copy of one's own data. It is made beside the requests; `Viewer.dataExport` tells when it is ready.

        While one is pending, or is younger than a day, a repeat gives that one.
        """
        return ExportMyDataPayload(data_export=DataExport.of(await exports.ask(door.session, door.viewer)))
