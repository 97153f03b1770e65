"""Turns what a letter is about into what it says, in the language of the account.

A letter is one text for each language: the subject, an empty line, paragraphs. The HTML is made from the same text.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any

import babel.dates
import jinja2

from gamebuddy.settings import Settings

ENCODING = "quoted-printable"  # passes every server, and a code stays legible in the raw file
LANGUAGES = ("en", "ru")  # the first is for everybody else


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """To whom, and in which language."""

    address: str
    locale: str

    @property
    def language(self) -> str:
        """The language of the letter."""
        language = self.locale.partition("-")[0].lower()
        return language if language in LANGUAGES else LANGUAGES[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a letter says to whom: the name of its text, and the words that fill it. Moments are told in UTC."""

    name: str
    recipient: Recipient
    words: dict[str, Any] = field(default_factory=dict)


_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("gamebuddy.mail", "letters"),
    autoescape=jinja2.select_autoescape(["html"]),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def write(content: Content, settings: Settings) -> EmailMessage:
    """Write a letter, as plain text and as HTML."""
    language = content.recipient.language
    words = {name: _told(value, language) for name, value in content.words.items()}
    subject, _, text = (
        _templates.get_template(f"{content.name}.{language}.txt").render(words, url=settings.url).partition("\n")
    )
    text = text.lstrip("\n")
    html = _templates.get_template("letter.html").render(
        language=language, subject=subject, code=words.get("code"), paragraphs=text.strip().split("\n\n")
    )

    letter = EmailMessage()
    letter["Subject"] = subject.strip()
    letter["From"] = settings.mail_from
    letter["To"] = Address(addr_spec=content.recipient.address)
    letter["Date"] = datetime.now(UTC)
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answers from holiday robots
    letter.set_content(text, cte=ENCODING)
    letter.add_alternative(html, subtype="html", cte=ENCODING)
    return letter


def _told(value: object, language: str) -> object:
    if isinstance(value, datetime):
        return f"{babel.dates.format_datetime(value.astimezone(UTC), 'd MMMM yyyy, HH:mm', locale=language)} UTC"
    return value
