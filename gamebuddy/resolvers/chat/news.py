"""What a chat itself says: who came and went, and what it is called now."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from gamebuddy import db
from gamebuddy.db import MessageKind, WriteSession
from gamebuddy.events import log
from gamebuddy.events.types import MessageSent


class NewsKind(StrEnum):
    """What has happened."""

    ADDED = "ADDED"
    JOINED = "JOINED"
    LEFT = "LEFT"
    REMOVED = "REMOVED"
    RETITLED = "RETITLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One piece of news: who did what, to whom. Names are not kept: readers see those of the day, or none."""

    kind: NewsKind
    actor_id: uuid.UUID
    account_ids: tuple[uuid.UUID, ...] = ()
    title: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Write it for the row of its message."""
        return {
            "kind": self.kind.value,
            "actor": str(self.actor_id),
            "accounts": [str(account_id) for account_id in self.account_ids],
            "title": self.title,
        }

    @classmethod
    def read(cls, written: dict[str, Any]) -> Self:
        """Read what `as_json` wrote."""
        return cls(
            kind=NewsKind(written["kind"]),
            actor_id=uuid.UUID(written["actor"]),
            account_ids=tuple(map(uuid.UUID, written["accounts"])),
            title=written["title"],
        )

    def people(self) -> Collection[uuid.UUID]:
        """Give everybody whom it names."""
        return {self.actor_id, *self.account_ids}


async def tell(session: WriteSession, chat: db.Chat, news: News) -> None:
    """Say it, as the message that the chat's last event and last number were taken for."""
    message = db.Message(
        chat_id=chat.id,
        seq=chat.last_seq,
        number=chat.message_count,
        kind=MessageKind.SYSTEM,
        text="",
        news=news.as_json(),
    )
    message.created_at = chat.last_activity_at
    session.add(message)
    await session.flush()
    await log.append(
        session, MessageSent(chat_id=chat.id, seq=chat.last_seq, actor_id=news.actor_id, message_id=message.id)
    )
