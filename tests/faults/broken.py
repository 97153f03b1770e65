"""GameBuddy with one thing broken on purpose: `python broken.py NAME serve`. Its server has one worker."""

import sys
from collections.abc import AsyncIterator
from typing import Any

from gamebuddy.cli import app
from gamebuddy.events import bus
from gamebuddy.events.hub import Hub

take, init = Hub._take, Hub.__init__


async def nothing(*_: object) -> AsyncIterator[Any]:
    for step in list[Any]():
        yield step


def take_and_forget(hub: Hub, message: str) -> None:
    if message == bus.RETURNED:
        hub._place = None
    take(hub, message)


def never_look_unasked(hub: Hub, *given: Any, **options: Any) -> None:
    """Else what was missed is read within a second, whoever comes back or not."""
    init(hub, *given, **options | {"poll_seconds": 3600.0})


BROKEN: dict[str, dict[str, Any]] = {
    "who-comes-back-is-not-told-what-he-missed": {"_kept_for_account": nothing, "_kept_in_chat": nothing},
    "a-listener-that-comes-back-does-not-read-what-it-missed": {
        "_take": take_and_forget,
        "__init__": never_look_unasked,
    },
}
for name, part in BROKEN[sys.argv[1]].items():
    setattr(Hub, name, part)
bus.FIRST_PAUSE_SECONDS = 1.0  # of a lost listener: long enough to miss something

app(sys.argv[2:])
