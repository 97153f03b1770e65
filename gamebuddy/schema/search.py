"""The search for teammates, ranked and explained."""

import base64
import functools
import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import strawberry

from gamebuddy import db
from gamebuddy.auth.policy import Right
from gamebuddy.resolvers import search
from gamebuddy.resolvers.matching import FULL, RANKING, Fit, Reason, Signal, Weights
from gamebuddy.resolvers.search import Cause, Filter, Ground, Hint, Place
from gamebuddy.schema import ids, reasons
from gamebuddy.schema.context import Context, Info
from gamebuddy.schema.describe import describe_enum, field
from gamebuddy.schema.fields import Reading, query
from gamebuddy.schema.games import Game, Locale, is_russian
from gamebuddy.schema.ids import Kind
from gamebuddy.schema.paging import PageInfo, page_size
from gamebuddy.schema.players import User
from gamebuddy.schema.reasons import Games
from gamebuddy.schema.scalars import Cursor, LanguageTag

BEST_SCORE = FULL * FULL
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
PLACES = 2  # what `write_place` writes: cursors of before are refused, not misread

describe_enum(
    Signal,
    "What two players are compared by. Where one side has not told a fact, the signal has a middling value.",
    name="MatchSignal",
    GAMES="How many of the viewer's games they share; rare games count more.",
    RATING="How close their ratings are in the shared game that speaks most for the player.",
    ROLES="Whether their roles in that game complement each other.",
    GENRES="How many genres both like; three are enough.",
    SCHEDULE="How many hours of the week they have in common; twelve are enough.",
    LANGUAGE="Whether they speak the viewer's first language, or another one.",
    REGION="How far apart their servers are.",
    PLATFORM="Whether they have a platform in common. Counts only when a query weighs it.",
    PLAY_STYLE="How serious both are.",
    VOICE_CHAT="Whether their wishes for voice chat go together.",
    AGE="How close their age bands are.",
    REPUTATION="What those who have played with the player say.",
    ACTIVITY="How long ago the last visit was; halves every week.",
)


@strawberry.input(
    description="Hard limits. An absent field limits nothing, and neither do null and an empty list; a list lets "
    "through whoever has any of its items, and has at most 100. Who has not told a fact fails a limit on it."
)
class TeammateFilter:
    """See the description."""

    game_ids: list[strawberry.ID] | None = strawberry.field(
        description="Plays any of these games; absent: any of the viewer's own, if he has any.", default=None
    )
    genre_ids: list[strawberry.ID] | None = strawberry.field(description="Likes any of these genres.", default=None)
    role_ids: list[strawberry.ID] | None = strawberry.field(
        description="Plays any of these roles, in the same game that the other limits on games are about.",
        default=None,
    )
    regions: list[db.Region] | None = strawberry.field(description="Plays in any of these regions.", default=None)
    platforms: list[db.Platform] | None = strawberry.field(description="Plays on any of these platforms.", default=None)
    languages: list[LanguageTag] | None = strawberry.field(
        description="Speaks any of these languages; `en-US` and `en-GB` are one.", default=None
    )
    min_rating: int | None = strawberry.field(
        description="Has at least this rating in one of the games, 0 to 3000.", default=None
    )
    max_rating: int | None = strawberry.field(
        description="Has at most this rating in one of the games, 0 to 3000.", default=None
    )
    play_styles: list[db.PlayStyle] | None = strawberry.field(description="Has any of these play styles.", default=None)
    voice_chats: list[db.VoiceChat] | None = strawberry.field(
        description="Has any of these wishes for voice chat.", default=None
    )
    age_bands: list[db.AgeBand] | None = strawberry.field(
        description="Is of any of these ages. Minors and adults are never listed to each other.", default=None
    )
    min_reputation: float | None = strawberry.field(description="Has at least this reputation, 0 to 1.", default=None)
    min_overlap_hours: int | None = strawberry.field(
        description="Has at least this many hours of the week in common with the viewer.", default=None
    )
    active_within_days: int | None = strawberry.field(
        description="Was here within this many days. Nobody is listed after 60.", default=None
    )
    is_online: bool | None = strawberry.field(
        description="True: is here at this moment and lets everyone know it. False limits nothing.", default=None
    )

    def read(self) -> Filter:
        """Read the ids, in the terms of the domain."""
        given: dict[str, Any] = {name: value for name, value in vars(self).items() if value is not None}
        for name, kind in (("game_ids", Kind.GAME), ("genre_ids", Kind.GENRE), ("role_ids", Kind.GAME_ROLE)):
            if name in given:
                given[name] = [ids.read(kind, value) for value in given[name]]
        lists: dict[str, Any] = {name: tuple(value) for name, value in given.items() if isinstance(value, list)}
        return Filter(**given | lists)


