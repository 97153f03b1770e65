"""Telling that somebody is typing."""

import uuid

from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import WriteSession
from gamebuddy.errors import Rejected
from gamebuddy.events import log
from gamebuddy.events.passing import Grapevine
from gamebuddy.events.types import Typing
from gamebuddy.resolvers.chat.access import access_chat
from gamebuddy.resolvers.chat.writing import require_writing


async def set_typing(
    session: WriteSession, viewer: Viewer, *, grapevine: Grapevine, chat_id: uuid.UUID, is_typing: bool
) -> None:
    """Tell the others of a chat that the viewer types, or has stopped; nothing is kept.

    It lasts for six seconds; who says so again within two is not heard. Where the viewer may not write, nobody is told
    anything, and neither is he.

    Raises:
        Rejected: NOT_FOUND for the chat.
    """
    chat, member = await access_chat(session, viewer, chat_id)
    try:
        await require_writing(session, viewer, chat, member)
    except Rejected:
        return
    if grapevine.is_news(viewer.account_id, chat_id, is_typing=is_typing):
        await log.pass_on(session, Typing(actor_id=viewer.account_id, chat_id=chat_id, is_typing=is_typing))
