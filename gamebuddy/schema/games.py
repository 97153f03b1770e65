"""Genres and games."""

import uuid
from datetime import timedelta
from functools import lru_cache
from typing import Annotated

import strawberry

from gamebuddy import db
from gamebuddy.auth.policy import Right
from gamebuddy.resolvers import games
from gamebuddy.schema import ids
from gamebuddy.schema.caching import shared
from gamebuddy.schema.context import Info
from gamebuddy.schema.describe import describe_enum, field
from gamebuddy.schema.errors import UserError
from gamebuddy.schema.fields import Reading, Writing, mutation, query
from gamebuddy.schema.ids import Kind
from gamebuddy.schema.node import Node
from gamebuddy.schema.paging import PageInfo, page_size
from gamebuddy.schema.scalars import Cursor, LanguageTag

describe_enum(
    db.Platform,
    "Where a game is played.",
    PC="Windows, Linux or macOS.",
    PLAYSTATION="PlayStation 4 or 5.",
    XBOX="Xbox One or Series.",
    SWITCH="Nintendo Switch.",
    MOBILE="iOS or Android.",
    VR="A headset.",
)

A_WHILE = timedelta(minutes=5)  # how old the catalogue may be

Locale = Annotated[
    LanguageTag | None,
    strawberry.argument(
        description="Language of the text; `en` or `ru`. Absent: the account's language, else English."
    ),
]


@shared
@strawberry.type(description="A kind of game. Everybody may see it.")
class Genre(Node):
    """See the description."""

    slug: str = strawberry.field(description="Short name in ASCII, the same for ever.")
    row: strawberry.Private[db.Genre]

    @classmethod
    def of(cls, row: db.Genre) -> "Genre":
        """Show a row."""
        return cls(id=ids.write(Kind.GENRE, row.id), slug=row.slug, row=row)

    @field
    def name(self, info: Info, locale: Locale = None) -> str:
        """Name for people, in Russian or English."""
        return self.row.name_ru if is_russian(info, locale) else self.row.name_en


@shared
@strawberry.type(description="A step of a game's ladder. Everybody may see it.")
class GameRank(Node):
    """See the description."""

    name: str = strawberry.field(description="Name in the game.")
    level: float = strawberry.field(description="0 for the lowest rank, 1 for the highest.")

    @classmethod
    def of(cls, row: db.GameRank) -> "GameRank":
        """Show a row."""
        return cls(id=ids.write(Kind.GAME_RANK, row.id), name=row.name, level=row.level)


@shared
@strawberry.type(description="What one can play in a game, such as support. Everybody may see it.")
class GameRole(Node):
    """See the description."""

    slug: str = strawberry.field(description="Short name in ASCII, unique in its game.")
    name: str = strawberry.field(description="Name in the game.")

    @classmethod
    def of(cls, row: db.GameRole) -> "GameRole":
        """Show a row."""
        return cls(id=ids.write(Kind.GAME_ROLE, row.id), slug=row.slug, name=row.name)


@shared
@strawberry.type(description="A game people look for teammates in. Everybody may see it.")
class Game(Node):
    """See the description."""

    slug: str = strawberry.field(description="Short name in ASCII. One that the game had before still finds it.")
    title: str = strawberry.field(description="Title as its makers write it.")
    platforms: list[db.Platform] = strawberry.field(description="Where it can be played.")
    is_cross_play: bool = strawberry.field(description="Whether players on different platforms meet in it.")
    player_count: int = strawberry.field(description="How many players have it in their profiles.")
    row_id: strawberry.Private[uuid.UUID]
    genre_ids: strawberry.Private[list[uuid.UUID]]

    @classmethod
    def of(cls, row: db.Game) -> "Game":
        """Show a row."""
        return cls(
            id=ids.write(Kind.GAME, row.id),
            slug=row.slug,
            title=row.title,
            platforms=row.platforms,
            is_cross_play=row.is_cross_play,
            player_count=row.player_count,
            row_id=row.id,
            genre_ids=row.genre_ids,
        )

    @field
    async def genres(self, info: Info) -> list[Genre]:
        """Kinds it belongs to, the main one first."""
        return await genres_by_ids(info, self.genre_ids)

    @field
    async def ranks(self, info: Info) -> list[GameRank]:
        """From the lowest to the highest; empty where the game has none."""
        return [GameRank.of(row) for row in await info.context.loaders.ladders.load(self.row_id) or ()]

    @field
    async def roles(self, info: Info) -> list[GameRole]:
        """What one can play in it; empty where the game has no roles."""
        return [GameRole.of(row) for row in await info.context.loaders.game_roles.load(self.row_id) or ()]


