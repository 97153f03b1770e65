"""Templates, the place of static files, and the content security policies."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

STATIC_FILES: Final = Path(__file__).parent.parent / "static"
STATIC_PATH: Final = "/static"

_NOTHING_ELSE: Final = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
PAPER_POLICY: Final = f"default-src 'none'; style-src 'self'; img-src 'self'; {_NOTHING_ELSE}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A rendered page; `csp` is the value of its Content-Security-Policy header."""

    html: str
    csp: str


def editor_policy(foreign_origin: str | None = None) -> str:
    """Allow what GraphiQL needs, and scripts and styles from one foreign origin where there is one."""
    code = f"'self' {foreign_origin}" if foreign_origin else "'self'"
    return (
        f"default-src 'none'; script-src {code}; worker-src 'self'; "
        # Monaco and CodeMirror set styles from scripts.
        f"style-src {code} 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self' data:; "
        # Older Safari does not count a socket to the same host as 'self'.
        f"connect-src 'self' ws: wss:; {_NOTHING_ELSE}"
    )


def render(template: str, **values: Any) -> str:
    """Fill a template; every value is escaped."""
    return _environment.get_template(template).render(static=STATIC_PATH, **values)


def _instant(at: datetime) -> Markup:
    """Show an aware time in UTC, to the second."""
    utc = at.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        utc.isoformat(timespec="seconds"), utc.strftime("%Y-%m-%d %H:%M:%S")
    )


def _path_segment(text: str) -> str:
    return quote(text, safe="")


_environment: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters["instant"] = _instant
_environment.filters["path_segment"] = _path_segment
