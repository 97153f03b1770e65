"""The one reading of letters, without rules of anybody: what hides a word and what does not contain it."""

import pytest

from gamebuddy.words import Matcher, is_same_under_masks, masked, reading_of

WHOLE: Matcher[str] = Matcher(
    (phrase, phrase, True) for phrase in ("darn", "ass", "go away", "1488", "cop", "дурак", "killer")
)
ANYWHERE: Matcher[str] = Matcher([("darn", "darn", False)])


def found(text: str, matcher: Matcher[str] = WHOLE) -> list[str]:
    return [match.rule for match in matcher.find(text)]


@pytest.mark.parametrize(
    "text",
    [
        "darn", "DARN", "Darn!", "(darn)", "you darn fool", "ｄａｒｎ", "𝐝𝐚𝐫𝐧", "ⓓⓐⓡⓝ", "dárn",
        "d\u0336a\u0336r\u0336n\u0336", "d\u200bar\u2060n",
        "da\u00adrn", "dаrn", "d4rn", "d@rn", "daaaaarn", "ddaarrnn", "d a r n", "d.a.r.n",
        "d-a_r*n", "da-rn", "da.rn", "D A  R N",
    ],
)  # fmt: skip
def test_no_disguise_hides_a_word(text: str) -> None:
    assert found(text) == ["darn"]


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("k1ll3r", ["killer"]),
        ("a$$", ["ass"]),
        ("аss", ["ass"]),
        ("дуpaк", ["дурак"]),
        ("ДУРАК", ["дурак"]),
        ("сор", ["cop"]),
        ("go away", ["go away"]),
        ("go, away!", ["go away"]),
        ("goaway", ["go away"]),
        ("14.88", ["1488"]),
        ("darn ass", ["darn", "ass"]),
    ],
)
def test_every_alphabet_and_every_phrase(text: str, rules: list[str]) -> None:
    assert found(text) == rules


@pytest.mark.parametrize(
    "text",
    [
        "darning", "class", "pass", "as", "as sad as", "455", "455 and 14 88x", "go far away", "da rn", "d arn",
        "Scunthorpe", "dar", "", " ", "!!!", "дураки", "cap", "the cup's on", "ass1st",
    ],
)  # fmt: skip
def test_harmless_words_are_harmless(text: str) -> None:
    assert found(text) == []


def test_anywhere_means_within_words_but_not_over_their_ends() -> None:
    assert found("ohdarnit", ANYWHERE) == ["darn"]
    for text in ("Dar news", "dar-ning", "a dar, no"):
        assert found(text, ANYWHERE) == []


def test_a_mask_keeps_the_length_and_the_spaces() -> None:
    for text, shown in (
        ("a darn d a r n!", "a **** * * * *!"),
        ("d\u200barn", "*****"),
        ("go  away now", "**  **** now"),
    ):
        assert masked(text, WHOLE.find(text)) == shown
        assert is_same_under_masks(text, shown)
    assert not is_same_under_masks("darn", "dorn")
    assert not is_same_under_masks("darn", "*****")


def test_spellings_of_one_word_are_one_rule() -> None:
    assert reading_of("Dаrn") == reading_of("d\u200bARN") == "darn"
    assert reading_of("go,  AWAY") == "go away"


def test_noise_made_on_purpose_ends_early() -> None:
    hard: Matcher[int] = Matcher((n, "il" * 25 + chr(97 + n), False) for n in range(26))
    for text in ("1l" * 2000, "a." * 2000, "l1|" * 1300, "i l " * 1000):
        hard.find(text)
    assert [match.rule for match in hard.find("x " + "il" * 25 + "b")] == [1]
