"""The development mailbox: letters that were written to a folder instead of being sent."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gamebuddy.pages.rendering import PAPER_POLICY, Page, render


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A letter as it would have been sent; `key` names it in addresses and `at` is aware."""

    key: str
    to: str
    subject: str
    at: datetime
    text: str

    @property
    def code(self) -> str | None:
        """The six-digit code that stands on a line of its own, if there is one."""
        found = re.search(r"^[ \t]*([0-9]{6})[ \t]*\r?$", self.text, re.MULTILINE)
        return found.group(1) if found else None


def mailbox(letters: Iterable[Letter], *, path: str = "/dev/mail", home: str = "/") -> Page:
    """List the letters, newest first; each links to `path`/key."""
    newest_first = sorted(letters, key=lambda letter: (letter.at, letter.key), reverse=True)
    return Page(html=render("mailbox.html", letters=newest_first, path=path, home=home), csp=PAPER_POLICY)


def letter(shown: Letter, *, path: str = "/dev/mail") -> Page:
    """Show one letter whole."""
    return Page(html=render("letter.html", letter=shown, path=path), csp=PAPER_POLICY)
