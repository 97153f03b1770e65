import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, text, update

from gamebuddy import db
from gamebuddy.resolvers import housekeeping
from gamebuddy.schema.context import Services
from tests.accounts.operations import (
    PASSWORD,
    WHO,
    arrive,
    call,
    done,
    is_alive,
    payload,
    problems,
    refresh,
    refused,
    register,
    sign_in,
    verify,
)
from tests.api import Api
from tests.factories import Factory, Player
from tests.files.operations import picture as image
from tests.files.operations import upload
from tests.post_office import PostOffice

NIKA = "nika@example.com"
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
SIGNED_IN = "tokens { accessToken } viewer { email role user { username displayName profile { bio } } }"
MESSAGES = """query($id: ID!) { chat(id: $id) { title memberCount members { nodes { user { username displayName } } }
  messages(last: 10) { nodes { kind text deletedAt author { username displayName role profile { bio } } } } } }"""


async def delete(player: Player, **more: bool) -> None:
    await done(player.api, "deleteAccount", password=PASSWORD, **more)


async def act(player: Player, operation: str, **given: Any) -> None:
    """Do something that has to go well."""
    assert payload(await call(player.api, operation, "userErrors { code }", **given))["userErrors"] == []


async def test_the_password_is_asked_for(nika: Player) -> None:
    assert await refused(nika.api, "deleteAccount", password="wrong horse 7") == [
        ("WRONG_CREDENTIALS", "input.password")
    ]
    assert await is_alive(nika.api)


async def test_nobody_gets_in_any_more(api: Api, post_office: PostOffice) -> None:
    tokens = (await arrive(api, post_office))["tokens"]
    there = api.signed_in(tokens["accessToken"])
    async with there.socket() as socket:
        await done(there, "deleteAccount", password=PASSWORD)
        assert await socket.closed() == 4403
    assert not await is_alive(there)
    assert problems(await refresh(api, tokens["refreshToken"])) == [("SESSION_REVOKED", "input")]
    for login in ("nika", NIKA):
        assert problems(await sign_in(api, login)) == [("WRONG_CREDENTIALS", "input")]
    letter = await post_office.letter_to(NIKA, number=2)
    assert letter["Subject"] == "Your GameBuddy account is deleted"
    await done(api, "requestPasswordReset", login="nika")  # says the same as ever, and nothing comes


async def test_what_remains_is_anonymous(make: Factory, nika: Player, password_hash: str, services: Services) -> None:
    friend = await make.player("friend")
    direct = await make.direct_chat(nika, friend)
    group = await make.group(nika, friend)
    await make.send(nika, direct, "you will read this")
    await make.send(nika, group, "and this")
    async with services.database.write() as session:
        await session.execute(
            update(db.Profile).where(db.Profile.account_id == nika.account_id).values(bio="all about me")
        )
    await delete(nika)

    for chat_id in (direct, group):
        chat = (await friend.api(MESSAGES, id=chat_id))["chat"]
        assert "nika" not in str(chat).lower()
        assert "about me" not in str(chat)
        signed = [message for message in chat["messages"]["nodes"] if message["kind"] == "TEXT"]
        assert [message["author"]["displayName"] for message in signed] == ["Deleted account"]
    by_name = await friend.api('{ user(by: {username: "nika"}) { id } }')
    by_id = await friend.api("query($id: ID!) { user(by: {id: $id}) { id } node(id: $id) { id } }", id=nika.id)
    assert (by_name["user"], by_id["user"], by_id["node"]) == (None, None, None)
    assert (await friend.api("{ viewer { teammates { nodes { id } } } }"))["viewer"]["teammates"]["nodes"] == []
    sent = await friend.api(
        'mutation($chat: ID!) { sendMessage(input: {chatId: $chat, text: "hello?",'
        ' clientId: "11111111-2222-4333-8444-555555555555"}) { userErrors { code } } }',
        chat=direct,
    )
    assert sent["sendMessage"]["userErrors"] == [{"code": "NOT_ALLOWED"}]


