"""The GraphiQL page: the built one where it exists, else one from a content delivery network."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from gamebuddy.pages.rendering import STATIC_FILES, STATIC_PATH, Page, editor_policy, render
from gamebuddy.pages.start import SampleAccount

BUILT_FILES: Final = STATIC_FILES / "graphiql"
TABS: Final = Path(__file__).parent / "tabs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """A ready-made tab; GraphiQL shows the name of its operation as the title."""

    query: str
    variables: Mapping[str, Any]

    def with_input(self, **fields: Any) -> "Tab":
        """Give the tab whose variable `input` has other values, as the id of a chat that exists."""
        return replace(self, variables={**self.variables, "input": {**self.variables["input"], **fields}})


@dataclass(frozen=True, slots=True)
class ForeignFile:
    """A file of the content delivery network, with the hash that the browser checks."""

    path: str
    integrity: str

    @property
    def address(self) -> str:
        """Where the file is loaded from."""
        return f"{FOREIGN_ORIGIN}/npm/{self.path}"


FOREIGN_ORIGIN: Final = "https://cdn.jsdelivr.net"
# GraphiQL 3 and React 18 are the last with builds that need no bundler. Order counts: each script uses those before it.
FOREIGN_FILES: Final = (
    ForeignFile(
        "graphiql@3.9.0/graphiql.min.css",
        "sha384-QMux00XgRtwRLSYIY3kw2rj1ovk5AuuliAchk+HSQbqdbGFnz9GYuqIlOqxhwCE2",
    ),
    ForeignFile(
        "react@18.3.1/umd/react.production.min.js",
        "sha384-DGyLxAyjq0f9SPpVevD6IgztCFlnMF6oW/XQGmfe+IsZ8TqEiDrcHkMLKI6fiB/Z",
    ),
    ForeignFile(
        "react-dom@18.3.1/umd/react-dom.production.min.js",
        "sha384-gTGxhz21lVGYNMcdJOyq01Edg0jhn/c22nsx0kyqP0TxaV5WVdsSH1fSDUf5YJj1",
    ),
    ForeignFile(
        "graphql-ws@6.4.2/umd/graphql-ws.min.js",
        "sha384-mxvR4Mzbsb6QVx/9xI2gtQikQA6m8zMDBFnu3l//4/ROsWt7y2sUGWd+/tYQqDm7",
    ),
    ForeignFile(
        "graphiql@3.9.0/graphiql.min.js",
        "sha384-8NGfVj4CVlqHajlZj+bPJT4thxPMHMJYn7DWK2CvtopLd02E7qsPHazniBYvVjOO",
    ),
)


def load_tabs() -> tuple[Tab, ...]:
    """Read the ready-made tabs, in the order of their file names."""
    return tuple(
        Tab(query=file.read_text(encoding="utf-8"), variables=_variables_of(file))
        for file in sorted(TABS.glob("*.graphql"))
    )


def graphiql(
    endpoint: str,
    tabs: Sequence[Tab],
    headers: Mapping[str, str] | None = None,
    title: str = "GameBuddy",
    *,
    home: str = "/",
    sign_in: Sequence[SampleAccount] | None = None,
    built_files: Path = BUILT_FILES,
) -> Page:
    """Render the page; `headers` are what every tab starts with, so a token in them signs the reader in.

    With `sign_in` the built page has a form to sign in, and a button for each of these accounts with its password.
    """
    config = {
        "endpoint": endpoint,
        "headers": dict(headers) if headers else None,
        "home": home,
        "signIn": None if sign_in is None else {"accounts": [asdict(account) for account in sign_in]},
        "tabs": [{"query": tab.query, "variables": _written(tab.variables)} for tab in tabs],
        "title": title,
    }
    manifest = built_files / "manifest.json"
    return _built(config, manifest) if manifest.is_file() else _fallback(config)


def _built(config: Mapping[str, Any], manifest: Path) -> Page:
    files = json.loads(manifest.read_bytes())
    entry = next(file for file in files.values() if file.get("isEntry"))
    # Styles of the chunks that the entry imports come first, as the bundler orders them.
    styles = [style for name in entry.get("imports", ()) for style in files[name].get("css", ())]
    place = f"{STATIC_PATH}/graphiql"
    html = render(
        "graphiql.html",
        config=config,
        script=f"{place}/{entry['file']}",
        styles=[f"{place}/{style}" for style in [*styles, *entry.get("css", ())]],
        foreign=(),
    )
    return Page(html=html, csp=editor_policy())


def _fallback(config: Mapping[str, Any]) -> Page:
    html = render(
        "graphiql.html",
        config=config,
        script=f"{STATIC_PATH}/explorer/fallback.js",
        styles=(),
        foreign=FOREIGN_FILES,
        foreign_host=FOREIGN_ORIGIN.removeprefix("https://"),
    )
    return Page(html=html, csp=editor_policy(FOREIGN_ORIGIN))


def _variables_of(tab: Path) -> dict[str, Any]:
    file = tab.with_suffix(".variables.json")
    variables: dict[str, Any] = json.loads(file.read_bytes()) if file.is_file() else {}
    return variables


def _written(variables: Mapping[str, Any]) -> str:
    return json.dumps(variables, indent=2, ensure_ascii=False) if variables else ""
