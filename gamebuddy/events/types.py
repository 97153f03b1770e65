"""What can happen: closed models of the lasting events. They hold ids and numbers; readers load what these mean."""

import uuid
from dataclasses import dataclass, fields
from typing import Any

from gamebuddy.db import MemberRole

COLUMNS = ("chat_id", "seq", "account_id", "actor_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened; `actor_id` is who did it."""

    actor_id: uuid.UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatEvent(Event):
    """Something in a chat; `seq` is its number there, given out by the chat's row."""

    chat_id: uuid.UUID
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSent(ChatEvent):
    """A message was sent."""

    message_id: uuid.UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberJoined(ChatEvent):
    """`account_id` has become a member; its own streams hear of it although they did not follow the chat."""

    account_id: uuid.UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberLeft(ChatEvent):
    """`account_id` is no longer a member; the last event of the chat that its streams hear of."""

    account_id: uuid.UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatUpdated(ChatEvent):
    """Title or settings have changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRoleChanged(ChatEvent):
    """`account_id` has another role in the group."""

    account_id: uuid.UUID
    role: MemberRole


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEdited(ChatEvent):
    """The text of a message was changed by its author."""

    message_id: uuid.UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDeleted(ChatEvent):
    """A message was deleted for everyone."""

    message_id: uuid.UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionChanged(ChatEvent):
    """The actor has put a sign under a message, or taken it away."""

    message_id: uuid.UUID
    emoji: str
    is_on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePinned(ChatEvent):
    """A message was pinned or is not any more."""

    message_id: uuid.UUID
    is_pinned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesRead(ChatEvent):
    """The actor has read everything up to the event `up_to_seq`."""

    up_to_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Typing(Event):
    """The actor is writing in a chat, or has stopped; not kept."""

    chat_id: uuid.UUID
    is_typing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEvent(Event):
    """Something that concerns one account."""

    account_id: uuid.UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class TeammateRequestChanged(AccountEvent):
    """A request to or from the account was made, answered or withdrawn."""

    request_id: uuid.UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageHidden(AccountEvent):
    """The account has deleted a message for itself alone; its other devices are to forget it."""

    message_id: uuid.UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceChanged(AccountEvent):
    """The account has come, gone, or is away from its device; not kept."""


# What is passed on to those who listen at that moment, and written nowhere.
type Passing = Typing | PresenceChanged
PASSING: dict[str, type[Passing]] = {"Typing": Typing, "PresenceChanged": PresenceChanged}

KINDS: dict[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        MessageSent,
        MessageEdited,
        MessageDeleted,
        ReactionChanged,
        MessagePinned,
        MemberJoined,
        MemberLeft,
        MemberRoleChanged,
        ChatUpdated,
        MessagesRead,
        TeammateRequestChanged,
        MessageHidden,
    )
}


def is_known(event: Event) -> bool:
    """Tell whether this release knows what the event means."""
    return type(event) in KINDS.values()


def to_message(event: Passing) -> dict[str, Any]:
    """Write a passing event for a notification."""
    values = {field.name: getattr(event, field.name) for field in fields(event)}
    return {"kind": type(event).__name__} | {
        name: str(value) if isinstance(value, uuid.UUID) else value for name, value in values.items()
    }


def from_message(message: dict[str, Any]) -> Passing | None:
    """Read a passing event back; None for a kind of a newer release."""
    model = PASSING.get(message.pop("kind"))
    if model is None:
        return None
    values: dict[str, Any] = {
        name: uuid.UUID(value) if isinstance(value, str) else value for name, value in message.items()
    }
    return model(**values)


def to_columns(event: Event) -> dict[str, Any]:
    """Write an event as columns of the log; what has no column of its own goes into `payload`."""
    values = {field.name: getattr(event, field.name) for field in fields(event)}
    columns = {name: values.pop(name, None) for name in COLUMNS}
    payload = {name: str(value) if isinstance(value, uuid.UUID) else value for name, value in values.items()}
    return {"kind": type(event).__name__, "payload": payload, **columns}


def from_columns(kind: str, payload: dict[str, Any], columns: dict[str, Any]) -> Event:
    """Read an event back from the columns of the log; of a kind of a newer release no more than where it was."""
    model = KINDS.get(kind, ChatEvent if columns["chat_id"] else Event)
    values = {}
    for field in fields(model):
        value = columns[field.name] if field.name in COLUMNS else payload[field.name]
        kind_of_value: Any = field.type
        values[field.name] = kind_of_value(value) if isinstance(value, str) and kind_of_value is not str else value
    return model(**values)