@shared
@strawberry.type(description="A game and its place in a list.")
class GameEdge:
    """See the description."""

    node: Game = strawberry.field(description="The game.")
    cursor: Cursor = strawberry.field(description="Its place.")


@shared
@strawberry.type(description="A page of games in the order of their titles.")
class GameConnection:
    """See the description."""

    edges: list[GameEdge] = strawberry.field(description="Games with their places.")
    nodes: list[Game] = strawberry.field(description="The games alone.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")


@strawberry.input(description="One way to name a game: exactly one of the fields.", one_of=True)
class GameBy:
    """See the description."""

    id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="Its id.", default=None)
    slug: strawberry.Maybe[str] = strawberry.field(
        description="Its short name, such as `dota-2`, or one that it had before.", default=None
    )


@strawberry.input(description="What a game is to be, all of it.")
class SaveGameInput:
    """See the description."""

    game_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        description="Which game to change; absent or null makes a new one.", default=None
    )
    slug: str = strawberry.field(
        description="Short name: a to z and digits in words joined by hyphens, at most 64 characters."
    )
    title: str = strawberry.field(description="Title as its makers write it, 1 to 100 characters in one line.")
    genre_ids: list[strawberry.ID] = strawberry.field(
        description="Kinds it belongs to, the main one first; at most 10."
    )
    platforms: list[db.Platform] = strawberry.field(description="Where it can be played; at least one.")
    ranks: list[str] = strawberry.field(
        description="Names from the lowest to the highest, 1 to 40 characters each, at most 100; empty for none. A rank"
        " with the same name, in any case, is the same rank."
    )
    roles: list[str] = strawberry.field(
        description="Names of what one can play in it, 1 to 40 characters each, at most 31; empty for none. A role with"
        " the same name, in any case, is the same role."
    )
    is_cross_play: strawberry.Maybe[bool] = strawberry.field(
        description="Whether players on different platforms meet in it. Absent: as it was, false for a new game.",
        default=None,
    )


@strawberry.input(description="Two games that are one.")
class MergeGamesInput:
    """See the description."""

    from_id: strawberry.ID = strawberry.field(description="The game that goes.")
    into_id: strawberry.ID = strawberry.field(description="The game that stays, with its title, ranks and roles.")
    reason: str = strawberry.field(description="Why, 1 to 500 characters; written to the audit log.")


@strawberry.input(description="What a genre is to be called.")
class SaveGenreInput:
    """See the description."""

    genre_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        description="Which genre to change; absent or null makes a new one.", default=None
    )
    slug: str = strawberry.field(
        description="Short name: a to z and digits in words joined by hyphens, at most 64 characters. It never changes."
    )
    name_en: str = strawberry.field(description="Name in English, 1 to 40 characters.")
    name_ru: str = strawberry.field(description="Name in Russian, 1 to 40 characters.")


@strawberry.type(description="A game after the change.")
class GamePayload:
    """See the description."""

    game: Game | None = strawberry.field(description="Null when nothing was changed.", default=None)
    user_errors: list[UserError] = strawberry.field(
        description="What to mend; empty exactly on success.", default_factory=list
    )


@strawberry.type(description="A genre after the change.")
class GenrePayload:
    """See the description."""

    genre: Genre | None = strawberry.field(description="Null when nothing was changed.", default=None)
    user_errors: list[UserError] = strawberry.field(
        description="What to mend; empty exactly on success.", default_factory=list
    )


def is_russian(info: Info, locale: LanguageTag | None) -> bool:
    """Tell whether a text goes out in Russian."""
    viewer = info.context.viewer
    return _is_russian(locale or (viewer.locale if viewer else "en"))


@lru_cache(1_000)
def _is_russian(tag: str) -> bool:
    return tag.split("-", maxsplit=1)[0] == "ru"


async def genres_by_ids(info: Info, genre_ids: list[uuid.UUID]) -> list[Genre]:
    """Show genres in the given order."""
    return [Genre.of(row) for row in await info.context.loaders.genres.load_many(genre_ids) if row]


async def game(info: Info, game_id: uuid.UUID | None) -> Game | None:
    """Show a game, if there is one."""
    row = await info.context.loaders.games.load(game_id) if game_id else None
    return Game.of(row) if row else None