@strawberry.input(
    description="How much each signal counts, 0 to 10, 1 being its usual weight. Absent and null: 1. All of them are "
    "brought back to a sum of 1, so only their proportions matter; at least one is above 0."
)
class MatchWeights:
    """See the description."""

    games: float | None = strawberry.field(description="Weight of GAMES.", default=None)
    rating: float | None = strawberry.field(description="Weight of RATING.", default=None)
    roles: float | None = strawberry.field(description="Weight of ROLES.", default=None)
    genres: float | None = strawberry.field(description="Weight of GENRES.", default=None)
    schedule: float | None = strawberry.field(description="Weight of SCHEDULE.", default=None)
    language: float | None = strawberry.field(description="Weight of LANGUAGE.", default=None)
    region: float | None = strawberry.field(description="Weight of REGION.", default=None)
    platform: float | None = strawberry.field(
        description="Weight of PLATFORM, which counts nothing when absent: games without cross-play ask for a common "
        "platform anyway. 1 weighs as much as REPUTATION usually does.",
        default=None,
    )
    play_style: float | None = strawberry.field(description="Weight of PLAY_STYLE.", default=None)
    voice_chat: float | None = strawberry.field(description="Weight of VOICE_CHAT.", default=None)
    age: float | None = strawberry.field(description="Weight of AGE.", default=None)
    reputation: float | None = strawberry.field(description="Weight of REPUTATION.", default=None)
    activity: float | None = strawberry.field(description="Weight of ACTIVITY.", default=None)

    def read(self) -> Weights:
        """Bring the weights to their sum."""
        return Weights.of({Signal[name.upper()]: value for name, value in vars(self).items() if value is not None})


@strawberry.type(description="What one signal adds to a score. Seen by the viewer of the match.")
class MatchReason:
    """See the description."""

    signal: Signal = strawberry.field(description="What was compared.")
    contribution: float = strawberry.field(description="Share of the score, `value` times `weight`, largest first.")
    value: float = strawberry.field(description="How good this signal is by itself, 0 to 1.")
    weight: float = strawberry.field(description="How much it counts, 0 to 1; the weights of a match sum to 1.")
    fit: strawberry.Private[Fit]
    games: strawberry.Private[Games]

    @classmethod
    def of(cls, fit: Fit, reason: Reason, games: Games) -> "MatchReason":
        """Show a reason."""
        return cls(
            signal=reason.signal,
            contribution=reason.contribution / BEST_SCORE,
            value=reason.value / FULL,
            weight=reason.weight / FULL,
            fit=fit,
            games=games,
        )

    @field
    def text(self, info: Info, locale: Locale = None) -> str:
        """Say in one short line what was found, in Russian or English."""
        return reasons.say(self.fit, self.signal, self.games, in_russian=is_russian(info, locale))


@strawberry.type(
    description="How well two players fit, as the viewer sees it. The contributions of the reasons add up to `score`."
)
class Match:
    """See the description."""

    score: float = strawberry.field(description="0 to 1, best first.")
    reasons: list[MatchReason] = strawberry.field(
        description="What each signal adds, the largest first; signals without weight are left out."
    )
    overlap_hours: int = strawberry.field(
        description="Hours of the week that both play in; 0 where a side has told none."
    )
    ranking_version: str = strawberry.field(description="Which model of the score this is.")
    fit: strawberry.Private[Fit]
    games: strawberry.Private[Games]

    @classmethod
    def of(cls, fit: Fit, games: Games) -> "Match":
        """Show how well somebody fits; `games` are those that the player plays."""
        return cls(
            score=fit.score / BEST_SCORE,
            reasons=[MatchReason.of(fit, reason, games) for reason in fit.reasons],
            overlap_hours=fit.overlap_hours or 0,
            ranking_version=RANKING.version,
            fit=fit,
            games=games,
        )

    @field
    def shared_games(self) -> list[Game]:
        """Games that both play and can play together, in the viewer's order."""
        return [Game.of(self.games[game_id]) for game_id in self.fit.shared_game_ids if game_id in self.games]