async def test_groups_go_on_under_the_next_owner(make: Factory, nika: Player) -> None:
    friend = await make.player("friend")
    group = await make.group(nika, friend)
    await delete(nika)
    chat = await friend.api("query($id: ID!) { chat(id: $id) { memberCount viewerMembership { role } } }", id=group)
    assert chat["chat"] == {"memberCount": 1, "viewerMembership": {"role": "OWNER"}}


async def test_messages_are_erased_if_asked(make: Factory, nika: Player) -> None:
    friend = await make.player("friend")
    chat_id = await make.direct_chat(nika, friend)
    await make.send(nika, chat_id, "forget me")
    await make.send(friend, chat_id, "never")
    await delete(nika, eraseMessages=True)
    messages = (await friend.api(MESSAGES, id=chat_id))["chat"]["messages"]["nodes"]
    assert [(message["text"], message["deletedAt"] is None) for message in messages] == [("", False), ("never", True)]


async def test_a_freed_name_inherits_nothing(api: Api, make: Factory, nika: Player, post_office: PostOffice) -> None:
    friend = await make.player("friend")
    await make.teammates(nika, friend)
    chat_id = await make.direct_chat(nika, friend)
    await delete(nika)
    await post_office.letter_to(NIKA)
    payload(await register(api))
    code = await post_office.code_for(NIKA, number=2)
    again = api.signed_in(payload(await verify(api, code))["tokens"]["accessToken"])
    viewer = (await again("{ viewer { user { id createdAt } teammates { nodes { id } } chats { nodes { id } } } }"))[
        "viewer"
    ]
    assert viewer["user"]["id"] != nika.id
    assert (viewer["teammates"]["nodes"], viewer["chats"]["nodes"]) == ([], [])
    assert (await again("query($id: ID!) { chat(id: $id) { id } }", id=chat_id))["chat"] is None
    assert await is_alive(again)
    assert not await is_alive(nika.api)


async def test_it_can_be_had_back(api: Api, make: Factory, nika: Player, services: Services) -> None:
    friend = await make.player("friend")
    await make.teammates(nika, friend)
    chat_id = await make.direct_chat(nika, friend)
    async with services.database.write() as session:
        await session.execute(update(db.Profile).values(bio="here I am"))
    await delete(nika)
    restore = {"login": NIKA, "password": PASSWORD}
    assert await refused(api, "restoreAccount", SIGNED_IN, login=NIKA, password="wrong horse 7") == [
        ("WRONG_CREDENTIALS", "input")
    ]
    back = payload(await call(api, "restoreAccount", SIGNED_IN, **restore))
    assert back["viewer"] == {
        "email": NIKA,
        "role": "USER",
        "user": {"username": "nika", "displayName": "Nika", "profile": {"bio": "here I am"}},
    }
    here = api.signed_in(back["tokens"]["accessToken"])
    assert (await here("query($id: ID!) { chat(id: $id) { title } }", id=chat_id))["chat"]["title"] == "Friend"
    assert len((await here("{ viewer { teammates { nodes { id } } } }"))["viewer"]["teammates"]["nodes"]) == 1
    payload(await sign_in(api))
    assert await refused(api, "restoreAccount", SIGNED_IN, **restore) == [("WRONG_CREDENTIALS", "input")]


async def test_a_name_that_was_taken_meanwhile_stays_taken(api: Api, make: Factory, nika: Player) -> None:
    await delete(nika)
    await make.player("nika", email_key="else@example.com")
    restore = {"login": NIKA, "password": PASSWORD}
    assert await refused(api, "restoreAccount", SIGNED_IN, **restore) == [("TAKEN", "input.username")]
    back = payload(await call(api, "restoreAccount", SIGNED_IN, **restore, username="nika_again"))
    assert back["viewer"]["user"]["username"] == "nika_again"


