"""A state machine plays groups against the running server, several actions at once, and looks after each round.

What comes of a race is not foretold: whatever it is, the tables, the log and what people see have to agree.
"""

import asyncio
import uuid
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from gamebuddy import db
from gamebuddy.db import MemberRole
from gamebuddy.events import types
from gamebuddy.schema import ids
from gamebuddy.schema.ids import Kind
from tests.api import Json
from tests.chat.operations import (
    ADD,
    CREATE,
    JOIN,
    LEAVE,
    MAKE_LINK,
    REMOVE,
    SEND,
    SET_ROLE,
    UPDATE,
    look,
    new_id,
    payload,
)
from tests.factories import Factory, Player
from tests.teammates.operations import BLOCK, UNBLOCK

PLAYERS, GROUPS = 5, 2
RANKS = {"MEMBER": 0, "ADMIN": 1, "OWNER": 2}
EXPECTED = {"NOT_FOUND", "NOT_ALLOWED", "INVALID", "LIMIT_REACHED"}

type Members = dict[uuid.UUID, MemberRole]


@dataclass(frozen=True)
class Action:
    """Somebody does something to a group, mostly with somebody else."""

    kind: str
    actor: int
    other: int
    group: int


ACTIONS = st.builds(
    Action,
    kind=st.sampled_from(
        [
            "add", "add", "join", "join", "leave", "remove", "promote", "demote", "transfer", "send", "send", "retitle",
            "close", "open", "block", "unblock",
        ]
    ),
    actor=st.integers(0, PLAYERS - 1),
    other=st.integers(0, PLAYERS - 1),
    group=st.integers(0, GROUPS - 1),
)  # fmt: skip


