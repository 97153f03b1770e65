"""What must stand nowhere: passwords, tokens and codes, collected while a test goes and looked for when it is over.

The clients of the tests tell LEAKS what they give and get. The fixture `clean` then walks through every row of the
database, every line that was logged and the metrics.
"""

import base64
import binascii
import contextlib
import io
import json
import logging
import re
import sys
from collections.abc import Iterator
from typing import Any

import asyncpg
import structlog
from prometheus_client import generate_latest

SECRET_INPUTS = frozenset({"password", "currentPassword", "newPassword", "code", "totpCode", "refreshToken"})
SECRET_OUTPUTS = frozenset({"accessToken", "refreshToken", "secret", "recoveryCodes", "code"})
REASONS = frozenset({"errors", "userErrors"})  # their codes are words of the contract
# Tests offer somebody's own address as a password, which is refused; as an address it stands where it should.
ALLOWED = frozenset({"nika@example.com"})
SHORTEST = 6  # what is shorter stands everywhere by chance
ENOUGH = 200  # characters to know a secret by

# Digits that are a number of their own: neither within an id or another number, nor after the dot of a time. What
# looks like an n before them may be the end of an escaped line break. Python and PostgreSQL read it alike.
_NUMBER = r"(?:(?<![0-9A-Za-z_.-])|(?<=\\[nrt]))(?:{})(?![0-9A-Za-z_-]|\.[0-9])"
_ACCESS_TOKEN = re.compile(r"[\w-]+\.[\w-]+\.([\w-]{43})", re.ASCII)
_NO_TEXT = re.compile("[\0\ud800-\udfff]")  # PostgreSQL holds neither

_TABLES = """
SELECT relname AS name,
    array_agg(attname ORDER BY attnum) FILTER (
        WHERE typcategory = 'S' OR typname IN ('json', 'jsonb', '_text', '_varchar')
    ) AS texts
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid JOIN pg_type ON pg_type.oid = atttypid
WHERE pg_class.relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
    AND relname NOT IN ('game_ranks', 'game_roles', 'genres')  -- large, and no operation writes there
    AND relname <> 'invite_links'  -- their codes are shown again to those who made them
GROUP BY relname ORDER BY relname
"""


class Lines(io.StringIO):
    """Standard error of the tests' servers: keeps what is written, and passes it on."""

    def write(self, text: str) -> int:
        """Write."""
        sys.stderr.write(text)
        return super().write(text)

    def clear(self) -> None:
        """Forget what was written."""
        self.seek(0)
        self.truncate()


class Leaks:
    """Knows the secrets of a test, and finds them."""

    def __init__(self) -> None:
        self.secrets: set[str] = set()
        self.logs = Lines()
        self._handler = logging.StreamHandler(self.logs)
        self._walk = ""  # the statement; made once, for to ask for every table takes as long as to look into it

    def listen(self) -> None:
        """Hear what a server logs, after it has set up its logs."""
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(self.logs))
        logging.getLogger().addHandler(self._handler)

    def note(self, secret: str) -> None:
        """Remember a secret."""
        # The rest of an access token says who it is for; its signature is what makes it one.
        token = _ACCESS_TOKEN.fullmatch(secret)
        bare = token[1] if token else secret.strip()[:ENOUGH]
        if len(bare) >= SHORTEST and bare not in ALLOWED:
            # A code may be typed in two halves.
            self.secrets |= {bare, bare.replace(" ", "")} if _is_number(bare.replace(" ", "")) else {bare}

    def note_inputs(self, variables: object) -> None:
        """Remember the secrets in the variables of an operation."""
        for secret in _named(variables, SECRET_INPUTS):
            self.note(secret)

    def note_outputs(self, answer: object) -> None:
        """Remember the secrets in an answer."""
        for secret in _named(answer, SECRET_OUTPUTS):
            self.note(secret)

    def forget(self) -> None:
        """Begin with another test."""
        self.secrets.clear()

    async def find(self, connection: asyncpg.Connection) -> list[str]:
        """Tell where in the log since the last time, in the metrics and in the database a secret stands."""
        lines = self.logs.getvalue().splitlines()
        self.logs.clear()
        if not self.secrets:
            return []
        needles = _Needles(self.secrets)
        found = [f"log: {line}" for line in lines if needles.are_in(line)]
        metrics = generate_latest().decode()
        if needles.are_in(metrics):
            found += [f"metrics: {line}" for line in metrics.splitlines() if needles.are_in(line)]
        if not self._walk:
            tables = await connection.fetch(_TABLES)
            self._walk = " UNION ALL ".join(_rows_with_a_secret(table["name"], table["texts"]) for table in tables)
        rows = await connection.fetch(
            self._walk,
            [text for text in needles.texts if not _NO_TEXT.search(text)],
            needles.numbers.pattern if needles.numbers else None,
        )
        return found + [f"{row['name']}: {needles.columns(json.loads(row['row']))}" for row in rows]


