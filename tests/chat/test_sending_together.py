"""Messages that wait at the same moment share a transaction; each keeps its own rights, its own answer, its number."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import asyncpg
import httpx
import pytest
from sqlalchemy import event, select, text, update

from gamebuddy import db
from gamebuddy.db import Database
from gamebuddy.schema import ids
from gamebuddy.schema.context import Services
from gamebuddy.schema.ids import Kind
from gamebuddy.settings import Settings
from tests.api import PATIENCE, Api, GraphQLError, Json
from tests.chat.operations import LEAVE, UPDATE, new_id, payload, problems, send, texts
from tests.conftest import SECRET, free_port
from tests.deploy.nodes import Node
from tests.factories import Factory, Player

PLAIN = "mutation($input: SendMessageInput!) { sendMessage(input: $input) { message { id seq } userErrors { code } } }"


@contextlib.asynccontextmanager
async def locked(url: str, statement: str, *arguments: object) -> AsyncIterator[asyncpg.Connection]:
    """Hold what a statement locks."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute(statement, *arguments)
            yield connection
    finally:
        await connection.close()


async def until(holds: Callable[[], bool]) -> None:
    """Wait until a condition holds, or fail."""
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.005)


@pytest.fixture
def together(services: Services, database_url: str) -> Callable[..., Awaitable[list[Json]]]:
    """Have messages wait for one another, so that all but the first are written in one transaction."""

    async def send_all(*messages: Awaitable[Json]) -> list[Json]:
        outbox = services.outbox
        async with locked(database_url, "LOCK TABLE rate_limits IN ACCESS EXCLUSIVE MODE"):
            answers = asyncio.gather(*messages)
            # Some are being counted, and the others wait for them.
            await until(lambda: outbox._counting.unanswered == len(messages))
        return list(await answers)

    return send_all


@pytest.fixture
def transactions(services: Services) -> Iterator[list[list[str]]]:
    """The statements of those who write messages, one list for each transaction."""
    seen: list[list[str]] = []
    engine = services.database.engine.sync_engine

    def began(_: object) -> None:
        if is_writer():
            seen.append([])

    def remember(_: object, __: object, statement: str, *___: object) -> None:
        if is_writer() and "rate_limits" not in statement:
            seen[-1].append(statement)

    def is_writer() -> bool:
        task = asyncio.current_task()
        return task is not None and task.get_name() == "together"

    event.listen(engine, "begin", began)
    event.listen(engine, "before_cursor_execute", remember)
    yield seen
    event.remove(engine, "begin", began)
    event.remove(engine, "before_cursor_execute", remember)


async def numbers(services: Services, chat_id: str) -> tuple[list[int], list[int], int]:
    """Give the numbers of a chat's events in the order of their ids, of its messages in theirs, and its last one."""
    row_id = ids.read(Kind.CHAT, chat_id)
    async with services.database.read() as session:
        events = await session.scalars(select(db.Event.seq).where(db.Event.chat_id == row_id).order_by(db.Event.id))
        messages = await session.scalars(
            select(db.Message.number).where(db.Message.chat_id == row_id).order_by(db.Message.seq)
        )
        last = await session.scalar(select(db.Chat.last_seq).where(db.Chat.id == row_id))
    return [seq or 0 for seq in events], list(messages), last or 0


async def is_whole(services: Services, chat_id: str) -> bool:
    """Tell whether a chat's events stand in the log in their order, without a hole, and its messages too."""
    events, messages, last = await numbers(services, chat_id)
    return events == list(range(1, last + 1)) and messages == list(range(1, len(messages) + 1))


async def test_many_cost_as_many_statements_as_two(
    make: Factory,
    services: Services,
    together: Callable[..., Awaitable[list[Json]]],
    transactions: list[list[str]],
) -> None:
    owner = await make.player("owner")
    players = [await make.player() for _ in range(12)]
    group = await make.group(owner, *players)
    chats = [group, *[await make.direct_chat(owner, player) for player in players[:3]]]
    counts = {}
    for count in (3, 12):
        first, *others = players[:count]
        transactions.clear()
        writers = [send(first, group, "first")]
        writers += [
            send(player, chats[number + 1] if number < 3 else group, f"@owner {number}")
            for number, player in enumerate(others, start=1)
        ]
        answers = await together(*writers)
        assert [problems(answer) for answer in answers] == [[]] * count
        counts[count] = max(len(statements) for statements in transactions)
        assert sum(len(statements) > 5 for statements in transactions) <= 3, "they were written together"
    assert counts[12] == counts[3]
    for chat_id in chats:
        assert await is_whole(services, chat_id)


