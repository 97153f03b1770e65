"""Writing messages: many at once, each with its own rights and its own answer."""

import functools
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.dialects.postgresql import insert

from gamebuddy import db
from gamebuddy.auth import policy
from gamebuddy.auth import viewer as viewers
from gamebuddy.auth.policy import Right
from gamebuddy.auth.viewer import Each, Viewer
from gamebuddy.db import ChatKind, MessageKind, UploadPurpose, WriteSession
from gamebuddy.errors import Code, GameBuddyError, Rejected, reject
from gamebuddy.events import log
from gamebuddy.events.types import MessageSent
from gamebuddy.resolvers import uploads
from gamebuddy.resolvers.chat.access import (
    Advanced,
    Seat,
    access_chats,
    access_message,
    advance_by_messages,
    bring_up,
    day_of,
    is_open_to,
    is_shown,
    lock_chats,
    move_authors,
    no_such_chat,
    open_doors,
    other_of,
)
from gamebuddy.resolvers.chat.drafts import UPLOADS, Draft
from gamebuddy.resolvers.chat.mentioning import Call, add_named, find_called, read_call
from gamebuddy.resolvers.chat.repeats import find_repeats, mismatch, uploads_of
from gamebuddy.resolvers.chat.rights import ChatAction, require, require_turn
from gamebuddy.resolvers.wording import WordFilter


class ChatIsHeld(GameBuddyError):
    """Somebody else holds the chat, and this one does not wait for it."""


type Outcome = db.Message | GameBuddyError


@dataclass(slots=True, kw_only=True, eq=False)
class Post:
    """A draft on its way, what is found out about it, and its outcome: a message, or why there is none."""

    viewer: Viewer
    draft: Draft
    chat: db.Chat = field(init=False)
    member: db.ChatMember = field(init=False)
    text: str = ""
    call: Call = field(default_factory=Call)
    origin_id: uuid.UUID | None = None
    outcome: Outcome | None = None

    @property
    def seat(self) -> Seat:
        """Where its author sits."""
        return self.draft.chat_id, self.viewer.account_id


async def write_messages(
    session: WriteSession, posts: Sequence[Post], *, words: WordFilter, waits: bool
) -> list[Outcome]:
    """Write messages of different accounts to chats, and tell in their order what has become of each.

    The same `client_id` gives the first message back, for ever and on every node. Texts are stored as they are typed.
    An author has read everything up to his own message. The statements are as many for one as for all; only files,
    forwarded messages and flagged words cost some of their own.

    Outcomes are, besides messages, what `policy.require` raises, and Rejected: NOT_FOUND for the chat, for a reply to
    what is not in it, and for what the author cannot see to forward; NOT_ALLOWED where the chat does not let him write,
    where the other one of a direct chat cannot be written to, and for what nobody has written; what `read_call` raises;
    IDEMPOTENCY_MISMATCH when the `client_id` came with something else; RETRY_LATER in slow mode. Where it does not
    wait, ChatIsHeld.

    Raises:
        Rejected: IDEMPOTENCY_MISMATCH when one of them is being written to another chat at the same moment, and what
            `uploads.use` raises. Then nothing may be kept.
    """
    going = list(posts)
    take_seats = functools.partial(_take_seats, waits=waits)
    for step in (_let_in, take_seats, _find_repeats, _require_writing, _require_replies, _read_texts):
        if going:
            going = await step(session, going)
    if going:
        await _write(session, going)
        await _flag(session, words, going)
    return [post.outcome for post in posts if post.outcome is not None]


async def require_writing(session: WriteSession, viewer: Viewer, chat: db.Chat, member: db.ChatMember) -> None:
    """Let those through who may put words before the others of a chat at this moment.

    Raises:
        Rejected: NOT_ALLOWED; nobody learns what it is that keeps the other one of a direct chat out of reach.
    """
    require(chat, member, ChatAction.WRITE)
    if chat.kind is ChatKind.DIRECT and not await is_open_to(session, viewer, other_of(chat, viewer)):
        raise _closed_door()


def _sift(posts: Collection[Post], check: Callable[[Post], None]) -> list[Post]:
    """Note with each post what `check` raises for it; gives those that go on."""
    for post in posts:
        try:
            check(post)
        except GameBuddyError as error:
            post.outcome = error
    return [post for post in posts if post.outcome is None]


