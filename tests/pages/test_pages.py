"""The pages are whole, escaped, and run under a policy that allows no inline script."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from gamebuddy.pages import (
    STATIC_FILES,
    Letter,
    Page,
    SampleAccount,
    Start,
    Tab,
    graphiql,
    invite_page,
    letter,
    load_tabs,
    mailbox,
    start_page,
)

EVIL = "</script><script>alert(1)</script>\u2028<img src=x onerror=alert(1)>"
MORNING = datetime(2026, 11, 23, 10, 20, tzinfo=UTC)


class Elements(HTMLParser):
    """Collects the elements of a page with their attributes and direct text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), []))

    def handle_data(self, data: str) -> None:
        if self.found:
            self.found[-1][2].append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes, _ in self.found if name == tag]

    def config(self) -> dict[str, Any]:
        (text,) = ("".join(text) for _, attributes, text in self.found if attributes.get("type") == "application/json")
        config: dict[str, Any] = json.loads(text)
        return config


def make_letter(**fields: Any) -> Letter:
    given = {"key": "a.eml", "to": "nika@example.org", "subject": "Your code", "at": MORNING, "text": "Hi\n\n004217\n"}
    return Letter(**{**given, **fields})


@pytest.fixture
def built_files(tmp_path: Path) -> Path:
    manifest = {
        "_shared.js": {"file": "assets/shared-1.js", "css": ["assets/shared-1.css"]},
        "src/main.jsx": {
            "file": "assets/main-2.js",
            "isEntry": True,
            "imports": ["_shared.js"],
            "css": ["assets/main-2.css"],
        },
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return tmp_path


def every_page(tmp_path: Path, built_files: Path) -> list[Page]:
    return [
        graphiql("/graphql", load_tabs(), built_files=built_files),
        graphiql("/graphql", load_tabs(), built_files=tmp_path / "nothing"),
        start_page(Start(version="1.2.3")),
        mailbox([make_letter()]),
        letter(make_letter()),
    ]


def test_no_page_needs_more_than_its_policy_allows(tmp_path: Path, built_files: Path) -> None:
    for page in every_page(tmp_path, built_files):
        elements = Elements(page.html)
        assert page.csp.startswith("default-src 'none'; ")
        assert "frame-ancestors 'none'" in page.csp
        assert "'unsafe-eval'" not in page.csp
        assert "unsafe-inline" not in page.csp.partition("script-src")[2].partition(";")[0]
        assert all("src" in script or script["type"] == "application/json" for script in elements.named("script"))
        assert elements.named("style") == []
        assert not any(
            name == "style" or name.startswith("on") for _, attributes, _ in elements.found for name in attributes
        )


def test_files_of_our_own_that_the_pages_name_exist(tmp_path: Path, built_files: Path) -> None:
    for page in every_page(tmp_path, built_files):
        for path in re.findall(r'"/static/([^"]+)"', page.html):
            assert path.startswith("graphiql/") or (STATIC_FILES / path).is_file()


def test_the_built_page_loads_from_this_server_only(built_files: Path) -> None:
    page = graphiql("/graphql", (), built_files=built_files)
    assert "https://" not in page.html + page.csp
    elements = Elements(page.html)
    assert [script["src"] for script in elements.named("script") if "src" in script] == [
        "/static/graphiql/assets/main-2.js"
    ]
    assert [link["href"] for link in elements.named("link") if link["rel"] == "stylesheet"] == [
        "/static/explorer/editor.css",
        "/static/graphiql/assets/shared-1.css",
        "/static/graphiql/assets/main-2.css",
    ]


def test_without_a_build_the_page_says_where_it_loads_from(tmp_path: Path) -> None:
    page = graphiql("/graphql", (), built_files=tmp_path)
    assert "loads GraphiQL from cdn.jsdelivr.net" in page.html
    assert "script-src 'self' https://cdn.jsdelivr.net;" in page.csp
    elements = Elements(page.html)
    foreign = [
        element
        for element in elements.named("script") + elements.named("link")
        if (element.get("src") or element.get("href") or "").startswith("https://")
    ]
    assert len(foreign) == 5
    for element in foreign:
        address = element.get("src") or element.get("href") or ""
        assert re.fullmatch(r"https://cdn\.jsdelivr\.net/npm/[a-z-]+@\d+\.\d+\.\d+/[\w./-]+", address)
        assert re.fullmatch(r"sha384-[A-Za-z0-9+/]{64}", element["integrity"] or "")
        assert element["crossorigin"] == "anonymous"


@pytest.mark.parametrize("is_built", [True, False])
def test_the_configuration_arrives_as_it_was_given(is_built: bool, tmp_path: Path, built_files: Path) -> None:
    page = graphiql(
        EVIL,
        [Tab(query=EVIL, variables={"input": EVIL}), Tab(query="{ viewer { role } }", variables={})],
        {"Authorization": EVIL},
        EVIL,
        built_files=built_files if is_built else tmp_path / "nothing",
    )
    assert "<script>alert" not in page.html
    assert "<img" not in page.html
    config = Elements(page.html).config()
    assert config["endpoint"] == config["title"] == EVIL
    assert config["headers"] == {"Authorization": EVIL}
    assert config["tabs"][0]["query"] == EVIL
    assert json.loads(config["tabs"][0]["variables"]) == {"input": EVIL}
    assert config["tabs"][1]["variables"] == ""


def test_nobody_is_signed_in_where_no_headers_are_given(built_files: Path) -> None:
    assert Elements(graphiql("/graphql", (), built_files=built_files).html).config()["headers"] is None


def test_the_start_page_links_what_there_is() -> None:
    page = start_page(
        Start(
            version="1.2.3",
            mailbox_path="/dev/mail",
            sample_accounts=[SampleAccount(username="nika", password="known", about=EVIL)],
        )
    )
    links = [link["href"] for link in Elements(page.html).named("a")]
    assert links == ["/graphql", "/graphql/schema.graphql", "/dev/mail", "/readyz"]
    assert "1.2.3" in page.html
    assert "known" in page.html
    assert "<script" not in page.html
    assert "onerror=alert(1)&gt;" in page.html


def test_in_production_the_start_page_shows_no_accounts_and_no_mailbox() -> None:
    page = start_page(Start(version="1.2.3", graphiql_path=None))
    links = [link["href"] for link in Elements(page.html).named("a")]
    assert links == ["/graphql/schema.graphql", "/readyz"]
    assert "Password" not in page.html


def test_the_mailbox_shows_the_newest_letter_first() -> None:
    later = MORNING + timedelta(minutes=1)
    page = mailbox([make_letter(), make_letter(key="b.eml", at=later, text="131313"), make_letter(key="c.eml")])
    assert [link["href"] for link in Elements(page.html).named("a")][1:] == [
        "/dev/mail/b.eml",
        "/dev/mail/c.eml",
        "/dev/mail/a.eml",
    ]
    assert page.html.index("131313") < page.html.index("004217")


def test_an_empty_mailbox_says_so() -> None:
    assert "No letters yet" in mailbox([]).html


def test_times_are_shown_in_utc() -> None:
    moscow = timezone(timedelta(hours=3))
    page = letter(make_letter(at=datetime(2026, 1, 1, 1, 2, 3, tzinfo=moscow)))
    assert "2025-12-31 22:02:03" in page.html


def test_letters_are_escaped() -> None:
    evil = make_letter(key="../a b?.eml", to=EVIL, subject=EVIL, text=EVIL)
    for page in (mailbox([evil]), letter(evil)):
        assert "<script" not in page.html
        assert "<img" not in page.html
    assert "/dev/mail/..%2Fa%20b%3F.eml" in mailbox([evil]).html


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Hello,\n\n004217\n\nGameBuddy", "004217"),
        ("Hello,\r\n\r\n  004217 \r\n", "004217"),
        ("Call 004217 now", None),
        ("0042171", None),
        ("", None),
    ],
)
def test_the_code_is_the_line_of_six_digits(text: str, code: str | None) -> None:
    assert make_letter(text=text).code == code


def test_an_invite_shows_its_code_and_runs_nothing() -> None:
    page = invite_page(EVIL)
    elements = Elements(page.html)
    assert elements.named("script") == []
    assert EVIL in "".join("".join(text) for name, _, text in elements.found if name == "code")
    assert page.csp.startswith("default-src 'none'")
