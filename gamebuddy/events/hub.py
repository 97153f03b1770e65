"""Hands events to the streams of this process: for each batch it reads the log once and checks all rights once."""

import asyncio
import json
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncGenerator, Collection, Iterator, Sequence
from contextlib import suppress

import structlog
from broadcaster import Broadcast

from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import Database, ReadSession
from gamebuddy.errors import NotFound, Unauthenticated, Unavailable
from gamebuddy.events import log, types
from gamebuddy.events.bus import Bus, PostgresBus
from gamebuddy.events.followers import End, Follower, Followers, Lapse, Watch, Watching, until_end
from gamebuddy.events.log import AccountPlace, ChatPlace, Kept, Snapshot, Step
from gamebuddy.events.notices import AccessRevoked, CaughtUp, Happened, Notice, Passed, Place, ResyncRequired
from gamebuddy.events.passing import Grapevine
from gamebuddy.events.rights import Rights, chats_of, rights_of
from gamebuddy.events.types import ChatEvent, MemberJoined

PAGE = 500
POLL_SECONDS = 1.0  # heals notifications that were lost
POLLS_A_LOOK = 10  # of those that would have said whose rights have changed
PAUSE_SECONDS = 0.2  # between two tries to reach the database
NOT_KEPT = "This place is no longer kept."
TOO_SLOW = "You read too slowly."
NO_EPOCH = uuid.UUID(int=0)  # the hub's own place never outlives its process

logger = structlog.get_logger(__name__)


