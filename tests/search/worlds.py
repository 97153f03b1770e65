"""Small worlds of players as plain facts, and the search over them as its rules read, one player after the other."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import BitString

from gamebuddy import db
from gamebuddy.auth.viewer import Viewer
from gamebuddy.resolvers.matching import Signal
from gamebuddy.resolvers.search import Filter

RELATIONS = (
    *["stranger"] * 8,
    "blocked",
    "blocker",
    "teammate",
    "declined the viewer",
    "declined by the viewer",
    "declined long ago",
    "asked",
)
NEVER_LISTED = {"blocked", "blocker", "teammate", "declined the viewer", "declined by the viewer"}


@dataclass(frozen=True)
class Catalogue:
    """A few games of the real catalogue, with and without cross-play, and a few genres."""

    games: Sequence[db.Game]
    genres: Sequence[db.Genre]
    roles: Sequence[db.GameRole]


@dataclass(frozen=True)
class Plays:
    """A game by its number in the catalogue."""

    game: int
    rating: int
    role_bits: int
    is_favorite: bool


@dataclass(frozen=True)
class Person:
    """Everything a search may look at."""

    role: db.Role
    status: db.AccountStatus
    is_verified: bool
    is_looking: bool
    days_away: int
    age_in_days: int | None
    region: db.Region | None
    languages: tuple[str, ...]
    platforms: tuple[db.Platform, ...]
    genres: tuple[int, ...]
    play_style: db.PlayStyle | None
    voice_chat: db.VoiceChat | None
    hours: frozenset[int] | None
    reputation: int | None
    games: tuple[Plays, ...]
    relation: str
    shows_presence: db.Audience | None  # None: he is not here


def some[T](items: Sequence[T], *, most: int | None = None) -> st.SearchStrategy[tuple[T, ...]]:
    """Choose some of the items, in any order."""
    return st.lists(st.sampled_from(items), unique=True, max_size=most).map(tuple)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Leave a fact untold now and then."""
    return st.one_of(strategy, strategy, strategy, st.none())


GAMES = 4
YEAR = 365.2425
# Around the birthdays that part the age bands, and elsewhere.
AGES = st.one_of(
    st.integers(int(13 * YEAR), int(60 * YEAR)),
    st.builds(lambda years, days: round(years * YEAR) + days, st.sampled_from([18, 25, 35]), st.integers(-2, 2)),
)
PLAYS = st.builds(
    Plays,
    game=st.integers(0, GAMES - 1),
    rating=st.integers(0, 3000) | st.integers(1400, 1600),
    role_bits=st.integers(0, 7),
    is_favorite=st.booleans(),
)
PEOPLE = st.builds(
    Person,
    role=st.sampled_from([*[db.Role.USER] * 8, db.Role.GUEST, db.Role.ADMIN]),
    status=st.sampled_from([*[db.AccountStatus.ACTIVE] * 8, db.AccountStatus.BANNED, db.AccountStatus.DELETED]),
    is_verified=st.sampled_from([True] * 8 + [False]),
    is_looking=st.sampled_from([True] * 8 + [False]),
    days_away=st.integers(0, 14) | st.integers(0, 63),
    age_in_days=maybe(AGES),
    region=maybe(st.sampled_from(db.Region)),
    languages=some(["ru", "en", "en-US", "pt", "pt-BR"], most=3),
    platforms=some(list(db.Platform)[:3]),
    genres=some(range(5)),
    play_style=maybe(st.sampled_from(db.PlayStyle)),
    voice_chat=maybe(st.sampled_from(db.VoiceChat)),
    hours=maybe(st.frozensets(st.integers(0, 23), min_size=1)),
    reputation=maybe(st.integers(0, 1000)),
    games=st.lists(PLAYS, max_size=GAMES, unique_by=lambda plays: plays.game).map(tuple),
    relation=st.sampled_from(RELATIONS),
    shows_presence=st.sampled_from([None, *[db.Audience.EVERYONE] * 3, db.Audience.TEAMMATES, db.Audience.NOBODY]),
)
WEIGHTS = st.dictionaries(
    st.sampled_from(Signal), st.sampled_from([0.0, 0.001, 0.5, 1.0, 3.7, 10.0]) | st.floats(0, 10), max_size=6
)


