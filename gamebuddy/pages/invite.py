"""The page behind an invite link, for whoever opens it in a browser."""

from gamebuddy.pages.rendering import PAPER_POLICY, Page, render


def invite_page(code: str) -> Page:
    """Render the page of a code. It is the same for all codes: whether one works is told to those who are signed in."""
    return Page(html=render("invite.html", code=code), csp=PAPER_POLICY)
