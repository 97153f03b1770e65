"""The development mailbox: letters kept as files instead of being sent."""

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

SUFFIX = ".eml"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLetter:
    """A letter in the mailbox; `key` is the name of its file without the suffix, and `text` its plain part."""

    key: str
    to: str
    subject: str
    at: datetime
    text: str


def keep(folder: Path, letter: EmailMessage) -> Path:
    """Write a letter to the mailbox, whole or not at all, readable by its owner alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=stat.S_IRWXU)
    path = folder / f"{time.time_ns()}-{os.getpid()}{SUFFIX}"
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - the mode has to hold from the first byte
        file.write(letter.as_bytes(policy=policy.SMTPUTF8))
    fresh.rename(path)
    return path


def read_mailbox(folder: Path) -> list[StoredLetter]:
    """Read the letters, newest first. What is no letter is passed over."""
    return sorted(_letters(folder), key=lambda letter: letter.key, reverse=True)


def _letters(folder: Path) -> Iterator[StoredLetter]:
    for path in folder.glob(f"*{SUFFIX}"):
        try:
            letter = message_from_bytes(path.read_bytes(), policy=policy.SMTPUTF8)
        except OSError:  # removed meanwhile
            continue
        body = letter.get_body(("plain",))
        sent = letter["Date"].datetime if letter["Date"] else None
        yield StoredLetter(
            key=path.stem,
            to=str(letter["To"]),
            subject=str(letter["Subject"]),
            at=sent or datetime.fromtimestamp(path.stat().st_mtime, UTC),
            text=body.get_content() if body is not None else "",
        )