class Groups(RuleBasedStateMachine):
    """Five players who are all teammates, two groups."""

    make: Factory
    loop: asyncio.AbstractEventLoop

    def __init__(self) -> None:
        super().__init__()
        self.players: list[Player] = []
        self.groups: list[str] = []
        self.codes: list[str] = []

    @initialize()
    def begin(self) -> None:
        """Make the world of this run."""
        self.do(self._begin())

    async def _begin(self) -> None:
        self.players = [await self.make.player() for _ in range(PLAYERS)]
        for number, one in enumerate(self.players):
            for other in self.players[:number]:
                await self.make.teammates(one, other)
        for number in range(GROUPS):
            owner = self.players[number]
            made = payload(await owner.api(CREATE, input={"title": "G", "memberIds": [], "clientId": new_id()}))
            self.groups.append(made["chat"]["id"])
            link = payload(await owner.api(MAKE_LINK, input={"chatId": self.groups[-1]}))
            self.codes.append(link["inviteLink"]["code"])

    def do[R](self, work: Coroutine[Any, Any, R]) -> R:
        """Run something on the loop of the test."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    @rule(actions=st.lists(ACTIONS, min_size=2, max_size=6))
    def at_once(self, actions: list[Action]) -> None:
        """Let several things happen at the same time."""
        answers = self.do(self._all(actions))
        codes = {error["code"] for answer in answers for error in payload(answer)["userErrors"]}
        assert codes <= EXPECTED

    @rule(action=ACTIONS)
    def alone(self, action: Action) -> None:
        """Let one thing happen; whether it may is known beforehand."""
        members = self.do(self._members(self.groups[action.group]))
        expected = self._may(action, members)
        answer = self.do(self._act(action))
        if expected is not None:
            assert (payload(answer)["userErrors"] == []) is expected, (action, answer)

    @invariant()
    def agrees(self) -> None:
        """Compare tables, log and what people see."""
        for chat_id in self.groups:
            self.do(self._agrees(chat_id))

    async def _all(self, actions: list[Action]) -> list[Json]:
        return await asyncio.gather(*map(self._act, actions))

    async def _act(self, action: Action) -> Json:
        api, chat_id, user_id = (
            self.players[action.actor].api, self.groups[action.group], self.players[action.other].id,
        )  # fmt: skip
        ways: Mapping[str, tuple[str, Json]] = {
            "add": (ADD, {"chatId": chat_id, "userIds": [user_id]}),
            "join": (JOIN, {"code": self.codes[action.group]}),
            "leave": (LEAVE, {"chatId": chat_id}),
            "remove": (REMOVE, {"chatId": chat_id, "userId": user_id}),
            "promote": (SET_ROLE, {"chatId": chat_id, "userId": user_id, "role": "ADMIN"}),
            "demote": (SET_ROLE, {"chatId": chat_id, "userId": user_id, "role": "MEMBER"}),
            "transfer": (SET_ROLE, {"chatId": chat_id, "userId": user_id, "role": "OWNER"}),
            "send": (SEND, {"chatId": chat_id, "clientId": new_id(), "text": "hello"}),
            "retitle": (UPDATE, {"chatId": chat_id, "title": new_id()}),
            "close": (UPDATE, {"chatId": chat_id, "whoMayInvite": "OWNER", "historyForNewcomers": 1}),
            "open": (UPDATE, {"chatId": chat_id, "whoMayInvite": "EVERYONE", "historyForNewcomers": None}),
            "block": (BLOCK, {"userId": user_id}),
            "unblock": (UNBLOCK, {"userId": user_id}),
        }
        query, given = ways[action.kind]
        return await api(query, input=given)

    def _may(self, action: Action, members: Members) -> bool | None:
        """Tell whether it is to succeed; None where more than membership and role decides."""
        mine = members.get(self.players[action.actor].account_id)
        other = members.get(self.players[action.other].account_id)
        is_self = action.actor == action.other
        if action.kind in {"leave", "send"}:
            return mine is not None
        if action.kind == "remove":
            return bool(mine and other and not is_self and mine != "MEMBER" and RANKS[mine] > RANKS[other])
        if action.kind in {"promote", "demote", "transfer"}:
            return bool(mine == "OWNER" and other and not is_self)
        if action.kind in {"close", "open"}:
            return mine == "OWNER"
        if action.kind == "retitle":
            return mine in {"OWNER", "ADMIN"}
        return None

    async def _members(self, chat_id: str) -> Members:
        async with self.make.services.database.read() as session:
            rows = await session.execute(
                select(db.ChatMember.account_id, db.ChatMember.role).where(
                    db.ChatMember.chat_id == ids.read(Kind.CHAT, chat_id)
                )
            )
            return dict(rows.all())

    async def _agrees(self, chat_id: str) -> None:
        row_id = ids.read(Kind.CHAT, chat_id)
        async with self.make.services.database.read() as session:
            chat = await session.get_one(db.Chat, row_id)
            members = (await session.scalars(select(db.ChatMember).where(db.ChatMember.chat_id == row_id))).all()
            events = (
                await session.scalars(select(db.Event).where(db.Event.chat_id == row_id).order_by(db.Event.seq))
            ).all()
            messages = (
                await session.scalars(
                    select(db.Message).where(db.Message.chat_id == row_id).order_by(db.Message.number)
                )
            ).all()
            links = (
                await session.scalars(
                    select(db.InviteLink).where(db.InviteLink.chat_id == row_id, db.InviteLink.revoked_at.is_(None))
                )
            ).all()
        roles = {member.account_id: member.role for member in members}
        assert chat.member_count == len(roles)
        assert list(roles.values()).count(MemberRole.OWNER) == bool(roles)
        assert [event.seq for event in events] == list(range(1, chat.last_seq + 1))
        assert [message.number for message in messages] == list(range(1, chat.message_count + 1))
        assert [message.seq for message in messages] == sorted(message.seq for message in messages)
        assert replayed(events) == roles
        assert {link.created_by_id for link in links} <= roles.keys()
        for member in members:
            assert 0 <= member.hidden_count <= chat.message_count
            assert 0 <= member.read_count <= chat.message_count
            assert member.last_read_seq <= chat.last_seq
        seen = await asyncio.gather(*(look(player, chat_id) for player in self.players))
        for player, view in zip(self.players, seen, strict=True):
            role = roles.get(player.account_id)
            assert (view is None) is (role is None)
            if view is not None:
                assert view["viewerMembership"]["role"] == role
                assert (view["memberCount"], view["lastSeq"]) == (chat.member_count, chat.last_seq)


def replayed(events: list[db.Event]) -> Members:
    """Give who is in a group by its log alone."""
    members: Members = {}
    for row in events:
        columns = {name: getattr(row, name) for name in types.COLUMNS}
        event = types.from_columns(row.kind, row.payload, columns)
        if isinstance(event, types.MemberJoined):
            assert event.account_id not in members
            members[event.account_id] = MemberRole.MEMBER if event.seq > 1 else MemberRole.OWNER
        elif isinstance(event, types.MemberLeft):
            del members[event.account_id]
        elif isinstance(event, types.MemberRoleChanged):
            members[event.account_id] = event.role
        else:
            assert event.actor_id in members or row.kind == "MessageSent"
    return members


async def test_groups_stay_whole_whatever_happens_at_once(make: Factory) -> None:
    Groups.make, Groups.loop = make, asyncio.get_running_loop()
    how = settings(
        max_examples=12,
        stateful_step_count=12,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(run_state_machine_as_test, Groups, settings=how)
