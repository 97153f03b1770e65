"""Profiles: what a player tells of himself."""

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any, TypedDict

from sqlalchemy import Select, case, delete, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import Insert, insert

from gamebuddy import db, text
from gamebuddy.auth import policy
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import ReadSession, UploadPurpose, WriteSession
from gamebuddy.errors import Code, Problem, Rejected, reject
from gamebuddy.files import Files
from gamebuddy.resolvers import schedules, uploads, week
from gamebuddy.resolvers.wording import WordFilter

LONGEST_BIO = 500
MOST_GAMES = 50
MOST_LANGUAGES = 20
MOST_GENRES = 60
MOST_STRETCHES = 100
HIGHEST_RATING = 3000
YOUNGEST = 13
FIRST_BIRTH_YEAR = 1900
# A rank alone places a player between these two ratings; a rating that is given wins over it.
LOWEST_RANK_RATING, HIGHEST_RANK_RATING = 500, 2500


type PlayedGame = Any  # a row that reads like db.PlayerGame and like db.Game


@dataclass(frozen=True, slots=True, kw_only=True)
class GameChoice:
    """A game that somebody says he plays."""

    game_id: uuid.UUID
    rank_id: uuid.UUID | None = None
    rating: int | None = None
    role_ids: Sequence[uuid.UUID] = ()
    is_favorite: bool = False


class ProfileChanges(TypedDict, total=False):
    """What to change: a key that is absent leaves the value as it is, None clears it."""

    display_name: str | None
    bio: str | None
    birth_date: str | None
    country: str | None
    region: db.Region | None
    time_zone: str | None
    languages: Sequence[str] | None
    platforms: Sequence[db.Platform] | None
    genre_ids: Sequence[uuid.UUID] | None
    games: Sequence[GameChoice] | None
    play_style: db.PlayStyle | None
    voice_chat: db.VoiceChat | None
    availability: Sequence[week.Stretch] | None
    is_looking_for_teammates: bool | None
    who_may_write_to_me: db.Audience | None
    who_sees_my_presence: db.Audience | None


ACCOUNT_COLUMNS = frozenset({"display_name", "who_may_write_to_me", "who_sees_my_presence"})
WORDS = frozenset({"display_name", "bio"})  # what others read
NEVER_EMPTY = ACCOUNT_COLUMNS | {"is_looking_for_teammates"}


async def update_profile(
    session: WriteSession, viewer: Viewer, changes: ProfileChanges, *, words: WordFilter
) -> db.Account:
    """Change what is named and nothing else; lists are replaced whole.

    The profile's row is locked first, so two devices that change different things at once keep both.

    Raises:
        Rejected: naming every value that breaks a rule; ACCOUNT_MUTED for words of one who is muted. Then nothing is
            changed.
    """
    checked = _checked(changes)
    for name in WORDS & checked.keys():
        if checked[name] is not None:
            checked[name] = words.clean(checked[name], name)
    for name in changes.keys() & WORDS:
        policy.require_voice(viewer, name)
    profile = await _locked(session, viewer.account_id)
    account: db.Account = await session.get_one(db.Account, viewer.account_id)
    genre_ids, games = checked.pop("genre_ids", None), checked.pop("games", None)
    for name, value in checked.items():
        setattr(account if name in ACCOUNT_COLUMNS else profile, name, value)
    profile.updated_at = datetime.now(UTC)
    if checked.keys() & {"slots", "time_zone"}:
        schedules.place_in_week(profile, datetime.now(UTC).date())
    if genre_ids is not None:
        await _set_genres(session, profile, genre_ids)
    if games is not None:
        await _set_games(session, viewer.account_id, games)
    await session.flush()
    await words.flag(session, viewer, *(checked[name] for name in sorted(WORDS & checked.keys())))
    return account


def age_band(birth_date: date | None, today: date) -> db.AgeBand | None:
    """Give the age as others may see it."""
    if birth_date is None:
        return None
    years = age(birth_date, today)
    for limit, band in ((18, db.AgeBand.UNDER_18), (25, db.AgeBand.FROM_18_TO_24), (35, db.AgeBand.FROM_25_TO_34)):
        if years < limit:
            return band
    return db.AgeBand.FROM_35


