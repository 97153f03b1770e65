"""What is to be sent, before anybody looks at where to."""

import uuid
from dataclasses import dataclass

from gamebuddy import text
from gamebuddy.errors import Code, reject

LONGEST_TEXT = 4_000
MOST_FILES = 10
UPLOADS = "attachment_upload_ids"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is to be sent: a text of one's own, files that were sent before, or somebody's message again."""

    chat_id: uuid.UUID
    client_id: uuid.UUID
    text: str | None
    reply_to_id: uuid.UUID | None = None
    forward_id: uuid.UUID | None = None
    upload_ids: tuple[uuid.UUID, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether it is no more than words."""
        return self.forward_id is None and not self.upload_ids


def check_draft(draft: Draft) -> None:
    """Let through what may be said at all.

    Raises:
        Rejected: for the text; INVALID for text or files beside a forwarded message; LIMIT_REACHED above 10 files.
    """
    if draft.forward_id is not None:
        if draft.text is not None or draft.upload_ids:
            raise reject(Code.INVALID, "A forwarded message keeps its own text.", "text")
        return
    if len(draft.upload_ids) > MOST_FILES:
        raise reject(Code.LIMIT_REACHED, f"A message has at most {MOST_FILES} files.", UPLOADS)
    if draft.text or not draft.upload_ids:
        checked_text(draft.text)


def checked_text(content: str | None) -> str:
    """Let through what a message may say.

    Raises:
        Rejected: TOO_SHORT, TOO_LONG.
    """
    if content is None:
        raise reject(Code.TOO_SHORT, "A message needs a text.", "text")
    return text.checked(content, "text", longest=LONGEST_TEXT)
