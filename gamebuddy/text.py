"""What people write: counted in code points, never empty to the eye, never steering the screen of others."""

import re
import unicodedata

from gamebuddy.errors import BadInput, Code, Problem, Rejected, reject

LONGEST_DISPLAY_NAME = 40
MOST_MARKS = 3  # combining marks in a row; living languages need two, piles of them cover the lines around
NO_TEXT = "\0"

# Embeddings, overrides and isolates turn the order of what follows, in other people's texts as well.
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Seen by nobody, though Unicode does not call them spaces.
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_INVISIBLE = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})  # not Cn: an emoji may be newer than this Python
_LINES = frozenset({"Cc", "Zl", "Zp"})


def is_blank(value: str) -> bool:
    """Tell whether nothing of it can be seen: spaces, zero-width and control characters, lone combining marks."""
    return all(
        character in _BLANKS or unicodedata.category(character) in _INVISIBLE or _is_mark(character)
        for character in value
    )


def checked(value: str, *field: str | int, longest: int) -> str:
    """Give a text of 1 to `longest` code points, as it was written.

    Raises:
        Rejected: TOO_SHORT when nothing of it can be seen, TOO_LONG above `longest`.
        BadInput: for what no text holds, NUL and lone surrogates.
    """
    require_text(value)
    if is_blank(value):
        raise reject(Code.TOO_SHORT, "Write something that can be seen.", *field)
    if len(value) > longest:
        raise reject(Code.TOO_LONG, f"At most {longest} characters; these are {len(value)}.", *field)
    return value


def display_name(value: str, *field: str | int) -> str:
    """Give a name to show: 1 to 40 code points in one line, trimmed, in Unicode form NFC.

    Raises:
        Rejected: TOO_SHORT, TOO_LONG, or INVALID for line breaks, control and bidirectional characters, and piles of
            combining marks.
        BadInput: as `checked`.
    """
    # Checked before it is composed: a length that people can count, and no work on what is refused.
    checked(value.strip(), *field, longest=LONGEST_DISPLAY_NAME)
    # And once more: a few letters, of Devanagari and Hebrew, become two when they are composed.
    name = checked(unicodedata.normalize("NFC", value.strip()), *field, longest=LONGEST_DISPLAY_NAME)
    wrong = _wrong_with_name(name)
    if wrong is not None:
        raise Rejected(Problem(code=Code.INVALID, message=wrong, field=field))
    return name


def require_text(value: str) -> None:
    """Let through what PostgreSQL and UTF-8 can hold.

    Raises:
        BadInput: for NUL and lone surrogates.
    """
    if NO_TEXT in value or re.search("[\ud800-\udfff]", value):
        raise BadInput("A text holds no NUL and no lone surrogate.")


def _wrong_with_name(name: str) -> str | None:
    if any(unicodedata.category(character) in _LINES for character in name):
        return "A name has one line and no control characters."
    if any(character in _BIDI for character in name):
        return "A name does not turn the direction of writing."
    marks = 0
    for character in name:
        if _is_mark(character):
            marks += 1
        elif unicodedata.category(character) != "Cf":  # through a joiner, marks go on piling up
            marks = 0
        if marks > MOST_MARKS:
            return "A name has no piles of accents."
    return None


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) in {"Mn", "Me"}
