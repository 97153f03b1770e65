"""The rules of names, addresses and passwords, held against any text whatever."""

import itertools
import re
import string
import unicodedata
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gamebuddy import text
from gamebuddy.auth import names, passwords
from gamebuddy.errors import BadInput, Code, Rejected

rules = settings(deadline=None, derandomize=True, max_examples=200)

FAMILY = "👨\u200d👩\u200d👧\u200d👦"
# The 10,000 marks are there to see that nothing is slow and nothing breaks.
PIECES = (
    *("a", "Z", "7", "_", "nika", "е", "é", "e\u0301", "ß", "ſ", "İ", "\u212a", "😀", FAMILY, "한", "\u0958", "\ufb2c"),
    *(" ", "\n", "\t", "\x85", "\u2028", "\u200b", "\u200d", "\u202e", "\u2066", "\u3164", "\u0301", "\u0351" * 4),
    *("\0", "\ud800", "\udfff", "\U0010ffff", "\ufdfa", "\u0301" * 10_000),
    *("@", ".", "@x.com", "@bücher.example", "@xn--", "+", '"', "(", "\\", "<", ",", "[127.0.0.1]", "\u3002", "-"),
)
anything = st.text(st.characters(exclude_categories=())) | st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
UNITS = ["x", "я", "😀", "e\u0301", FAMILY]
LONG_UNITS = pytest.mark.parametrize("unit", UNITS, ids=["ASCII", "Cyrillic", "emoji", "marks", "families"])

letters = st.characters(categories=["Ll", "Lu", "Lo", "Nd"], max_codepoint=0x4FF)
locals_ = st.text(letters, min_size=1, max_size=12)
domains = st.sampled_from(["x.com", "bücher.example", "пример.рф", "a-b.example.org", "例え.jp"])


def refusal[*A](rule: Callable[[*A], object], *given: *A) -> Code | type[BadInput] | None:
    """Tell why a rule refuses something, None when it lets it pass. Whatever else is raised is raised here too."""
    try:
        rule(*given)
    except BadInput:
        return BadInput
    except Rejected as rejected:
        (problem,) = rejected.problems
        return problem.code
    return None


def is_text(value: str) -> bool:
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in value)


def of_length(length: int, unit: str) -> str:
    """Write a text of so many code points."""
    return "".join(itertools.islice(itertools.cycle(unit), length))


# User names


@rules
@given(anything | st.from_regex(r"\A[A-Za-z0-9_]{1,40}\Z"))
@example("admin\n")
def test_a_user_name_is_three_to_thirty_two_letters_digits_and_underscores(value: str) -> None:
    refused = refusal(names.any_username, value)
    if re.fullmatch("[A-Za-z0-9_]{3,32}", value):
        assert refused is None
        assert names.any_username(value) == value.lower()
        assert refusal(names.username, value) == (
            Code.NOT_ALLOWED if value.lower() in names.RESERVED_USERNAMES else None
        )
    elif not is_text(value):
        assert refused is BadInput
    else:
        assert refused in {Code.INVALID, Code.TOO_SHORT, Code.TOO_LONG}
        assert refusal(names.username, value) is refused


@pytest.mark.parametrize("value", ["Ａdmin", "admin\u200b", "ad\u202emin", "аdmin", "admın", "ⓐdmin", "ad\u00admin"])
def test_no_user_name_looks_like_another_one(value: str) -> None:
    assert refusal(names.username, value) is Code.INVALID
    assert refusal(names.any_username, value) is Code.INVALID


@pytest.mark.parametrize("value", ["admin", "root", "support", "null", "system"])
def test_nobody_takes_the_name_of_the_house(value: str) -> None:
    for spelled in (value, value.upper(), value.title()):
        assert refusal(names.username, spelled) is Code.NOT_ALLOWED
        assert names.any_username(spelled) == value


# Texts and names to show