def age(birth_date: date, today: date) -> int:
    """Give the age in whole years; those born on 29 February have their birthday on 1 March in other years."""
    return today.year - birth_date.year - ((today.month, today.day) < (birth_date.month, birth_date.day))


async def set_avatar(session: WriteSession, viewer: Viewer, *, files: Files, upload_id: uuid.UUID | None) -> db.Account:
    """Show a picture that was sent beside the viewer's name, or none; of two at the same time the later one stays.

    Raises:
        Rejected: NOT_FOUND, UNSUPPORTED and INVALID for the upload.
        Unavailable: when too many pictures wait.
    """
    if upload_id is not None:
        await uploads.check(session, viewer, files, [upload_id], UploadPurpose.AVATAR, "upload_id")
    profile = await _locked(session, viewer.account_id)
    if upload_id is not None:
        await uploads.use(session, viewer, [upload_id], UploadPurpose.AVATAR, "upload_id")
    if profile.avatar_id is not None:
        await uploads.leave(session, [profile.avatar_id])
    profile.avatar_id = upload_id
    return await session.get_one(db.Account, viewer.account_id)


async def by_ids(session: ReadSession, _: Viewer | None, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, db.Profile]:
    """Load profiles by the ids of their accounts."""
    rows = await session.rows(_profiles(), {"ids": list(ids)})
    return {profile.account_id: profile for profile in rows}


async def games_by_ids(
    session: ReadSession, _: Viewer | None, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, list[PlayedGame]]:
    """Load what players play, by the ids of their accounts, in each player's own order; with the games themselves."""
    rows = await session.rows(_played(), {"ids": list(ids)})
    return {account_id: list(group) for account_id, group in groupby(rows, key=lambda row: row.account_id)}


@db.written_once
def _profiles() -> Select[db.Profile]:
    return db.plain(db.Profile).where(db.is_asked_for(db.Profile.account_id))


@db.written_once
def _played() -> Select[*tuple[Any, ...]]:
    played, game = db.PlayerGame, db.Game
    return (
        select(played.__table__, game.__table__)
        .join(game, game.id == played.game_id)
        .where(db.is_asked_for(played.account_id))
        .order_by(played.account_id, played.position)
    )


async def _locked(session: WriteSession, account_id: uuid.UUID) -> db.Profile:
    statement = select(db.Profile).where(db.Profile.account_id == account_id).with_for_update()
    profile: db.Profile = (await session.scalars(statement)).one()
    return profile


def _checked(changes: ProfileChanges) -> dict[str, Any]:
    """Give the new values of columns, and of the lists `genre_ids` and `games`; every problem is told at once."""
    checked: dict[str, Any] = {}
    problems: list[Problem] = []
    given: Mapping[str, Any] = changes
    for name, value in given.items():
        try:
            if value is None and name in NEVER_EMPTY:
                raise reject(Code.INVALID, "This cannot be empty.", name)
            checked[COLUMNS.get(name, name)] = CHECKS[name](value) if name in CHECKS else value
        except Rejected as rejected:
            problems += rejected.problems
    if problems:
        raise Rejected(*problems)
    return checked


def _few(field: str, most: int) -> Callable[[Sequence[Any] | None], list[Any]]:
    def check(items: Sequence[Any] | None) -> list[Any]:
        distinct = list(dict.fromkeys(items or ()))
        if len(distinct) > most:
            raise reject(Code.TOO_LONG, f"At most {most}.", field)
        return distinct

    return check


def _bio(value: str | None) -> str | None:
    return None if value is None else text.checked(value, "bio", longest=LONGEST_BIO)


def _birth_date(value: str | None) -> date | None:
    if value is None:
        return None
    try:
        born = datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise reject(Code.INVALID, "A date is written like 2001-05-31.", "birth_date") from None
    today = datetime.now(UTC).date()
    if born > today or born.year < FIRST_BIRTH_YEAR:
        raise reject(Code.INVALID, "Nobody alive was born then.", "birth_date")
    if age(born, today) < YOUNGEST:
        raise reject(Code.NOT_ALLOWED, f"GameBuddy is for people of {YOUNGEST} and older.", "birth_date")
    return born


