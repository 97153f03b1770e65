import stat
from asyncio import StreamWriter, sleep, start_server
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import SecretStr
from sqlalchemy import text

from gamebuddy import mail
from gamebuddy.mail import postman, writing
from gamebuddy.mail.jobs import LetterKind
from gamebuddy.mail.postman import Carrier
from gamebuddy.mail.writing import LANGUAGES, Content, Recipient
from gamebuddy.schema.context import Services
from gamebuddy.settings import Settings
from tests.accounts.operations import payload, problems, register, verify
from tests.api import Api
from tests.conftest import TEMPLATE, free_port, running
from tests.post_office import PostOffice


class MoodyOffice(PostOffice):
    """A mail server that answers the first letters otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.moods: list[str] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd calls it so
        return self.moods.pop(0) if self.moods else await super().handle_DATA(server, session, envelope)


@pytest.fixture
async def moody_office() -> AsyncIterator[MoodyOffice]:
    async with MoodyOffice.open() as office:
        yield office


@pytest.fixture
async def own(database_url: str, settings: Settings, moody_office: MoodyOffice) -> AsyncIterator[Settings]:
    """Settings of a server with a database of its own, so that no other worker takes its letters."""
    name = urlsplit(database_url).path.strip("/")
    connection = await asyncpg.connect(database_url)
    await connection.execute(f"CREATE DATABASE {name}_letters TEMPLATE {TEMPLATE}")
    yield settings.model_copy(
        update={
            "port": free_port(),
            "database_url": SecretStr(database_url.replace(f"/{name}", f"/{name}_letters")),
            "smtp_url": SecretStr(moody_office.url),
        }
    )
    await connection.execute(f"DROP DATABASE {name}_letters WITH (FORCE)")
    await connection.close()


@pytest.fixture
async def moody_api(own: Settings) -> AsyncIterator[Api]:
    async with running(own), Api.open(own.url) as api:
        yield api


async def test_a_letter_is_tried_again(moody_api: Api, moody_office: MoodyOffice) -> None:
    moody_office.moods = ["451 4.3.0 Try again later"]
    payload(await register(moody_api))
    payload(await verify(moody_api, await moody_office.code_for("nika@example.com")))
    assert len(moody_office.letters) == 1


async def test_a_letter_outlives_the_server_that_could_not_send_it(own: Settings, moody_office: MoodyOffice) -> None:
    nowhere = own.model_copy(update={"smtp_url": SecretStr(f"smtp://127.0.0.1:{free_port()}")})
    async with running(nowhere), Api.open(nowhere.url) as api:
        payload(await register(api))
    assert moody_office.letters == []
    async with running(own), Api.open(own.url) as api:
        payload(await verify(api, await moody_office.code_for("nika@example.com")))
    assert len(moody_office.letters) == 1


async def test_a_mail_server_that_says_nothing_keeps_nobody_waiting(
    own: Settings, moody_office: MoodyOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postman, "SMTP_SECONDS", 0.2)  # so that the test need not wait as long as the worker does
    taken: list[StreamWriter] = []
    silent = await start_server(lambda _, writer: taken.append(writer), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    hanging = own.model_copy(update={"smtp_url": SecretStr(f"smtp://127.0.0.1:{port}")})
    async with running(hanging), Api.open(hanging.url) as api:
        payload(await register(api))
        while not taken:
            await sleep(0.01)
        payload(await register(api, email="max@example.com", username="max_"))
    for writer in taken:
        writer.close()
    silent.close()
    assert moody_office.letters == []
    async with running(own), Api.open(own.url) as api:
        payload(await verify(api, await moody_office.code_for("nika@example.com")))
        payload(await verify(api, await moody_office.code_for("max@example.com"), "max@example.com"))
    assert len(moody_office.letters) == 2


async def test_a_letter_that_is_refused_for_good_is_dropped(moody_api: Api, moody_office: MoodyOffice) -> None:
    moody_office.moods = ["554 5.6.0 Never"]
    payload(await register(moody_api))
    payload(await register(moody_api, email="max@example.com", username="max_"))
    await moody_office.letter_to("max@example.com")
    assert moody_office.to("nika@example.com") == []


async def test_no_letter_tells_what_did_not_happen(api: Api, post_office: PostOffice) -> None:
    payload(await register(api))
    assert problems(await register(api, email="max@example.com")) == [("TAKEN", "input.username")]
    payload(await register(api, email="ann@example.com", username="ann_"))
    await post_office.letter_to("ann@example.com")
    await post_office.letter_to("nika@example.com")
    assert len(post_office.letters) == 2


async def test_a_killed_worker_begins_anew(api: Api, post_office: PostOffice, services: Services) -> None:
    async with services.database.write() as session:
        killed = await session.scalar(
            text(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE application_name = 'gamebuddy-mail' AND datname = current_database()"
            )
        )
    assert killed >= 1
    payload(await register(api))
    payload(await verify(api, await post_office.code_for("nika@example.com")))


async def test_without_a_mail_server_letters_go_to_the_mailbox(settings: Settings, tmp_path: Path) -> None:
    assert mail.read_mailbox(tmp_path / "mail") == []
    own = settings.model_copy(update={"data_dir": tmp_path, "smtp_url": None})
    recipient = Recipient(address="nika@example.com", locale="ru")
    for code in ("012345", "543210"):
        words = {"username": "nika", "code": code, "minutes": 15}
        letter = writing.write(Content(name="confirm_address", recipient=recipient, words=words), own)
        await Carrier(own).carry(letter)
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "mail").iterdir()} == {0o600}
    newest, oldest = mail.read_mailbox(tmp_path / "mail")
    assert (newest.to, newest.subject) == ("nika@example.com", "Ваш код GameBuddy")
    assert "543210" in newest.text.splitlines()
    assert "012345" in oldest.text.splitlines()
    assert newest.at.tzinfo is not None


LETTERS = sorted({path.name.split(".")[0] for path in Path(writing.__file__).with_name("letters").glob("*.txt")})


@pytest.mark.parametrize("name", LETTERS)
@pytest.mark.parametrize("locale", ["en", "ru", "pt-BR"])
def test_a_letter_escapes_what_it_quotes(settings: Settings, name: str, locale: str) -> None:
    hostile = "<script>alert(1)</script>{{7*7}}%s"
    words = {"username": hostile, "code": "123456", "minutes": 15, "until": datetime(2026, 11, 23, tzinfo=UTC)}
    words |= {"is_ban": True, "is_accepted": False, "answer": hostile}
    recipient = Recipient(address="a@example.com", locale=locale)
    letter = writing.write(Content(name=name, recipient=recipient, words=words), settings)
    plain, html = letter.get_body(("plain",)), letter.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert hostile in plain.get_content()
    assert "<script>" not in html.get_content()
    assert "{{7*7}}%s" in html.get_content()


def test_every_letter_is_written_in_every_language() -> None:
    kinds = {kind.replace("-", "_") for kind in LetterKind} | {"address_in_use"}
    assert set(LETTERS) == kinds
    folder = Path(writing.__file__).with_name("letters")
    assert {path.name for path in folder.glob("*.txt")} == {
        f"{name}.{lang}.txt" for name in kinds for lang in LANGUAGES
    }