@rules
@given(anything)
def test_a_text_is_kept_as_it_was_written_or_refused(value: str) -> None:
    refused = refusal(partial(text.checked, value, longest=20))
    if not is_text(value):
        assert refused is BadInput
    elif len(value) > 20:
        assert refused in {Code.TOO_LONG, Code.TOO_SHORT}
    else:
        assert refused is (Code.TOO_SHORT if text.is_blank(value) else None)
    if refused is None:
        assert text.checked(value, longest=20) == value


@rules
@given(anything)
@example("\u0958" * 40)  # becomes longer when it is composed
@example("\u2000a\u2000")
def test_a_name_to_show_is_one_short_line_that_can_be_seen(value: str) -> None:
    if refusal(text.display_name, value) is not None:
        assert refusal(text.display_name, value) in {BadInput, Code.TOO_SHORT, Code.TOO_LONG, Code.INVALID}
        return
    name = text.display_name(value)
    assert 1 <= len(name) <= text.LONGEST_DISPLAY_NAME
    assert name == name.strip() == unicodedata.normalize("NFC", name)
    assert len(name.splitlines()) == 1
    assert not text.is_blank(name)
    assert {unicodedata.category(character) for character in name}.isdisjoint({"Cc", "Cs", "Zl", "Zp"})
    steering = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    assert {unicodedata.bidirectional(character) for character in name}.isdisjoint(steering)
    assert text.display_name(name) == name


@LONG_UNITS
@pytest.mark.parametrize("longest", [1, 40, 4000])
def test_lengths_are_counted_in_code_points(unit: str, longest: int) -> None:
    def rule(length: int) -> None:
        text.checked(of_length(length, unit), longest=longest)

    assert refusal(rule, longest) is None
    assert refusal(rule, longest + 1) is Code.TOO_LONG


@LONG_UNITS
def test_a_name_to_show_has_forty_code_points_at_most(unit: str) -> None:
    assert refusal(text.display_name, of_length(40, unit)) is None
    assert refusal(text.display_name, of_length(41, unit)) is Code.TOO_LONG
    assert refusal(text.display_name, "  " + of_length(40, unit) + "  ") is None


@pytest.mark.parametrize("glue", ["", "\u200d", "\u200c", "\u2060", "\u034f", "\ufe0f"])
def test_no_pile_of_accents_covers_the_lines_around(glue: str) -> None:
    assert refusal(text.display_name, "Z" + ("\u0351\u0352\u0353" + glue) * 8) is Code.INVALID


@pytest.mark.parametrize(
    "name", ["Nguyễn", "Ёж", FAMILY, "🏳️\u200d🌈", "🏴\U000e0067\U000e0062\U000e007f", "हिन्दी", "שָׁלוֹם", "می\u200cخواهم"]
)
def test_living_languages_and_emoji_are_names(name: str) -> None:
    assert text.display_name(name) == unicodedata.normalize("NFC", name)


@rules
@given(st.text(st.sampled_from(" \n\t\u200b\u200d\u2060\u00a0\u3000\u3164\u2800\u0301\ufe0f\u202e\u00ad"), max_size=60))
def test_what_cannot_be_seen_is_nothing(value: str) -> None:
    assert refusal(text.display_name, value) is Code.TOO_SHORT


# E-mail addresses


@rules
@given(anything | st.builds("{}@{}".format, anything, anything) | st.builds("{}@x.com".format, anything))
def test_an_address_can_be_written_to_or_is_refused(value: str) -> None:
    refused = refusal(names.email, value)
    if refused is not None:
        assert refused is (Code.INVALID if is_text(value) else BadInput)
        return
    found = names.email(value)
    local, domain = found.address.rsplit("@", 1)
    assert len(found.address) <= names.LONGEST_EMAIL
    assert 1 <= len(local) <= 64
    assert re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", domain)
    assert not any(character.isspace() or unicodedata.category(character).startswith("C") for character in local)
    assert re.search(r'[@"(),:;<>\[\\\]]', local) is None
    assert names.email(found.address) == found