async def test_each_has_its_own_answer(
    make: Factory, services: Services, together: Callable[..., Awaitable[list[Json]]]
) -> None:
    names = ("first", "good", "gone", "muted", "slow", "reply", "caller", "other", "again", "blocked", "last")
    who = {name: await make.player(name) for name in names}
    stranger, blocker = await make.player("stranger"), await make.player("blocker")
    group = await make.group(*who.values())
    slow_group = await make.group(who["first"], who["slow"])
    direct = await make.direct_chat(who["blocked"], blocker)
    await make.block(blocker, who["blocked"])
    await who["first"].api(UPDATE, input={"chatId": slow_group, "slowModeSeconds": 60})
    assert problems(await send(who["slow"], slow_group, "one a minute")) == []
    elsewhere = payload(await send(who["first"], slow_group, "elsewhere"))["message"]
    used = {name: new_id() for name in ("other", "again")}
    sent = {name: payload(await send(who[name], group, name, clientId=used[name]))["message"] for name in used}
    await who["gone"].api(LEAVE, input={"chatId": group})
    async with services.database.write() as session:
        muted = update(db.Account).where(db.Account.id == who["muted"].account_id)
        await session.execute(muted.values(muted_until=text("now() + interval '1 day'")))
    before = await numbers(services, group)

    answers = await together(
        send(who["first"], group, "first"),
        send(who["good"], group, "good"),
        send(who["gone"], group, "gone"),
        send(stranger, group, "stranger"),
        send(who["slow"], slow_group, "slow"),
        send(who["reply"], group, "reply", replyToId=elsewhere["id"]),
        send(who["caller"], group, "@everyone"),
        send(who["other"], group, "something else", clientId=used["other"]),
        send(who["again"], group, "again", clientId=used["again"]),
        send(who["blocked"], direct, "blocked"),
        send(who["last"], group, "last", replyToId=sent["other"]["id"]),
    )
    refused = await send(who["muted"], group, "muted")
    assert problems(refused) == [("ACCOUNT_MUTED", "input")]
    assert [problems(answer) for answer in answers] == [
        [],
        [],
        [("NOT_FOUND", "input.chatId")],
        [("NOT_FOUND", "input.chatId")],
        [("RETRY_LATER", "input.chatId")],
        [("NOT_FOUND", "input.replyToId")],
        [("NOT_ALLOWED", "input.text")],
        [("IDEMPOTENCY_MISMATCH", "input.clientId")],
        [],
        [("NOT_ALLOWED", "input.chatId")],
        [],
    ]
    assert payload(answers[8])["message"]["id"] == sent["again"]["id"]
    assert (await texts(who["good"], group))[-3:] == ["first", "good", "last"]
    assert (await numbers(services, group))[2] == before[2] + 3
    for chat_id in (group, slow_group, direct):
        assert await is_whole(services, chat_id)


async def test_who_is_muted_or_signed_out_while_he_waits_writes_nothing(
    make: Factory, services: Services, database_url: str
) -> None:
    first, muted, gone, good = [await make.player(name) for name in ("first", "muted", "gone", "good")]
    group = await make.group(first, muted, gone, good)
    async with locked(database_url, "LOCK TABLE rate_limits IN ACCESS EXCLUSIVE MODE"):
        answers = asyncio.gather(*(player.api.post(PLAIN, said(group)) for player in (first, muted, gone, good)))
        await until(lambda: services.outbox._counting.unanswered == 4)
        async with services.database.write() as session:
            mute = update(db.Account).where(db.Account.id == muted.account_id)
            await session.execute(mute.values(muted_until=text("now() + interval '1 day'")))
            end = update(db.Session).where(db.Session.id == gone.session_id)
            await session.execute(end.values(revoked_at=text("now()")))
    bodies = [answer.json() for answer in await answers]
    assert bodies[0]["data"]["sendMessage"]["userErrors"] == bodies[3]["data"]["sendMessage"]["userErrors"] == []
    assert bodies[1]["data"]["sendMessage"]["userErrors"] == [{"code": "ACCOUNT_MUTED"}]
    assert bodies[2]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert await is_whole(services, group)
    assert len(await texts(good, group)) == 2


def said(chat_id: str) -> Json:
    return {"input": {"chatId": chat_id, "clientId": new_id(), "text": "said"}}


async def test_one_that_cannot_be_written_fails_alone(
    make: Factory, services: Services, together: Callable[..., Awaitable[list[Json]]], database_url: str
) -> None:
    players = [await make.player() for _ in range(5)]
    bad = players[2]
    group, elsewhere = await make.group(*players), ids.read(Kind.CHAT, await make.group(bad))
    client_id = new_id()
    rival = (
        "INSERT INTO messages (id, chat_id, seq, number, kind, author_id, client_id, text)"
        " VALUES ($1, $2, 99, 99, 'TEXT', $3, $4, 'x')"
    )
    async with locked(database_url, rival, uuid.uuid4(), elsewhere, bad.account_id, uuid.UUID(client_id)) as connection:
        writing = asyncio.gather(together(*(send(one, group, one.username, clientId=client_id) for one in players)))
        watcher = await asyncpg.connect(database_url)
        async with asyncio.timeout(PATIENCE):
            while not await watcher.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))",
                connection.get_server_pid(),
            ):
                await asyncio.sleep(0.01)
        await watcher.close()
    (answers,) = await writing
    assert [problems(answer) for answer in answers] == [
        [],
        [],
        [("IDEMPOTENCY_MISMATCH", "input.clientId")],
        [],
        [],
    ]
    assert await is_whole(services, group)
    assert sorted(await texts(bad, group)) == sorted(one.username for one in players if one is not bad)