class Hub:
    """One for each process.

    A notification says no more than that the log has grown. The hub then reads what its last snapshot did not see and
    the new one does. So a lost notification, a lost connection and transactions that commit in another order than they
    began are one case, and the same few lines.
    """

    def __init__(self, database: Database, *, bus: Bus | None = None, poll_seconds: float = POLL_SECONDS) -> None:
        self._database = database
        self._bus = bus or PostgresBus(database.url)
        self._broadcast = Broadcast(backend=self._bus)
        self._poll_seconds = poll_seconds
        self.followers = Followers()
        self._watches: defaultdict[uuid.UUID, set[Watch]] = defaultdict(set)  # by account
        self._suspects: set[uuid.UUID] = set()  # sessions and accounts whose rights may have changed
        self._place: AccountPlace | None = None  # how far the log has been handed out
        self._batch = 0  # its number; every one has its snapshot, of events and of rights
        self._grown = asyncio.Event()
        self.grapevine = Grapevine(self._grown.set)
        self._has_started = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_listening(self) -> bool:
        """Whether notifications arrive; without them events come late, by the poll."""
        return self._bus.is_listening

    async def start(self) -> None:
        """Listen, and find the place in the log to begin at."""
        await self._broadcast.connect()
        self._tasks = [
            asyncio.create_task(self._listen(), name="hub listens"),
            asyncio.create_task(self._hand_out(), name="hub hands out"),
        ]
        await self._has_started.wait()

    async def stop(self) -> None:
        """End every stream and wait for the tasks; a second time it does nothing."""
        if not self._tasks:
            return
        for follower in self.followers:
            follower.end(Lapse.GOING_AWAY)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        self.grapevine.close()
        await self._broadcast.disconnect()

    def watch(self, viewer: Viewer) -> "Watching":
        """Watch the viewer's session; use it as a context manager."""
        self._look_soon(viewer)  # the session may have ended since the viewer was read
        return Watching(self._watches, Watch(viewer, self._batch))

    async def follow_account(self, viewer: Viewer, after: AccountPlace | None) -> AsyncGenerator[Notice]:
        """Give what concerns an account: what was kept since `after`, CaughtUp, then what happens.

        Raises:
            Unauthenticated: when the session has ended meanwhile.
            Unavailable: when the database does not answer while catching up, or the process is going away; go on from
                the last place.
            TooSlow: after ResyncRequired, when that was because the reader fell behind.
        """
        follower = Follower(viewer, self._batch)
        self.followers.attach(follower)
        try:
            async with self._database.read(is_patient=True) as session:
                chat_ids = await chats_of(session, viewer.account_id)
            for chat_id in chat_ids:
                self.followers.follow(follower, chat_id)
            follower.came_in = self._batch
            # Only now, when it follows them all: what this snapshot does not see comes by the queue.
            async with self._database.read(is_patient=True) as session:
                reach, attached = await log.reach(session), await log.snapshot(session)
                rights = await rights_of(session, [viewer], [])
            if not rights.keep(viewer):
                raise Unauthenticated
            last = AccountPlace(reach.epoch, attached)
            if after is not None and not after.is_kept(reach, attached):
                yield ResyncRequired(last, NOT_KEPT)
                return
            if after is not None:
                async for step in self._kept_for_account(follower, after, attached):
                    yield Happened(step.kept.id, step.kept.at, step.kept.event, step.place)
            if not isinstance(follower.end_of_it, AccessRevoked):
                yield CaughtUp(last)
            async for queued in until_end(follower):
                if not isinstance(queued, Step):
                    yield _notice_of(queued, last)
                elif not attached.sees(queued.kept.xid):
                    kept = queued.kept
                    seen = attached.or_later(queued.place.seen)
                    last = AccountPlace(reach.epoch, seen, queued.place.reading, kept.id)
                    yield Happened(kept.id, kept.at, kept.event, last)
        finally:
            self.followers.detach(follower)

    async def follow_chat(self, viewer: Viewer, chat_id: uuid.UUID, after: ChatPlace | None) -> AsyncGenerator[Notice]:
        """Give the events of one chat: what was kept since `after`, CaughtUp, then what happens; each exactly once.

        Raises:
            NotFound: when there is no such chat, or the viewer is no member of it.
            Unauthenticated: when the session has ended meanwhile.
            Unavailable: when the database does not answer while catching up, or the process is going away; go on from
                the last place.
            TooSlow: after ResyncRequired, when that was because the reader fell behind.
        """
        follower = Follower(viewer, self._batch, chat_id)
        self.followers.follow(follower, chat_id)
        try:
            async with self._database.read(is_patient=True) as session:
                epoch, head = (await log.reach(session)).epoch, await log.chat_head(session, chat_id)
                is_kept = after is None or await _is_kept(session, chat_id, after, epoch, head)
                rights = await rights_of(session, [viewer], [chat_id])
            if not rights.keep(viewer):
                raise Unauthenticated
            if (chat_id, viewer.account_id) not in rights.memberships:
                raise NotFound
            if not is_kept:
                yield ResyncRequired(ChatPlace(epoch, head), NOT_KEPT)
                return
            last = after.seq if after is not None else head
            async for kept in self._kept_in_chat(follower, chat_id, last, head):
                last = _seq(kept)
                yield Happened(kept.id, kept.at, kept.event, ChatPlace(epoch, last))
            if not isinstance(follower.end_of_it, AccessRevoked):
                yield CaughtUp(ChatPlace(epoch, last))
            async for queued in until_end(follower):
                if not isinstance(queued, Step):
                    yield _notice_of(queued, ChatPlace(epoch, last))
                elif _seq(queued.kept) > last:
                    kept = queued.kept
                    last = _seq(kept)
                    yield Happened(kept.id, kept.at, kept.event, ChatPlace(epoch, last))
        finally:
            self.followers.detach(follower)

    async def _kept_for_account(self, follower: Follower, place: AccountPlace, until: Snapshot) -> AsyncGenerator[Step]:
        """Read in pages, each in a snapshot of its own: a slow reader holds no connection."""
        account_id = follower.viewer.account_id
        while True:
            async with self._database.read(is_patient=True) as session:
                page = await log.read_account(session, account_id, place=place, until=until, limit=PAGE)
            for step in page:
                if isinstance(follower.end_of_it, AccessRevoked):
                    return
                if types.is_known(step.kept.event):
                    yield step
            if len(page) < PAGE:
                return
            place = page[-1].place

    async def _kept_in_chat(self, follower: Follower, chat_id: uuid.UUID, last: int, head: int) -> AsyncGenerator[Kept]:
        while last < head:
            async with self._database.read(is_patient=True) as session:
                page = await log.read_chat(session, chat_id, after=last, limit=PAGE)
            for kept in _while_allowed(page, follower):
                yield kept
            if not page or isinstance(follower.end_of_it, AccessRevoked):
                return
            last = _seq(page[-1])

    async def _listen(self) -> None:
        async with self._broadcast.subscribe(log.CHANNEL) as subscriber:
            while True:
                message = (await subscriber.get()).message
                if message != log.GROWN:
                    self._take(message)
                self._grown.set()

    def _take(self, message: str) -> None:
        """Read what passes, or whose rights may have changed: everybody's, after a loss and where it makes no sense."""
        try:
            told = json.loads(message)
            if "passing" in told:
                for event in map(types.from_message, told["passing"]):
                    if event is not None:
                        self.grapevine.take(event)
            else:
                self._suspects |= {uuid.UUID(suspect) for suspect in told["look_again"]}
        except (ValueError, KeyError, TypeError, AttributeError):
            self._suspects |= self._everybody()

    async def _hand_out(self) -> None:
        looked_at = time.monotonic()
        while True:
            try:
                await self._read_on()
            except Unavailable:
                await asyncio.sleep(PAUSE_SECONDS)
                self._grown.set()
            except Exception:  # whatever it is, the streams of this process must not stand still
                logger.exception("a batch of events could not be handed out")
                await asyncio.sleep(PAUSE_SECONDS)
                self._grown.set()
            else:
                self._has_started.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._grown.wait(), self._poll_seconds)
            self._grown.clear()
            if time.monotonic() >= looked_at + POLLS_A_LOOK * self._poll_seconds:
                looked_at = time.monotonic()
                self._suspects |= self._everybody()

    async def _read_on(self) -> None:
        """Read what has come, in one snapshot, and hand it out page by page with the rights of that snapshot."""
        suspects, self._suspects = self._suspects, set()
        self._batch += 1
        try:
            async with self._database.read() as session:
                snapshot = await log.snapshot(session)
                if self._place is not None:
                    await self._hand_out_behind(session, self._place, snapshot)
                # After the events: the one that removed a member comes before the end of his stream.
                await self._look_again(session, suspects)
                await self.grapevine.hand_out(session, self.followers)
        except BaseException:
            self._suspects |= suspects
            raise
        self._place = AccountPlace(NO_EPOCH, snapshot)

    async def _hand_out_behind(self, session: ReadSession, place: AccountPlace, snapshot: Snapshot) -> None:
        while True:
            page = await log.read_on(session, place=place, until=snapshot, limit=PAGE)
            if page:
                # Who leaves on a later page still sees this one.
                departures = log.departures_in(page)
                if len(page) == PAGE:
                    departures |= await log.departures(session, place=page[-1].place, until=snapshot)
                known = [step for step in page if types.is_known(step.kept.event)]
                await self._deliver(session, known, departures)
                # Should the connection be lost before the next page, nothing of this one is handed out again.
                self._place = place = page[-1].place
            if len(page) < PAGE:
                return

    async def _deliver(self, session: ReadSession, page: Sequence[Step], departures: log.Departures) -> None:
        events = [row.kept.event for row in page]
        viewers = {follower.viewer for event in events for follower in self.followers.of(event)}
        if not viewers:
            return
        rights = await rights_of(session, viewers, {event.chat_id for event in events if isinstance(event, ChatEvent)})
        for row in page:
            event = row.kept.event
            if isinstance(event, MemberJoined):
                # From this event on the account's streams follow the chat.
                for follower in self.followers.by_account.get(event.account_id, ()):
                    self.followers.follow(follower, event.chat_id)
            for follower in self.followers.of(event):
                self._offer(follower, row, rights, departures)

    def _offer(self, follower: Follower, row: Step, rights: Rights, departures: log.Departures) -> None:
        viewer, event = follower.viewer, row.kept.event
        if not rights.keep(viewer):
            self._revoke(follower)
        elif isinstance(event, ChatEvent):
            membership = (event.chat_id, viewer.account_id)
            # The rights are those at the end of the batch: who leaves within it may still see what came before, and the
            # event that removes him.
            left_at = departures.get(membership, 0)
            if membership in rights.memberships or event.seq <= left_at:
                follower.offer(row)
            if membership not in rights.memberships and event.seq >= left_at:
                self._revoke(follower, event.chat_id)
        else:
            follower.offer(row)

    def _revoke(self, follower: Follower, chat_id: uuid.UUID | None = None) -> None:
        """Take one chat from a stream that has no right to it any more, or everything."""
        if self._is_newcomer(follower):
            self._look_soon(follower.viewer)
        elif chat_id is None:
            follower.cut()
        elif chat_id == follower.chat_id:
            follower.end(AccessRevoked("You are no longer a member of this chat."))
        else:
            self.followers.unfollow(follower, chat_id)

    def _is_newcomer(self, somebody: Follower | Watch) -> bool:
        """Tell whether the snapshot of this batch may be older than somebody who has come, and than his rights.

        Then a right that is missing proves nothing. Nor does he need such a batch: his own snapshot, which is later,
        sees all of it.
        """
        return somebody.came_in >= self._batch

    def _look_soon(self, viewer: Viewer) -> None:
        """Look at a viewer's rights in the next batch, at once."""
        self._suspects.add(viewer.session_id)
        self._grown.set()

    async def _look_again(self, session: ReadSession, suspects: Collection[uuid.UUID]) -> None:
        """End the streams and watches of suspects whose session has ended or whose role has changed."""
        if not suspects:
            return
        followers = [f for f in self.followers if {f.viewer.session_id, f.viewer.account_id} & set(suspects)]
        watches = [
            watch
            for some in self._watches.values()
            for watch in some
            if {watch.viewer.session_id, watch.viewer.account_id} & set(suspects)
        ]
        chats = {follower.chat_id for follower in followers if follower.chat_id is not None}
        viewers = {follower.viewer for follower in followers} | {watch.viewer for watch in watches}
        if not viewers:
            return
        rights = await rights_of(session, viewers, chats)
        for follower in followers:
            if not rights.keep(follower.viewer):
                self._revoke(follower)
            elif follower.chat_id and (follower.chat_id, follower.viewer.account_id) not in rights.memberships:
                self._revoke(follower, follower.chat_id)
        for watch in watches:
            if watch.viewer.session_id in rights.roles:
                continue
            if self._is_newcomer(watch):
                self._look_soon(watch.viewer)
            else:
                watch.ended.set()

    def _everybody(self) -> set[uuid.UUID]:
        return {f.viewer.session_id for f in self.followers} | set(self._watches)


def _while_allowed(page: Sequence[Kept], follower: Follower) -> Iterator[Kept]:
    """Give what this release knows of a page, until the right to it ends."""
    for kept in page:
        if isinstance(follower.end_of_it, AccessRevoked):
            return
        if types.is_known(kept.event):
            yield kept


def _notice_of(queued: Passed | End, place: Place) -> Notice:
    """Say what passes, or how a stream ends.

    Raises:
        Unavailable: when the process is going away; the reader goes on elsewhere from its last place.
    """
    if isinstance(queued, Passed | AccessRevoked):
        return queued
    if queued is Lapse.GOING_AWAY:
        raise Unavailable("The server is going away. Go on from your last cursor.")
    return ResyncRequired(place, TOO_SLOW)


async def _is_kept(session: ReadSession, chat_id: uuid.UUID, place: ChatPlace, epoch: uuid.UUID, head: int) -> bool:
    """Tell whether one can read on in a chat from a place."""
    if place.epoch != epoch or place.seq > head:
        return False
    return place.seq == head or await log.goes_on_from(session, chat_id, place.seq)


def _seq(kept: Kept) -> int:
    if not isinstance(kept.event, ChatEvent):
        raise TypeError(kept)
    return kept.event.seq