async def test_an_address_that_was_proved_meanwhile_stays_where_it_is(
    api: Api, nika: Player, post_office: PostOffice
) -> None:
    await delete(nika)
    await post_office.letter_to(NIKA)
    payload(await register(api, username="second"))
    payload(await verify(api, await post_office.code_for(NIKA, number=2)))
    assert await refused(api, "restoreAccount", SIGNED_IN, login="nika", password=PASSWORD) == [
        ("TAKEN", "input.login")
    ]


async def test_after_a_fortnight_nothing_is_left(
    api: Api, make: Factory, password_hash: str, post_office: PostOffice, services: Services
) -> None:
    nika = await make.player(
        "nika", display_name="Nika", password_hash=password_hash, games={"dota-2": 2000}, bio="all about me"
    )
    friend, third = await make.player("friend"), await make.player("third")
    await make.block(nika, third)
    group = await make.group(nika, friend, title="A group")
    direct = await make.direct_chat(friend, nika)
    for chat_id in (direct, group):
        first = await make.send(nika, chat_id, "you will read this")
    await act(nika, "setReaction", messageId=first["id"], emoji="👍", isOn=True)
    await act(nika, "createInviteLink", chatId=group)
    await act(nika, "updateChat", chatId=group, title="Another name")
    await act(friend, "sendMessage", chatId=direct, forwardMessageId=first["id"], clientId=str(db.new_id()))
    await act(nika, "setUserNote", userId=friend.id, note="good")
    await act(nika, "praiseTeammate", userId=friend.id, traits=["SKILLED"])
    await act(friend, "praiseTeammate", userId=nika.id, traits=["SKILLED"])
    await act(nika, "sendTeammateRequest", userId=(await make.player("fourth")).id)
    picture = await upload(nika, image(), purpose="AVATAR")
    await act(nika, "setAvatar", uploadId=picture)
    await upload(nika, image())  # never used
    await delete(nika)
    await post_office.letter_to(NIKA)
    async with services.database.write() as session:
        await session.execute(update(db.Departure).values(ends_at=datetime.now(UTC) - timedelta(seconds=1)))
    assert await refused(api, "restoreAccount", SIGNED_IN, login=NIKA, password=PASSWORD) == [
        ("WRONG_CREDENTIALS", "input")
    ]
    assert (await housekeeping.sweep(services.database, services.files))["erase_departed"] == 1
    async with services.database.write() as session:  # a day later
        await session.execute(
            update(db.Upload)
            .where(db.Upload.idle_since.is_not(None))
            .values(idle_since=datetime(2000, 1, 1, tzinfo=UTC))
        )
    await housekeeping.sweep(services.database, services.files)

    traces = ("nika", "about me", str(nika.account_id), nika.account_id.hex, nika.id.removeprefix("usr_"))
    assert await _found(services, traces) == {}
    assert services.files.folder is not None
    assert [path for path in services.files.folder.rglob("*") if path.is_file()] == []
    for chat_id in (direct, group):
        chat = (await friend.api(MESSAGES, id=chat_id))["chat"]
        written = [line for line in chat["messages"]["nodes"] if line["text"] == "you will read this"]
        assert written[0]["author"]["displayName"] == "Deleted account"
        assert "nika" not in str(chat).lower()
    assert (await friend.api("query($id: ID!) { node(id: $id) { id } }", id=nika.id))["node"] is None


async def test_a_direct_chat_goes_with_the_second_of_the_two(
    make: Factory, password_hash: str, services: Services
) -> None:
    one, other = [await make.player(name, password_hash=password_hash) for name in ("one", "other")]
    chat_id = await make.direct_chat(one, other)
    await make.send(one, chat_id, "hello")
    for player in (one, other):
        await delete(player)
        async with services.database.write() as session:
            await session.execute(update(db.Departure).values(ends_at=datetime.now(UTC) - timedelta(seconds=1)))
        await housekeeping.sweep(services.database, services.files)
    async with services.database.read() as session:
        assert (await session.scalars(select(db.Message.id))).all() == []
        assert (await session.scalars(select(db.Chat.id))).all() == []