async def test_nobody_waits_for_a_chat_that_is_not_his(make: Factory, services: Services, database_url: str) -> None:
    nika, max_ = await make.player("nika"), await make.player("max")
    held, free = await make.group(nika), await make.group(max_)
    lock = "SELECT FROM chats WHERE id = $1 FOR UPDATE"
    async with locked(database_url, lock, ids.read(Kind.CHAT, held)):
        waiting = asyncio.create_task(send(nika, held, "waits"))
        for number in range(5):
            assert problems(await send(max_, free, str(number))) == []
        assert not waiting.done()
    assert problems(await waiting) == []
    assert await texts(nika, held) == ["waits"]


async def test_many_of_one_account_are_all_written(make: Factory, services: Services) -> None:
    nika = await make.player("nika")
    chats = [await make.group(nika) for _ in range(3)]
    answers = await asyncio.gather(*(send(nika, chat_id, str(n)) for n in range(6) for chat_id in chats))
    assert [problems(answer) for answer in answers] == [[]] * 18
    for chat_id in chats:
        assert sorted(await texts(nika, chat_id)) == list("012345")
        assert await is_whole(services, chat_id)


@pytest.fixture
async def other_process(settings: Settings, clean: None) -> AsyncIterator[Api]:
    """A second server on the same database, in a process of its own."""
    assert settings.database_url is not None
    node = Node(
        {
            "GAMEBUDDY_DATABASE_URL": settings.database_url.get_secret_value(),
            "GAMEBUDDY_SECRET_KEY": SECRET,
            "GAMEBUDDY_DATA_DIR": str(settings.data_dir),
            "GAMEBUDDY_PORT": str(free_port()),
        }
    )
    try:
        await node.start()
        async with Api.open(node.url) as api:
            yield api
    finally:
        node.kill()


async def test_two_processes_write_to_the_same_chats_with_repeats_at_once(
    make: Factory, services: Services, other_process: Api
) -> None:
    players = [await make.player() for _ in range(6)]
    chats = [await make.group(*players) for _ in range(3)]
    deadlocks = await deadlocks_of(services.database)

    async def write(player: Player, turn: int) -> None:
        """Send a message twice here and twice there, all at once; now and then to two chats with the same id."""
        client_id, chat_id = new_id(), chats[turn % len(chats)]
        elsewhere = Player(
            other_process.signed_in(player.api.token or ""), player.account_id, player.session_id, player.username
        )
        sends = [send_surely(one, chat_id, client_id) for one in (player, elsewhere) * 2]
        if turn % 3 == 0:
            sends.append(send_surely(elsewhere, chats[(turn + 1) % len(chats)], client_id))
        answers = await asyncio.gather(*sends)
        assert len({answer["message"]["id"] for answer in answers if answer["message"]}) == 1
        refused = [answer["userErrors"] for answer in answers if answer["userErrors"]]
        assert all(refusal == [{"code": "IDEMPOTENCY_MISMATCH"}] for refusal in refused)
        assert len(refused) in ((1, 4) if turn % 3 == 0 else (0,))

    async def write_all(number: int) -> None:
        for turn in range(4):
            await write(players[number], number + turn)

    await asyncio.gather(*(write_all(number) for number in range(len(players))))
    said = [content for chat_id in chats for content in await texts(players[0], chat_id)]
    assert len(said) == len(set(said)) == 24
    for chat_id in chats:
        assert await is_whole(services, chat_id)
    assert await deadlocks_of(services.database) == deadlocks


async def send_surely(player: Player, chat_id: str, client_id: str) -> Json:
    """Send as apps do: where the connection broke or the server was busy, the same once more."""
    message = {"chatId": chat_id, "clientId": client_id, "text": client_id}
    async with asyncio.timeout(3 * PATIENCE):
        while True:
            try:
                answer = await player.api(PLAIN, input=message)
            except httpx.TransportError:
                continue
            except GraphQLError as error:
                if error.code != "UNAVAILABLE":
                    raise
            else:
                sent: Json = answer["sendMessage"]
                return sent


async def deadlocks_of(database: Database) -> int:
    async with database.read() as session:
        statement = text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        found: int = await session.scalar(statement)
    return found