@st.composite
def filters(draw: st.DrawFn, catalogue: Catalogue) -> Filter:
    """Choose limits, few at a time, or nobody would ever be left."""
    limits: dict[str, st.SearchStrategy[Any]] = {
        "game_ids": some([game.id for game in catalogue.games] + [uuid.UUID(int=7)]),
        "genre_ids": some([genre.id for genre in catalogue.genres]),
        "role_ids": some([role.id for role in catalogue.roles], most=4),
        "regions": some(list(db.Region)),
        "platforms": some(list(db.Platform)[:4]),
        "languages": some(["ru", "en-GB", "pt-PT", "de"], most=2),
        "min_rating": st.integers(-1, 3001),
        "max_rating": st.integers(-1, 3001),
        "play_styles": some(list(db.PlayStyle)),
        "voice_chats": some(list(db.VoiceChat)),
        "age_bands": some(list(db.AgeBand)),
        "min_reputation": st.integers(0, 1000).map(lambda value: value / 1000),
        "min_overlap_hours": st.integers(0, 12),
        "active_within_days": st.integers(0, 70),
        "is_online": st.booleans(),
    }
    names = draw(st.lists(st.sampled_from(sorted(limits)), unique=True, max_size=3))
    return Filter(**{name: draw(limits[name]) for name in names})


async def load_catalogue(session: db.ReadSession) -> Catalogue:
    """Load what the worlds play: two games with cross-play and two without, all with roles where there are any."""
    games = []
    for is_cross_play in (True, False):
        of_kind = select(db.Game).where(db.Game.is_cross_play == is_cross_play)
        with_roles = of_kind.where(db.Game.id.in_(select(db.GameRole.game_id))).order_by(db.Game.slug).limit(1)
        games += list(await session.scalars(with_roles))
        games += list(
            await session.scalars(of_kind.where(db.Game.id != games[-1].id).order_by(db.Game.slug.desc()).limit(1))
        )
    genres = (await session.scalars(select(db.Genre).order_by(db.Genre.number).limit(5))).all()
    roles = (
        await session.scalars(
            select(db.GameRole)
            .where(db.GameRole.game_id.in_([game.id for game in games]), db.GameRole.position < 3)
            .order_by(db.GameRole.id)
        )
    ).all()
    assert len(games) == GAMES
    return Catalogue(games, genres, roles)


async def settle(session: db.WriteSession, catalogue: Catalogue, people: Sequence[Person]) -> list[uuid.UUID]:
    """Write the world; the first one is the viewer, whom the relations are with. Gives the ids of the accounts."""
    today = datetime.now(UTC).date()
    accounts = []
    for person in people:
        account = db.Account(
            username=f"player_{uuid.uuid4().hex[:12]}",
            display_name="Player",
            role=person.role,
            status=person.status,
            email="player@example.com",
            email_key=f"{uuid.uuid4()}@example.com",
            email_verified_at=datetime.now(UTC) if person.is_verified else None,
            who_sees_my_presence=person.shows_presence or db.Audience.EVERYONE,
        )
        accounts.append(account)
    session.add_all(accounts)
    await session.flush()
    ids = [account.id for account in accounts]
    for account_id, person in zip(ids, people, strict=True):
        session.add_all(_rows(catalogue, account_id, person, today))
        if person.shows_presence is not None:
            now = datetime.now(UTC)
            session.add(db.Lease(account_id=account_id, node=account_id, until=now + timedelta(hours=1), active_at=now))
        if account_id != ids[0]:
            session.add_all(_relation(ids[0], account_id, person.relation))
    await session.flush()
    for account_id, person in zip(ids, people, strict=True):
        await session.execute(
            update(db.Profile)
            .where(db.Profile.account_id == account_id)
            .values(active_on=today - timedelta(days=person.days_away))
        )
    return ids


def _rows(catalogue: Catalogue, account_id: uuid.UUID, person: Person, today: date) -> list[db.Row]:
    profile = db.Profile(
        account_id=account_id,
        is_looking_for_teammates=person.is_looking,
        birth_date=born(person, today),
        region=person.region,
        languages=list(person.languages),
        platforms=list(person.platforms),
        genre_ids=[catalogue.genres[number].id for number in person.genres],
        genre_bits=sum(1 << catalogue.genres[number].number for number in person.genres),
        play_style=person.play_style,
        voice_chat=person.voice_chat,
        schedule=None
        if person.hours is None
        else BitString("".join(str(int(hour in person.hours)) for hour in range(db.HOURS_A_WEEK))),
        reputation=person.reputation,
    )
    games = [
        db.PlayerGame(
            account_id=account_id,
            game_id=catalogue.games[plays.game].id,
            position=position,
            rating=plays.rating,
            role_bits=plays.role_bits,
            is_favorite=plays.is_favorite,
        )
        for position, plays in enumerate(person.games)
    ]
    return [profile, *games]


def _relation(viewer_id: uuid.UUID, other_id: uuid.UUID, relation: str) -> list[db.Row]:
    def declined(sender: uuid.UUID, receiver: uuid.UUID, days: int) -> db.Row:
        return db.TeammateRequest(
            sender_id=sender,
            receiver_id=receiver,
            status=db.RequestStatus.DECLINED,
            answered_at=datetime.now(UTC) - timedelta(days=days),
        )

    rows: dict[str, list[db.Row]] = {
        "stranger": [],
        "blocked": [db.Block(account_id=viewer_id, blocked_id=other_id)],
        "blocker": [db.Block(account_id=other_id, blocked_id=viewer_id)],
        "teammate": [
            db.Teammate(account_id=viewer_id, teammate_id=other_id),
            db.Teammate(account_id=other_id, teammate_id=viewer_id),
        ],
        "declined the viewer": [declined(viewer_id, other_id, 13)],
        "declined by the viewer": [declined(other_id, viewer_id, 0)],
        "declined long ago": [declined(viewer_id, other_id, 15), declined(other_id, viewer_id, 15)],
        "asked": [db.TeammateRequest(sender_id=viewer_id, receiver_id=other_id)],
    }
    return rows[relation]


