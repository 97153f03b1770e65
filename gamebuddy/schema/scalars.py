"""The scalars of the contract: how each is written out and what is taken in."""

import re
import uuid
import zoneinfo
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import NewType
from urllib.parse import urlsplit

import babel
import strawberry
from strawberry.types.scalar import ScalarDefinition

Moment = NewType("Moment", datetime)
Cursor = NewType("Cursor", str)
EmailAddress = NewType("EmailAddress", str)
WebAddress = NewType("WebAddress", str)
TimeZone = NewType("TimeZone", str)
LanguageTag = NewType("LanguageTag", str)
CountryCode = NewType("CountryCode", str)

# RFC 3339, section 5.6; datetime.fromisoformat alone takes much more.
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|\d{3}))?", re.ASCII)
NO_LANGUAGES = {"mul", "und", "zxx"}  # several, an unknown one, none
LONGEST_CURSOR = 50_000  # one of the search names everybody who was shown
LONGEST_ADDRESS = 254


def write_moment(value: datetime) -> str:
    """Write an instant in UTC with three fraction digits and Z; finer digits are cut off, not rounded."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"


def _read_moment(value: object) -> datetime:
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise ValueError("A DateTime is written as in RFC 3339 with an offset, such as 2026-11-23T10:20:30.123Z.")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("This DateTime does not exist.") from None


def _text(value: object, what: str, longest: int) -> str:
    if not isinstance(value, str) or not value or len(value) > longest:
        raise ValueError(f"{what} is a text of 1 to {longest} characters.")
    return value


def _read_cursor(value: object) -> str:
    return _text(value, "A Cursor", LONGEST_CURSOR)


def _read_email(value: object) -> str:
    # Only the shape of a scalar: what is wrong with an address is a user error with a path, told by the use case.
    return _text(value, "An EmailAddress", 1_000)


def _read_web_address(value: object) -> str:
    text = _text(value, "A URL", 2_000)
    parts = urlsplit(text)
    is_loopback = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and is_loopback)):
        raise ValueError("A URL is an https address; http only on loopback.")
    return text


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _read_time_zone(value: object) -> str:
    if not isinstance(value, str) or value not in _zones():
        raise ValueError("A TimeZone is a name of the IANA database, such as Europe/Berlin.")
    return value


@lru_cache(10_000)  # an argument that stands in the document is read again for every object
def _read_language(value: object) -> str:
    if not isinstance(value, str) or not _LANGUAGE.fullmatch(value):
        raise ValueError("A LanguageTag is written as in BCP 47, such as en, ru or pt-BR.")
    language, *rest = value.split("-")
    language = _aliases().get(language.lower(), language.lower())
    rest = [part.title() if len(part) == len("Latn") else part.upper() for part in rest]
    if language not in _languages() or not _scripts_and_regions().issuperset(rest):
        raise ValueError(f"{value} is no language that is known here.")
    return "-".join([language, *rest])


@cache
def _languages() -> frozenset[str]:
    return frozenset(code for code in map(str, babel.Locale("en").languages) if code.isalpha()) - NO_LANGUAGES


@cache
def _scripts_and_regions() -> frozenset[str]:
    english = babel.Locale("en")
    return frozenset(map(str, [*english.scripts, *english.territories]))


@cache
def _aliases() -> Mapping[str, str]:
    """Give what languages are written as today: he for iw, en for eng."""
    return {old: new for old, new in babel.core.get_global("language_aliases").items() if new.isalpha()}


@cache
def _countries() -> frozenset[str]:
    return frozenset(code for code in map(str, babel.Locale("en").territories) if re.fullmatch("[A-Z]{2}", code)) - {
        "EU", "EZ", "QO", "UN", "XA", "XB", "ZZ",
    }  # fmt: skip


def _read_country(value: object) -> str:
    if not isinstance(value, str) or value not in _countries():
        raise ValueError("A CountryCode is two capital letters of ISO 3166-1, such as DE.")
    return value


def _read_uuid(value: object) -> uuid.UUID:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", value):
        raise ValueError("A UUID is written as 8-4-4-4-12 hexadecimal digits.")
    return uuid.UUID(value)


SCALARS: Mapping[object, ScalarDefinition] = {
    Moment: strawberry.scalar(
        name="DateTime",
        description="An instant as in RFC 3339: out in UTC with three fraction digits, `2026-11-23T10:20:30.123Z`; in with any offset.",  # noqa: E501
        specified_by_url="https://scalars.graphql.org/andimarek/date-time.html",
        serialize=write_moment,
        parse_value=_read_moment,
    ),
    Cursor: strawberry.scalar(
        name="Cursor",
        description="An opaque place in a list or in a stream of events. It belongs to the query and the viewer that got it.",  # noqa: E501
        serialize=str,
        parse_value=_read_cursor,
    ),
    uuid.UUID: strawberry.scalar(
        name="UUID",
        description="A universally unique id as in RFC 9562, made by the client.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc9562",
        serialize=str,
        parse_value=_read_uuid,
    ),
    EmailAddress: strawberry.scalar(
        name="EmailAddress",
        description="An e-mail address. Compared without regard to case, Unicode form or the spelling of its domain.",
        specified_by_url="https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address",
        serialize=str,
        parse_value=_read_email,
    ),
    WebAddress: strawberry.scalar(
        name="URL",
        description="An https address; http only on loopback.",
        specified_by_url="https://url.spec.whatwg.org/",
        serialize=str,
        parse_value=_read_web_address,
    ),
    TimeZone: strawberry.scalar(
        name="TimeZone",
        description="A name of the IANA time zone database, such as `Europe/Berlin`.",
        specified_by_url="https://www.iana.org/time-zones",
        serialize=str,
        parse_value=_read_time_zone,
    ),
    LanguageTag: strawberry.scalar(
        name="LanguageTag",
        description="A language as in BCP 47, with script and region or without: `en`, `ru-FR`, `zh-Hant-TW`.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc5646",
        serialize=str,
        parse_value=_read_language,
    ),
    CountryCode: strawberry.scalar(
        name="CountryCode",
        description="A country as two capital letters of ISO 3166-1, such as `DE`.",
        specified_by_url="https://www.iso.org/iso-3166-country-codes.html",
        serialize=str,
        parse_value=_read_country,
    ),
}
