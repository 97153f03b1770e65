"""A world in which somebody has a few of everything, and how to ask for all of it."""

import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLObjectType, build_schema, get_named_type

from gamebuddy import db
from gamebuddy.schema import root
from tests.accounts.operations import call
from tests.factories import Factory, Player
from tests.schema.selections import selection

SCHEMA = build_schema(root.sdl())
BELOW = 3  # objects below an item: its profile, the games of it, their genres
# Everything at once is more than a client may ask.
WIDE = {"max_cost": sys.maxsize, "max_tokens": 100_000, "max_aliases": 1_000}


async def do(who: Player, operation: str, **what: Any) -> None:
    """Let somebody do something that has to succeed."""
    answer = await call(who.api, operation, "__typename", **what)
    assert answer[operation]["userErrors"] == [], operation


@dataclass
class World:
    """Somebody with many of everything."""

    make: Factory
    nika: Player
    mod: Player
    admin: Player
    chat_id: str
    cursor: str
    count: int = 0  # how many there are of everything
    teammates: list[Player] = field(default_factory=list)

    @classmethod
    async def begin(cls, make: Factory) -> "World":
        """Make her with nothing but an empty group."""
        games = {"dota-2": 1500, "valorant": 1700}
        nika = await make.player("nika", games=games, languages=["en", "ru"], birth_date=None)
        mod, admin = await make.player(role=db.Role.MODERATOR), await make.player(role=db.Role.ADMIN)
        chat_id = await make.group(nika)
        answer = await nika.api("{ viewer { eventCursor } }")
        return cls(make, nika, mod, admin, chat_id, answer["viewer"]["eventCursor"])

    async def grow(self, count: int) -> None:
        """Let there be `count` of everything."""
        for number in range(self.count, count):
            friend, stranger, enemy = [
                await self.make.player(f"{name}_{number}", games={"dota-2": 1500 + number, "valorant": 1700})
                for name in ("friend", "stranger", "enemy")
            ]
            await self._befriend(friend)
            await do(stranger, "sendTeammateRequest", userId=self.nika.id)
            await self.make.block(self.nika, enemy)
            await do(self.nika, "report", subject={"userId": stranger.id}, reason="HARASSMENT")
            await do(self.admin, "sanctionUser", userId=enemy.id, kind="MUTE", reason="of a test")
            await do(enemy, "appealMute", text="It was somebody else.")
        self.count = count

    async def _befriend(self, friend: Player) -> None:
        await self.make.teammates(self.nika, friend)
        direct = await self.make.direct_chat(self.nika, friend)
        await do(self.nika, "addMembers", chatId=self.chat_id, userIds=[friend.id])
        for chat_id in (direct, self.chat_id):
            first = await self.make.send(friend, chat_id, "hello @nika")
            sent = {"chatId": chat_id, "text": "hello again", "replyToId": first["id"], "clientId": str(uuid.uuid4())}
            await do(self.nika, "sendMessage", **sent)
            reaction = {"messageId": first["id"], "emoji": "👍", "isOn": True}
            await do(self.nika, "setReaction", **reaction)
        await do(self.nika, "setUserNote", userId=friend.id, note="good at night")


@dataclass(frozen=True)
class Case:
    """How to ask for a list: `…` stands for what is asked of it."""

    query: str
    asks: Callable[[World], Player] = lambda world: world.nika


def staff(world: World) -> Player:
    return world.admin


CASES = {
    "Chat.members": Case("{ chat(id: $chat) { members(first: 20) … } }"),
    "Chat.messages": Case("{ chat(id: $chat) { messages(last: 20) … } }"),
    "Query.accounts": Case("{ accounts(first: 30) … }", staff),
    "Query.appeals": Case("{ appeals(first: 20) … }", lambda world: world.mod),
    "Query.auditLog": Case("{ auditLog(first: 50) … }", staff),
    "Query.events": Case("{ events(after: $cursor, first: 50) … }"),
    "Query.games": Case("{ games(first: $count) … }"),
    "Query.reports": Case("{ reports(first: 20) … }", lambda world: world.mod),
    "Query.searchMessages": Case('{ searchMessages(text: "hello", first: 30) … }'),
    "Query.teammates": Case("{ teammates(first: 20) … }"),
    "Query.users": Case('{ users(search: "friend", first: 20) … }'),
    "Viewer.blockedUsers": Case("{ viewer { blockedUsers(first: 20) … } }"),
    "Viewer.chats": Case("{ viewer { chats(first: 20) … } }"),
    "Viewer.reports": Case("{ viewer { reports(first: 20) … } }"),
    "Viewer.teammateRequests": Case("{ viewer { teammateRequests(direction: INCOMING, first: 20) … } }"),
    "Viewer.teammates": Case("{ viewer { teammates(first: 20) … } }"),
}
VARIABLES = {"$chat": "ID!", "$cursor": "Cursor!", "$count": "Int!"}


def lists() -> dict[str, GraphQLObjectType]:
    """Give every field of the schema that gives a page, with its type."""
    found = {}
    for kind in SCHEMA.type_map.values():
        if isinstance(kind, GraphQLObjectType):
            for name, definition in kind.fields.items():
                page = get_named_type(definition.type)
                if isinstance(page, GraphQLObjectType) and page.name.endswith(("Connection", "Page")):
                    found[f"{kind.name}.{name}"] = page
    return found


def document(case: Case, page: GraphQLObjectType) -> str:
    """Write the query: the items with everything below them."""
    declared = ", ".join(f"{name}: {kind}" for name, kind in VARIABLES.items() if name in case.query)
    head = f"query({declared}) " if declared else ""
    return head + case.query.replace("…", selection(SCHEMA, page, BELOW))


def variables(case: Case, world: World) -> dict[str, Any]:
    """Give what the query of a case takes."""
    values = {"chat": world.chat_id, "cursor": world.cursor, "count": world.count}
    return {key: value for key, value in values.items() if f"${key}" in case.query}
