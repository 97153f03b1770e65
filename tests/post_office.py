"""A real SMTP server in the test's own event loop."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Self

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.leaks import LEAKS

PATIENCE = 20  # seconds until a letter that does not come is a failure


class PostOffice:
    """Keeps every letter; people wait for theirs."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.url = ""
        self._arrived = asyncio.Condition()

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls) -> AsyncIterator[Self]:
        """Listen on a free port of loopback."""
        office = cls()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(office, loop=loop, hostname="post.test"), "127.0.0.1", 0)
        office.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield office
        server.close()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802, ARG002 - aiosmtpd calls it so
        content: Any = envelope.content
        async with self._arrived:
            self.letters.append(message_from_bytes(content, policy=policy.default))
            self._arrived.notify_all()
        return "250 OK"

    def empty(self) -> None:
        """Forget every letter."""
        self.letters.clear()

    def to(self, address: str) -> list[EmailMessage]:
        """Give the letters to an address, oldest first."""
        return [letter for letter in self.letters if letter["To"].addresses[0].addr_spec == address]

    async def letter_to(self, address: str, *, number: int = 1) -> EmailMessage:
        """Wait for the letter with this number, counted from 1, to the address."""
        async with asyncio.timeout(PATIENCE), self._arrived:
            await self._arrived.wait_for(lambda: len(self.to(address)) >= number)
        return self.to(address)[number - 1]

    async def code_for(self, address: str, *, number: int = 1) -> str:
        """Read the six digits out of a letter, as a person would: they stand on a line of their own."""
        letter = await self.letter_to(address, number=number)
        body = letter.get_body(("plain",))
        assert body is not None
        found = re.search(r"^\s*(\d{6})\s*$", body.get_content(), re.MULTILINE)
        assert found, body.get_content()
        LEAKS.note(found.group(1))
        return found.group(1)
