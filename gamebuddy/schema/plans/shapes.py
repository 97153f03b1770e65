"""The parts of a plan: how a value of each type is completed, field by field.

What a value becomes, and which errors go where, is as https://spec.graphql.org/draft/#sec-Executing-Fields says and as
graphql-core does it; errors are handed to its own `handle_field_error`. What is faster is that everything which is the
same for each value was looked up before: fields, types, arguments, and whether anything has to be awaited.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from graphql import GraphQLAbstractType, GraphQLField, GraphQLObjectType, GraphQLOutputType, Undefined, is_non_null_type
from graphql.execution.collect_fields import FieldDetailsList
from graphql.pyutils import Path, gather_with_cancel
from strawberry.types.field import StrawberryField

from gamebuddy.schema.plans.coercing import Coerce

# Where a value stands: what is above it, its key or number, and the type of the object. A path as graphql-core has it
# takes eight times as long to make, and is needed only where something fails.
type Place = tuple["Place | None", str | int, str | None]


class Execution(Protocol):
    """What the parts need of the execution around them."""

    def arguments_of(self, field: "Called") -> Mapping[str, Any]:
        """Give what a function is called with besides the object; it is the same for every object."""

    def handle_field_error(
        self, raw_error: Exception, return_type: GraphQLOutputType, field_details_list: FieldDetailsList, path: Path
    ) -> None:
        """Note an error at its place, or raise it where nothing may be null."""

    def kind_of(self, value: object, field: "Field", abstract: GraphQLAbstractType) -> GraphQLObjectType:
        """Find the type of an object behind an interface or a union."""

    def require_kind(self, value: object, field: "Field", kind: GraphQLObjectType) -> None:
        """Make sure that an object is of its type."""


@dataclass(slots=True, eq=False)
class Shape:
    """How a value becomes what is sent. None is not a value: fields and items see to it."""

    is_async: bool = field(default=False, init=False)  # whether completing it waits for anything

    def complete(self, execution: Execution, owner: "Field", path: Place, value: Any) -> Any:
        """Complete a value that waits for nothing."""
        raise NotImplementedError

    async def complete_later(self, execution: Execution, owner: "Field", path: Place, value: Any) -> Any:
        """Complete a value that waits for something."""
        return self.complete(execution, owner, path, value)


@dataclass(slots=True, eq=False)
class Leaf(Shape):
    """A scalar or an enumeration; values of the type `as_it_is` are written out as they are."""

    coerce: Coerce = field(kw_only=True)
    as_it_is: type | None = field(kw_only=True)

    def complete(self, _: Execution, owner: "Field", path: Place, value: Any) -> Any:  # noqa: ARG002
        """Write it out."""
        return value if type(value) is self.as_it_is else self.coerce(value)


@dataclass(slots=True, eq=False)
class Items(Shape):
    """A list."""

    item: Shape = field(kw_only=True)
    item_type: GraphQLOutputType = field(kw_only=True)
    _needs_item: bool = field(init=False)

    def __post_init__(self) -> None:
        """Wait where an item does."""
        self.is_async = self.item.is_async
        self._needs_item = is_non_null_type(self.item_type)

    def complete(self, execution: Execution, owner: "Field", path: Place, value: Iterable[Any]) -> list[Any]:
        """Complete every item."""
        shape, found = self.item, []
        for index, item in enumerate(value):
            place = path, index, None
            try:
                found.append(completed(shape, execution, owner, place, item, is_required=self._needs_item))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told at its place
                execution.handle_field_error(error, self.item_type, owner.details, path_of(place))
                found.append(None)
        return found

    async def complete_later(
        self, execution: Execution, owner: "Field", path: Place, value: Iterable[Any]
    ) -> list[Any]:
        """Complete every item, side by side."""
        return await together(
            [self._item(execution, owner, (path, index, None), item) for index, item in enumerate(value)]
        )

    async def _item(self, execution: Execution, owner: "Field", place: Place, item: Any) -> Any:
        try:
            return await completed_later(self.item, execution, owner, place, item, is_required=self._needs_item)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told at its place
            return execution.handle_field_error(error, self.item_type, owner.details, path_of(place))


@dataclass(slots=True, eq=False)
class Object(Shape):
    """An object of a known type with the fields that are asked for."""

    kind: GraphQLObjectType = field(kw_only=True)
    fields: Sequence["Field"] = ()
    waiting: Sequence["Field"] = ()  # those that wait for something
    _known: set[type] = field(default_factory=set)  # classes that are of the type

    def fill(self, fields: Sequence["Field"]) -> None:
        """Set the fields, once they are planned."""
        self.fields = fields
        self.waiting = [field for field in fields if field.is_async]
        self.is_async = bool(self.waiting)

    def complete(self, execution: Execution, owner: "Field", path: Place, value: Any) -> dict[str, Any]:
        """Resolve every field."""
        if type(value) not in self._known:
            self._require_kind(execution, owner, value)
        return {field.key: field.resolve(execution, value, path) for field in self.fields}

    async def complete_later(self, execution: Execution, owner: "Field", path: Place, value: Any) -> dict[str, Any]:
        """Resolve what waits for nothing, then the rest side by side."""
        if type(value) not in self._known:
            self._require_kind(execution, owner, value)
        return await self.resolve_later(execution, value, path)

    def resolve(self, execution: Execution, value: Any, path: Place | None) -> dict[str, Any]:
        """Resolve the fields of an object, none of which waits."""
        return {field.key: field.resolve(execution, value, path) for field in self.fields}

    async def resolve_later(self, execution: Execution, value: Any, path: Place | None) -> dict[str, Any]:
        """Resolve the fields of an object; answers keep the order of the document."""
        answer = {field.key: None if field.is_async else field.resolve(execution, value, path) for field in self.fields}
        waiting = self.waiting
        if len(waiting) == 1:
            answer[waiting[0].key] = await waiting[0].resolve_later(execution, value, path)
            return answer
        values = await together([field.resolve_later(execution, value, path) for field in waiting])
        answer.update(zip((one.key for one in waiting), values, strict=True))
        return answer

    async def resolve_in_turn(self, execution: Execution, value: Any) -> dict[str, Any]:
        """Resolve root fields one after the other, as mutations are."""
        answer = {}
        for one in self.fields:
            answer[one.key] = (
                await one.resolve_later(execution, value, None) if one.is_async else one.resolve(execution, value, None)
            )
        return answer

    def _require_kind(self, execution: Execution, owner: "Field", value: object) -> None:
        execution.require_kind(value, owner, self.kind)
        self._known.add(type(value))


@dataclass(slots=True, eq=False)
class Abstract(Shape):
    """An object behind an interface or a union."""

    kind: GraphQLAbstractType = field(kw_only=True)
    objects: dict[GraphQLObjectType, Object] = field(default_factory=dict)
    _known: dict[type, Object] = field(default_factory=dict)

    def fill(self, objects: dict[GraphQLObjectType, Object]) -> None:
        """Set what it may be, once that is planned."""
        self.objects = objects
        self.is_async = any(shape.is_async for shape in objects.values())

    def complete(self, execution: Execution, owner: "Field", path: Place, value: Any) -> dict[str, Any]:
        """Complete it as what it is."""
        return self._object(execution, owner, value).complete(execution, owner, path, value)

    async def complete_later(self, execution: Execution, owner: "Field", path: Place, value: Any) -> dict[str, Any]:
        """Complete it as what it is; among those that wait may be some that do not."""
        shape = self._object(execution, owner, value)
        if shape.is_async:
            return await shape.complete_later(execution, owner, path, value)
        return shape.complete(execution, owner, path, value)

    def _object(self, execution: Execution, owner: "Field", value: object) -> Object:
        shape = self._known.get(type(value))
        if shape is None:
            shape = self._known[type(value)] = self.objects[execution.kind_of(value, owner, self.kind)]
        return shape


@dataclass(slots=True, eq=False)
class Field:
    """A field of an object: the key of the answer, and how its value is found and completed."""

    key: str
    name: str
    parent: GraphQLObjectType
    definition: GraphQLField
    details: FieldDetailsList
    shape: Shape
    is_async: bool = field(init=False)
    is_required: bool = field(init=False)
    as_it_is: type | None = field(init=False)  # see Leaf

    def __post_init__(self) -> None:
        """Wait where the value does."""
        self.is_async = self.shape.is_async
        self.is_required = is_non_null_type(self.definition.type)
        self.as_it_is = self.shape.as_it_is if isinstance(self.shape, Leaf) else None

    def find(self, execution: Execution, source: Any) -> Any:
        """Find the value, or what has to be awaited for it."""
        raise NotImplementedError

    def resolve(self, execution: Execution, source: Any, path: Place | None) -> Any:
        """Find and complete a value that waits for nothing."""
        try:
            value = self.find(execution, source)
            if type(value) is self.as_it_is:
                return value
            place = path, self.key, self.parent.name
            return completed(self.shape, execution, self, place, value, is_required=self.is_required)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told at its place
            return self.failed(execution, error, path)

    async def resolve_later(self, execution: Execution, source: Any, path: Place | None) -> Any:
        """Find and complete a value that waits for something."""
        try:
            place = path, self.key, self.parent.name
            value = self.find(execution, source)
            return await completed_later(self.shape, execution, self, place, value, is_required=self.is_required)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told at its place
            return self.failed(execution, error, path)

    def failed(self, execution: Execution, error: Exception, path: Place | None) -> None:
        """Tell an error at the place of the field."""
        place = path, self.key, self.parent.name
        execution.handle_field_error(error, self.definition.type, self.details, path_of(place))


@dataclass(slots=True, eq=False)
class Attribute(Field):
    """A field that is an attribute of the object."""

    attribute: str = field(kw_only=True)

    def find(self, _: Execution, source: Any) -> Any:
        """Read it."""
        return getattr(source, self.attribute)


@dataclass(slots=True, eq=False)
class Plain(Attribute):
    """An attribute that is written out as it is: what most of an answer is made of."""

    coerce: Coerce = field(kw_only=True)

    def resolve(self, execution: Execution, source: Any, path: Place | None) -> Any:
        """Read it and write it out."""
        try:
            value = getattr(source, self.attribute)
            if type(value) is self.as_it_is:
                return value
            if value is None:
                return _nothing(self, is_required=self.is_required)
            return self.coerce(value)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told at its place
            return self.failed(execution, error, path)


@dataclass(slots=True, eq=False)
class Typename(Field):
    """`__typename`."""

    def resolve(self, *_: object) -> str:
        """Name the type."""
        return self.parent.name


@dataclass(slots=True, eq=False)
class Happened(Field):
    """The root field of a subscription: its value is what has happened."""

    def find(self, _: Execution, source: Any) -> Any:
        """Give the event."""
        return source


@dataclass(slots=True, eq=False)
class Called(Field):
    """A field with a function behind it."""

    function: Callable[..., Any] = field(kw_only=True)
    takes_source: bool = field(kw_only=True)
    strawberry_field: StrawberryField = field(kw_only=True)

    def find(self, execution: Execution, source: Any) -> Any:
        """Call it."""
        arguments = execution.arguments_of(self)
        return self.function(source, **arguments) if self.takes_source else self.function(**arguments)


@dataclass(slots=True, eq=False)
class Awaited(Called):
    """A field with a coroutine behind it."""

    def __post_init__(self) -> None:
        """Wait."""
        Called.__post_init__(self)
        self.is_async = True

    async def resolve_later(self, execution: Execution, source: Any, path: Place | None) -> Any:
        """Wait for the value, then complete it."""
        try:
            value = await self.find(execution, source)
            place = path, self.key, self.parent.name
            return await completed_later(self.shape, execution, self, place, value, is_required=self.is_required)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told at its place
            return self.failed(execution, error, path)


def path_of(place: Place) -> Path:
    """Write a place as graphql-core does."""
    above, key, kind = place
    return Path(path_of(above) if above else None, key, kind)


def completed(shape: Shape, execution: Execution, owner: Field, place: Place, value: Any, *, is_required: bool) -> Any:
    """Complete what was found, where nothing waits.

    Raises:
        TypeError: for None where something is required.
    """
    if value is None or value is Undefined:
        return _nothing(owner, is_required=is_required)
    if isinstance(value, Exception):
        raise value
    return shape.complete(execution, owner, place, value)


async def completed_later(
    shape: Shape, execution: Execution, owner: Field, place: Place, value: Any, *, is_required: bool
) -> Any:
    """Complete what was found; raises as `completed`."""
    if not shape.is_async or value is None or isinstance(value, Exception):
        return completed(shape, execution, owner, place, value, is_required=is_required)
    return await shape.complete_later(execution, owner, place, value)


def _nothing(owner: Field, *, is_required: bool) -> None:
    if is_required:
        raise TypeError(f"Cannot return null for non-nullable field {owner.parent}.{owner.name}.")


async def together(coroutines: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
    """Await all of them side by side; the first that fails ends the others.

    They start here and now: loaders meet all that is asked for at once, and what waits for nothing costs no turn of the
    loop.
    """
    loop = asyncio.get_running_loop()
    tasks = [asyncio.Task(coroutine, loop=loop, eager_start=True) for coroutine in coroutines]
    if all(task.done() and not task.cancelled() and task.exception() is None for task in tasks):
        return [task.result() for task in tasks]
    return await gather_with_cancel(*tasks)
