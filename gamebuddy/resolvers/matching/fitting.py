"""Scores one candidate at a time: the reference that the SQL of resolvers/search agrees with."""

from collections.abc import Callable, Iterable
from datetime import date
from enum import StrEnum
from operator import attrgetter

from gamebuddy.db import AgeBand, PlayStyle, Region, VoiceChat
from gamebuddy.resolvers.matching import tables
from gamebuddy.resolvers.matching.facts import Comparison, Fit, Played, Player, Question, Reason, Term
from gamebuddy.resolvers.matching.tables import FULL, NEUTRAL, Roles, Signal
from gamebuddy.resolvers.matching.weights import Weights

_contribution = attrgetter("contribution")


def compile_question(
    viewer: Player,
    weights: Weights,
    as_of: date,
    terms: Iterable[Term],
    *,
    least_rating: int = 0,
    most_rating: int = 3000,
) -> Question:
    """Make the tables of a search."""
    own_genres = viewer.genre_bits.bit_count()
    enough = min(tables.ENOUGH_GENRES, max(1, own_genres))
    band = tables.age_band(viewer.birth_date, tables.band_starts(as_of))
    return Question(
        viewer=viewer,
        weights=weights,
        as_of=as_of,
        terms=tuple(terms),
        least_rating=least_rating,
        most_rating=most_rating,
        band_starts=tables.band_starts(as_of),
        regions=_table(viewer.region, Region, Signal.REGION, tables.region_value),
        styles=_table(viewer.play_style, PlayStyle, Signal.PLAY_STYLE, tables.style_value),
        voices=_table(viewer.voice_chat, VoiceChat, Signal.VOICE_CHAT, tables.voice_value),
        bands=_table(band, AgeBand, Signal.AGE, tables.band_value),
        genres=tuple(min(FULL, FULL * shared // enough) for shared in range(own_genres + 1)),
    )


def fit(question: Question, candidate: Player) -> Fit:
    """Score one candidate, listed or not."""
    common = _in_common(question, candidate)
    comparison = _best(question, common)
    shared = [term for term, _ in common if term.is_own]
    hours = overlap_hours(question.viewer, candidate)
    genres = shared_genres(question.viewer, candidate)
    values = {
        Signal.GAMES: sum(term.breadth for term in shared) if question.viewer.games else NEUTRAL[Signal.GAMES],
        Signal.RATING: comparison.rating_value if comparison else _without_comparison(question, Signal.RATING),
        Signal.ROLES: comparison.roles_value if comparison else _without_comparison(question, Signal.ROLES),
        Signal.GENRES: NEUTRAL[Signal.GENRES] if genres is None else question.genres[genres],
        Signal.SCHEDULE: NEUTRAL[Signal.SCHEDULE] if hours is None else tables.SCHEDULE_BY_HOURS[hours],
        Signal.LANGUAGE: language_value(question.viewer, candidate),
        Signal.REGION: question.regions[candidate.region],
        Signal.PLATFORM: platform_value(question.viewer, candidate),
        Signal.PLAY_STYLE: question.styles[candidate.play_style],
        Signal.VOICE_CHAT: question.voices[candidate.voice_chat],
        Signal.AGE: question.bands[tables.age_band(candidate.birth_date, question.band_starts)],
        Signal.REPUTATION: tables.reputation_value(candidate.reputation),
        Signal.ACTIVITY: tables.activity_value(question.as_of, candidate.active_on),
    }
    weights = question.weights.by_signal
    reasons = [
        Reason(signal, value, weight, value * weight) for signal, value in values.items() if (weight := weights[signal])
    ]
    reasons.sort(key=_contribution, reverse=True)  # equal ones stay as they are
    return Fit(
        viewer=question.viewer,
        candidate=candidate,
        as_of=question.as_of,
        score=sum(map(_contribution, reasons)),
        reasons=tuple(reasons),
        shared_game_ids=tuple(term.game_id for term in shared),
        comparison=comparison,
        overlap_hours=hours,
        shared_genres=genres,
        language=next((tag for tag in question.viewer.languages if tag in candidate.languages), None),
    )


def compare(question: Question, candidate: Player) -> Comparison | None:
    """Find the wanted game that adds most to the score, the viewer's first one of equals.

    By game: importance x exp(-(max(0, distance - 50) / 350)² / 2), and importance x 1 for roles of which some are not
    the viewer's, 0.5 for the same ones. None when they share no wanted game.
    """
    return _best(question, _in_common(question, candidate))


def _best(question: Question, common: Iterable[tuple[Term, Played]]) -> Comparison | None:
    found = [_compared(term, game) for term, game in common if _suits(question, term, game)]
    rating, roles = question.weights[Signal.RATING], question.weights[Signal.ROLES]
    return max(found, key=lambda one: rating * one.rating_value + roles * one.roles_value, default=None)


def can_play_together(viewer: Player, candidate: Player) -> bool:
    """Tell whether they have a platform in common, as far as they have told."""
    return not viewer.platforms or not candidate.platforms or bool(viewer.platforms & candidate.platforms)


def overlap_hours(viewer: Player, candidate: Player) -> int | None:
    """Count the hours of a week in which both play; None where a side has told none."""
    if viewer.schedule is None or candidate.schedule is None:
        return None
    return (viewer.schedule & candidate.schedule).bit_count()


def shared_genres(viewer: Player, candidate: Player) -> int | None:
    """Count the genres that both like; None where a side has told none."""
    if not viewer.genre_bits or not candidate.genre_bits:
        return None
    return (viewer.genre_bits & candidate.genre_bits).bit_count()


def language_value(viewer: Player, candidate: Player) -> int:
    """Give 1000 when the candidate speaks the viewer's first language, 600 for another one, 0 for none."""
    if not viewer.languages or not candidate.languages:
        return NEUTRAL[Signal.LANGUAGE]
    if viewer.languages[0] in candidate.languages:
        return tables.FIRST_LANGUAGE
    return tables.NO_LANGUAGE if set(viewer.languages).isdisjoint(candidate.languages) else tables.OTHER_LANGUAGE


def platform_value(viewer: Player, candidate: Player) -> int:
    """Give 1000 for a platform in common, 0 for none."""
    if not viewer.platforms or not candidate.platforms:
        return NEUTRAL[Signal.PLATFORM]
    return FULL if viewer.platforms & candidate.platforms else 0


def _in_common(question: Question, candidate: Player) -> list[tuple[Term, Played]]:
    """Give the games of the search that the candidate plays, as far as the two can play them together."""
    played = {game.game_id: game for game in candidate.games}
    is_reached = can_play_together(question.viewer, candidate)
    return [
        (term, game)
        for term in question.terms
        if (term.is_cross_play or is_reached) and (game := played.get(term.game_id))
    ]


def _suits(question: Question, term: Term, game: Played) -> bool:
    return (
        term.is_wanted
        and question.least_rating <= game.rating <= question.most_rating
        and (not term.asked_roles or bool(term.asked_roles & game.role_bits))
    )


def _compared(term: Term, game: Played) -> Comparison:
    distance = abs(term.rating - game.rating)
    roles = _roles(term.role_bits, game.role_bits)
    return Comparison(
        game_id=term.game_id,
        distance=distance,
        roles=roles,
        rating_value=term.importance * tables.RATING_BY_DISTANCE[min(tables.RATING_REACH, distance)] // FULL,
        roles_value=term.importance * tables.ROLES_VALUES[roles] // FULL,
    )


def _roles(mine: int, theirs: int) -> Roles:
    if not mine or not theirs:
        return Roles.UNKNOWN
    return Roles.COMPLEMENT if theirs & ~mine else Roles.DUPLICATE


def _without_comparison(question: Question, signal: Signal) -> int:
    """Without a shared game nothing fits; without games of the viewer nobody can tell."""
    return 0 if question.terms else NEUTRAL[signal]


def _table[E: StrEnum](
    mine: E | None, kind: type[E], signal: Signal, value_of: Callable[[E, E], int]
) -> dict[E | None, int]:
    """Make the table of one enumeration for one viewer."""
    table: dict[E | None, int] = dict.fromkeys([None, *kind], NEUTRAL[signal])
    if mine is not None:
        table |= {other: value_of(mine, other) for other in kind}
    return table
