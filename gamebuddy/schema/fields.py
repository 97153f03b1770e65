"""The doors of the schema: every root field names its right, gets its session, and closes what it opened."""

import functools
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, TypeVar, cast, get_type_hints

import strawberry
from strawberry.types.base import get_object_definition

from gamebuddy.auth import policy
from gamebuddy.auth import viewer as viewers
from gamebuddy.auth.policy import Right
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import ReadSession, WriteSession, repeated
from gamebuddy.errors import Rejected, Unauthenticated
from gamebuddy.schema import caching, errors
from gamebuddy.schema.context import Context, Info, Services

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(slots=True)
class Door:
    """What a root field needs from the operation around it."""

    context: Context
    caller: Viewer | None  # None: nobody is signed in

    @property
    def viewer(self) -> Viewer:
        """Who acts, where the right made sure that somebody does."""
        if self.caller is None:
            raise Unauthenticated
        return self.caller

    @property
    def services(self) -> Services:
        """What the process has once."""
        return self.context.services

    def become(self, viewer: Viewer | None) -> None:
        """Let what follows in this operation be done as somebody else."""
        self.caller = viewer


@dataclass(slots=True)
class Reading(Door):
    """The door of a query: one READ ONLY snapshot for the whole operation."""

    session: ReadSession


@dataclass(slots=True)
class Writing(Door):
    """The door of a mutation: one transaction, committed when the function returns."""

    session: WriteSession


@dataclass(slots=True)
class Following(Door):
    """The door of a subscription: no session is held between events."""


def query(right: Right, *, shared_for: timedelta | None = None) -> Callable[[F], F]:
    """Make a root field that reads. The function takes (self, door: Reading, …).

    `shared_for` lets caches keep what it says to those who are not signed in.
    """

    def decorate(function: F) -> F:
        @functools.wraps(function)
        async def resolve(self: object, info: Info, **arguments: Any) -> Any:
            context = info.context
            policy.require(context.viewer, right)
            return await function(self, Reading(context, context.viewer, context.snapshot), **arguments)

        if shared_for is not None:
            caching.shared_for(shared_for, resolve)
        return cast("F", _root_field(function, resolve, right))

    return decorate


def mutation(right: Right) -> Callable[[F], F]:
    """Make a root field that writes. The function takes (self, door: Writing, input) and returns its payload.

    It runs in one transaction. What it rejects becomes the payload's userErrors and is rolled back; a transaction that
    lost against another one is repeated; rights are decided inside it.
    """

    def decorate(function: F) -> F:
        async def attempt(self: object, context: Context, arguments: dict[str, Any]) -> Any:
            async with context.services.database.write() as session:
                caller = context.viewer
                if right is not Right.PUBLIC:
                    caller = await viewers.by_session(session, context.session_id) if context.session_id else None
                    policy.require(caller, right)
                door = Writing(context, caller, session)
                payload = await function(self, door, **arguments)
            if door.caller is not caller:
                context.become(door.caller)
            return payload

        async def write(self: object, context: Context, arguments: dict[str, Any]) -> Any:
            return await repeated(functools.partial(attempt, self, context, arguments))

        return cast("F", _writing_field(function, write, right))

    return decorate


def shared_mutation(right: Right) -> Callable[[F], F]:
    """Make a root field that writes in a transaction which it may share. The function takes (self, door: Door, input).

    The domain opens the transaction, for all who wait, and decides the right once more inside it. What it rejects
    becomes the payload's userErrors, and nothing of it is written.
    """

    def decorate(function: F) -> F:
        async def write(self: object, context: Context, arguments: dict[str, Any]) -> Any:
            policy.require(context.viewer, right)
            return await function(self, Door(context, context.viewer), **arguments)

        return cast("F", _writing_field(function, write, right))

    return decorate


def _writing_field(
    function: Callable[..., Any], write: Callable[[object, Context, dict[str, Any]], Awaitable[Any]], right: Right
) -> Any:
    """Write between two snapshots, and tell what was rejected in the payload."""
    payload_type = get_type_hints(function)["return"]

    @functools.wraps(function)
    async def resolve(self: object, info: Info, **arguments: Any) -> Any:
        context = info.context
        await context.renew()  # nobody holds two connections: all who do would wait for each other
        try:
            return await write(self, context, arguments)
        except Rejected as rejected:
            return payload_type(user_errors=errors.user_errors(rejected))
        finally:
            await context.renew()  # the payload's fields read what was committed

    return _root_field(function, resolve, right)


def subscription(right: Right) -> Callable[[F], F]:
    """Make a root field that streams. The function is an async generator that takes (self, door: Following, …)."""

    def decorate(function: F) -> F:
        @functools.wraps(function)
        async def resolve(self: object, info: Info, **arguments: Any) -> AsyncIterator[Any]:
            context = info.context
            policy.require(context.viewer, right)
            context.is_following = True
            await context.renew()
            async for event in function(self, Following(context, context.viewer), **arguments):
                yield event
                await context.renew()

        return cast("F", _root_field(function, resolve, right, make=strawberry.subscription))

    return decorate


def _root_field(
    function: Callable[..., Any],
    resolve: Callable[..., Any],
    right: Right,
    *,
    make: Callable[..., Any] = strawberry.field,
) -> Any:
    """Show GraphQL the function's own arguments, with `info` in place of the door."""
    shown = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == "door":
            shown.append(parameter.replace(name="info", annotation=Info))
        elif parameter.name == "input":
            what = strawberry.argument(description="What to do, and with what.")
            shown.append(parameter.replace(annotation=Annotated[parameter.annotation, what]))
        else:
            shown.append(parameter)
    resolve.__signature__ = inspect.signature(function).replace(parameters=shown)  # type: ignore[attr-defined]
    resolve.__annotations__ = {p.name: p.annotation for p in shown} | {
        "return": inspect.signature(function).return_annotation
    }
    resolve.right = right  # type: ignore[attr-defined]
    notes = [inspect.getdoc(function), caching.note(resolve), f"Requires: {policy.requirement(right)}."]
    description = "\n\n".join(note for note in notes if note)
    return make(resolver=resolve, description=description)


def rights_of(root: type) -> dict[str, Right | None]:
    """Tell the right of every field of a root type; None where one was forgotten."""
    definition = get_object_definition(root, strict=True)
    return {
        field.python_name: getattr(field.base_resolver.wrapped_func, "right", None) if field.base_resolver else None
        for field in definition.fields
    }
