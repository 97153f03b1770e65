"""How messages get into the database: each at once, and under load many in one transaction."""

import functools
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from gamebuddy import db
from gamebuddy.auth.throttle import MESSAGE, Limit, Throttle
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import Database, Together, UploadPurpose, repeated
from gamebuddy.errors import retry_later
from gamebuddy.files import Files
from gamebuddy.resolvers import uploads
from gamebuddy.resolvers.chat.drafts import UPLOADS, Draft, check_draft
from gamebuddy.resolvers.chat.writing import ChatIsHeld, Outcome, Post, write_messages
from gamebuddy.resolvers.wording import WordFilter

type Letter = tuple[Viewer, Draft]


class Outbox:
    """Sends the messages of a process; why like this: docs/decisions/0024-a-transaction-may-be-shared.md."""

    def __init__(self, database: Database, *, throttle: Throttle, files: Files, words: WordFilter) -> None:
        self._database = database
        self._throttle = throttle
        self._files = files
        self._words = words
        self._counting = Together(self._count, key=lambda account_id: account_id)
        # Two ways, so that nobody waits for a chat of others: only those whose chat somebody holds go the patient one.
        self._quick = Together(functools.partial(self._write, waits=False), key=_account_of)
        self._patient = Together(functools.partial(self._write, waits=True), key=_account_of)

    async def send(self, viewer: Viewer, draft: Draft) -> db.Message:
        """Write to a chat, in a transaction that others may share.

        Raises:
            Rejected: as `check_draft`, `WordFilter.clean`, `write_messages` and, for each file, `uploads.check` and
                `use`; RETRY_LATER after a burst.
            Refusal: as `policy.require`.
            Unavailable: when the database does not answer, or too many files wait.
        """
        check_draft(draft)
        if draft.text:
            draft = replace(draft, text=self._words.clean(draft.text, "text"))
        # Before, and in a transaction of its own: it counts whatever becomes of the message, and once.
        retry_at = await self._counting.do(viewer.account_id)
        if retry_at is not None:
            raise retry_later(MESSAGE, retry_at)
        if not draft.is_plain:
            return await self._send_alone(viewer, draft)
        try:
            return await self._quick.do((viewer, draft))
        except ChatIsHeld:
            return await self._patient.do((viewer, draft))

    async def _send_alone(self, viewer: Viewer, draft: Draft) -> db.Message:
        """Send what costs statements of its own; nobody shall wait for its files."""
        if draft.upload_ids:
            async with self._database.write() as session:
                await uploads.check(session, viewer, self._files, draft.upload_ids, UploadPurpose.ATTACHMENT, UPLOADS)
        (outcome,) = await self._write([(viewer, draft)], waits=True)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _count(self, account_ids: Sequence[uuid.UUID]) -> list[datetime | None]:
        """Count a message for each; tells who has to wait, and until when."""
        keys = [str(account_id) for account_id in account_ids]
        async with self._database.at_once() as session:
            full = await self._throttle.count_each(session, Limit.SEND_MESSAGE, keys)
        return [full.get(key) for key in keys]

    async def _write(self, letters: Sequence[Letter], *, waits: bool) -> list[Outcome]:
        """Write letters of different accounts in one transaction."""

        async def attempt() -> list[Outcome]:
            posts = [Post(viewer=viewer, draft=draft) for viewer, draft in letters]
            async with self._database.write() as session:
                return await write_messages(session, posts, words=self._words, waits=waits)

        return await repeated(attempt)


def _account_of(letter: Letter) -> uuid.UUID:
    return letter[0].account_id
