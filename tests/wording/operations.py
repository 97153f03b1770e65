"""What the tests of words send."""

import uuid
from typing import Any

from gamebuddy.schema.context import Services
from tests.accounts.operations import call, payload
from tests.factories import Player

RULE = "rule { id phrase effect match }"


async def add(by: Player, services: Services, phrase: str, effect: str = "BLOCK", match: str = "WHOLE_WORDS") -> Any:
    """Save a rule, and let this process follow."""
    given = {"phrase": phrase, "effect": effect, "match": match, "reason": "house rules"}
    rule = payload(await call(by.api, "saveWordRule", RULE, **given))["rule"]
    await services.words.follow()
    return rule


async def send(by: Player, chat: str, text: str, client_id: str | None = None) -> Any:
    """Write to a chat; gives the whole answer."""
    given = {"chatId": chat, "clientId": client_id or str(uuid.uuid4()), "text": text}
    return await call(by.api, "sendMessage", "message { id text }", **given)
