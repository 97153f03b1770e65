"""Opaque, global, typed ids: a short kind and the 16 bytes of the row's id, such as `usr_AZqp3n1Rf4mQ2cV0Jk8bXA`."""

import base64
import binascii
import uuid
from enum import StrEnum
from functools import lru_cache

import strawberry

from gamebuddy.errors import BadInput

DIGITS = 22  # of 16 bytes in base 64 without padding


class Kind(StrEnum):
    """What an id points at."""

    USER = "usr"
    PROFILE = "prf"
    SESSION = "ssn"
    GENRE = "gnr"
    GAME = "gam"
    GAME_RANK = "rnk"
    GAME_ROLE = "rol"
    TEAMMATE_REQUEST = "req"
    CHAT = "cht"
    MESSAGE = "msg"
    INVITE_LINK = "inv"
    ATTACHMENT = "att"
    UPLOAD = "upl"
    EVENT = "evt"
    ACCOUNT = "acc"
    SANCTION = "snc"
    AUDIT_ENTRY = "aud"
    WORD_RULE = "wrd"
    REPORT = "rpt"
    APPEAL = "apl"


@lru_cache(10_000)  # ids of games and of whoever is seen often
def write(kind: Kind, row_id: uuid.UUID) -> strawberry.ID:
    """Write the id of a row for clients."""
    return strawberry.ID(f"{kind}_{base64.urlsafe_b64encode(row_id.bytes).decode().rstrip('=')}")


def read_any(value: str) -> tuple[Kind, uuid.UUID]:
    """Read an id of any kind.

    Raises:
        BadInput: when no id of ours looks like this.
    """
    prefix, _, digits = value.partition("_")
    try:
        kind = Kind(prefix)
        row_id = uuid.UUID(bytes=base64.b64decode(f"{digits}==", altchars=b"-_", validate=True))
    except (ValueError, binascii.Error):
        raise BadInput("This is no id.") from None
    if len(digits) != DIGITS or write(kind, row_id) != value:  # one row has one id: spare bits have to be zero
        raise BadInput("This is no id.")
    return kind, row_id


def read(kind: Kind, value: str) -> uuid.UUID:
    """Read an id of one kind.

    Raises:
        BadInput: when it is no id, or the id of something else.
    """
    found, row_id = read_any(value)
    if found is not kind:
        raise BadInput(f"This is no id of a {kind.name.lower().replace('_', ' ')}.")
    return row_id


def read_all(kind: Kind, values: list[strawberry.ID]) -> list[uuid.UUID]:
    """Read a list of ids of one kind, in order, each once.

    Raises:
        BadInput: as `read`.
    """
    return list(dict.fromkeys(read(kind, value) for value in values))
