"""The page at the root: what runs here and where to go."""

from collections.abc import Sequence
from dataclasses import dataclass

from gamebuddy.pages.rendering import PAPER_POLICY, Page, render


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleAccount:
    """An account with a known password; `about` says in a few words why one would sign in as this player."""

    username: str
    password: str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What the start page tells; a path that is None gets no link."""

    version: str
    graphiql_path: str | None = "/graphql"
    schema_path: str = "/graphql/schema.graphql"
    health_path: str = "/readyz"
    mailbox_path: str | None = None
    sample_accounts: Sequence[SampleAccount] = ()


def start_page(start: Start) -> Page:
    """Render the page at the root."""
    return Page(html=render("start.html", start=start), csp=PAPER_POLICY)
