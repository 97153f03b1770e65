"""What a file may be, by its name and by its bytes: both have to agree with what its sender says."""

import mimetypes
import unicodedata
from collections.abc import Callable, Mapping

import orjson

LONGEST_NAME = 100
PICTURE_TYPES = frozenset({"image/jpeg", "image/png", "image/webp"})


class Unsupported(Exception):
    """The bytes are not what they are said to be, or nothing that is taken."""


def clean_name(name: str) -> str:
    """Give a name to show and to save under: no folders, nothing that cannot be seen, at most 100 characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    seen = "".join(char for char in last if unicodedata.category(char)[0] != "C").strip(". ")
    if len(seen) > LONGEST_NAME:
        stem, dot, ending = seen.rpartition(".")
        ending = (dot + ending)[: LONGEST_NAME // 2] if stem else ""
        seen = seen[: LONGEST_NAME - len(ending)] + ending
    return seen or "file"


def matches_name(media_type: str, name: str) -> bool:
    """Tell whether the ending of a name says the same as the media type; one that says nothing is right for all."""
    guessed, packing = mimetypes.guess_type(name, strict=False)
    return packing is None and guessed in {None, media_type}


def check_bytes(media_type: str, data: bytes) -> None:
    """Let a file through that is no picture.

    Raises:
        Unsupported: when the bytes are something else.
    """
    if not FILE_TYPES[media_type](data):
        raise Unsupported


def _is_text(data: bytes) -> bool:
    try:
        return "\0" not in data.decode()
    except UnicodeDecodeError:
        return False


def _is_json(data: bytes) -> bool:
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        return False
    return True


# Text, settings, replays in archives, clips and voices: nothing that a browser would run. By their first bytes.
FILE_TYPES: Mapping[str, Callable[[bytes], bool]] = {
    "application/json": _is_json,
    "application/zip": lambda data: data[:4] in {b"PK\x03\x04", b"PK\x05\x06"},
    "audio/mpeg": lambda data: data[:3] == b"ID3" or data[:2] in {b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"},
    "audio/ogg": lambda data: data[:4] == b"OggS",
    "text/plain": _is_text,
    "video/mp4": lambda data: data[4:8] == b"ftyp",
}