@rules
@given(locals_, domains)
def test_every_spelling_of_a_mailbox_has_one_key(local: str, domain: str) -> None:
    address = f"{local}@{domain}"
    key = names.email(address).key
    assert names.email(key).key == key
    for spelled in (
        unicodedata.normalize("NFC", address),
        unicodedata.normalize("NFD", address),
        f"{local}@{domain.upper()}",
        f"{local}@{domain.encode('idna').decode()}",
        f"{''.join(c.upper() if c in string.ascii_lowercase else c for c in local)}@{domain}",
    ):
        assert names.email(spelled).key == key


@rules
@given(locals_, st.text(string.ascii_letters + string.digits, min_size=1), domains)
def test_a_tag_makes_another_mailbox(local: str, tag: str, domain: str) -> None:
    assert names.email(f"{local}+{tag}@{domain}").key != names.email(f"{local}@{domain}").key


@pytest.mark.parametrize(
    "value",
    [
        *("a@x.com\nBcc:y@z", "a@x.com\r\nBcc: y@z.com", "a\n@x.com", "a@x.com\n", " a@x.com", "a@x.com,b@x.com"),
        *("a" * 65 + "@x.com", "a@localhost", '"a b"@x.com', "a@b@c.com", "a@[127.0.0.1]", "Nika <a@x.com>", "", "@"),
        *("a@x..com", ".a@x.com", "a.@x.com", "a@-x.com", "a@x.com\u200b", "a\u202e@x.com", "a@" + "x" * 250 + ".com"),
    ],
)
def test_hostile_addresses_are_refused(value: str) -> None:
    assert refusal(names.email, value) is Code.INVALID


# Passwords


@rules
@given(anything)
def test_a_password_is_refused_for_a_reason_of_the_contract(value: str) -> None:
    refused = refusal(passwords.check, value)
    if not is_text(value):
        assert refused is BadInput
    elif len(value) < 8:
        assert refused is Code.TOO_SHORT
    elif len(value) > 128:
        assert refused is Code.TOO_LONG
    else:
        assert refused in {None, Code.WEAK_PASSWORD}


@LONG_UNITS
def test_a_password_has_8_to_128_code_points(unit: str) -> None:
    assert refusal(passwords.check, of_length(7, unit)) is Code.TOO_SHORT
    assert refusal(passwords.check, of_length(128, unit)) is None
    assert refusal(passwords.check, of_length(129, unit)) is Code.TOO_LONG


@rules
@given(st.text(min_size=73, max_size=128).filter(is_text))
def test_a_long_password_is_a_good_one(value: str) -> None:
    assert refusal(partial(passwords.check, value, own=("nika", "nika@example.com"))) is None


@pytest.mark.parametrize(
    "value",
    [
        "password",
        "PASSWORD",
        "password1",
        "12345678",
        "qwertyuiop",
        "gamebuddy2026",
        "GameBuddy2026!",
        "aaaaaaaa",
        "йцукенг1",
    ],
)
def test_what_anybody_would_try_first_is_no_password(value: str) -> None:
    assert refusal(passwords.check, value) is Code.WEAK_PASSWORD


@rules
@given(
    st.from_regex(r"[a-z0-9_]{8,32}", fullmatch=True),
    st.text("!?.-_0123456789", max_size=4),
    st.text("!?.-_0123456789", max_size=5),
)
@example("player_2024", "", "!")
def test_nobodys_name_or_address_is_his_password(name: str, before: str, after: str) -> None:
    own = (name, f"{name}@example.com")
    for value in (
        name,
        name.upper(),
        f"{name}@example.com",
        f"{before}{name}{after}",
        f"{before}{name.title()}{after}",
    ):
        assert refusal(partial(passwords.check, value, own=own)) is Code.WEAK_PASSWORD, value
