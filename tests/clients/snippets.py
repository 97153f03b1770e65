"""The programs of docs/clients.md, taken out of the page as they stand there."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.clients.node import FOLDER

PAGE = Path(__file__).parents[2] / "docs" / "clients.md"
# A block of a language whose first line names its file in a comment.
BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"(?://|#) (?P<name>[\w-]+\.\w+): .+\n")


@dataclass(frozen=True)
class Snippet:
    """One block of the page; `name` is None for what is no file, as a command or a fragment of Swift."""

    language: str
    name: str | None
    text: str


def read() -> list[Snippet]:
    """Read every block of the page."""
    found = []
    for block in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        name = NAME.match(block["text"])
        found.append(Snippet(block["language"], name["name"] if name else None, block["text"]))
    return found


def write(folder: Path) -> Path:
    """Write the files of the page into a folder, beside the packages of npm, and give the folder."""
    for snippet in read():
        if snippet.name is not None:
            (folder / snippet.name).write_text(snippet.text, encoding="utf-8")
    (folder / "node_modules").symlink_to(FOLDER / "node_modules")
    return folder
