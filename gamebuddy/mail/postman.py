"""The worker that writes and sends the letters: one a process, each letter by whichever takes it first."""

import asyncio
import contextlib
import random
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import aiosmtplib
import asyncpg
import structlog
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries

from gamebuddy.auth.codes import Codes
from gamebuddy.auth.keys import Keys
from gamebuddy.db import Database
from gamebuddy.errors import Unavailable
from gamebuddy.mail import contents, mailbox, writing
from gamebuddy.mail.jobs import ENTRYPOINT, Letter
from gamebuddy.settings import LOOPBACK_NAMES, Settings

SMTP_SECONDS = 10  # for each word of the other server
CONNECT_SECONDS = 5
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 5
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.5, 60
# A worker that says nothing for so long is dead, and its letters are taken by another.
SILENCE = timedelta(seconds=20)
POLL = timedelta(seconds=15)  # in case a notice gets lost; usually LISTEN wakes the worker at once
STOP_SECONDS = 10
PERMANENT = range(500, 600)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Carrier:
    """Where letters go: an SMTP server, or the mailbox of a developer."""

    settings: Settings

    async def carry(self, letter: EmailMessage) -> None:
        """Hand a letter over.

        Raises:
            aiosmtplib.SMTPException: when the server did not take it.
            OSError: when there is no server, or no room for the mailbox.
        """
        if self.settings.smtp_url is None:
            path = await asyncio.to_thread(mailbox.keep, self.settings.mail_dir, letter)
            log.info("letter_kept", file=str(path), to=str(letter["To"]))
            return
        url = urlsplit(self.settings.smtp_url.get_secret_value())
        is_tls = url.scheme == "smtps"
        await aiosmtplib.send(
            letter,
            hostname=url.hostname,
            port=url.port,
            username=unquote(url.username) if url.username else None,
            password=unquote(url.password) if url.password else None,
            timeout=SMTP_SECONDS,
            use_tls=is_tls,
            # A password goes over a network encrypted or not at all; elsewhere encryption is taken where it is offered.
            start_tls=True if url.password and not is_tls and url.hostname not in LOOPBACK_NAMES else None,
        )


class Postman:
    """Sends what is posted, from `start` to `stop`; goes on by itself after its connection is lost.

    A letter that the mail server does not take is tried again, later each time. `url` is a plain postgresql:// address.
    """

    def __init__(self, settings: Settings, url: str) -> None:
        self._settings = settings
        self._url = url
        self._codes = Codes(Keys(settings.secret()))
        self._carrier = Carrier(settings)
        self._database = Database(url, pool_size=2, application_name="gamebuddy-mail")
        self._manager: QueueManager | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to work; returns at once, whether or not the database answers."""
        self._task = asyncio.create_task(self._work_on(), name="postman")

    async def stop(self) -> None:
        """Finish the letters in hand, for some seconds at most, and end."""
        task, self._task = self._task, None
        if task is None:
            return
        if self._manager is not None:
            self._manager.shutdown.set()
            await asyncio.wait({task}, timeout=STOP_SECONDS)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await self._database.close()

    async def _work_on(self) -> None:
        """Work, and begin anew after every failure, until told to stop."""
        pause = FIRST_PAUSE_SECONDS
        while self._task is not None:
            started = asyncio.get_running_loop().time()
            try:
                await self._work()
            except Exception as error:  # noqa: BLE001 - whatever it was, letters have to go out
                if asyncio.get_running_loop().time() - started > LONGEST_PAUSE_SECONDS:
                    pause = FIRST_PAUSE_SECONDS
                log.warning("postman_interrupted", error=repr(error), pause_seconds=pause)
                await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - spreads the nodes
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _work(self) -> None:
        """Take jobs on a connection of its own until told to stop.

        Raises:
            ConnectionError: when the connection is lost.
        """
        connection = await asyncpg.connect(
            self._url, timeout=CONNECT_SECONDS, server_settings={"application_name": "gamebuddy-mail"}
        )
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        manager = QueueManager(Queries.from_asyncpg_connection(connection))
        manager.entrypoint(ENTRYPOINT, on_failure="hold")(self._deliver)
        self._manager = manager
        running = asyncio.create_task(
            manager.run(dequeue_timeout=POLL, heartbeat_timeout=SILENCE, shutdown_on_listener_failure=True)
        )
        losing = asyncio.create_task(lost.wait())
        try:
            await asyncio.wait({running, losing}, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                raise ConnectionError("the connection to the database is lost")
            await running
        finally:
            # First the connection: what is cancelled in the middle would be written down as done with. Like this it
            # stays in the queue, and falls to another worker.
            connection.terminate()
            self._manager = None
            for task in (running, losing):
                task.cancel()
            await asyncio.gather(running, losing, return_exceptions=True)

    async def _deliver(self, job: Job) -> None:
        """Write one letter and hand it over, however many tries it takes until there is nothing to say any more.

        The job stays in hand between the tries: pgqueuer wakes nobody for a job that was put back.
        """
        pause = FIRST_RETRY_SECONDS
        while True:
            try:
                message = await self._write(Letter.unpack(job.payload or b""))
                if message is not None:
                    # The same for every try, so that a mail program shows once what a crash made us send twice.
                    message["Message-ID"] = f"<{job.id}.{int(job.created.timestamp())}@gamebuddy>"
                    await self._carrier.carry(message)
            except (aiosmtplib.SMTPException, OSError, Unavailable) as error:
                if _is_permanent(error):
                    log.warning("letter_refused", job=job.id, error=type(error).__name__)
                    return
                log.warning("letter_delayed", job=job.id, error=type(error).__name__, pause_seconds=pause)
            else:
                return
            await self._rest(pause)
            pause = min(2 * pause, LONGEST_RETRY_SECONDS)

    async def _rest(self, seconds: float) -> None:
        """Wait before another try.

        Raises:
            RetryRequested: when told to stop meanwhile: the letter goes back to the queue.
        """
        if self._manager is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._manager.shutdown.wait(), seconds)
                raise RetryRequested

    async def _write(self, letter: Letter) -> EmailMessage | None:
        """Write a letter from what is in the database now; None when there is nothing to say any more."""
        async with self._database.read() as session:
            content = await contents.find(session, self._codes, letter)
        return writing.write(content, self._settings) if content else None


def _is_permanent(error: Exception) -> bool:
    """Tell whether the mail server will not take this letter later either: it refused the recipient or the text."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return all(refused.code in PERMANENT for refused in error.recipients)
    return isinstance(error, aiosmtplib.SMTPDataError) and error.code in PERMANENT
