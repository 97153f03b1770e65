"""What accounts are called: user names and e-mail addresses."""

import re
import unicodedata
from dataclasses import dataclass

import email_validator

from gamebuddy import text
from gamebuddy.errors import Code, reject

SHORTEST_USERNAME, LONGEST_USERNAME = 3, 32
LONGEST_EMAIL = 254

_USERNAME = re.compile("[a-z0-9_]*", re.ASCII)
# Names that people would take for the house itself, and words that programs take for nothing.
RESERVED_USERNAMES = frozenset({
    "abuse", "admin", "administration", "administrator", "admins", "anonymous", "api", "deleted", "deleted_user",
    "everyone", "game_buddy", "gamebuddy", "gamebuddy_bot", "gamebuddy_support", "graphql", "help", "helpdesk",
    "here", "hostmaster", "mod", "moderation", "moderator", "moderators", "mods", "nil", "no_reply", "none",
    "noreply", "null", "official", "postmaster", "root", "security", "staff", "superuser", "support", "sysadmin",
    "system", "undefined", "webmaster",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Email:
    """An address as it is written to, and the key it is compared by."""

    address: str
    key: str


def username(value: str, *field: str | int) -> str:
    """Give a user name that anybody may take, in lower case.

    Raises:
        Rejected: as `any_username`, and NOT_ALLOWED for a reserved name.
    """
    name = any_username(value, *field)
    if name in RESERVED_USERNAMES:
        raise reject(Code.NOT_ALLOWED, "This name is reserved.", *field)
    return name


def any_username(value: str, *field: str | int) -> str:
    """Give a well-formed user name in lower case, reserved or not.

    Only ASCII is legal, so no name can look like another one.

    Raises:
        Rejected: TOO_SHORT, TOO_LONG or INVALID.
        BadInput: for NUL and lone surrogates.
    """
    text.require_text(value)
    # Not str.lower(): it makes a legal k of the Kelvin sign.
    name = "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in value)
    if not _USERNAME.fullmatch(name):
        raise reject(Code.INVALID, "A user name is made of the letters a to z, digits and underscores.", *field)
    if len(name) < SHORTEST_USERNAME:
        raise reject(Code.TOO_SHORT, f"A user name has at least {SHORTEST_USERNAME} characters.", *field)
    if len(name) > LONGEST_USERNAME:
        raise reject(Code.TOO_LONG, f"A user name has at most {LONGEST_USERNAME} characters.", *field)
    return name


def email(value: str, *field: str | int) -> Email:
    """Read an address; nothing is asked of the network.

    The key is the same for every spelling of one mailbox: Unicode form, case, IDN or Punycode. `+tag` stays distinct.

    Raises:
        Rejected: INVALID.
        BadInput: for NUL and lone surrogates.
    """
    text.require_text(value)
    try:
        if len(value) > LONGEST_EMAIL:
            raise email_validator.EmailSyntaxError("The email address is too long.")
        parts = email_validator.validate_email(value, check_deliverability=False, strict=True, test_environment=True)
    except email_validator.EmailNotValidError as error:
        raise reject(Code.INVALID, f"This is no e-mail address. {error}", *field) from None
    domain = parts.ascii_domain.lower()
    if "." not in domain:
        raise reject(Code.INVALID, "This is no e-mail address. The part after the @-sign is not complete.", *field)
    local = parts.local_part
    return Email(address=f"{local}@{domain}", key=f"{unicodedata.normalize('NFC', local.casefold())}@{domain}")
