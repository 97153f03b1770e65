"""Players and chats to begin a test with, made as rows and signed in with real tokens."""

import itertools
import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from gamebuddy import db
from gamebuddy.schema import ids
from gamebuddy.schema.context import Services
from gamebuddy.schema.ids import Kind
from tests.api import Api


@dataclass(frozen=True)
class Player:
    """Somebody with an account and a live session."""

    api: Api
    account_id: uuid.UUID
    session_id: uuid.UUID
    username: str

    @property
    def id(self) -> str:
        """The global id of his User."""
        return ids.write(Kind.USER, self.account_id)


class Factory:
    """Makes what a test needs before it begins."""

    def __init__(self, services: Services, api: Api) -> None:
        self.services = services
        self.api = api
        self._numbers = itertools.count(1)

    async def player(
        self,
        username: str | None = None,
        *,
        role: db.Role = db.Role.USER,
        games: dict[str, int] | None = None,
        **profile: Any,
    ) -> Player:
        """Make a verified player; `games` maps slugs to ratings, the rest are columns of the profile or the account."""
        username = username or f"player_{next(self._numbers)}"
        account_columns: dict[str, Any] = {
            name: profile.pop(name) for name in tuple(profile) if name in db.Account.__table__.columns
        }
        proved = {"email": f"{username}@example.com", "email_key": f"{username}@example.com"}
        account_columns = proved | {"email_verified_at": datetime.now(UTC)} | account_columns
        account = db.Account(
            username=username,
            display_name=account_columns.pop("display_name", username.title()),
            role=role,
            **account_columns,
        )
        now = datetime.now(UTC)
        session_row = db.Session(
            account_id=account.id,
            salt=secrets.token_bytes(16),
            device_name="test",
            last_used_at=now,
            expires_at=now + timedelta(days=60),
        )
        profile.setdefault("languages", ["en"])
        profile.setdefault("birth_date", date(2000, 1, 1))
        async with self.services.database.write() as session:
            session.add(account)
            await session.flush()
            session.add_all([session_row, db.Profile(account_id=account.id, **profile)])
            for position, (slug, rating) in enumerate((games or {}).items()):
                game_id = await self.game_id(slug)
                session.add(db.PlayerGame(account_id=account.id, game_id=game_id, position=position, rating=rating))
        token, _ = self.services.gate.tokens.issue(account.id, session_row.id)
        return Player(self.api.signed_in(token), account.id, session_row.id, username)

    async def game_id(self, slug: str) -> uuid.UUID:
        """Find a game of the catalogue."""
        from gamebuddy.resolvers import games

        async with self.services.database.read() as session:
            game = await games.find_game(session, slug=slug)
        assert game is not None, slug
        return game.id

    async def teammates(self, one: Player, other: Player) -> None:
        """Make two players teammates; if they are it already, nothing changes."""
        async with self.services.database.write() as session:
            for half, mate in ((one, other), (other, one)):
                await session.merge(db.Teammate(account_id=half.account_id, teammate_id=mate.account_id))
            first, second = sorted((one.account_id, other.account_id))
            await session.merge(db.Companionship(first_id=first, second_id=second))

    async def demote(self, player: Player) -> None:
        """Make a user of somebody of the staff."""
        async with self.services.database.write() as session:
            account = await session.get_one(db.Account, player.account_id)
            account.role = db.Role.USER

    async def block(self, one: Player, other: Player) -> None:
        """Let one block the other."""
        async with self.services.database.write() as session:
            session.add(db.Block(account_id=one.account_id, blocked_id=other.account_id))

    async def direct_chat(self, one: Player, other: Player) -> str:
        """Open the direct chat of two through the API and give its id."""
        answer = await one.api(
            "mutation($user: ID!) { openDirectChat(input: {userId: $user}) { chat { id } userErrors { message } } }",
            user=other.id,
        )
        chat_id: str = answer["openDirectChat"]["chat"]["id"]
        return chat_id

    async def group(self, owner: Player, *members: Player, title: str = "Group") -> str:
        """Make a group through the API, after making its members the owner's teammates, and give its id."""
        for member in members:
            await self.teammates(owner, member)
        answer = await owner.api(
            "mutation($input: CreateGroupInput!) { createGroup(input: $input) { chat { id } userErrors { message } } }",
            input={"title": title, "memberIds": [member.id for member in members], "clientId": str(uuid.uuid4())},
        )
        chat_id: str = answer["createGroup"]["chat"]["id"]
        return chat_id

    async def send(self, author: Player, chat_id: str, text: str = "hello") -> dict[str, Any]:
        """Send a message through the API and give its id, seq and text."""
        answer = await author.api(
            "mutation($input: SendMessageInput!) { sendMessage(input: $input)"
            " { message { id seq text } userErrors { code message path } } }",
            input={"chatId": chat_id, "clientId": str(uuid.uuid4()), "text": text},
        )
        message: dict[str, Any] = answer["sendMessage"]["message"]
        return message
