"""Passwords: what is refused before any work, and the slow hash that keeps the rest."""

import itertools
import re
import secrets
import unicodedata
from functools import cache
from importlib import resources

import argon2
import structlog

from gamebuddy import text
from gamebuddy.errors import Code, reject
from gamebuddy.workers import Workers

SHORTEST, LONGEST = 8, 128  # code points
# 19 MiB, two passes, one lane: the first choice of the OWASP Password Storage Cheat Sheet.
PASSES, MEMORY_KIB, LANES = 2, 19_456, 1
THREADS = 2
WAITING_ROOM = 64  # hashes that may wait; a full room empties in about a second
LONGEST_REPEATED = 16  # up to here one pattern over and over is a pattern, not a password

_BEFORE, _AFTER = r"[\W\d_]{0,4}", r"[\W\d_]{0,5}"  # the usual ornaments: a few digits or signs

log = structlog.get_logger(__name__)


def check(value: str, *field: str | int, own: tuple[str, ...] = ()) -> None:
    """Let a new password through, exactly as typed; `own` are names and addresses it must not be made of.

    Raises:
        Rejected: TOO_SHORT, TOO_LONG or WEAK_PASSWORD.
        BadInput: for NUL and lone surrogates.
    """
    text.require_text(value)
    if len(value) < SHORTEST:
        raise reject(Code.TOO_SHORT, f"A password has at least {SHORTEST} characters.", *field)
    if len(value) > LONGEST:
        raise reject(Code.TOO_LONG, f"A password has at most {LONGEST} characters.", *field)
    if _is_common(value):
        raise reject(Code.WEAK_PASSWORD, "This password is one of the first that anybody would try.", *field)
    if _is_own(value, own):
        raise reject(Code.WEAK_PASSWORD, "A password is not made of your own name or address.", *field)


class Passwords:
    """Argon2id in threads of its own, so that the event loop goes on; more work than can be done soon is refused."""

    def __init__(self) -> None:
        self._hasher = argon2.PasswordHasher(PASSES, MEMORY_KIB, LANES)
        self._workers = Workers("argon2", threads=THREADS, waiting_room=WAITING_ROOM)
        self._nobodys = self._hasher.hash(secrets.token_urlsafe())

    async def hash(self, password: str) -> str:
        """Hash a password. Hold no database connection meanwhile.

        Raises:
            Unavailable: at once, when too many wait.
        """
        return await self._workers.run(self._hasher.hash, password)

    async def verify(self, password: str, stored: str | None) -> bool:
        """Tell whether it is the password. Costs the same where nothing, or nothing readable, is stored.

        Raises:
            Unavailable: at once, when too many wait.
        """
        is_readable = bool(stored and self._parameters(stored))
        if stored is not None and not is_readable:
            log.error("password_hash_unreadable")
        if len(password) > LONGEST:  # nobody has such a password: no work for it, as when it was made
            return False
        matches = await self._workers.run(self._matches, password, stored if stored and is_readable else self._nobodys)
        return matches and is_readable

    def needs_rehash(self, stored: str) -> bool:
        """Tell whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    async def close(self) -> None:
        """Drop what waits and end the threads."""
        await self._workers.close()

    def _matches(self, password: str, stored: str) -> bool:
        try:
            return self._hasher.verify(stored, password.encode("utf-8", "surrogatepass"))
        except argon2.exceptions.VerificationError:
            return False

    @staticmethod
    def _parameters(stored: str) -> argon2.Parameters | None:
        try:
            return argon2.extract_parameters(stored)
        except argon2.exceptions.InvalidHashError:
            return None


@cache
def _common() -> frozenset[str]:
    words = resources.files("gamebuddy.auth").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(word for line in words.splitlines() if not line.startswith("#") for word in line.split())


def _is_common(password: str) -> bool:
    folded = _folded(password)
    return folded in _common() or not _cores(folded).isdisjoint(_common()) or _is_pattern(folded)


def _is_own(password: str, own: tuple[str, ...]) -> bool:
    words = {part for word in own for part in (_folded(word), _folded(word).partition("@")[0]) if part}
    folded = _folded(password)
    # A name may end as an ornament begins, in a year: so it is looked for as well, not only what ornaments leave.
    return not _cores(folded).isdisjoint(words) or any(_is_ornamented(folded, word) for word in words)


def _is_ornamented(folded: str, word: str) -> bool:
    return re.fullmatch(rf"{_BEFORE}{re.escape(word)}{_AFTER}", folded) is not None


def _folded(value: str) -> str:
    return unicodedata.normalize("NFKC", value).casefold()


def _cores(folded: str) -> set[str]:
    """Give the words that are left without the usual ornaments: a few digits or signs around, digits for letters."""
    bare = re.sub(rf"^{_BEFORE}(.*?){_AFTER}$", r"\1", folded)
    return {core for core in (bare, bare.translate(_LETTERS), folded.translate(_LETTERS)) if core}


_LETTERS = str.maketrans("013457@$!", "oieastasi")


def _is_pattern(folded: str) -> bool:
    """Tell whether it is one short piece over and over, or a walk along the digits or the alphabet."""
    if len(folded) > LONGEST_REPEATED or not folded.isascii():
        return False
    if any(folded == (folded[:size] * len(folded))[: len(folded)] for size in range(1, 4)):
        return True
    steps = {ord(following) - ord(previous) for previous, following in itertools.pairwise(folded)}
    return len(steps) == 1 and abs(steps.pop()) == 1