async def games_of(context: Context, fit: Fit) -> Games:
    """Load what a player plays, by the ids of the games: texts are then made without waiting."""
    played = await context.loaders.player_games.load(fit.candidate.account_id)
    return {row.id: row for row in played or ()}


@strawberry.type(description="A player who fits, and how well.")
class TeammateEdge:
    """See the description."""

    node: User = strawberry.field(description="The player.")
    match: Match = strawberry.field(description="How well the two fit.")
    write: strawberry.Private[Callable[[], Cursor]]

    @field
    def cursor(self) -> Cursor:
        """The place, good for a day and until the viewer's profile changes. It grows by about 9 characters a player."""
        return self.write()


describe_enum(
    Cause,
    "Where a limit on a list comes from.",
    name="SearchHintCause",
    FILTER="The filter of the search.",
    PROFILE="The viewer's own profile: games, languages and platforms that others do not share.",
    MISSING="Something the viewer has not told: common hours are counted from one's own, with a time zone.",
)


@strawberry.type(description="What keeps players out of a short list. Seen by the one who searches.")
class SearchHint:
    """See the description."""

    cause: Cause = strawberry.field(description="Where the limit comes from.")
    signals: list[Signal] = strawberry.field(
        description="What is limited. Several only where none of them alone makes a difference."
    )
    player_count: int = strawberry.field(
        description="How many more players there would be without it, 1 to 100; 100 stands for 100 and more."
    )
    hint: strawberry.Private[Hint]

    @classmethod
    def of(cls, hint: Hint) -> "SearchHint":
        """Show a hint."""
        return cls(cause=hint.cause, signals=list(hint.signals), player_count=hint.player_count, hint=hint)

    @field
    def text(self, info: Info, locale: Locale = None) -> str:
        """Say it in one short line, in Russian or English."""
        return reasons.say_hint(self.hint, in_russian=is_russian(info, locale))


@strawberry.type(description="A page of players who fit, the best first.")
class TeammateConnection:
    """See the description."""

    edges: list[TeammateEdge] = strawberry.field(description="Players with their places and matches.")
    nodes: list[User] = strawberry.field(description="The players alone.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")
    relaxations: list[Signal] = strawberry.field(
        description="What was loosened because `widen` was true and the list was short, in that order."
    )
    look_for_hints: strawberry.Private[Callable[[], Awaitable[list[Hint]]]]

    @field
    async def hints(self) -> list[SearchHint]:
        """What keeps players out of a list that is shorter than asked for, most of them first.

        Empty for a full page, for pages after the first, and where nothing would help. Made only when it is asked for.
        """
        return [SearchHint.of(hint) for hint in await self.look_for_hints()]


def write_place(place: Place) -> list[Any]:
    """Write a place for a cursor."""
    ground = place.ground
    return [
        base64.b85encode(place.seen).decode(),
        place.score,
        (ground.started_at - EPOCH) // MICROSECOND,
        ground.viewer_digest,
        list(ground.breadths),
        list(ground.relaxations),
        ground.best,
    ]


def read_place(keys: list[Any]) -> Place:
    """Read what `write_place` wrote."""
    seen, score, started_at, digest, breadths, relaxations, best = keys
    ground = Ground(
        started_at=EPOCH + started_at * MICROSECOND,
        viewer_digest=digest,
        breadths=tuple(breadths),
        relaxations=tuple(map(Signal, relaxations)),
        best=best,
    )
    return Place(ground, base64.b85decode(seen), score)


