"""Followers who are shown the same by the same words share one execution, and nobody is shown what is another's."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import orjson
import strawberry
from graphql import (
    ExecutionResult,
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)
from prometheus_client import REGISTRY

from gamebuddy.events import types
from gamebuddy.schema.context import Client, Context, Services
from gamebuddy.schema.events import MessageSent
from gamebuddy.schema.scalars import Moment
from gamebuddy.schema.sharing import Sharing
from tests.api import Json, Stream
from tests.chat.operations import ADD, DELETE, EDIT, LEAVE, PIN, REACT, READ, SEND, SET_ROLE, UPDATE, new_id, payload
from tests.factories import Factory, Player

WORDS = "__typename id cursor ... on MessageSent { seq message { text author { displayName avatarUrl } } }"
FOLLOW = f"subscription ($chat: ID!, $after: Cursor) {{ chatEvents(chatId: $chat, after: $after) {{ {WORDS} }} }}"
DEPTH = 2  # objects below an event
LONGEST = 300  # words of a document


def shown() -> dict[str, float]:
    """Count how events were shown so far."""
    return {
        how: REGISTRY.get_sample_value("gamebuddy_events_shown_total", {"how": how}) or 0
        for how in ("first", "as another", "alone")
    }


async def followed(stack: AsyncExitStack, player: Player, query: str = FOLLOW, **given: Any) -> Stream:
    stream = await (await stack.enter_async_context(player.api.socket())).subscribe(query, **given)
    await stream.until("CaughtUp")
    return stream


async def test_one_executes_and_the_others_are_sent_the_same_text(make: Factory) -> None:
    author, *members = [await make.player() for _ in range(6)]
    chat_id = await make.group(author, *members)
    async with AsyncExitStack() as stack:
        streams = [await followed(stack, member, chat=chat_id) for member in members]
        before = shown()
        await make.send(author, chat_id, "to all of you")
        seen = [await stream.until("MessageSent") for stream in streams]
        after = shown()
    assert {how: after[how] - before[how] for how in after} == {"first": 1, "as another": 4, "alone": 0}
    cursors = [event.pop("cursor") for event in seen]
    assert len(set(cursors)) == len(members), "a cursor is its owner's"
    assert seen == [seen[0]] * len(members)
    async with AsyncExitStack() as stack:  # and each goes on from his own
        await make.send(author, chat_id, "and more")
        for member, cursor in zip(members, cursors, strict=True):
            socket = await stack.enter_async_context(member.api.socket())
            stream = await socket.subscribe(FOLLOW, chat=chat_id, after=cursor)
            assert (await stream.next())["message"]["text"] == "and more"


async def test_other_words_and_other_variables_are_another_answer(make: Factory) -> None:
    author, *members = [await make.player() for _ in range(4)]
    chat_id = await make.group(author, *members)
    words = "__typename ... on MessageSent { message { text @include(if: $text) number: seq } }"
    query = f"subscription ($chat: ID!, $text: Boolean!) {{ chatEvents(chatId: $chat) {{ {words} }} }}"
    async with AsyncExitStack() as stack:
        with_text, without = [
            await followed(stack, member, query, chat=chat_id, text=text)
            for member, text in zip(members[:2], (True, False), strict=True)
        ]
        plain = await followed(stack, members[2], chat=chat_id)
        sent = await make.send(author, chat_id)
        number = sent["seq"]
        assert (await with_text.until("MessageSent"))["message"] == {"text": "hello", "number": number}
        assert (await without.until("MessageSent"))["message"] == {"number": number}
        assert (await plain.until("MessageSent"))["seq"] == number


async def test_who_sees_something_else_executes_by_himself(make: Factory) -> None:
    author, friend, other, blocked = [await make.player(name) for name in ("author", "friend", "other", "blocked")]
    chat_id = await make.group(author, friend, other, blocked)
    await make.block(author, blocked)
    async with AsyncExitStack() as stack:
        streams = [await followed(stack, player, chat=chat_id) for player in (friend, blocked, other)]
        before = shown()
        await make.send(author, chat_id)
        names = [(await stream.until("MessageSent"))["message"]["author"]["displayName"] for stream in streams]
        after = shown()
    assert names[0] == names[2] == "Author"
    assert names[1] != "Author"
    assert after["first"] - before["first"] == 1
    assert after["alone"] - before["alone"] in {1, 2}, "two, if the blocked one came first"


async def test_nobody_waits_for_an_answer_that_is_anothers_alone(services: Services) -> None:
    event = MessageSent(id=strawberry.ID("evt_1"), cursor=None, at=Moment(datetime.now(UTC)), seq=1, row=None)  # type: ignore[arg-type]
    sharing, is_shown_to_another = Sharing(), asyncio.Event()
    one, other = (Context(services, Client(address="127.0.0.1")) for _ in range(2))

    async def first(_: object) -> ExecutionResult:
        assert one.viewer is None  # it asks who looks
        await is_shown_to_another.wait()
        return ExecutionResult({"to": "one"}, None)

    async def second(_: object) -> ExecutionResult:
        is_shown_to_another.set()
        return ExecutionResult({"to": "another"}, None)

    async with asyncio.timeout(20):
        answers = await asyncio.gather(
            sharing.result(one, "words", event, first), sharing.result(other, "words", event, second)
        )
    assert [orjson.loads(orjson.dumps(answer.data)) for answer in answers] == [{"to": "one"}, {"to": "another"}]


async def test_who_goes_away_while_he_executes_leaves_the_others_to_themselves(services: Services) -> None:
    event = MessageSent(id=strawberry.ID("evt_1"), cursor=None, at=Moment(datetime.now(UTC)), seq=1, row=None)  # type: ignore[arg-type]
    sharing, one, other = Sharing(), *(Context(services, Client(address="127.0.0.1")) for _ in range(2))

    async def for_ever(_: object) -> ExecutionResult:
        await asyncio.Event().wait()
        raise AssertionError

    async def at_once(_: object) -> ExecutionResult:
        return ExecutionResult({"to": "another"}, None)

    going = asyncio.create_task(sharing.result(one, "words", event, for_ever))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(sharing.result(other, "words", event, at_once))
    await asyncio.sleep(0)
    going.cancel()
    async with asyncio.timeout(20):
        assert (await waiting).data == {"to": "another"}


async def test_every_kind_shows_each_follower_what_he_sees_alone(make: Factory, services: Services) -> None:
    """What a page of events shows is executed for its reader alone: followers are shown the same."""
    author, reader, blocked, friend = [await make.player(name) for name in ("author", "reader", "blocked", "friend")]
    chat_id = await make.group(author, reader, blocked, friend)
    guest = await make.player("newcomer")
    await make.teammates(author, guest)
    await make.block(author, blocked)
    await make.teammates(friend, reader)
    message = await make.send(author, chat_id, "@reader, look")
    about = {"messageId": message["id"]}
    await do(friend, REACT, **about, emoji="🎉", isOn=True)
    things: list[Callable[[], Awaitable[Any]]] = [
        lambda: do(author, SEND, chatId=chat_id, clientId=new_id(), text="an answer", replyToId=message["id"]),
        lambda: do(author, EDIT, **about, text="@friend, look"),
        lambda: do(reader, REACT, **about, emoji="🎉", isOn=True),
        lambda: do(author, PIN, **about, isPinned=True),
        lambda: do(reader, READ, chatId=chat_id, upToSeq=message["seq"]),
        lambda: do(author, ADD, chatId=chat_id, userIds=[guest.id]),
        lambda: do(author, SET_ROLE, chatId=chat_id, userId=guest.id, role="ADMIN"),
        lambda: do(author, UPDATE, chatId=chat_id, slowModeSeconds=5),
        lambda: do(author, DELETE, **about, forEveryone=True),
        lambda: do(guest, LEAVE, chatId=chat_id),
    ]
    async with AsyncExitStack() as stack:
        pages: list[Page] = []
        for player in (reader, blocked, friend):
            place = (await player.api("{ viewer { eventCursor } }"))["viewer"]["eventCursor"]
            for fields in selections(services):
                stream = await followed(stack, player, f"subscription {{ events {{ {fields} cursor }} }}")
                pages.append(Page(player, fields, place, stream))
        before, kinds = shown(), set()
        for thing in things:
            await thing()
            for page in pages:
                kinds |= {event["__typename"] async for event in page.compared()}
    assert kinds == {kind for kind, event in types.KINDS.items() if issubclass(event, types.ChatEvent)}
    assert shown()["as another"] > before["as another"]


@dataclass
class Page:
    """What a follower is shown by one document, live and alone."""

    player: Player
    fields: str
    place: str
    stream: Stream

    async def compared(self) -> AsyncIterator[Json]:
        shown = f"events {{ {self.fields} cursor }} endCursor"
        query = f"query ($after: Cursor!) {{ events(after: $after, first: 9) {{ {shown} }} }}"
        alone = (await self.player.api(query, after=self.place))["events"]
        self.place = alone["endCursor"]
        for event in alone["events"]:
            live = await self.stream.next_kept()
            assert {**live, "cursor": None} == {**event, "cursor": None}, self.player
            yield event


async def do(player: Player, mutation: str, **given: Any) -> None:
    assert payload(await player.api(mutation, input=given))["userErrors"] == []


def selections(services: Services) -> list[str]:
    """Select all that events show and that takes no argument, in documents that are short enough."""
    schema = services.schema._schema
    kinds = schema.get_possible_types(cast("GraphQLInterfaceType", schema.get_type("Event")))
    documents: list[list[str]] = [[]]
    for kind in kinds:
        for field in fields_of(services, kind, DEPTH):
            if sum(len(one.split()) for one in documents[-1]) > LONGEST:
                documents.append([])
            documents[-1].append(f"... on {kind.name} {{ {field} }}")
    return [f"__typename {' '.join(document)}" for document in documents]


def fields_of(services: Services, kind: Any, depth: int) -> Iterator[str]:
    """Give the fields of a type, each with what the objects below it show."""
    schema = services.schema._schema
    for key, field in kind.fields.items():
        below = get_named_type(field.type)
        if key == "cursor" or any(is_required_argument(argument) for argument in field.args.values()):
            continue
        if is_leaf_type(below):
            yield key
        elif depth and not below.name.endswith("Connection"):
            kinds = [below] if isinstance(below, GraphQLObjectType) else schema.get_possible_types(below)
            parts = [f"... on {one.name} {{ {' '.join(fields_of(services, one, depth - 1))} }}" for one in kinds]
            yield f"{key} {{ __typename {' '.join(parts)} }}"
