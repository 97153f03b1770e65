"""Turns what a letter is about into what it says, in the language of the account."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage

import jinja2

from gamebuddy.settings import Settings

ENCODING = "quoted-printable"  # passes every server, and a code stays legible in the raw file
LANGUAGES = ("en", "ru")  # the first is for everybody else

_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("gamebuddy.mail", "letters"),
    autoescape=jinja2.select_autoescape(["html"]),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """To whom, and in which language."""

    address: str
    locale: str


def write(name: str, recipient: Recipient, settings: Settings, **words: object) -> EmailMessage:
    """Write the letter with this name; its first line in the template is the subject."""
    language = recipient.locale.partition("-")[0].lower()
    file = f"{name}.{language if language in LANGUAGES else LANGUAGES[0]}"
    words |= {"url": settings.url}
    subject, _, text = _templates.get_template(f"{file}.txt").render(words).partition("\n")

    letter = EmailMessage()
    letter["Subject"] = subject.strip()
    letter["From"] = settings.mail_from
    letter["To"] = Address(addr_spec=recipient.address)
    letter["Date"] = datetime.now(UTC)
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answers from holiday robots
    letter.set_content(text.lstrip("\n"), cte=ENCODING)
    letter.add_alternative(
        _templates.get_template(f"{file}.html").render(words, subject=subject), subtype="html", cte=ENCODING
    )
    return letter
