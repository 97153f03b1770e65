"""Words under their spellings: one reading of letters for all disguises, and one walk for all rules.

Why it is made so is told in docs/decisions/0030-words-by-one-walk.md.
"""

import unicodedata
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

MASK = "*"
MOST_REPEATS = 4  # of a letter in a row that are told apart
MOST_EXTRA = 12  # letters of a match that only say others longer
STEPS_A_LETTER = 30  # what no text but noise made on purpose takes; then the walk ends, and nobody waits for it

# Letters that look like a Latin one, in small letters; what stands here reads as that one in rules and texts alike.
_TWINS = dict(
    zip(
        "авсԁеһнієјкӏморԛѕтуүхԝ" + "αβεηικνορτυχω" + "ıłøđɡɑ",
        "abcdehhiejklmopqstyyxw" + "abenikvoptuxw" + "ilodga",
        strict=True,
    )
)
# What stands for letters in the middle of words. A digit is itself, too.
_DIGITS = {"0": "o", "1": "il", "3": "eз", "4": "aч", "5": "s", "6": "bб", "7": "t", "8": "b", "9": "g"}
_SIGNS = {"@": "a", "$": "s", "!": "i", "|": "il", "€": "e", "£": "l"}
_UNSEEN = frozenset("'’ʼ`\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # apostrophes part no words


class Gap(IntEnum):
    """What stands before a letter."""

    NONE = 0
    JOIN = 1  # signs without a space
    SPACE = 2


@dataclass(slots=True)
class Glyph:
    """A letter as it may be read, the gap before it, and where it stands in the text."""

    readings: str
    gap: Gap
    start: int
    end: int


@dataclass(slots=True)
class _Node[K: Hashable]:
    after: "dict[str, _Node[K]]" = field(default_factory=dict)
    rules: list[tuple[K, bool]] = field(default_factory=list)  # with whether whole words are meant


@dataclass(frozen=True, slots=True)
class Match[K: Hashable]:
    """Where a rule was found."""

    rule: K
    start: int
    end: int


class Matcher[K: Hashable]:
    """Finds the phrases of all rules in one walk over a text."""

    def __init__(self, rules: Iterable[tuple[K, str, bool]] = ()) -> None:
        """Take rules: a key, the phrase, and whether it is found as whole words alone."""
        self._root: _Node[K] = _Node()
        for key, phrase, is_whole in rules:
            node = self._root
            for place, glyph in enumerate(glyphs_of(phrase)):
                if place and glyph.gap:
                    node = node.after.setdefault(" ", _Node())
                node = node.after.setdefault(glyph.readings[0], _Node())
            if node is not self._root:
                node.rules.append((key, is_whole))

    def find(self, text: str) -> list[Match[K]]:
        """Find what matches, from left to right; matches may overlap."""
        if not self._root.after:
            return []
        found: list[Match[K]] = []
        glyphs = glyphs_of(text)
        left = STEPS_A_LETTER * (len(glyphs) + 10)
        for start, first in enumerate(glyphs):
            for c in first.readings:
                node = self._root.after.get(c)
                if node is not None and left > 0:
                    left = self._walk(glyphs, _Path(node, c, start, 0, False), start, found, left)
        return found

    def _walk(self, glyphs: list[Glyph], path: "_Path[K]", start: int, found: list[Match[K]], left: int) -> int:
        """Follow all paths from a first letter on; tells how many steps are left."""
        first, last = glyphs[start], len(glyphs) - 1
        paths = [path]
        seen: set[tuple[int, int, bool]] = set()
        while paths and left > 0:
            left -= 1
            node, letter, at, extra, spans = paths.pop()
            if node.rules:
                is_bounded = bool(first.gap) and (at == last or bool(glyphs[at + 1].gap))
                found += [
                    Match(key, first.start, glyphs[at].end)
                    for key, is_whole in node.rules
                    if is_bounded or not (is_whole or spans)
                ]
            if at == last:
                continue
            following = glyphs[at + 1]
            spaced = node.after.get(" ")
            is_open = not following.gap or (bool(first.gap) and _may_span(glyphs, at))
            spans_then = spans or bool(following.gap)
            for c in following.readings:
                steps = []
                if spaced and c in spaced.after:
                    steps.append(_Path(spaced.after[c], c, at + 1, extra, spans))
                if is_open and c in node.after:
                    steps.append(_Path(node.after[c], c, at + 1, extra, spans_then))
                if is_open and c == letter and extra < MOST_EXTRA:  # said longer: "nooo"
                    steps.append(_Path(node, c, at + 1, extra + 1, spans_then))
                for step in steps:
                    key = (id(step.node), step.at, step.spans)
                    if key not in seen:
                        seen.add(key)
                        paths.append(step)
        return left


class _Path[K: Hashable](NamedTuple):
    """How far a walk has come: the node, its last letter and place, letters said longer, gaps that were passed."""

    node: _Node[K]
    letter: str
    at: int
    extra: int
    spans: bool


def glyphs_of(text: str) -> list[Glyph]:
    """Read a text letter by letter, without case, marks, what nobody sees, and signs that part words."""
    glyphs: list[Glyph] = []
    gap, has_letter, began = Gap.SPACE, False, 0
    for index, character in enumerate(text):
        letters = _letters(character)
        if letters and character in _SIGNS and not _stands_for_letter(text, index):
            letters = ()
        if letters is None:
            continue
        if not letters:
            gap = max(gap, Gap.SPACE if character.isspace() else Gap.JOIN)
            continue
        if gap:
            _settle(glyphs, began, has_letter=has_letter)
            began, has_letter = len(glyphs), False
        has_letter = has_letter or character.isalpha()
        for readings in letters:
            last = glyphs[-MOST_REPEATS:]
            if not gap and len(glyphs) - began >= MOST_REPEATS and all(g.readings == readings for g in last):
                glyphs[-1].end = index + 1
            else:
                glyphs.append(Glyph(readings, gap, index, index + 1))
            gap = Gap.NONE
    _settle(glyphs, began, has_letter=has_letter)
    return glyphs


def reading_of(phrase: str) -> str:
    """Say how a phrase reads: the same for all spellings that mean the same rule."""
    glyphs = glyphs_of(phrase)
    return "".join((" " if place and glyph.gap else "") + glyph.readings[0] for place, glyph in enumerate(glyphs))


def masked(text: str, matches: Iterable[Match[Hashable]]) -> str:
    """Put a mask over what was found; its length and its spaces stay."""
    characters = list(text)
    for match in matches:
        for index in range(match.start, match.end):
            if not characters[index].isspace():
                characters[index] = MASK
    return "".join(characters)


def is_same_under_masks(one: str, other: str) -> bool:
    """Tell whether two texts are the same but for what rules of different times have masked."""
    return len(one) == len(other) and all(a == b or MASK in (a, b) for a, b in zip(one, other, strict=True))


@lru_cache(maxsize=4096)
def _letters(character: str) -> tuple[str, ...] | None:
    """Give what a character may be read as, place by place; nothing for what parts words, None for what is not seen."""
    if character in _UNSEEN or unicodedata.category(character) in {"Cf", "Mn", "Me"}:
        return None
    if character in _SIGNS:
        return (_SIGNS[character],)
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    found = [_TWINS.get(c, c) for c in plain if c.isalnum()]
    return tuple(c + _DIGITS.get(c, "") for c in found)


def _stands_for_letter(text: str, index: int) -> bool:
    """Tell of a sign whether letters or digits stand on both sides of it; "$" also begins and ends words."""
    before, after = text[index - 1 : index], text[index + 1 : index + 2]
    is_after, is_before = before.isalnum() or before == "$", after.isalnum() or after == "$"
    return (is_after or is_before) if text[index] == "$" else (is_after and is_before)


def _settle(glyphs: list[Glyph], began: int, *, has_letter: bool) -> None:
    """Let numbers be numbers: without a letter beside them, digits stand for nothing else."""
    if not has_letter:
        for glyph in glyphs[began:]:
            glyph.readings = glyph.readings[0]


def _may_span(glyphs: list[Glyph], at: int) -> bool:
    """Tell whether a match may go on over the gap behind a letter: over signs, and between letters that stand alone."""
    return glyphs[at + 1].gap is Gap.JOIN or (_is_alone(glyphs, at) and _is_alone(glyphs, at + 1))


def _is_alone(glyphs: list[Glyph], at: int) -> bool:
    return bool(glyphs[at].gap) and (at + 1 == len(glyphs) or bool(glyphs[at + 1].gap))
