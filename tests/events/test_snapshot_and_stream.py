"""State and events fit together: what a client has loaded, and every event after its cursor, is the state later on.

The events are applied by kind, knowing nothing of what was done: as an app does it.
"""

import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.api import Json
from tests.chat.operations import (
    ADD,
    DELETE,
    EDIT,
    LEAVE,
    PIN,
    REACT,
    READ,
    REMOVE,
    SEND,
    SET_ROLE,
    UPDATE,
    new_id,
    payload,
)  # fmt: skip
from tests.factories import Factory, Player
from tests.teammates.operations import ANSWER
from tests.teammates.operations import SEND as ASK

MESSAGE = "id seq kind text editedAt deletedAt isPinned reactions { emoji count viewerHasReacted } author { username }"
CHAT = f"""id title memberCount lastSeq viewerUnreadCount settings {{ whoMayInvite whoMayWrite slowModeSeconds }}
  members(first: 10) {{ nodes {{ role user {{ username }} }} }} messages(last: 60) {{ nodes {{ {MESSAGE} }} }}"""
STATE = f"""{{ viewer {{ eventCursor
  chats(first: 3) {{ nodes {{ {CHAT} }} }}
  incoming: teammateRequests(direction: INCOMING, first: 20) {{ nodes {{ id status }} }}
  outgoing: teammateRequests(direction: OUTGOING, first: 20) {{ nodes {{ id status }} }} }} }}"""
HEAD = "id title memberCount lastSeq viewerUnreadCount settings { whoMayInvite whoMayWrite slowModeSeconds }"
EVENTS = f"""query($after: Cursor!) {{ events(after: $after, first: 20) {{ endCursor hasMore resyncRequired events {{
  __typename
  ... on ChatEvent {{ chat {{ {HEAD} }} }}
  ... on MessageSent {{ message {{ {MESSAGE} }} }} ... on MessageEdited {{ message {{ {MESSAGE} }} }}
  ... on MessageDeleted {{ message {{ {MESSAGE} }} }} ... on MessagePinned {{ message {{ {MESSAGE} }} }}
  ... on ReactionChanged {{ message {{ {MESSAGE} }} }} ... on MessageHidden {{ messageId }}
  ... on MemberJoined {{ user {{ username }} }} ... on MemberLeft {{ user {{ username }} }}
  ... on MemberRoleChanged {{ role user {{ username }} }}
  ... on TeammateRequestChanged {{ request {{ id status }} }} }} }} }}"""
ONE_CHAT = f"query($id: ID!) {{ chat(id: $id) {{ {CHAT} }} }}"
HEADS = ("title", "memberCount", "lastSeq", "viewerUnreadCount", "settings")