LEAKS = Leaks()


class _Needles:
    """Every spelling of the secrets."""

    def __init__(self, secrets: set[str]) -> None:
        self.texts = {spelling for secret in secrets for spelling in _spellings(secret)}
        numbers = filter(_is_number, secrets)
        self.numbers = _pattern(*numbers) if any(map(_is_number, secrets)) else None

    def are_in(self, text: str) -> bool:
        """Tell whether one of them stands in a text."""
        return any(needle in text for needle in self.texts) or bool(self.numbers and self.numbers.search(text))

    def columns(self, row: dict[str, Any]) -> str:
        """Name the columns of a row in which one stands."""
        texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in row.items()}
        return ", ".join(name for name, text in texts.items() if self.are_in(text)) or str(row)


def _pattern(*numbers: str) -> re.Pattern[str]:
    return re.compile(_NUMBER.format("|".join(numbers)))


def _is_number(secret: str) -> bool:
    return secret.isascii() and secret.isdecimal()


def _rows_with_a_secret(table: str, texts: list[str] | None) -> str:
    columns = "".join(f', whole_row."{column}"' for column in texts or ())
    return f"""
    SELECT '{table}' AS name, to_jsonb(whole_row)::text AS row
    FROM "{table}" whole_row, LATERAL (SELECT whole_row::text AS line OFFSET 0) as_text
    WHERE EXISTS (SELECT FROM unnest($1::text[]) spelling WHERE strpos(line, spelling) > 0)
        OR concat_ws(' ', ''{columns}) ~ $2"""


def _named(tree: object, names: frozenset[str]) -> Iterator[str]:
    """Give the texts that stand under one of the names, at any depth: without recursion, for tests send deep trees."""
    rest: list[object] = [tree]
    while rest:
        node = rest.pop()
        if isinstance(node, list):
            rest += node
        elif isinstance(node, dict):
            for name, value in node.items():
                if name in names:
                    yield from (
                        text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)
                    )
                elif name not in REASONS:
                    rest.append(value)


def _spellings(secret: str) -> set[str]:
    """Give the forms in which a secret might be written down."""
    raw = secret.encode("utf-8", "surrogatepass")
    found = {_in_base64(raw, before) for before in range(3)}
    if _is_number(secret):
        return found  # the digits themselves stand in ids and times too, and so does their hex form
    found.add(raw.hex())  # as bytea
    if re.fullmatch(r"[\w-]{16,}", secret, re.ASCII):  # it may be bytes itself: a token, or an authenticator's secret
        for decode, group in ((base64.b32decode, 8), (base64.urlsafe_b64decode, 4)):
            with contextlib.suppress(binascii.Error):
                found.add(decode(secret + "=" * (-len(secret) % group)).hex())
    in_json, in_a_row = json.dumps(secret)[1:-1], secret.replace("\\", "\\\\").replace('"', '""')
    return {spelling for spelling in {*found, secret, in_json, in_a_row} if len(spelling) >= SHORTEST}


def _in_base64(raw: bytes, before: int) -> str:
    """Give what base64 always makes of it, after so many other bytes and whatever follows."""
    written = base64.b64encode(b"\0" * before + raw).decode()
    return written[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
