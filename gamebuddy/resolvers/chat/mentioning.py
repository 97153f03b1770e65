"""Whom a message names: @user_name, and @everyone by those who may."""

import re
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import and_, delete, insert, select

from gamebuddy import db
from gamebuddy.auth.viewer import Each, Viewer
from gamebuddy.db import ChatKind, WhoMay, WriteSession
from gamebuddy.errors import Code, reject
from gamebuddy.resolvers.accounts.lookup import is_visible
from gamebuddy.resolvers.chat.access import Seat
from gamebuddy.resolvers.chat.rights import HOLDERS

MOST_MENTIONS = 50
EVERYONE = frozenset({"everyone", "all"})
# Not behind a letter or digit, where it belongs to an e-mail address; as long as a user name may be.
NAME = re.compile(r"(?<![\w@])@([A-Za-z0-9_]{3,32})(?![\w@])")


@dataclass(frozen=True, slots=True)
class Call:
    """Whom a text calls: names, which may be nobody's, or all members."""

    names: frozenset[str] = frozenset()
    is_to_everyone: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """Whom a text names: members of the chat, but for its author; or all of them."""

    account_ids: frozenset[uuid.UUID]
    calls_everyone: bool


def read_call(chat: db.Chat, member: db.ChatMember, content: str) -> Call:
    """Find the names in a text.

    Raises:
        Rejected: TOO_LONG above 50 names; NOT_ALLOWED for @everyone by a plain member of a group.
    """
    names = frozenset(name.lower() for name in NAME.findall(content))
    if len(names) > MOST_MENTIONS:
        raise reject(Code.TOO_LONG, f"A message names at most {MOST_MENTIONS} people.", "text")
    is_to_everyone = chat.kind is ChatKind.GROUP and not names.isdisjoint(EVERYONE)
    if is_to_everyone and member.role not in HOLDERS[WhoMay.ADMINS]:
        raise reject(Code.NOT_ALLOWED, "Only the owner and admins call everyone.", "text")
    return Call(names, is_to_everyone)


async def find_called(session: WriteSession, calls: Mapping[Seat, Call]) -> dict[Seat, frozenset[uuid.UUID]]:
    """Find whom their authors call in their chats, for many texts. Names of people who are not there are only text."""
    found: defaultdict[Seat, set[uuid.UUID]] = defaultdict(set)
    asked = [(chat_id, account_id, name) for (chat_id, account_id), call in calls.items() for name in call.names]
    if asked:
        call = db.given(
            "call",
            chat_id=(db.ChatMember.chat_id, [chat_id for chat_id, _, _ in asked]),
            account_id=(db.ChatMember.account_id, [account_id for _, account_id, _ in asked]),
            name=(db.Account.username, [name for _, _, name in asked]),
        )
        rows = await session.execute(
            select(call.c.chat_id, call.c.account_id, db.Account.id)
            .join(db.Account, db.Account.username == call.c.name)
            .join(
                db.ChatMember,
                and_(db.ChatMember.chat_id == call.c.chat_id, db.ChatMember.account_id == db.Account.id),
            )
            .where(db.Account.id != call.c.account_id, is_visible(Each(account_id=call.c.account_id)))
        )
        for chat_id, account_id, called_id in rows:
            found[chat_id, account_id].add(called_id)
    return {seat: frozenset(found[seat]) for seat in calls}


async def find_named(
    session: WriteSession, viewer: Viewer, chat: db.Chat, member: db.ChatMember, content: str
) -> Named:
    """Find whom a text names; as `read_call` and `find_called`."""
    seat, call = (chat.id, viewer.account_id), read_call(chat, member, content)
    return Named((await find_called(session, {seat: call}))[seat], calls_everyone=call.is_to_everyone)


async def keep_named(session: WriteSession, message: db.Message, named: Named) -> None:
    """Keep whom a message names, in the place of what was kept before."""
    await session.execute(
        delete(db.Mention).where(db.Mention.message_id == message.id).execution_options(synchronize_session=False)
    )
    await add_named(session, [(message, named.account_ids)])


async def add_named(session: WriteSession, named: Iterable[tuple[db.Message, frozenset[uuid.UUID]]]) -> None:
    """Keep whom new messages name."""
    rows = [
        {"message_id": message.id, "account_id": account_id, "chat_id": message.chat_id, "seq": message.seq}
        for message, account_ids in named
        for account_id in sorted(account_ids)
    ]
    if rows:
        await session.execute(insert(db.Mention), rows)
