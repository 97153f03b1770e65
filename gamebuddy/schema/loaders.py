"""Loads rows by their ids, each kind with one statement however many fields ask."""

from __future__ import annotations

import asyncio
import functools
import uuid
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from strawberry.dataloader import DataLoader

from gamebuddy.errors import Unauthenticated
from gamebuddy.resolvers import (
    account_notes,
    accounts,
    administration,
    appeals,
    audit,
    chat,
    games,
    presence,
    profiles,
    reports,
    sanctions,
    teammates,
    wording,
)

if TYPE_CHECKING:
    from gamebuddy.schema.context import Context
    from gamebuddy.schema.crowd import Crowd, Looks

type Fetch[K, V] = Callable[..., Awaitable[Mapping[K, V]]]


class Loader[K, V](ABC):
    """Loads what is asked for at the same moment together, and each thing once."""

    __slots__ = ("_context",)

    def __init__(self, context: Context) -> None:
        self._context = context

    @abstractmethod
    def load(self, key: K) -> asyncio.Future[V]:
        """Load one."""

    @abstractmethod
    def prime(self, found: Mapping[K, Any]) -> None:
        """Take what was read on the way to something else; nobody needs to ask for it again."""

    @abstractmethod
    def forget(self) -> None:
        """Load anew what is asked for from now on."""

    async def load_many(self, keys: Sequence[K]) -> list[V]:
        """Load several, in their order."""
        loads = [self.load(key) for key in keys]
        try:
            return [await load for load in loads]  # they come together: one wait is enough, `gather` watches each
        except Exception:
            for load in loads:  # the failure of all of them, which is told here
                if load.done() and not load.cancelled():
                    load.exception()
            raise


class OwnLoader[K, V](Loader[K, V]):
    """Loads for one operation.

    It is made with every operation, but most are never asked: what it takes to load is made by the first question.
    """

    __slots__ = ("_fetch", "_loader")

    def __init__(self, context: Context, fetch: Callable[[list[K]], Awaitable[list[V]]]) -> None:
        super().__init__(context)
        self._fetch = fetch
        self._loader: DataLoader[K, V] | None = None

    def load(self, key: K) -> asyncio.Future[V]:
        """Load one."""
        if self._context.trace is not None:
            self._context.trace.note_personal()
        return cast("asyncio.Future[V]", self._made().load(key))

    def prime(self, found: Mapping[K, Any]) -> None:
        """Take what was read on the way to something else; nobody needs to ask for it again."""
        self._made().prime_many(found)

    def forget(self) -> None:
        """Load anew what is asked for from now on."""
        self._loader = None

    def _made(self) -> DataLoader[K, V]:
        if self._loader is None:
            self._loader = DataLoader(load_fn=self._fetch)
            self._context.loaders.used.append(self)
        return self._loader


class SharedLoader(Loader[uuid.UUID, Any]):
    """Loads for one follower of an event what others load with him, each thing once."""

    __slots__ = ("_crowd", "_known", "_name")

    def __init__(self, context: Context, name: str, crowd: Looks) -> None:
        super().__init__(context)
        self._name = name
        self._crowd = crowd
        self._known: dict[uuid.UUID, asyncio.Future[Any]] = {}

    def load(self, key: uuid.UUID) -> asyncio.Future[Any]:
        """Load one."""
        context = self._context
        loading = self._known.get(key)
        if loading is None:
            if not self._known:
                context.loaders.used.append(self)
            viewer = context.onlooker
            if viewer is None:
                raise Unauthenticated
            loading = self._known[key] = self._crowd.load((viewer.account_id, key))
        if context.trace is not None:
            context.trace.looks[self._name, key] = loading
        return loading

    def prime(self, found: Mapping[uuid.UUID, Any]) -> None:
        """Take what was read on the way to something else; nobody needs to ask for it again."""
        if found and not self._known:
            self._context.loaders.used.append(self)
        for key, row in found.items():
            self._known[key] = asyncio.get_running_loop().create_future()
            self._known[key].set_result(row)

    def forget(self) -> None:
        """Load anew what is asked for from now on."""
        self._known.clear()


