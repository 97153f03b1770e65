"""Whom a message names: @user_name, and @everyone by those who may."""

import re
import uuid
from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from gamebuddy import db
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import ChatKind, WhoMay, WriteSession
from gamebuddy.errors import Code, reject
from gamebuddy.resolvers.accounts.lookup import is_visible
from gamebuddy.resolvers.chat.rights import HOLDERS

MOST_MENTIONS = 50
EVERYONE = frozenset({"everyone", "all"})
# Not behind a letter or digit, where it belongs to an e-mail address; as long as a user name may be.
NAME = re.compile(r"(?<![\w@])@([A-Za-z0-9_]{3,32})(?![\w@])")


@dataclass(frozen=True, slots=True)
class Named:
    """Whom a text names: members of the chat, but for its author; or all of them."""

    account_ids: frozenset[uuid.UUID]
    calls_everyone: bool


async def find_named(
    session: WriteSession, viewer: Viewer, chat: db.Chat, member: db.ChatMember, content: str
) -> Named:
    """Find whom a text names. Names of people who are not in the chat are only text.

    Raises:
        Rejected: TOO_LONG above 50 names; NOT_ALLOWED for @everyone by a plain member of a group.
    """
    names = {name.lower() for name in NAME.findall(content)}
    if not names:
        return Named(frozenset(), calls_everyone=False)
    if len(names) > MOST_MENTIONS:
        raise reject(Code.TOO_LONG, f"A message names at most {MOST_MENTIONS} people.", "text")
    calls_everyone = chat.kind is ChatKind.GROUP and not names.isdisjoint(EVERYONE)
    if calls_everyone and member.role not in HOLDERS[WhoMay.ADMINS]:
        raise reject(Code.NOT_ALLOWED, "Only the owner and admins call everyone.", "text")
    found = await session.scalars(
        select(db.ChatMember.account_id)
        .join(db.Account, db.Account.id == db.ChatMember.account_id)
        .where(
            db.ChatMember.chat_id == chat.id,
            db.Account.username.in_(names),
            db.Account.id != viewer.account_id,
            is_visible(viewer),
        )
    )
    return Named(frozenset(found), calls_everyone=calls_everyone)


async def keep_named(session: WriteSession, message: db.Message, named: Named) -> None:
    """Keep whom a message names, in the place of what was kept before."""
    await session.execute(
        delete(db.Mention).where(db.Mention.message_id == message.id).execution_options(synchronize_session=False)
    )
    await add_named(session, message, named)


async def add_named(session: WriteSession, message: db.Message, named: Named) -> None:
    """Keep whom a new message names."""
    if named.account_ids:
        await session.execute(
            insert(db.Mention),
            [
                {
                    "message_id": message.id,
                    "account_id": account_id,
                    "chat_id": message.chat_id,
                    "seq": message.seq,
                }
                for account_id in sorted(named.account_ids)
            ],
        )