def _slots(stretches: Sequence[week.Stretch] | None) -> list[int]:
    stretches = stretches or ()
    if len(stretches) > MOST_STRETCHES:
        raise reject(Code.TOO_LONG, f"At most {MOST_STRETCHES}.", "availability")
    problems = [
        Problem(
            code=Code.INVALID,
            message="A stretch begins at 0 to 23, ends at 1 to 24, and begins before it ends; divide it at midnight.",
            field=("availability", place),
        )
        for place, stretch in enumerate(stretches)
        if not 0 <= stretch.start_hour < stretch.end_hour <= week.HOURS
    ]
    if problems:
        raise Rejected(*problems)
    return week.hours_of(stretches)


def _games(choices: Sequence[GameChoice] | None) -> Sequence[GameChoice]:
    choices = choices or ()
    if len(choices) > MOST_GAMES:
        raise reject(Code.TOO_LONG, f"At most {MOST_GAMES} games.", "games")
    return choices


# What is checked without the database; what is missing here was checked by its type.
CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "display_name": lambda value: text.display_name(value, "display_name"),
    "bio": _bio,
    "birth_date": _birth_date,
    "languages": _few("languages", MOST_LANGUAGES),
    "platforms": _few("platforms", len(db.Platform)),
    "genre_ids": _few("genre_ids", MOST_GENRES),
    "games": _games,
    "availability": _slots,
}
COLUMNS = {"availability": "slots"}


async def _set_genres(session: WriteSession, profile: db.Profile, genre_ids: list[uuid.UUID]) -> None:
    rows = await session.execute(select(db.Genre.id, db.Genre.number).where(db.Genre.id.in_(genre_ids)))
    numbers = {row.id: row.number for row in rows}
    unknown = [place for place, genre_id in enumerate(genre_ids) if genre_id not in numbers]
    if unknown:
        raise reject(Code.NOT_FOUND, "There is no such genre.", "genre_ids", unknown[0])
    profile.genre_ids = genre_ids
    profile.genre_bits = sum(1 << numbers[genre_id] for genre_id in genre_ids)


async def _set_games(session: WriteSession, account_id: uuid.UUID, choices: Sequence[GameChoice]) -> None:
    chosen = [choice.game_id for choice in choices]
    # Games are locked in the order of their ids: two profiles that change the same counts cannot wait for each other.
    played = select(db.PlayerGame.game_id).where(db.PlayerGame.account_id == account_id)
    locked = await session.scalars(
        select(db.Game.id)
        .where(or_(db.Game.id.in_(chosen), db.Game.id.in_(played)))
        .order_by(db.Game.id)
        .with_for_update(key_share=True)
    )
    games = set(locked) & set(chosen)
    ranks = {
        (rank.game_id, rank.id): rank
        for rank in await session.scalars(select(db.GameRank).where(db.GameRank.game_id.in_(games)))
    }
    roles = {
        (role.game_id, role.id): role
        for role in await session.scalars(select(db.GameRole).where(db.GameRole.game_id.in_(games)))
    }
    problems: list[Problem] = []
    rows = []
    for place, choice in enumerate(choices):
        found = _problems_of(choice, games, ranks, roles)
        if choice.game_id in chosen[:place]:
            found = [("game_id", Code.INVALID, "This game is in the list twice.")]
        problems += [Problem(code=code, message=why, field=("games", place, *_path(key))) for key, code, why in found]
        if not found:
            rank = ranks.get((choice.game_id, choice.rank_id)) if choice.rank_id else None
            rows.append(
                {
                    "account_id": account_id,
                    "game_id": choice.game_id,
                    "position": place,
                    "rank_id": choice.rank_id,
                    "rating": _rating(choice, rank),
                    "role_bits": sum(
                        1 << roles[choice.game_id, role_id].position for role_id in dict.fromkeys(choice.role_ids)
                    ),
                    "is_favorite": choice.is_favorite,
                }
            )
    if problems:
        raise Rejected(*problems)
    before = set(await session.scalars(select(db.PlayerGame.game_id).where(db.PlayerGame.account_id == account_id)))
    gone = delete(db.PlayerGame).where(
        db.PlayerGame.account_id == account_id, db.is_one_of(db.PlayerGame.game_id, before - games)
    )
    if rows:  # in one statement, so that the search enters the player once
        await session.execute(_kept_or_added(rows).add_cte(gone.cte("gone")))
    else:
        await session.execute(gone.execution_options(synchronize_session=False))
    await _count_players(session, joined=games - before, left=before - games)