class Loaders:
    """One set an operation. Every function behind it takes (session, viewer, ids) and leaves out what is hidden."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.used: list[Loader[Any, Any]] = []
        self.accounts = self._by_id(accounts.by_ids)
        self.with_deleted = self._by_id(accounts.with_deleted_by_ids)
        self.known = self._by_id(accounts.known_by_ids)
        self.staff_views = self._by_id(administration.accounts_by_ids)
        self.sessions = self._by_id(accounts.sessions_by_ids)
        self.sessions_of = self._by_id(accounts.sessions_by_account_ids)
        self.sanctions = self._by_id(sanctions.by_ids)
        self.sanctions_of = self._by_id(sanctions.by_account_ids)
        self.account_notes_of = self._by_id(account_notes.by_account_ids)
        self.reports = self._by_id(reports.by_ids)
        self.appeals = self._by_id(appeals.by_ids)
        self.appeals_of = self._by_id(appeals.by_sanction_ids)
        self.evidence = self._by_id(reports.evidence_by_ids)
        self.looks = OwnLoader(context, self._look)
        self.word_rules = self._by_id(wording.by_ids)
        self.audit_entries = self._by_id(audit.by_ids)
        self.profiles = self._by_id(profiles.by_ids)
        self.player_games = self._by_id(profiles.games_by_ids)
        self.genres = self._by_id(games.genres_by_ids)
        self.games = self._by_id(games.by_ids)
        self.ladders = self._by_id(games.ranks_by_game_ids)
        self.game_roles = self._by_id(games.roles_by_game_ids)
        self.ranks = self._by_id(games.ranks_by_ids)
        self.roles = self._by_id(games.roles_by_ids)
        self.relations = self._by_id(teammates.relations_by_ids)
        self.presences = self._by_id(presence.by_ids)
        self.notes = self._by_id(teammates.notes_by_ids)
        self.blocks = self._by_id(teammates.blocks_by_ids)
        self.requests = self._by_id(teammates.requests_by_ids)
        self.chats = self._by_id(chat.by_ids)
        self.memberships = self._by_id(chat.memberships_by_ids)
        self.last_messages = self._by_id(chat.last_messages_by_ids)
        self.messages = self._by_id(chat.messages_by_ids)
        self.pins = self._by_id(chat.pins_by_ids)
        self.unread_mentions = self._by_id(chat.unread_mentions_by_ids)
        self.mentions = self._by_id(chat.mentions_by_ids)
        self.attachments = self._by_id(chat.attachments_by_ids)
        self.attachments_of = self._by_id(chat.attachments_by_message_ids)
        self.reactions = self._by_id(chat.reactions_by_ids)
        self.invite_links = self._by_id(chat.links_by_ids)
        self.invite_links_of = self._by_id(chat.links_by_chat_ids)
        self.open_doors = self._by_id(chat.open_doors_by_ids)
        self.histories = self._by_stretch(chat.histories_by_ids, chat.History)
        self.members = self._by_stretch(chat.members_by_ids, chat.Members)
        if context.is_following:
            self._load_with_others(context.services.crowd)

    def _load_with_others(self, crowd: Crowd) -> None:
        """Load what nearly every event shows together with the others who follow it."""
        for name in ("accounts", "with_deleted", "profiles", "chats", "messages"):
            setattr(self, name, SharedLoader(self._context, name, getattr(crowd, name)))

    def forget(self) -> None:
        """Load anew what is asked for from now on."""
        for loader in self.used:
            loader.forget()
        self.used.clear()

    def _by_id[V](self, fetch: Fetch[uuid.UUID, V]) -> Loader[uuid.UUID, V | None]:
        return OwnLoader(self._context, functools.partial(self._fetch_by_id, fetch))

    async def _fetch_by_id[V](self, fetch: Fetch[uuid.UUID, V], ids: list[uuid.UUID]) -> list[V | None]:
        found: Mapping[Any, V] = await fetch(self._context.snapshot, self._context.viewer, ids)
        return [found.get(row_id) for row_id in ids]

    async def _look(self, report_ids: list[uuid.UUID]) -> list[None]:
        """Write down a look at all these reports, beside the snapshot: whatever becomes of the rest of the answer."""
        if self._context.viewer is not None:
            async with self._context.services.database.write() as session:
                await reports.look(session, self._context.viewer, report_ids)
        return [None] * len(report_ids)

    def _by_stretch[S, V](self, fetch: Fetch[uuid.UUID, V], _: type[S]) -> Loader[tuple[uuid.UUID, S], V | None]:
        """Load pages of many lists: one statement for all that ask for the same stretch of theirs."""
        return OwnLoader(self._context, functools.partial(self._fetch_by_stretch, fetch))

    async def _fetch_by_stretch[S, V](
        self, fetch: Fetch[uuid.UUID, V], keys: list[tuple[uuid.UUID, S]]
    ) -> list[V | None]:
        ids_of: defaultdict[S, list[uuid.UUID]] = defaultdict(list)
        for row_id, stretch in keys:
            ids_of[stretch].append(row_id)
        found: dict[S, Mapping[uuid.UUID, V]] = {
            stretch: await fetch(self._context.snapshot, self._context.viewer, ids, stretch)
            for stretch, ids in ids_of.items()
        }
        return [found[stretch].get(row_id) for row_id, stretch in keys]
