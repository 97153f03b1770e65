"""Whom a search leaves out: the viewer's own hard limits, and those that hold for everybody."""

import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal

from sqlalchemy import ColumnElement, and_, case, exists, false, func, literal, or_, select, union_all

from gamebuddy import db
from gamebuddy.auth.viewer import Viewer
from gamebuddy.errors import BadInput
from gamebuddy.resolvers import teammates
from gamebuddy.resolvers.matching import FURTHEST, Player, Question, Signal, tables
from gamebuddy.resolvers.search import scoring

MOST_ITEMS = 100  # of one list in a filter
HIGHEST_RATING = 3000
DECLINED_FOR = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Hard limits of one search; empty and None limit nothing. Whoever has not told a fact fails a limit on it."""

    game_ids: tuple[uuid.UUID, ...] = ()
    genre_ids: tuple[uuid.UUID, ...] = ()
    role_ids: tuple[uuid.UUID, ...] = ()
    regions: tuple[db.Region, ...] = ()
    platforms: tuple[db.Platform, ...] = ()
    languages: tuple[str, ...] = ()
    min_rating: int | None = None
    max_rating: int | None = None
    play_styles: tuple[db.PlayStyle, ...] = ()
    voice_chats: tuple[db.VoiceChat, ...] = ()
    age_bands: tuple[db.AgeBand, ...] = ()
    min_reputation: float | None = None
    min_overlap_hours: int | None = None
    active_within_days: int | None = None

    def check(self) -> None:
        """Let through what can be meant.

        Raises:
            BadInput: for over 100 items in a list, a reputation outside 0 to 1, or negative hours or days.
        """
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, tuple) and len(value) > MOST_ITEMS:
                raise BadInput(f"A list in `filter` has at most {MOST_ITEMS} items.")
        if self.min_reputation is not None and not 0 <= self.min_reputation <= 1:
            raise BadInput("`minReputation` is 0 to 1.")
        if (self.min_overlap_hours or 0) < 0 or (self.active_within_days or 0) < 0:
            raise BadInput("`minOverlapHours` and `activeWithinDays` are not negative.")

    def without(self, signals: Collection[Signal]) -> "Filter":
        """Take away the limits on these signals."""
        nothing = Filter()
        names = [name for signal in signals for name in LOOSENED[signal]]
        return replace(self, **{name: getattr(nothing, name) for name in names})

    def limited(self) -> Iterator[Signal]:
        """Give the signals that are limited, in the order in which they are loosened."""
        nothing = Filter()
        for signal, names in LOOSENED.items():
            if any(getattr(self, name) != getattr(nothing, name) for name in names):
                yield signal


# What gives way first when a list is short: what matters least for playing together, and games last.
LOOSENED: Mapping[Signal, tuple[str, ...]] = {
    Signal.ACTIVITY: ("active_within_days",),
    Signal.REPUTATION: ("min_reputation",),
    Signal.AGE: ("age_bands",),
    Signal.GENRES: ("genre_ids",),
    Signal.VOICE_CHAT: ("voice_chats",),
    Signal.PLAY_STYLE: ("play_styles",),
    Signal.ROLES: ("role_ids",),
    Signal.RATING: ("min_rating", "max_rating"),
    Signal.SCHEDULE: ("min_overlap_hours",),
    Signal.REGION: ("regions",),
    Signal.PLATFORM: ("platforms",),
    Signal.LANGUAGE: ("languages",),
    Signal.GAMES: ("game_ids",),
}


def may_be_listed(viewer: Viewer, question: Question) -> ColumnElement[bool]:
    """Tell of account and profile in the statement whether this viewer's searches list them at all.

    Looking, seen within 60 days, somebody else, active and verified, no block either way, of the same side of 18, with
    a common language where both have told theirs, no teammate yet, and nothing declined between them for 14 days.
    """
    me = question.viewer
    return and_(
        db.Profile.is_looking_for_teammates,
        db.Profile.active_on >= question.as_of - timedelta(days=FURTHEST),
        db.Profile.account_id != viewer.account_id,
        teammates.is_within_reach(viewer),
        _is_of_same_side_of_age(question),
        _has_common_language(me),
        ~teammates.is_teammate_of(viewer),
        db.Profile.account_id.not_in(_declined(viewer)),
    )


def passes(question: Question, filter: Filter) -> list[ColumnElement[bool]]:
    """Give the conditions on the profile in the statement. Games, ratings and roles are limited by the terms."""
    return [*_listed_facts(question, filter), *_measured_facts(question, filter)]


def _listed_facts(question: Question, filter: Filter) -> Iterator[ColumnElement[bool]]:
    profile = db.Profile
    if filter.genre_ids:
        yield profile.genre_ids.overlap(filter.genre_ids)
    if filter.regions:
        yield profile.region.in_(filter.regions)
    if filter.platforms:
        yield profile.platforms.overlap(filter.platforms)
    if filter.languages:
        yield profile.languages.overlap(filter.languages)
    if filter.play_styles:
        yield profile.play_style.in_(filter.play_styles)
    if filter.voice_chats:
        yield profile.voice_chat.in_(filter.voice_chats)
    if filter.age_bands:
        yield _is_of_age(question, filter.age_bands)


def _measured_facts(question: Question, filter: Filter) -> Iterator[ColumnElement[bool]]:
    profile = db.Profile
    if filter.min_reputation is not None:
        # Through the decimal digits: 0.57 x 1000 as a float is a little less than 570.
        least = int((Decimal(str(filter.min_reputation)) * 1000).to_integral_value(ROUND_CEILING))
        yield profile.reputation >= least
    if filter.min_overlap_hours:
        hours = scoring.overlap_hours(question)
        yield hours >= filter.min_overlap_hours if hours is not None else false()
    if filter.active_within_days is not None:
        yield profile.active_on >= question.as_of - timedelta(days=min(FURTHEST, filter.active_within_days))
    if not question.terms and (filter.min_rating is not None or filter.max_rating is not None):
        yield exists().where(
            db.PlayerGame.account_id == profile.account_id,
            db.PlayerGame.rating.between(question.least_rating, question.most_rating),
        )


def _is_of_same_side_of_age(question: Question) -> ColumnElement[bool]:
    """Minors meet minors and adults adults; who has told no birth date counts as an adult, as in teammates.py."""
    born, adult_since = db.Profile.birth_date, question.band_starts[0]
    if tables.is_minor(question.viewer.birth_date, question.band_starts):
        return born > adult_since
    return or_(born.is_(None), born <= adult_since)


def _has_common_language(me: Player) -> ColumnElement[bool]:
    if not me.languages:
        return literal(True)
    languages = db.Profile.languages
    return or_(func.cardinality(languages) == 0, languages.overlap(me.languages))


def _is_of_age(question: Question, bands: Collection[db.AgeBand]) -> ColumnElement[bool]:
    born = db.Profile.birth_date
    is_in = [(born > start, band in bands) for band, start in zip(db.AgeBand, question.band_starts, strict=False)]
    return and_(born.is_not(None), case(*is_in, else_=db.AgeBand.FROM_35 in bands))


def _declined(viewer: Viewer) -> ColumnElement[uuid.UUID]:
    asked = db.TeammateRequest
    lately = and_(asked.status == db.RequestStatus.DECLINED, asked.answered_at > func.now() - DECLINED_FOR)
    return union_all(  # type: ignore[return-value]
        select(asked.receiver_id).where(lately, asked.sender_id == viewer.account_id),
        select(asked.sender_id).where(lately, asked.receiver_id == viewer.account_id),
    )
