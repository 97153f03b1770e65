"""Says in Russian and English what has happened in a chat."""

import uuid
from collections.abc import Mapping

from gamebuddy.resolvers.chat import News, NewsKind

SOMEBODY = ("Somebody", "Кто-то")


def say(news: News, names: Mapping[uuid.UUID, str], *, in_russian: bool) -> str:
    """Say a piece of news. Whoever has no name here is somebody: gone, or hidden from the reader."""

    def name(account_id: uuid.UUID) -> str:
        return names.get(account_id, SOMEBODY[in_russian])

    actor, others = name(news.actor_id), ", ".join(map(name, news.account_ids))
    said: Mapping[NewsKind, tuple[str, str]] = {
        NewsKind.ADDED: (f"{actor} added {others}", f"{actor} приглашает: {others}"),
        NewsKind.JOINED: (f"{actor} joined by a link", f"{actor} теперь в чате (по ссылке)"),
        NewsKind.LEFT: (f"{actor} left", f"{actor} больше не в чате"),
        NewsKind.REMOVED: (f"{actor} removed {others}", f"{actor} исключает: {others}"),
        NewsKind.RETITLED: (f"{actor} called the chat “{news.title}”", f"{actor} меняет название: «{news.title}»"),
    }
    return said[news.kind][in_russian]