async def _let_in(session: WriteSession, posts: Sequence[Post]) -> list[Post]:
    """Decide the right in this transaction, as the door of a mutation does in its own."""
    known = await viewers.by_sessions(session, [post.viewer.session_id for post in posts])
    return _sift(posts, lambda post: policy.require(known.get(post.viewer.session_id), Right.SEND_MESSAGE))


async def _take_seats(session: WriteSession, posts: Sequence[Post], *, waits: bool) -> list[Post]:
    """Lock the chats. The lock makes repeats in one chat take turns: a later one finds the first before it writes."""
    seats = [post.seat for post in posts]
    locked = await lock_chats(session, seats, waits=waits)
    # Whoever held a lock before may have put somebody out: only a second statement sees what he committed.
    found = await access_chats(session, seats)

    def sit_down(post: Post) -> None:
        if post.seat not in found:
            raise no_such_chat()
        if post.draft.chat_id not in locked:  # also where he has come in between the two statements
            raise no_such_chat() if waits else ChatIsHeld
        post.chat, post.member = found[post.seat]

    return _sift(posts, sit_down)


async def _find_repeats(session: WriteSession, posts: Sequence[Post]) -> list[Post]:
    """Give the messages that were sent before to those who send them again."""
    repeats = await find_repeats(session, {post.viewer.account_id: post.draft for post in posts})

    def take(post: Post) -> None:
        if post.viewer.account_id in repeats:
            message, is_same = repeats[post.viewer.account_id]
            if not is_same:
                raise mismatch()
            post.outcome = message

    return _sift(posts, take)


async def _require_writing(session: WriteSession, posts: Sequence[Post]) -> list[Post]:
    """As `require_writing`, and slow mode."""
    others = {post.seat: other_of(post.chat, post.viewer) for post in posts}
    open_to = await open_doors(
        session, [(account_id, other) for (_, account_id), other in others.items() if other is not None]
    )
    now = datetime.now(UTC)

    def require_all(post: Post) -> None:
        require(post.chat, post.member, ChatAction.WRITE)
        if post.chat.kind is ChatKind.DIRECT and (post.viewer.account_id, others[post.seat]) not in open_to:
            raise _closed_door()
        require_turn(post.chat, post.member, now)

    return _sift(posts, require_all)


async def _require_replies(session: WriteSession, posts: Sequence[Post]) -> list[Post]:
    replies = [post for post in posts if post.draft.reply_to_id is not None]
    if not replies:
        return list(posts)
    reply = db.given(
        "reply",
        account_id=(db.Message.author_id, [post.viewer.account_id for post in replies]),
        chat_id=(db.Message.chat_id, [post.draft.chat_id for post in replies]),
        message_id=(db.Message.id, [post.draft.reply_to_id for post in replies]),
    )
    is_there = and_(db.Message.id == reply.c.message_id, db.Message.chat_id == reply.c.chat_id)
    shown = set(
        await session.scalars(
            select(reply.c.account_id).join(db.Message, is_there).where(is_shown(Each(account_id=reply.c.account_id)))
        )
    )

    def require_shown(post: Post) -> None:
        if post.draft.reply_to_id is not None and post.viewer.account_id not in shown:
            raise reject(Code.NOT_FOUND, "There is no such message in this chat.", "reply_to_id")

    return _sift(posts, require_shown)


async def _read_texts(session: WriteSession, posts: Sequence[Post]) -> list[Post]:
    """Find out what is said, by whom first, and whom it calls."""
    origins = {
        post: await _origin(session, post, forward_id)
        for post in posts
        if (forward_id := post.draft.forward_id) is not None
    }

    def read(post: Post) -> None:
        origin = origins.get(post)
        if isinstance(origin, Exception):
            raise origin
        if origin is not None:
            post.text, post.origin_id = origin.text, origin.forwarded_from_id or origin.author_id
        else:
            post.text = post.draft.text or ""
            post.call = read_call(post.chat, post.member, post.text)

    return _sift(posts, read)


