"""Files: how they are sent, and how they are shown."""

import uuid
from enum import StrEnum
from typing import Annotated

import strawberry

from gamebuddy import db
from gamebuddy.auth.policy import Right
from gamebuddy.errors import BadInput
from gamebuddy.files import AVATAR_SIZES, AVATAR_TYPE, FILE, PICTURE_TYPES, THUMBNAIL
from gamebuddy.resolvers import uploads
from gamebuddy.resolvers.chat import File
from gamebuddy.schema import ids
from gamebuddy.schema.context import Info
from gamebuddy.schema.describe import describe_enum, field
from gamebuddy.schema.errors import UserError
from gamebuddy.schema.fields import Writing, mutation
from gamebuddy.schema.ids import Kind
from gamebuddy.schema.node import Node
from gamebuddy.schema.scalars import Moment, WebAddress

LARGEST, USUAL = 1_024, 256

Size = Annotated[
    int | None, strawberry.argument(description="Side in pixels, 1 to 1,024; the nearest of 64, 256 and 512.")
]


class AttachmentKind(StrEnum):
    """How a client shows a file."""

    IMAGE = "IMAGE"
    FILE = "FILE"


describe_enum(
    db.UploadPurpose,
    "What a file is sent for.",
    AVATAR="The picture of a player or a group: PNG, JPEG or WebP of at most 5 MB.",
    ATTACHMENT="To go with a message: a picture, text, JSON, ZIP, MP3, Ogg or MP4 of at most 10 MB.",
)
describe_enum(
    AttachmentKind,
    "How to show a file.",
    IMAGE="A picture, with sides and a small one to begin with.",
    FILE="Anything else: a name to tap and save.",
)


@strawberry.type(
    description="A file under a message, for those who see the message. Pictures are made anew: upright, at most 4,096 "
    "pixels a side, without what a camera wrote into them. Links work for an hour or two; ask again for new ones."
)
class Attachment(Node):
    """See the description."""

    kind: AttachmentKind = strawberry.field(description="How to show it.")
    file_name: str = strawberry.field(description="Its name, at most 100 characters, without folders.")
    media_type: str = strawberry.field(description="What it is, such as image/png.")
    byte_size: int = strawberry.field(description="How large it is.")
    width: int | None = strawberry.field(description="Of a picture, in pixels.")
    height: int | None = strawberry.field(description="Of a picture, in pixels.")
    upload_id: strawberry.Private[uuid.UUID]

    @classmethod
    def of(cls, file: File) -> "Attachment":
        """Show a file."""
        upload = file.upload
        return cls(
            id=ids.write(Kind.ATTACHMENT, file.attachment.id),
            kind=AttachmentKind.IMAGE if upload.media_type in PICTURE_TYPES else AttachmentKind.FILE,
            file_name=upload.file_name,
            media_type=upload.media_type,
            byte_size=upload.byte_size,
            width=upload.width,
            height=upload.height,
            upload_id=upload.id,
        )

    @field
    async def url(self, info: Info) -> WebAddress:
        """Where to load it. Whoever has the link can, while it works: do not pass it on."""
        files = info.context.services.files
        return WebAddress(await files.link_to_read(self.upload_id, FILE, self.media_type, self.file_name))

    @field
    async def thumbnail_url(self, info: Info) -> WebAddress | None:
        """Where to load a small one, at most 320 pixels a side, WebP; null for what is no picture."""
        if self.kind is not AttachmentKind.IMAGE:
            return None
        return WebAddress(await info.context.services.files.link_to_read(self.upload_id, THUMBNAIL, AVATAR_TYPE))


async def avatar_url(info: Info, avatar_id: uuid.UUID | None, size: int | None) -> WebAddress | None:
    """Make the link of an avatar in the nearest size that is kept.

    Raises:
        BadInput: when the size is not 1 to 1,024.
    """
    size = USUAL if size is None else size
    if not 1 <= size <= LARGEST:
        raise BadInput(f"`size` is 1 to {LARGEST}.")
    if avatar_id is None:
        return None
    nearest = next((side for side in AVATAR_SIZES if side >= size), AVATAR_SIZES[-1])
    return WebAddress(await info.context.services.files.link_to_read(avatar_id, str(nearest), AVATAR_TYPE))


@strawberry.input(
    description="Send the bytes with PUT to `url` under `headers`; then name `uploadId` where it is used. Unused "
    "uploads are removed after a day."
)
class CreateUploadInput:
    """See the description."""

    file_name: str = strawberry.field(description="What it is called; its ending has to fit the media type.")
    media_type: str = strawberry.field(
        description="What it is, such as image/jpeg: see UploadPurpose for what is taken."
    )
    byte_size: int = strawberry.field(description="Exactly how many bytes will be sent.")
    purpose: db.UploadPurpose = strawberry.field(description="What for.")


@strawberry.type(description="A header to send with a file. Seen by the one who uploads it.")
class HttpHeader:
    """See the description."""

    name: str = strawberry.field(description="Its name.")
    value: str = strawberry.field(description="Its value.")


@strawberry.type(description="Where to send a file. All fields but `headers` are null when it is refused.")
class CreateUploadPayload:
    """See the description."""

    upload_id: strawberry.ID | None = strawberry.field(description="To name where the file is used.", default=None)
    url: WebAddress | None = strawberry.field(description="Where to PUT the bytes, once and whole.", default=None)
    headers: list[HttpHeader] = strawberry.field(description="Headers of the PUT.", default_factory=list)
    expires_at: Moment | None = strawberry.field(description="Until when the link takes it.", default=None)
    user_errors: list[UserError] = strawberry.field(
        description="What to mend; empty exactly on success.", default_factory=list
    )


@strawberry.type
class FileMutations:
    """Root fields that take files in."""

    @mutation(Right.UPLOAD)
    async def create_upload(self, door: Writing, input: CreateUploadInput) -> CreateUploadPayload:
        """Ask where to send a file. 60 at once, then one a minute.

        What is sent is checked when it is used: whatever is not what was announced gets UNSUPPORTED there.
        """
        announced = await uploads.create_upload(
            door.session,
            door.viewer,
            throttle=door.services.gate.throttle,
            files=door.services.files,
            name=input.file_name,
            media_type=input.media_type,
            byte_size=input.byte_size,
            purpose=input.purpose,
        )
        link = announced.link
        return CreateUploadPayload(
            upload_id=ids.write(Kind.UPLOAD, announced.upload_id),
            url=WebAddress(link.url),
            headers=[HttpHeader(name=name, value=value) for name, value in link.headers.items()],
            expires_at=Moment(link.expires_at),
        )
