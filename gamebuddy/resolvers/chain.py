"""Checking the audit log against its chain of hashes, without trusting the database's own functions."""

import hashlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, cast, exists, func, select

from gamebuddy import db
from gamebuddy.db import ReadSession

PAGE = 1_000
SALT = 16
SEALED = {"actor": "who did it", "target": "whom it was done to", "words": "reason or detail"}


@dataclass(frozen=True, slots=True)
class Broken:
    """The first entry that does not fit; `number` is its number in the log, None where there is none any more."""

    number: int | None
    entry_id: uuid.UUID | None
    why: str

    def __str__(self) -> str:
        """Say it in one line."""
        name = f"entry {self.number}" if self.number is not None else "an entry"
        return f"{name} ({self.entry_id}): {self.why}" if self.entry_id else self.why


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many entries hold, and of how many something was forgotten with an account that is gone."""

    entries: int
    forgotten: int
    last_hash: bytes | None
    broken: Broken | None = None


async def verify(session: ReadSession, *, noted: bytes | None = None) -> Verdict:
    """Compute the whole chain anew, and compare.

    `noted` is a hash that was the last one once: without it nobody can tell that the newest entries were taken away,
    all of them together with their links.
    """
    before, count, forgotten, is_noted = b"", 0, 0, noted is None
    async for row in _links(session):
        why = _wrong_with(row, count + 1, before)
        if why is not None:
            return Verdict(count, forgotten, before or None, Broken(row.number, row.entry_id, why))
        before, count = row.hash, count + 1
        forgotten += any(not _salt(getattr(row, name)) for name in SEALED)
        is_noted = is_noted or row.hash == noted
    broken = await _unchained(session)
    if broken is None and not is_noted:
        broken = Broken(None, None, "the hash that was noted is in the chain no more; entries were taken away")
    return Verdict(count, forgotten, before or None, broken)


async def _links(session: ReadSession) -> AsyncIterator[Any]:
    link, entry = db.AuditLink, db.AuditEntry
    at = func.to_char(func.timezone("UTC", entry.at), 'YYYY-MM-DD"T"HH24:MI:SS.US')
    statement = (
        select(
            link.position,
            link.entry_id,
            link.actor,
            link.target,
            link.words,
            link.hash,
            entry.number,
            cast(entry.action, Text).label("action"),
            at.label("at"),
            func.coalesce(cast(entry.actor_id, Text), "").label("actor_said"),
            func.coalesce(cast(entry.target_id, Text), "").label("target_said"),
            cast(func.jsonb_build_array(entry.reason, entry.detail), Text).label("words_said"),
        )
        .outerjoin(entry, entry.id == link.entry_id)
        .order_by(link.position)
        .limit(PAGE)
    )
    last = None
    while True:
        page = (await session.execute(statement if last is None else statement.where(link.position > last))).all()
        for row in page:
            yield row
        if len(page) < PAGE:
            return
        last = page[-1].position


def _wrong_with(row: Any, position: int, before: bytes) -> str | None:
    """Say what does not fit between an entry, its link and the link before; None where all does."""
    if row.position != position:
        return f"the chain has a gap before it: link {position} is missing"
    if row.number is None:
        return "it was taken away; its link is left"
    for name, what in SEALED.items():
        seal, said = getattr(row, name), getattr(row, f"{name}_said")
        salt = _salt(seal)
        is_empty = said in {"", "[null, {}]"}
        if salt and hashlib.sha256(salt + said.encode()).digest() != _digest(seal):
            return f"{what} was changed"
        if not salt and not is_empty:
            return f"{what} was put in where it had been forgotten"
    digests = (_digest(getattr(row, name)).hex() for name in SEALED)
    content = " ".join((str(row.position), str(row.entry_id), str(row.number), row.action, row.at, *digests))
    if hashlib.sha256(before + content.encode()).digest() != row.hash:
        return "its number, action, time, seals or hash were changed, or those of the link before"
    return None


def _salt(seal: bytes) -> bytes:
    return seal[:SALT] if len(seal) > hashlib.sha256().digest_size else b""


def _digest(seal: bytes) -> bytes:
    return seal[-hashlib.sha256().digest_size :]


async def _unchained(session: ReadSession) -> Broken | None:
    entry = db.AuditEntry
    is_chained = exists().where(db.AuditLink.entry_id == entry.id)
    row = (
        await session.execute(select(entry.number, entry.id).where(~is_chained).order_by(entry.number).limit(1))
    ).first()
    return Broken(row.number, row.id, "it has no link in the chain") if row else None