async def _origin(session: WriteSession, post: Post, message_id: uuid.UUID) -> db.Message | Rejected:
    """Find the message that is forwarded, or say why it cannot be."""
    try:
        origin = await access_message(session, post.viewer, message_id, "forward_message_id")
    except Rejected as rejected:
        return rejected
    if origin.kind is MessageKind.SYSTEM or origin.deleted_at is not None:
        return reject(Code.NOT_ALLOWED, "There is nothing to forward in it.", "forward_message_id")
    return origin


async def _write(session: WriteSession, posts: Sequence[Post]) -> None:
    days = {post.chat.id: day_of(post.chat.last_activity_at) for post in posts}
    advanced = await advance_by_messages(session, Counter(post.chat.id for post in posts))
    messages = await _insert(session, posts, advanced)
    called = await find_called(session, {post.seat: post.call for post in posts})
    await add_named(session, [(message, called[post.seat]) for post, message in zip(posts, messages, strict=True)])
    for post, message in zip(posts, messages, strict=True):
        await _attach(session, post, message)
        post.outcome = message
    await move_authors(session, messages)
    moved = {chat_id: now.active_at for chat_id, now in advanced.items() if day_of(now.active_at) > days[chat_id]}
    if moved:
        await bring_up(session, moved)
    await log.append(
        session,
        *(
            MessageSent(chat_id=message.chat_id, seq=message.seq, actor_id=message.author_id, message_id=message.id)
            for message in messages
        ),
    )


async def _flag(session: WriteSession, words: WordFilter, posts: Sequence[Post]) -> None:
    """Report what authors have said in words of their own, where rules flag it."""
    for post in posts:
        if isinstance(post.outcome, db.Message) and post.origin_id is None:
            await words.flag(session, post.viewer, post.text, message=post.outcome)


async def _insert(
    session: WriteSession, posts: Sequence[Post], advanced: Mapping[uuid.UUID, Advanced]
) -> list[db.Message]:
    """Write the rows; gives them in the order of the posts, which is that of their numbers in each chat."""
    left = Counter(post.chat.id for post in posts)
    rows: list[dict[str, Any]] = []
    for post in posts:
        left[post.chat.id] -= 1  # how many of the chat come after it
        last, behind = advanced[post.chat.id], left[post.chat.id]
        rows.append(
            {
                "id": db.new_id(),
                "chat_id": post.chat.id,
                "seq": last.last_seq - behind,
                "number": last.message_count - behind,
                "author_id": post.viewer.account_id,
                "client_id": post.draft.client_id,
                "text": post.text,
                "reply_to_id": post.draft.reply_to_id,
                "forwarded_from_id": post.origin_id,
                "calls_everyone": post.call.is_to_everyone,
                "created_at": last.active_at,
            }
        )
    # By author: two transactions that write the same ids to other chats wait for one another in one order.
    by_author = sorted(rows, key=lambda row: row["author_id"])
    table = db.Message.__table__.c
    new = db.given("new", **{name: (table[name], [row[name] for row in by_author]) for name in rows[0]})
    written = await session.scalars(
        insert(db.Message)
        .from_select(list(by_author[0]), select(new))
        .on_conflict_do_nothing(index_elements=["author_id", "client_id"])
        .returning(db.Message)
    )
    found = {message.author_id: message for message in written}
    if len(found) < len(posts):  # the same id was used in another chat at the same moment
        raise mismatch()
    return [found[post.viewer.account_id] for post in posts]


async def _attach(session: WriteSession, post: Post, message: db.Message) -> None:
    """Put the files under a message: those that were sent for it, or those of the message that is forwarded."""
    if post.draft.is_plain:
        return
    found: Sequence[uuid.UUID] = post.draft.upload_ids
    if post.draft.forward_id is not None:
        found = (await uploads_of(session, [post.draft.forward_id])).get(post.draft.forward_id, [])
    elif found:
        await uploads.use(session, post.viewer, found, UploadPurpose.ATTACHMENT, UPLOADS)
    session.add_all(
        db.Attachment(message_id=message.id, upload_id=upload_id, position=position)
        for position, upload_id in enumerate(found)
    )


def _closed_door() -> Rejected:
    return reject(Code.NOT_ALLOWED, "You cannot write to this person.", "chat_id")
