"""Finds players who fit, best first."""

import hashlib
import math
import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import batched
from typing import Any

from gamebuddy import db
from gamebuddy.auth import policy
from gamebuddy.auth.policy import Right
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import ReadSession
from gamebuddy.errors import BadInput
from gamebuddy.resolvers import matching, profiles, teammates
from gamebuddy.resolvers.matching import Fit, Played, Player, Question, Signal, Term, Weights, tables
from gamebuddy.resolvers.paging import Page
from gamebuddy.resolvers.search import asking
from gamebuddy.resolvers.search.filtering import HIGHEST_RATING, Filter
from gamebuddy.resolvers.search.loading import GameFacts, load_game_facts, load_searcher, player_of, players_by_ids

LONGEST_VISIT = timedelta(days=1)  # how long the pages of one search hold together
LEAST_FALL = 1_000  # how far below the last of one page the last of the next is expected at least
CARE = 3  # how many times as far as it is expected to fall
MOST_SHOWN = 5_000  # players of one list: a cursor has to fit into a message
FEW = 6_000  # players of the games in question; so many are scored faster than they are sorted out


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the first page of a search settles for those after it.

    `viewer_digest` is of the viewer's own facts, `breadths` are the shares of his games in thousandths, `best` is the
    score of the first on the list.
    """

    started_at: datetime
    viewer_digest: str
    breadths: tuple[int, ...]
    relaxations: tuple[Signal, ...] = ()
    best: int = 0

    @property
    def as_of(self) -> date:
        """The day that activity and age are counted from."""
        return self.started_at.date()


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the list: whom the viewer has seen up to there, and the ground that the scores stand on.

    `seen` holds the marks of all of them, one behind the other. `score` is that of the last one.
    """

    ground: Ground
    seen: bytes
    score: int

    def expected(self, count: int) -> int:
        """Guess the score that the next `count` players reach.

        Scores fall like the logarithm of the rank, so it goes on from here as it came here: `CARE` times as far, for
        to look twice costs more than to look a little deeper.
        """
        rank = max(2, len(self.seen) // asking.MARK_BYTES)
        fall = (self.ground.best - self.score) / math.log(rank) * math.log1p(count / rank)
        return self.score - max(LEAST_FALL, round(CARE * fall))


@dataclass(frozen=True, slots=True)
class Matches(Page[Fit]):
    """A page of players who fit, and the rows that were read for it; one of `people` reads like account and profile."""

    ground: Ground
    seen_before: bytes
    people: Mapping[uuid.UUID, Any]
    games: Mapping[uuid.UUID, list[profiles.PlayedGame]]

    def place_of(self, item: int) -> Place:
        """Give the place of one of the items, by its number on the page."""
        marks = [_mark(fit.candidate.account_id) for fit in self.items[: item + 1]]
        return Place(self.ground, self.seen_before + b"".join(marks), self.items[item].score)


async def find_teammates(
    session: ReadSession,
    viewer: Viewer,
    *,
    filter: Filter,
    weights: Weights,
    widen: bool,
    limit: int,
    after: Place | None,
) -> Matches:
    """Find players who fit, in the order of score and id.

    Who has games finds those who share one that both can play; who has none finds everybody else who is looking. With
    `widen`, limits of the filter are given up one after the other until a page is full. Pages after the first keep its
    day, weights and widened filter, and are the best of those who were not on the pages before: however scores move
    meanwhile, nobody comes twice and nobody is passed over. A list ends behind `MOST_SHOWN` players.

    Raises:
        Forbidden: for a guest who wants more than the first page.
        BadInput: when the filter cannot be meant, or the place is outdated: after a day, or when the viewer's own
            profile has changed.
    """
    if after is not None:
        policy.require(viewer, Right.SEARCH_FURTHER)
    filter.check()
    me, facts = await load_searcher(session, viewer.account_id, filter)
    ground = _checked_ground(after.ground, me) if after else new_ground(me, facts)
    left = () if after or not widen else tuple(filter.limited())
    seen = after.seen if after else b""
    for count in range(len(left) + 1):
        relaxations = after.ground.relaxations if after else left[:count]
        kept = filter.without(relaxations)
        question = question_of(me, weights, ground, facts, kept)
        found = await list_unseen(session, viewer, question, facts, kept, limit=limit + 1, after=after, with_rows=True)
        if len(found) >= limit:
            break
    people = {row.account_id: row for row in found[:limit]}
    games = await profiles.games_by_ids(session, viewer, people)
    if after is None:
        ground = replace(ground, relaxations=relaxations, best=found[0].score if found else 0)
    return Matches(
        [matching.fit(question, player_of(row, games.get(key, ()))) for key, row in people.items()],
        has_next=len(found) > limit and len(seen) // asking.MARK_BYTES + limit < MOST_SHOWN,
        has_previous=after is not None,
        ground=ground,
        seen_before=seen,
        people=people,
        games=games,
    )


async def match(session: ReadSession, viewer: Viewer, *, user_id: uuid.UUID, weights: Weights) -> Fit | None:
    """Tell how well one player fits, listed or not; None for oneself and for whoever the viewer cannot meet."""
    if user_id == viewer.account_id or not await teammates.can_meet(session, viewer, user_id):
        return None
    me, facts = await load_searcher(session, viewer.account_id, Filter())
    candidate = (await players_by_ids(session, [user_id]))[user_id]
    return matching.fit(question_of(me, weights, new_ground(me, facts), facts, Filter()), candidate)


async def list_unseen(
    session: ReadSession,
    viewer: Viewer,
    question: Question,
    facts: GameFacts,
    filter: Filter,
    *,
    limit: int,
    after: Place | None,
    with_rows: bool = False,
) -> asking.Found:
    """Give the best whom this viewer's search may list and who were not on the pages up to a place."""
    marks = [bytes(mark) for mark in batched(after.seen, asking.MARK_BYTES)] if after else ()
    hint = after.expected(limit) if after else None
    return await list_candidates(
        session, viewer, question, facts, filter, limit=limit, seen=marks, hint=hint, with_rows=with_rows
    )


async def list_candidates(
    session: ReadSession,
    viewer: Viewer,
    question: Question,
    facts: GameFacts,
    filter: Filter,
    *,
    limit: int,
    seen: Collection[bytes] = (),
    hint: int | None = None,
    with_rows: bool = False,
) -> asking.Found:
    """Give the best whom this search may list, without those of the `seen` marks; rows as `asking.best` gives them."""
    if not question.terms and _needs_game(question, filter):  # games that nobody can play: nobody shares one
        return ()
    if filter.is_online and viewer.role is db.Role.GUEST:  # nobody lets a guest know
        return ()
    wanted = [term.game_id for term in question.terms if term.is_wanted]
    return await asking.best(
        session,
        viewer,
        question,
        filter,
        facts.numbers,
        limit=limit,
        seen=seen,
        hint=hint,
        are_few=bool(wanted) and sum(facts.player_counts[game_id] for game_id in wanted) < FEW,
        with_rows=with_rows,
    )


async def count_listed(
    session: ReadSession, viewer: Viewer, me: Player, filter: Filter, weights: Weights, *, most: int
) -> int:
    """Count whom a search of the viewer would list if he were as `me` says, up to `most`."""
    facts = await load_game_facts(session, me, filter)
    question = question_of(me, weights, new_ground(me, facts), facts, filter)
    return len(await list_candidates(session, viewer, question, facts, filter, limit=most))


def question_of(me: Player, weights: Weights, ground: Ground, facts: GameFacts, filter: Filter) -> Question:
    """Compile what a search asks: of the viewer, on the ground of its first page."""
    return matching.compile_question(
        me,
        weights,
        ground.as_of,
        _terms(me, ground, facts, filter),
        # One beyond the scale is enough to let nobody through, and fits the column.
        least_rating=0 if filter.min_rating is None else min(max(0, filter.min_rating), HIGHEST_RATING + 1),
        most_rating=HIGHEST_RATING if filter.max_rating is None else max(min(HIGHEST_RATING, filter.max_rating), -1),
    )


def _terms(me: Player, ground: Ground, facts: GameFacts, filter: Filter) -> Iterator[Term]:
    """Make the terms: the viewer's games in his order, then those that only the filter names.

    In a game that the viewer does not play his rating is 1500 and his roles are unknown.
    """
    own = {played.game_id: played for played in me.games}
    breadths = dict(zip(own, ground.breadths, strict=True))
    wanted = _wanted_games(own, facts, filter)
    for game_id in dict.fromkeys([*own, *sorted(wanted)]):
        played = own.get(game_id) or Played(game_id=game_id)
        yield Term(
            game_id=game_id,
            rating=played.rating,
            role_bits=played.role_bits,
            importance=tables.IMPORTANCE_OF_MAIN if played.is_favorite else tables.IMPORTANCE_OF_OTHER,
            breadth=breadths.get(game_id, 0),
            is_cross_play=game_id in facts.cross_play,
            is_own=game_id in own,
            is_wanted=game_id in wanted,
            asked_roles=facts.asked_roles.get(game_id, 0) if filter.role_ids else 0,
        )


def _wanted_games(own: Collection[uuid.UUID], facts: GameFacts, filter: Filter) -> set[uuid.UUID]:
    """Give the games that are asked for: the filter's, else those of its roles, else the viewer's own.

    Where the filter's games have been given up, they stay beside the viewer's own: a widened list loses nobody.
    """
    known, of_roles = facts.player_counts.keys(), facts.asked_roles.keys()
    if filter.game_ids:
        named = known & set(filter.game_ids)
        return named & of_roles if filter.role_ids else named
    if filter.role_ids:
        return set(of_roles)
    return set(known) if own else set()


def _needs_game(question: Question, filter: Filter) -> bool:
    return bool(question.viewer.games or filter.game_ids or filter.role_ids)


def new_ground(me: Player, facts: GameFacts) -> Ground:
    """Settle what a search that begins now stands on."""
    counts = [facts.player_counts[played.game_id] for played in me.games]
    return Ground(
        started_at=datetime.now(UTC),
        viewer_digest=_digest(me),
        breadths=tuple(matching.breadths(counts, facts.most)),
    )


def _checked_ground(ground: Ground, me: Player) -> Ground:
    if datetime.now(UTC) - ground.started_at > LONGEST_VISIT:
        raise BadInput("This cursor is outdated: begin with the first page.")
    if ground.viewer_digest != _digest(me):
        raise BadInput("Your profile has changed: begin with the first page.")
    return ground


def _mark(account_id: uuid.UUID) -> bytes:
    return account_id.bytes[-asking.MARK_BYTES :]


def _digest(me: Player) -> str:
    """Make a short digest of what the scores depend on; activity and reputation of the viewer are not part of it."""
    facts = me._replace(active_on=date.min, reputation=None, platforms=frozenset())
    text = f"{matching.RANKING.version} {facts} {sorted(me.platforms)}"
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
