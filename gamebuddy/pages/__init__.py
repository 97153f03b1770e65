"""The HTML pages, as pure functions from data to text and the security policy it runs under."""

from gamebuddy.pages.graphiql import Tab, graphiql, load_tabs
from gamebuddy.pages.invite import invite_page
from gamebuddy.pages.mailbox import Letter, letter, mailbox
from gamebuddy.pages.rendering import STATIC_FILES, Page
from gamebuddy.pages.start import SampleAccount, Start, start_page

__all__ = [
    "STATIC_FILES",
    "Letter",
    "Page",
    "SampleAccount",
    "Start",
    "Tab",
    "graphiql",
    "invite_page",
    "letter",
    "load_tabs",
    "mailbox",
    "start_page",
]
