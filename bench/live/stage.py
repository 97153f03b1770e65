"""What live events are measured with: players in chats, and functions in PostgreSQL that make one event happen."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import asyncpg

from bench import crowd
from bench.crowd import Player
from gamebuddy.db.embedded import EmbeddedPostgres
from gamebuddy.events import log

QUERY = (
    "subscription ($chat: ID!) { chatEvents(chatId: $chat) { __typename id cursor"
    " ... on MessageSent { seq message { id text createdAt author { id displayName avatarUrl } } } } }"
)

# To the peers PostgreSQL gives the whole event.
TOLD = """
CREATE SEQUENCE seqs;
CREATE FUNCTION publish(chat int, told text) RETURNS void LANGUAGE sql AS $$
  SELECT pg_notify('chat', json_build_object(
    'kind', 'MessageSent', '__typename', 'MessageSent', 'chatId', 'c' || chat,
    'id', 'evt_AZqp3n1Rf4mQ2cV0Jk8bXA', 'cursor', repeat('c', 60), 'seq', nextval('seqs'),
    'message', json_build_object(
      'id', 'msg_AZqp3n1Rf4mQ2cV0Jk8bXA', 'text', told, 'createdAt', '2026-11-26T12:00:00.000000Z',
      'author', json_build_object('id', 'usr_AZqp3n1Rf4mQ2cV0Jk8bXA', 'displayName', 'Player 1', 'avatarUrl', null)
    ))::text)
$$;
"""
# Ours reads it in the log: what a sent message writes is written in one transaction.
KEPT = f"""
CREATE TABLE places (number int PRIMARY KEY, chat_id uuid NOT NULL, author_id uuid NOT NULL);
CREATE FUNCTION publish(chat int, told text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  place places%ROWTYPE;
  event_seq int;
  message_number int;
  message_id uuid := gen_random_uuid();
BEGIN
  SELECT * INTO place FROM places WHERE number = chat;
  UPDATE chats SET last_seq = last_seq + 1, message_count = message_count + 1 WHERE id = place.chat_id
    RETURNING last_seq, message_count INTO event_seq, message_number;
  INSERT INTO messages (id, chat_id, seq, number, kind, author_id, client_id, text)
    VALUES (message_id, place.chat_id, event_seq, message_number, 'TEXT', place.author_id, message_id, told);
  INSERT INTO events (kind, chat_id, seq, actor_id, payload)
    VALUES ('MessageSent', place.chat_id, event_seq, place.author_id, jsonb_build_object('message_id', message_id));
  PERFORM pg_notify('{log.CHANNEL}', '{log.GROWN}');
END $$;
"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Room:
    """A chat of the bench: its number for the peers, its id at ours, and who follows it."""

    number: int
    chat_id: str
    members: Sequence[Player]

    def of(self, count: int) -> "Room":
        """Give it with so many followers only."""
        return replace(self, members=self.members[:count])


@dataclass(frozen=True, slots=True)
class Stage:
    """One chat with everybody in it, and chats with a few in each."""

    everybody: Room
    many: Sequence[Room]

    def lines(self, way: str, rooms: Sequence[Room]) -> list[str]:
        """Give what every socket says, in the order that has each chat in turn."""
        turns = zip(*(room.members for room in rooms), strict=True)
        return [
            "\t".join(_words(way, room, member)) for turn in turns for room, member in zip(rooms, turn, strict=True)
        ]


async def prepare(postgres: EmbeddedPostgres, people: int, chats: int, members: int) -> Stage:
    """Make everything: for ours in its database, for the peers in another one."""
    other = await asyncpg.connect(postgres.url("postgres"))
    await other.execute(TOLD)
    await other.close()
    database = await crowd.prepare(postgres.url())
    players = await crowd.players(database, people)
    everybody = await crowd.chat(database, players)
    some = [await crowd.chat(database, players[number * members :][:members]) for number in range(chats)]
    await database.close()
    return await _numbered(postgres.url(), everybody, some)


async def _numbered(url: str, everybody: crowd.Chat, some: Sequence[crowd.Chat]) -> Stage:
    """Number the chats: the one with everybody comes behind the others."""
    found = [Room(number, chat.id, chat.members) for number, chat in enumerate([*some, everybody])]
    connection = await asyncpg.connect(url)
    await connection.execute(KEPT)
    await connection.copy_records_to_table(
        "places",
        records=[(number, chat.row_id, chat.members[0].account_id) for number, chat in enumerate([*some, everybody])],
    )
    await connection.execute("ANALYZE")
    await connection.close()
    return Stage(found[-1], found[:-1])


def _words(way: str, room: Room, member: Player) -> Sequence[str]:
    """Give the messages that a subscriber sends, one after each answer."""
    match way:
        case "ws":
            return [f"c{room.number}"]
        case "socket.io":
            return ["40", f'42["join","c{room.number}"]']
        case "GameBuddy":
            return [_init({"Authorization": f"Bearer {member.token}"}), _subscribe(room.chat_id)]
        case _:
            return [_init({}), _subscribe(f"c{room.number}")]


def _init(payload: dict[str, str]) -> str:
    return json.dumps({"type": "connection_init", "payload": payload})


def _subscribe(chat_id: str) -> str:
    payload = {"query": QUERY, "variables": {"chat": chat_id}}
    return json.dumps({"id": "1", "type": "subscribe", "payload": payload})
