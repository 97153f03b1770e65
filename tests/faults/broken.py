"""GameBuddy with one thing broken on purpose: `python broken.py NAME serve`. Its server has one worker."""

import sys
from collections.abc import AsyncIterator
from typing import Any

from gamebuddy.cli import app
from gamebuddy.events import bus
from gamebuddy.events.hub import Hub

take = Hub._take


async def nothing(*_: object) -> AsyncIterator[Any]:
    for nobody in ():
        yield nobody


def take_and_forget(hub: Hub, message: str) -> None:
    if message == bus.RETURNED:
        hub._place = None
    take(hub, message)


match sys.argv[1]:
    case "who-comes-back-is-not-told-what-he-missed":
        for name in ("_kept_for_account", "_kept_in_chat"):
            setattr(Hub, name, nothing)
    case "a-listener-that-comes-back-does-not-read-what-it-missed":
        Hub._take = take_and_forget  # type: ignore[method-assign]
        bus.FIRST_PAUSE_SECONDS = 1.0  # long enough to miss something

app(sys.argv[2:])