def _kept_or_added(rows: Sequence[Mapping[str, Any]]) -> Insert:
    """Write games of a profile; those that are as they were are not touched, nor are their search entries."""
    table = db.PlayerGame.__table__
    statement = insert(db.PlayerGame).values(rows)
    values = [name for name in rows[0] if name not in {"account_id", "game_id"}]
    before = tuple_(*(table.c[name] for name in values))
    after = tuple_(*(statement.excluded[name] for name in values))
    return statement.on_conflict_do_update(
        index_elements=[table.c.account_id, table.c.game_id],
        set_={name: statement.excluded[name] for name in values},
        where=before.is_distinct_from(after),
    )


async def forget(session: WriteSession, account_ids: Collection[uuid.UUID]) -> None:
    """Delete profiles and games of accounts that go, and count them no more among the players of a game."""
    mine = db.is_one_of(db.PlayerGame.account_id, account_ids)
    players = select(db.PlayerGame.game_id, func.count().label("count")).where(mine).group_by(db.PlayerGame.game_id)
    gone = players.subquery()
    await session.execute(
        update(db.Game)
        .where(db.Game.id == gone.c.game_id)
        .values(player_count=func.greatest(0, db.Game.player_count - gone.c.count))
        .execution_options(synchronize_session=False)
    )
    avatars = select(db.Profile.avatar_id).where(
        db.is_one_of(db.Profile.account_id, account_ids), db.Profile.avatar_id.is_not(None)
    )
    await uploads.leave(session, (await session.scalars(avatars)).all())
    for table in (db.PlayerGame, db.Profile):
        await session.execute(
            delete(table)
            .where(db.is_one_of(table.account_id, account_ids))
            .execution_options(synchronize_session=False)
        )


def _path(key: str) -> tuple[str | int, ...]:
    name, _, place = key.partition(".")
    return (name, int(place)) if place else (name,)


def _problems_of(
    choice: GameChoice,
    games: set[uuid.UUID],
    ranks: Mapping[tuple[uuid.UUID, uuid.UUID], db.GameRank],
    roles: Mapping[tuple[uuid.UUID, uuid.UUID], db.GameRole],
) -> list[tuple[str, Code, str]]:
    if choice.game_id not in games:
        return [("game_id", Code.NOT_FOUND, "There is no such game.")]
    found = []
    if choice.rank_id is not None and (choice.game_id, choice.rank_id) not in ranks:
        found.append(("rank_id", Code.NOT_FOUND, "This game has no such rank."))
    if choice.rating is not None and not 0 <= choice.rating <= HIGHEST_RATING:
        found.append(("rating", Code.INVALID, f"A rating is 0 to {HIGHEST_RATING}."))
    found += [
        (f"role_ids.{place}", Code.NOT_FOUND, "This game has no such role.")
        for place, role_id in enumerate(choice.role_ids)
        if (choice.game_id, role_id) not in roles
    ]
    return found


def _rating(choice: GameChoice, rank: db.GameRank | None) -> int:
    if choice.rating is not None:
        return choice.rating
    return db.UNKNOWN_RATING if rank is None else rating_of(rank)


def rating_of(rank: db.GameRank) -> int:
    """Give the rating by which a rank alone places a player."""
    return LOWEST_RANK_RATING + round(rank.level * (HIGHEST_RANK_RATING - LOWEST_RANK_RATING))


async def _count_players(session: WriteSession, *, joined: set[uuid.UUID], left: set[uuid.UUID]) -> None:
    if joined or left:
        await session.execute(
            update(db.Game)
            .where(db.Game.id.in_(joined | left))
            .values(player_count=func.greatest(0, db.Game.player_count + case((db.Game.id.in_(joined), 1), else_=-1)))
            .execution_options(synchronize_session=False)
        )