async def test_what_would_go_is_told_before(make: Factory, nika: Player) -> None:
    preview = "{ viewer { deletionPreview { restorableUntil erased { kind count } anonymized { kind count } } } }"
    friend = await make.player("friend")
    group = await make.group(nika, friend)
    await make.send(nika, group, "one")
    await make.send(nika, group, "two")
    await make.send(friend, group, "not hers")
    told = (await nika.api(preview))["viewer"]["deletionPreview"]
    assert {one["kind"]: one["count"] for one in told["erased"]} == {"SESSIONS": 1, "TEAMMATES": 1, "GROUPS": 1}
    assert told["anonymized"] == [{"kind": "MESSAGES", "count": 2}]
    until = datetime.fromisoformat(told["restorableUntil"])
    assert timedelta(days=13) < until - datetime.now(UTC) < timedelta(days=15)


async def _found(services: Services, traces: tuple[str, ...]) -> dict[str, set[str]]:
    """Tell in which tables, in any column of any type, which traces stand."""
    found: dict[str, set[str]] = {}
    async with services.database.read() as session:
        tables = await session.scalars(
            text("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")
        )
        for table in tables.all():
            for row in await session.scalars(text(f'SELECT lower("{table}"::text) FROM "{table}"')):
                plain = row + "".join(_bytes_in(row))
                if left := {trace for trace in traces if trace.lower() in plain}:
                    found.setdefault(table, set()).update(left)
    return found


def _bytes_in(row: str) -> list[str]:
    """Read the text that stands in columns of bytes."""
    return [bytes.fromhex(digits).decode(errors="replace") for digits in re.findall(r"\\\\x((?:[0-9a-f]{2})+)", row)]


async def test_nothing_of_theirs_comes_after_the_deletion(make: Factory, nika: Player) -> None:
    friend = await make.player("friend")
    direct = await make.direct_chat(nika, friend)
    group = await make.group(nika, friend)
    send = (
        'mutation($chat: ID!, $id: UUID!) { sendMessage(input: {chatId: $chat, text: "still here", clientId: $id})'
        " { message { createdAt } userErrors { code } } }"
    )
    writing = [
        asyncio.create_task(nika.api.post(send, {"chat": (direct, group)[n % 2], "id": str(db.new_id())}))
        for n in range(20)
    ]
    await delete(nika)
    answers = [answer.json().get("data") or {} for answer in await asyncio.gather(*writing)]
    sent = sum(bool((answer.get("sendMessage") or {}).get("message")) for answer in answers)
    texts = "query($id: ID!) { chat(id: $id) { messages(last: 50) { nodes { kind } } } }"
    chats = [(await friend.api(texts, id=chat_id))["chat"] for chat_id in (direct, group)]
    stored = sum(message["kind"] == "TEXT" for chat in chats for message in chat["messages"]["nodes"])
    # What was answered is there, and nothing else: no message came in behind the deletion.
    assert stored == sent


async def test_whoever_is_added_while_he_leaves_is_not_in_the_group(
    make: Factory, nika: Player, services: Services
) -> None:
    friend = await make.player("friend")
    groups = [await make.group(friend, title=f"Group {n}") for n in range(6)]
    await make.teammates(friend, nika)
    add = (
        "mutation($chat: ID!, $id: ID!) { addMembers(input: {chatId: $chat, userIds: [$id]}) { userErrors { code } } }"
    )
    await asyncio.gather(
        *(friend.api(add, chat=group, id=nika.id) for group in groups),
        call(nika.api, "deleteAccount", password=PASSWORD),
    )
    async with services.database.read() as session:
        rows = await session.scalars(select(db.ChatMember.chat_id).where(db.ChatMember.account_id == nika.account_id))
        assert rows.all() == []


async def test_a_guest_has_nothing_to_delete_with(api: Api) -> None:
    guest = payload(await call(api, "signInAsGuest", "tokens { accessToken }"))["tokens"]["accessToken"]
    error = await api.signed_in(guest).error('mutation { deleteAccount(input: {password: "x"}) { isDone } }')
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert (await api.signed_in(guest)(WHO))["viewer"]
