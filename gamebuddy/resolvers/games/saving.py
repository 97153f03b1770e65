"""How administrators make and change games and genres."""

import re
import unicodedata
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from gamebuddy import db, text
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import AuditAction, WriteSession
from gamebuddy.errors import Code, Problem, Rejected, reject
from gamebuddy.resolvers import audit
from gamebuddy.resolvers.accounts.registration import require_all
from gamebuddy.resolvers.games.loading import MOST_GENRES, free_genre_number, level_of, lock_catalogue
from gamebuddy.resolvers.games.moving import Move, Steps, move_players, steps_of

LONGEST_SLUG = 64
LONGEST_TITLE = 100
LONGEST_NAME = 40
MOST_GENRES_OF_A_GAME = 10
MOST_RANKS = 100
MOST_ROLES = 31  # bits of what a player can play
AWAY = 10_000  # added to positions while they change places

_SLUG = re.compile("[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class GameFacts:
    """What a game is to be. Ranks go from the lowest to the highest; `is_cross_play` None leaves it as it is."""

    slug: str
    title: str
    genre_ids: Sequence[uuid.UUID]
    platforms: Sequence[db.Platform]
    ranks: Sequence[str]
    roles: Sequence[str]
    is_cross_play: bool | None = None


async def save_game(session: WriteSession, viewer: Viewer, *, game_id: uuid.UUID | None, facts: GameFacts) -> db.Game:
    """Make a game, or change one; the catalogue of later releases leaves it alone from then on.

    Ranks and roles are the same as before when their names are. Players whose rank has vanished have none, and keep
    their rating; who was placed by a rank alone is placed anew when that has moved. A role that has vanished is gone
    from those who played it. A short name that is given up still finds the game.

    Raises:
        Rejected: NOT_FOUND for the game and for a genre; TAKEN for the short name; INVALID, TOO_SHORT, TOO_LONG for the
            rest, all that is wrong without looking at the database at once.
    """
    facts = _checked(facts)
    await lock_catalogue(session)
    await _require_genres(session, facts.genre_ids)
    await _require_free_slug(session, facts.slug, game_id)
    told: dict[str, Any] = {}
    steps = Steps([], [])
    if game_id is None:
        game = db.Game(
            id=db.new_id(),
            slug=facts.slug,
            title=facts.title,
            genre_ids=list(facts.genre_ids),
            platforms=list(facts.platforms),
        )
        session.add(game)
    else:
        game = await _lock_game(session, game_id)
        steps = await steps_of(session, game.id)
        told = _told(game, steps)
        await _rename(session, game, facts.slug)
        game.title, game.genre_ids, game.platforms = facts.title, list(facts.genre_ids), list(facts.platforms)
    if facts.is_cross_play is not None:
        game.is_cross_play = facts.is_cross_play
    game.saved_at = datetime.now(UTC)
    await session.flush()
    after = _told(game, await _set_steps(session, game, steps, facts))
    changed = {name: value for name, value in after.items() if told.get(name) != value}
    await audit.record(
        session,
        AuditAction.SAVE_GAME,
        actor_id=viewer.account_id,
        game=game.slug,
        before={name: told[name] for name in changed if told},
        after=changed,
    )
    return game


async def save_genre(
    session: WriteSession, viewer: Viewer, *, genre_id: uuid.UUID | None, slug: str, name_en: str, name_ru: str
) -> db.Genre:
    """Make a genre, or change its names; its short name stays, for it is in links and lists of others.

    Raises:
        Rejected: NOT_FOUND; TAKEN for the short name of another; NOT_ALLOWED for a new short name; LIMIT_REACHED above
            63 genres; INVALID, TOO_SHORT, TOO_LONG for the rest.
    """
    require_all(lambda: _slug(slug, "slug"), lambda: _name(name_en, "name_en"), lambda: _name(name_ru, "name_ru"))
    name_en, name_ru = _name(name_en, "name_en"), _name(name_ru, "name_ru")
    await lock_catalogue(session)
    before: dict[str, str] = {}
    if genre_id is None:
        number = await free_genre_number(session)
        if number is None:
            raise reject(Code.LIMIT_REACHED, f"There are at most {MOST_GENRES} genres.")
        row = {"id": db.new_id(), "number": number, "slug": slug, "name_en": name_en, "name_ru": name_ru}
        made: db.Genre | None = await session.scalar(
            insert(db.Genre).values(row).on_conflict_do_nothing(index_elements=["slug"]).returning(db.Genre)
        )
        if made is None:
            raise reject(Code.TAKEN, "Another genre has this short name.", "slug")
        genre = made
    else:
        found = await session.get(db.Genre, genre_id)
        if found is None:
            raise reject(Code.NOT_FOUND, "There is no such genre.", "genre_id")
        if found.slug != slug:
            raise reject(Code.NOT_ALLOWED, "The short name of a genre stays.", "slug")
        genre = found
        before = {"name_en": genre.name_en, "name_ru": genre.name_ru}
    genre.name_en, genre.name_ru, genre.saved_at = name_en, name_ru, datetime.now(UTC)
    await session.flush()
    after = {"name_en": name_en, "name_ru": name_ru}
    await audit.record(
        session, AuditAction.SAVE_GENRE, actor_id=viewer.account_id, genre=slug, before=before, after=after
    )
    return genre


def _checked(facts: GameFacts) -> GameFacts:
    require_all(
        lambda: _slug(facts.slug, "slug"),
        lambda: _name(facts.title, "title", longest=LONGEST_TITLE),
        lambda: _few(facts.genre_ids, "genre_ids", MOST_GENRES_OF_A_GAME),
        lambda: _platforms(facts.platforms),
        lambda: _names(facts.ranks, "ranks", MOST_RANKS),
        lambda: _names(facts.roles, "roles", MOST_ROLES),
    )
    return GameFacts(
        slug=facts.slug,
        title=_name(facts.title, "title", longest=LONGEST_TITLE),
        genre_ids=list(dict.fromkeys(facts.genre_ids)),
        platforms=_platforms(facts.platforms),
        ranks=_names(facts.ranks, "ranks", MOST_RANKS),
        roles=_names(facts.roles, "roles", MOST_ROLES),
        is_cross_play=facts.is_cross_play,
    )


def _slug(value: str, field: str) -> None:
    text.require_text(value)
    if not _SLUG.fullmatch(value):
        raise reject(Code.INVALID, "A short name is made of a to z and digits, in words joined by hyphens.", field)
    _few(value, field, LONGEST_SLUG)


def _name(value: str, *field: str | int, longest: int = LONGEST_NAME) -> str:
    """Give a name as it is shown: in one line, with single spaces."""
    text.require_text(value)
    if any(unicodedata.category(character) == "Cc" for character in value):
        raise reject(Code.INVALID, "A name has one line and no control characters.", *field)
    return text.checked(unicodedata.normalize("NFC", " ".join(value.split())), *field, longest=longest)


def _names(values: Sequence[str], field: str, most: int) -> list[str]:
    _few(values, field, most)
    problems: list[Problem] = []
    found: dict[str, str] = {}
    for place, value in enumerate(values):
        try:
            name = _name(value, field, place)
            if name.casefold() in found:
                raise reject(Code.INVALID, "This name is in the list twice.", field, place)
            found[name.casefold()] = name
        except Rejected as rejected:
            problems += rejected.problems
    if problems:
        raise Rejected(*problems)
    return list(found.values())


def _platforms(values: Sequence[db.Platform]) -> list[db.Platform]:
    if not values:
        raise reject(Code.TOO_SHORT, "A game is played on something.", "platforms")
    return [platform for platform in db.Platform if platform in values]


def _few(values: Sequence[Any], field: str, most: int) -> None:
    if len(values) > most:
        raise reject(Code.TOO_LONG, f"At most {most}; these are {len(values)}.", field)


async def _require_genres(session: WriteSession, genre_ids: Sequence[uuid.UUID]) -> None:
    known = set(await session.scalars(select(db.Genre.id).where(db.Genre.id.in_(genre_ids))))
    for place, genre_id in enumerate(genre_ids):
        if genre_id not in known:
            raise reject(Code.NOT_FOUND, "There is no such genre.", "genre_ids", place)


async def _require_free_slug(session: WriteSession, slug: str, game_id: uuid.UUID | None) -> None:
    """Let a short name pass that no other game has or had. The catalogue is locked, so it stays free."""
    game, former = db.Game, db.FormerSlug
    others = or_(
        exists().where(game.slug == slug, game.id != (game_id or uuid.UUID(int=0))),
        exists().where(former.slug == slug, former.game_id != (game_id or uuid.UUID(int=0))),
    )
    if await session.scalar(select(others)):
        raise reject(Code.TAKEN, "Another game has or had this short name.", "slug")


async def _lock_game(session: WriteSession, game_id: uuid.UUID) -> db.Game:
    game: db.Game | None = await session.scalar(select(db.Game).where(db.Game.id == game_id).with_for_update())
    if game is None:
        raise reject(Code.NOT_FOUND, "There is no such game.", "game_id")
    return game


async def _rename(session: WriteSession, game: db.Game, slug: str) -> None:
    if game.slug == slug:
        return
    await session.execute(
        delete(db.FormerSlug).where(db.FormerSlug.slug == slug).execution_options(synchronize_session=False)
    )
    session.add(db.FormerSlug(slug=game.slug, game_id=game.id))
    game.slug = slug


def _told(game: db.Game, steps: Steps) -> dict[str, Any]:
    """Say what a game is, for the audit log."""
    return {
        "slug": game.slug,
        "title": game.title,
        "genre_ids": [str(genre_id) for genre_id in game.genre_ids],
        "platforms": [platform.value for platform in game.platforms],
        "ranks": [rank.name for rank in steps.ranks],
        "roles": [role.name for role in steps.roles],
        "is_cross_play": game.is_cross_play,
    }


async def _set_steps(session: WriteSession, game: db.Game, before: Steps, facts: GameFacts) -> Steps:
    """Set ranks and roles, and move the players with them."""
    known = {rank.name.casefold(): rank.id for rank in before.ranks}
    ranks = [
        db.GameRank(
            id=known.get(name.casefold()) or db.new_id(),
            game_id=game.id,
            position=position,
            name=name,
            level=level_of(position, len(facts.ranks)),
        )
        for position, name in enumerate(facts.ranks)
    ]
    after = Steps(ranks, _roles(game, before.roles, facts.roles))
    if after.names == before.names:
        return before
    # Players first: what is deleted before would be looked for in every profile.
    await move_players(session, game.id, Move.by_name(before, after))
    await _replace(session, db.GameRank, before.ranks, after.ranks)
    await _replace(session, db.GameRole, before.roles, after.roles)
    return after


def _roles(game: db.Game, before: Sequence[db.GameRole], names: Sequence[str]) -> list[db.GameRole]:
    known = {role.name.casefold(): role for role in before}
    taken = {known[name.casefold()].slug for name in names if name.casefold() in known}
    roles = []
    for position, name in enumerate(names):
        role = known.get(name.casefold())
        slug = role.slug if role else _free_slug(name, taken)
        taken.add(slug)
        role_id = role.id if role else db.new_id()
        roles.append(db.GameRole(id=role_id, game_id=game.id, position=position, slug=slug, name=name))
    return roles


def _free_slug(name: str, taken: Collection[str]) -> str:
    """Make a short name of a name; what has no letters of ours, and what is taken, gets a number."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = first = "-".join(re.findall("[a-z0-9]+", plain)) or "role"
    number = 1
    while slug in taken:
        number += 1
        slug = f"{first}-{number}"
    return slug


async def _replace(
    session: WriteSession, table: type[db.GameRank | db.GameRole], before: Sequence[Any], after: Sequence[Any]
) -> None:
    """Delete, change and insert rows of a game; for a moment those that stay are away, for they change places."""
    columns = [column.name for column in table.__table__.columns]
    rows = [{name: getattr(row, name) for name in columns} for row in after]
    kept = {row.id for row in before} & {row.id for row in after}
    for row in before:
        if row.id not in kept:
            await session.execute(delete(table).where(table.id == row.id).execution_options(synchronize_session=False))
    if kept:
        await session.execute(
            update(table)
            .where(table.id.in_(kept))
            .values(position=table.position + AWAY)
            .execution_options(synchronize_session=False)
        )
        await session.execute(update(table), [row for row in rows if row["id"] in kept])
    fresh = [row for row in rows if row["id"] not in kept]
    if fresh:
        await session.execute(insert(table), fresh)