@strawberry.type
class GameQueries:
    """Root fields that read the catalogue."""

    @query(Right.PUBLIC, shared_for=A_WHILE)
    async def genres(self, door: Reading) -> list[Genre]:
        """Every genre, in the order of slugs."""
        return [Genre.of(row) for row in await games.all_genres(door.session)]

    @query(Right.PUBLIC, shared_for=A_WHILE)
    async def game(
        self, door: Reading, by: Annotated[GameBy, strawberry.argument(description="Its id or its short name.")]
    ) -> Game | None:
        """One game; null when there is none."""
        if by.id is not None:
            row = await games.find_game(door.session, game_id=ids.read(Kind.GAME, by.id.value))
        else:
            row = await games.find_game(door.session, slug=by.slug.value if by.slug else "")
        return Game.of(row) if row else None

    @query(Right.PUBLIC, shared_for=A_WHILE)
    async def games(
        self,
        door: Reading,
        search: Annotated[
            str | None, strawberry.argument(description="Part of the title, in any case; at most 100 characters.")
        ] = None,
        genre_ids: Annotated[
            list[strawberry.ID] | None, strawberry.argument(description="Of any of these genres; at most 100.")
        ] = None,
        platforms: Annotated[
            list[db.Platform] | None, strawberry.argument(description="Playable on any of these.")
        ] = None,
        first: Annotated[int | None, strawberry.argument(description="How many, 1 to 50.")] = 20,
        after: Annotated[Cursor | None, strawberry.argument(description="Continue behind this place.")] = None,
    ) -> GameConnection:
        """The catalogue in the order of titles, all of it or what fits."""
        cursors = door.services.cursors
        scope = f"games:{search}:{sorted(genre_ids or ())}:{sorted(platforms or ())}"
        place = cursors.read(scope, after) if after is not None else None
        page = await games.find_games(
            door.session,
            search=search,
            genre_ids=ids.read_all(Kind.GENRE, genre_ids or []),
            platforms=platforms or [],
            limit=page_size(first),
            after=games.Place(place[0], uuid.UUID(place[1])) if place else None,
        )
        edges = [
            GameEdge(node=Game.of(row), cursor=cursors.write(scope, games.place_of(row).title, str(row.id)))
            for row in page.items
        ]
        return GameConnection(
            edges=edges,
            nodes=[edge.node for edge in edges],
            page_info=PageInfo.over(
                [edge.cursor for edge in edges], has_next=page.has_next, has_previous=page.has_previous
            ),
        )


@strawberry.type
class GameMutations:
    """Root fields of administrators that change the catalogue. Each is written to the audit log."""

    @mutation(Right.ADMINISTER)
    async def save_game(self, door: Writing, input: SaveGameInput) -> GamePayload:
        """Make a game, or change one; later releases leave it as you save it.

        Players whose rank has vanished have none and keep their rating; who was placed by a rank alone is placed anew
        when that has moved. A role that has vanished is gone from those who played it.
        """
        row = await games.save_game(
            door.session,
            door.viewer,
            game_id=_read_optional(Kind.GAME, input.game_id),
            facts=games.GameFacts(
                slug=input.slug,
                title=input.title,
                genre_ids=ids.read_all(Kind.GENRE, input.genre_ids),
                platforms=input.platforms,
                ranks=input.ranks,
                roles=input.roles,
                is_cross_play=input.is_cross_play.value if input.is_cross_play else None,
            ),
        )
        return GamePayload(game=Game.of(row))

    @mutation(Right.ADMINISTER)
    async def merge_games(self, door: Writing, input: MergeGamesInput) -> GamePayload:
        """Make one game of two that are the same: players, requests and praise go from the first to the second.

        Ranks and roles go to those with the same name; who has told his of both games keeps those of the second. The
        first game is gone, and its short name finds the second. It cannot be undone.
        """
        row = await games.merge_games(
            door.session,
            door.viewer,
            from_id=ids.read(Kind.GAME, input.from_id),
            into_id=ids.read(Kind.GAME, input.into_id),
            reason=input.reason,
        )
        return GamePayload(game=Game.of(row))

    @mutation(Right.ADMINISTER)
    async def save_genre(self, door: Writing, input: SaveGenreInput) -> GenrePayload:
        """Make a genre, or change its names; later releases leave it as you save it. There are at most 63."""
        row = await games.save_genre(
            door.session,
            door.viewer,
            genre_id=_read_optional(Kind.GENRE, input.genre_id),
            slug=input.slug,
            name_en=input.name_en,
            name_ru=input.name_ru,
        )
        return GenrePayload(genre=Genre.of(row))


def _read_optional(kind: Kind, given: strawberry.Some[strawberry.ID | None] | None) -> uuid.UUID | None:
    return ids.read(kind, given.value) if given and given.value is not None else None
