"""The schema: every feature's root fields in three types, built once."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Annotated, Any

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLError,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    Undefined,
    lexicographic_sort_schema,
    print_schema,
)
from graphql import build_schema as parse_sdl
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types
from strawberry.types import ExecutionContext
from strawberry.types.base import get_object_definition

from gamebuddy.auth.policy import Right
from gamebuddy.errors import BadInput
from gamebuddy.schema import events, ids
from gamebuddy.schema.accounts import AccountMutations, RecoveryMutations, SecondFactorMutations
from gamebuddy.schema.administration import (
    AdministrationMutations,
    AdministrationQueries,
    AuditEntry,
    account_node,
)
from gamebuddy.schema.chat import Chat, ChatMutations, ChatQueries, InviteLink, Message
from gamebuddy.schema.context import Context
from gamebuddy.schema.directory import DirectoryQueries
from gamebuddy.schema.documents import UsePrepared
from gamebuddy.schema.errors import InputError, RetryLater, Sanctioned
from gamebuddy.schema.events import EventQueries, EventSubscriptions
from gamebuddy.schema.exports import ExportMutations
from gamebuddy.schema.fields import Reading, query, rights_of
from gamebuddy.schema.files import Attachment, FileMutations
from gamebuddy.schema.games import Game, GameMutations, GameQueries, GameRank, GameRole, Genre
from gamebuddy.schema.ids import Kind
from gamebuddy.schema.limits import LimitMutations, LimitQueries
from gamebuddy.schema.moderation import (
    AccountNoteMutations,
    AccountNoteQueries,
    Appeal,
    Report,
    ReportMutations,
    ReportQueries,
    Sanction,
    SanctionMutations,
    SanctionQueries,
)
from gamebuddy.schema.node import Node
from gamebuddy.schema.plans import PlannedExecution, Plans
from gamebuddy.schema.players import PlayerMutations, PlayerQueries, Profile, User
from gamebuddy.schema.scalars import SCALARS
from gamebuddy.schema.search import SearchQueries
from gamebuddy.schema.teammates import TeammateMutations, TeammateRequest
from gamebuddy.schema.viewer import Session, ViewerQueries
from gamebuddy.schema.wording import WordingMutations, WordingQueries, WordRule

MOST_NODES = 50


async def _node(context: Context, kind: Kind, row_id: uuid.UUID) -> Node | None:
    """Show whatever an id points at, through the same loaders as everything else; None when it is hidden."""
    loaders = context.loaders
    if kind is Kind.ACCOUNT:
        return await account_node(context, row_id)
    if kind is Kind.PROFILE:
        row = await loaders.profiles.load(row_id) if await loaders.accounts.load(row_id) else None
        return Profile.of(row, is_reduced=context.viewer is None) if row else None
    ways: Mapping[Kind, tuple[Callable[[uuid.UUID], Awaitable[Any]], Callable[[Any], Node]]] = {
        Kind.USER: (loaders.accounts.load, User.of),
        Kind.GENRE: (loaders.genres.load, Genre.of),
        Kind.GAME: (loaders.games.load, Game.of),
        Kind.GAME_RANK: (loaders.ranks.load, GameRank.of),
        Kind.GAME_ROLE: (loaders.roles.load, GameRole.of),
        Kind.WORD_RULE: (loaders.word_rules.load, WordRule.of),
        Kind.AUDIT_ENTRY: (loaders.audit_entries.load, AuditEntry.of),
        Kind.APPEAL: (loaders.appeals.load, Appeal.of),
        Kind.REPORT: (loaders.reports.load, Report.of),
        Kind.SANCTION: (loaders.sanctions.load, Sanction.of),
        Kind.SESSION: (loaders.sessions.load, Session.of),
        Kind.TEAMMATE_REQUEST: (loaders.requests.load, TeammateRequest.of),
        Kind.CHAT: (loaders.chats.load, Chat.of),
        Kind.MESSAGE: (loaders.messages.load, Message.of),
        Kind.INVITE_LINK: (loaders.invite_links.load, InviteLink.of),
        Kind.ATTACHMENT: (loaders.attachments.load, Attachment.of),
    }
    if kind not in ways:  # events are read as streams only, uploads until they are used not at all
        return None
    load, show = ways[kind]
    row = await load(row_id)
    return show(row) if row else None


@strawberry.type
class NodeQueries:
    """Root fields that find anything by its id."""

    @query(Right.PUBLIC)
    async def node(
        self, door: Reading, id: Annotated[strawberry.ID, strawberry.argument(description="The id of anything.")]
    ) -> Node | None:
        """Whatever has this id; null when there is no such thing or it is hidden from you."""
        return await _node(door.context, *ids.read_any(id))

    @query(Right.PUBLIC)
    async def nodes(
        self,
        door: Reading,
        ids_: Annotated[
            list[strawberry.ID], strawberry.argument(name="ids", description=f"At most {MOST_NODES} ids of anything.")
        ],
    ) -> list[Node | None]:
        """Whatever has these ids, in their order; null for what does not exist or is hidden from you."""
        if len(ids_) > MOST_NODES:
            raise BadInput(f"`ids` has at most {MOST_NODES} items.")
        wanted = [ids.read_any(value) for value in ids_]
        return list(await asyncio.gather(*(_node(door.context, kind, row_id) for kind, row_id in wanted)))


QUERIES = (
    NodeQueries,
    PlayerQueries,
    GameQueries,
    DirectoryQueries,
    SearchQueries,
    ChatQueries,
    ViewerQueries,
    LimitQueries,
    EventQueries,
    ReportQueries,
    SanctionQueries,
    AdministrationQueries,
    WordingQueries,
    AccountNoteQueries,
)
MUTATIONS = (
    AccountMutations,
    RecoveryMutations,
    SecondFactorMutations,
    PlayerMutations,
    FileMutations,
    ExportMutations,
    TeammateMutations,
    ChatMutations,
    ReportMutations,
    SanctionMutations,
    AccountNoteMutations,
    GameMutations,
    AdministrationMutations,
    WordingMutations,
    LimitMutations,
)
SUBSCRIPTIONS = (EventSubscriptions,)
ROOTS = {
    "Query": "What can be read. One operation reads one snapshot: what its fields say fits together.",
    "Mutation": "What can be done. Each field is done for itself, one after the other, wholly or not at all.",
    "Subscription": "What can be followed, over WebSocket, multipart or server-sent events. Each field says who may.",
}


class Schema(strawberry.Schema):
    """The schema; what goes wrong is logged and written by gamebuddy.schema.faults, once."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, execution_context_class=PlannedExecution)
        self.plans = Plans()

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Leave errors to those who send them."""


def build_schema() -> Schema:
    """Build the schema.

    Raises:
        TypeError: when a root field names no right.
    """
    roots = {
        "Query": merge_types("Query", QUERIES),
        "Mutation": merge_types("Mutation", MUTATIONS),
        "Subscription": merge_types("Subscription", SUBSCRIPTIONS),
    }
    for name, root in roots.items():
        get_object_definition(root, strict=True).description = ROOTS[name]
        rightless = sorted(field for field, right in rights_of(root).items() if right is None)
        if rightless:
            raise TypeError(f"{name}: name the right of {', '.join(rightless)}")
    schema = Schema(
        query=roots["Query"],
        mutation=roots["Mutation"],
        subscription=roots["Subscription"],
        types=[InputError, RetryLater, Sanctioned, *events.TYPES],
        extensions=[UsePrepared],
        config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=True),
    )
    _drop_null_defaults(schema)
    return schema


def _drop_null_defaults(schema: Schema) -> None:
    """Leave what may be left out without a default: a Python default of None is no default of the API."""
    for kind in schema._schema.type_map.values():  # noqa: SLF001 - Strawberry has no other way to say it
        arguments: list[GraphQLArgument] | list[GraphQLInputField] = []
        if isinstance(kind, GraphQLInputObjectType):
            arguments = list(kind.fields.values())
        elif isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            arguments = [argument for field in kind.fields.values() for argument in field.args.values()]
        for argument in arguments:
            if argument.default_value is None:
                argument.default_value = Undefined


@cache
def sdl() -> str:
    """Write the schema in the schema definition language, types in alphabetical order."""
    return print_schema(lexicographic_sort_schema(parse_sdl(build_schema().as_str()))) + "\n"