@strawberry.type
class SearchQueries:
    """Root fields that compare players."""

    @query(Right.SEARCH_TEAMMATES)
    async def teammates(
        self,
        door: Reading,
        filter: Annotated[TeammateFilter | None, strawberry.argument(description="Hard limits.")] = None,
        weights: Annotated[
            MatchWeights | None, strawberry.argument(description="How much each signal counts; absent: the usual.")
        ] = None,
        widen: Annotated[
            bool | None,
            strawberry.argument(
                description="Whether limits of the filter are given up, one signal after the other, until a page is "
                "full: ACTIVITY, REPUTATION, AGE, GENRES, VOICE_CHAT, PLAY_STYLE, ROLES, RATING, SCHEDULE, REGION, "
                "PLATFORM, LANGUAGE, GAMES."
            ),
        ] = False,
        first: Annotated[int | None, strawberry.argument(description="How many, 1 to 50.")] = 20,
        after: Annotated[
            Cursor | None, strawberry.argument(description="Continue behind this place; not for guests.")
        ] = None,
    ) -> TeammateConnection:
        """Players who fit the viewer, the best first, with the reasons.

        Lists those who are looking, were here within 60 days and share a game with the viewer that both can play;
        a viewer without games finds everybody else. Never listed: oneself, guests, teammates, whoever either side has
        blocked, whoever declined the other's request within 14 days, minors to adults and adults to minors (who has
        told no birth date counts as an adult), and whoever shares no language where both have told theirs. A list ends
        after 5,000 players.
        """
        wanted = filter.read() if filter else Filter()
        weighed = weights.read() if weights else Weights.of()
        digest = hashlib.blake2b(f"{wanted} {weighed} {bool(widen)}".encode(), digest_size=16).hexdigest()
        size = page_size(first)
        scope, cursors = f"search:{PLACES}:{door.viewer.account_id}:{digest}", door.services.cursors
        page = await search.find_teammates(
            door.session,
            door.viewer,
            filter=wanted,
            weights=weighed,
            widen=bool(widen),
            limit=size,
            after=read_place(cursors.read(scope, after)) if after else None,
        )
        loaders = door.context.loaders
        loaders.profiles.prime(page.people)
        loaders.player_games.prime({key: page.games.get(key) for key in page.people})
        games = {row.id: row for played in page.games.values() for row in played}

        def cursor(item: int) -> Cursor:
            return cursors.write(scope, *write_place(page.place_of(item)))

        async def look_for_hints() -> list[Hint]:
            if page.has_previous or page.has_next or len(page.items) >= size:
                return []
            kept = wanted.without(page.ground.relaxations)
            return await search.find_hints(
                door.session, door.viewer, filter=kept, weights=weighed, listed=len(page.items)
            )

        edges = [
            TeammateEdge(node=User.of(row), match=Match.of(fit, games), write=functools.partial(cursor, item))
            for item, (fit, row) in enumerate(zip(page.items, page.people.values(), strict=True))
        ]
        return TeammateConnection(
            edges=edges,
            nodes=[edge.node for edge in edges],
            page_info=PageInfo.over(
                [edge.write() for edge in (edges[0], edges[-1])] if edges else [],
                has_next=page.has_next,
                has_previous=page.has_previous,
            ),
            relaxations=list(page.ground.relaxations),
            look_for_hints=look_for_hints,
        )

    @query(Right.SEARCH_TEAMMATES)
    async def match(
        self,
        door: Reading,
        user_id: Annotated[strawberry.ID, strawberry.argument(description="Whom to compare the viewer with.")],
        weights: Annotated[
            MatchWeights | None, strawberry.argument(description="How much each signal counts; absent: the usual.")
        ] = None,
    ) -> Match | None:
        """How well one player fits the viewer, also when the search does not list him.

        Null for oneself, for whoever the viewer cannot see or has blocked, and between minors and adults.
        """
        fit = await search.match(
            door.session,
            door.viewer,
            user_id=ids.read(Kind.USER, user_id),
            weights=weights.read() if weights else Weights.of(),
        )
        return Match.of(fit, await games_of(door.context, fit)) if fit else None