def born(person: Person, today: date) -> date | None:
    """Give the birth date."""
    return None if person.age_in_days is None else today - timedelta(days=person.age_in_days)


def viewer_of(account_id: uuid.UUID, person: Person) -> Viewer:
    """Sign the viewer in."""
    return Viewer(account_id=account_id, session_id=uuid.uuid4(), role=person.role, locale="en")


def is_listed(me: Person, other: Person, wanted: Filter, catalogue: Catalogue, today: date, *, before: Filter) -> bool:
    """Tell whether a search lists somebody, rule by rule. `before` is the filter before it was widened."""
    return (
        other.role is not db.Role.GUEST
        and other.status is db.AccountStatus.ACTIVE
        and other.is_verified
        and other.is_looking
        and other.days_away <= 60
        and other.relation not in NEVER_LISTED
        and (_age(me, today) < 18) == (_age(other, today) < 18)
        and (not me.languages or not other.languages or bool(_spoken(me.languages) & _spoken(other.languages)))
        and _passes(me, other, wanted, catalogue, today)
        and _has_game(me, other, wanted, before, catalogue)
    )


def _spoken(tags: Sequence[str]) -> set[str]:
    return {tag.split("-")[0] for tag in tags}


def _age(person: Person, today: date) -> int:
    birth_date = born(person, today)
    if birth_date is None:
        return 30
    return today.year - birth_date.year - ((today.month, today.day) < (birth_date.month, birth_date.day))


def _band(person: Person, today: date) -> db.AgeBand | None:
    if person.age_in_days is None:
        return None
    age = _age(person, today)
    return list(db.AgeBand)[(age >= 18) + (age >= 25) + (age >= 35)]


def _passes(me: Person, other: Person, wanted: Filter, catalogue: Catalogue, today: date) -> bool:
    checks = [
        not wanted.genre_ids or bool({catalogue.genres[number].id for number in other.genres} & set(wanted.genre_ids)),
        not wanted.regions or other.region in wanted.regions,
        not wanted.platforms or bool(set(other.platforms) & set(wanted.platforms)),
        not wanted.languages or bool(_spoken(other.languages) & _spoken(wanted.languages)),
        not wanted.play_styles or other.play_style in wanted.play_styles,
        not wanted.voice_chats or other.voice_chat in wanted.voice_chats,
        not wanted.age_bands or _band(other, today) in wanted.age_bands,
        wanted.min_reputation is None
        or (other.reputation is not None and other.reputation >= round(wanted.min_reputation * 1000)),
        not wanted.min_overlap_hours
        or (
            me.hours is not None and other.hours is not None and len(me.hours & other.hours) >= wanted.min_overlap_hours
        ),
        wanted.active_within_days is None or other.days_away <= wanted.active_within_days,
        not wanted.is_online or (other.shows_presence is db.Audience.EVERYONE and me.role is not db.Role.GUEST),
    ]
    return all(checks)


def _has_game(me: Person, other: Person, wanted: Filter, before: Filter, catalogue: Catalogue) -> bool:
    named_before = {*before.game_ids, *(role.game_id for role in catalogue.roles if role.id in before.role_ids)}
    named = {role.game_id for role in catalogue.roles if role.id in wanted.role_ids}
    lowest = -1 if wanted.min_rating is None else wanted.min_rating
    highest = 3001 if wanted.max_rating is None else wanted.max_rating
    common = bool(set(me.platforms) & set(other.platforms)) or not me.platforms or not other.platforms
    is_open = not me.games and not wanted.game_ids and not wanted.role_ids
    if is_open and wanted.min_rating is None and wanted.max_rating is None:
        return True
    for plays in other.games:
        game = catalogue.games[plays.game]
        bits = sum(
            1 << role.position for role in catalogue.roles if role.id in wanted.role_ids and role.game_id == game.id
        )
        is_asked = (
            (not wanted.game_ids or game.id in wanted.game_ids)
            and (not wanted.role_ids or (game.id in named and bool(plays.role_bits & bits)))
            and (
                bool(wanted.game_ids or wanted.role_ids)
                or not me.games
                or plays.game in {mine.game for mine in me.games}
                or game.id in named_before
            )
        )
        if is_asked and lowest <= plays.rating <= highest and (is_open or common or game.is_cross_play):
            return True
    return False