class Client:
    """What an app holds of one account."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self.cursor = ""
        self.chats: dict[str, Json] = {}
        self.pending: set[str] = set()

    async def load(self) -> None:
        """Load the whole state, and the place it is true for."""
        viewer = (await self.player.api(STATE))["viewer"]
        self.cursor = viewer["eventCursor"]
        self.chats = {chat["id"]: self._kept(chat) for chat in viewer["chats"]["nodes"]}
        asked = [*viewer["incoming"]["nodes"], *viewer["outgoing"]["nodes"]]
        self.pending = {request["id"] for request in asked if request["status"] == "PENDING"}

    async def catch_up(self) -> None:
        """Read on from the cursor and apply what has happened."""
        while True:
            page = (await self.player.api(EVENTS, after=self.cursor))["events"]
            assert page["resyncRequired"] is False
            for event in page["events"]:
                await self._apply(event)
            self.cursor = page["endCursor"]
            if not page["hasMore"]:
                return

    @staticmethod
    def _kept(chat: Json) -> Json:
        return {name: chat[name] for name in HEADS} | {
            "members": {member["user"]["username"]: member["role"] for member in chat["members"]["nodes"]},
            "messages": {message["id"]: message for message in chat["messages"]["nodes"]},
        }

    async def _apply(self, event: Json) -> None:
        if event["__typename"] == "TeammateRequestChanged":
            request = event["request"]
            (self.pending.add if request["status"] == "PENDING" else self.pending.discard)(request["id"])
        elif event["__typename"] == "MessageHidden":
            for chat in self.chats.values():
                chat["messages"].pop(event["messageId"], None)
        else:
            await self._apply_to_chat(event, event["chat"]["id"])

    async def _apply_to_chat(self, event: Json, chat_id: str) -> None:
        name, who = event["__typename"], (event.get("user") or {}).get("username")
        if name == "MemberLeft" and who == self.player.username:
            self.chats.pop(chat_id, None)
            return
        if chat_id not in self.chats:  # one that is new to the client is loaded; it may have been left again
            found = (await self.player.api(ONE_CHAT, id=chat_id))["chat"]
            if found is not None:
                self.chats[chat_id] = self._kept(found)
            return
        chat = self.chats[chat_id]
        chat |= {head: event["chat"][head] for head in HEADS}
        if "message" in event:
            chat["messages"][event["message"]["id"]] = event["message"]
        elif name == "MemberJoined":
            chat["members"][who] = "MEMBER"
        elif name == "MemberLeft":
            del chat["members"][who]
        elif name == "MemberRoleChanged":
            chat["members"][who] = event["role"]


class Crowd:
    """Some players who do this and that; what is refused changes nothing."""

    def __init__(self, players: list[Player], dice: random.Random) -> None:
        self.players = players
        self.dice = dice
        self.chats: list[str] = []
        self.messages: list[str] = []
        self.requests: list[str] = []

    async def do_something(self) -> None:
        """Let one of them do one thing."""
        ways: list[Callable[[Player], Awaitable[Any]]] = [
            self._send, self._send, self._send, self._change, self._change, self._govern, self._ask,
        ]  # fmt: skip
        await self.dice.choice(ways)(self.dice.choice(self.players))

    async def _send(self, who: Player) -> None:
        given: Json = {"chatId": self.dice.choice(self.chats), "clientId": new_id(), "text": f"hi {self.dice.random()}"}
        sent = payload(await who.api(SEND, input=given))["message"]
        if sent:
            self.messages.append(sent["id"])

    async def _change(self, who: Player) -> None:
        if not self.messages:
            return
        about: Json = {"messageId": self.dice.choice(self.messages)}
        ways: list[tuple[str, Json]] = [
            (EDIT, {"text": f"edited {self.dice.random()}"}),
            (DELETE, {"forEveryone": True}),
            (DELETE, {"forEveryone": False}),
            (REACT, {"emoji": "👍", "isOn": self.dice.random() < 0.7}),
            (PIN, {"isPinned": self.dice.random() < 0.7}),
        ]
        query, given = self.dice.choice(ways)
        await who.api(query, input=about | given)

    async def _govern(self, who: Player) -> None:
        chat_id, other = self.dice.choice(self.chats), self.dice.choice(self.players)
        ways: list[tuple[str, Json]] = [
            (UPDATE, {"title": f"T {self.dice.random()}"}),
            (UPDATE, {"slowModeSeconds": self.dice.choice([0, 1])}),
            (ADD, {"userIds": [other.id]}),
            (REMOVE, {"userId": other.id}),
            (LEAVE, {}),
            (SET_ROLE, {"userId": other.id, "role": self.dice.choice(["ADMIN", "MEMBER", "OWNER"])}),
            (READ, {"upToSeq": 1}),
        ]
        query, given = self.dice.choice(ways)
        await who.api(query, input={"chatId": chat_id} | given)

    async def _ask(self, who: Player) -> None:
        other = self.dice.choice(self.players)
        if self.requests and self.dice.random() < 0.5:
            given = {"requestId": self.dice.choice(self.requests), "accept": self.dice.random() < 0.5}
            await who.api(ANSWER, input=given)
            return
        sent = payload(await who.api(ASK, input={"userId": other.id}))["request"]
        if sent:
            self.requests.append(sent["id"])


@pytest.mark.parametrize("seed", range(4))
async def test_a_state_and_its_events_are_the_state_later(make: Factory, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - the same world every time
    players = [await make.player() for _ in range(6)]
    crowd = Crowd(players, dice)
    trios = ((0, 1, 2), (3, 4, 0), (5, 1, 2))
    crowd.chats = [await make.group(*(players[number] for number in trio)) for trio in trios]
    for _ in range(10):
        await crowd.do_something()
    clients = [Client(player) for player in players[:3]]
    for client in clients:
        await client.load()
    for _ in range(4):
        for _ in range(12):
            await crowd.do_something()
        for client in clients:
            await client.catch_up()
            fresh = Client(client.player)
            await fresh.load()
            assert client.chats == fresh.chats
            assert client.pending == fresh.pending
