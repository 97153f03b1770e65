"""What is replayed: a viewer as he was, whom he could have asked, whom he asked, and what they answered.

A file has one search in each line, as JSON. It names nobody: players have no ids, and age bands instead of birth dates.
"""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from pathlib import Path
from typing import Any

import orjson

from gamebuddy.db import AgeBand, Platform, PlayStyle, Region, VoiceChat
from gamebuddy.resolvers.matching import Played, Player, spoken
from gamebuddy.resolvers.profiles import age_band

# An age in the middle of each band.
AGES = {AgeBand.UNDER_18: 15, AgeBand.FROM_18_TO_24: 21, AgeBand.FROM_25_TO_34: 30, AgeBand.FROM_35: 45}


class Answer(IntEnum):
    """What became of a candidate; the number is how good it was to list him."""

    NOT_ASKED = 0
    ASKED = 1
    ACCEPTED = 2


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody whom the search could list, and what became of him."""

    player: Player
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One search. `player_counts` and `cross_play` are of the viewer's games, `most` is the largest count of any."""

    as_of: date
    viewer: Player
    player_counts: dict[uuid.UUID, int]
    cross_play: frozenset[uuid.UUID]
    most: int
    candidates: Sequence[Candidate]


def write(path: Path, records: Iterable[Record]) -> int:
    """Write records to a file, in the place of what was there; tells how many there were."""
    count = 0
    with path.open("wb") as file:
        for count, record in enumerate(records, start=1):  # noqa: B007 - it is the answer
            file.write(orjson.dumps(_search(record), default=str, option=orjson.OPT_APPEND_NEWLINE))
    return count


def read(path: Path) -> Iterator[Record]:
    """Read the records of a file one by one.

    Raises:
        ValueError: for what is no such file, with the number of the line.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield _record(orjson.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(f"line {number} is no search: {error!r}") from None


def _search(record: Record) -> dict[str, Any]:
    return {
        "asOf": record.as_of,
        "viewer": _facts(record.viewer, record.as_of),
        "games": [[game, count, game in record.cross_play] for game, count in record.player_counts.items()],
        "most": record.most,
        "candidates": [{"answer": one.answer.name, **_facts(one.player, record.as_of)} for one in record.candidates],
    }


def _record(search: dict[str, Any]) -> Record:
    as_of = date.fromisoformat(search["asOf"])
    return Record(
        as_of=as_of,
        viewer=_player(search["viewer"], as_of, uuid.UUID(int=0)),
        player_counts={uuid.UUID(game): count for game, count, _ in search["games"]},
        cross_play=frozenset(uuid.UUID(game) for game, _, is_cross_play in search["games"] if is_cross_play),
        most=search["most"],
        candidates=[
            Candidate(_player(facts, as_of, uuid.UUID(int=number)), Answer[facts["answer"]])
            for number, facts in enumerate(search["candidates"], start=1)
        ],
    )


def _facts(player: Player, as_of: date) -> dict[str, Any]:
    return {
        "games": [[game.game_id, game.rating, game.role_bits, game.is_favorite] for game in player.games],
        "platforms": sorted(player.platforms),
        "genres": player.genre_bits,
        "languages": player.languages,
        "region": player.region,
        "playStyle": player.play_style,
        "voiceChat": player.voice_chat,
        "age": age_band(player.birth_date, as_of),
        "hours": None if player.schedule is None else f"{player.schedule:042x}",
        "reputation": player.reputation,
        "daysAway": max(0, (as_of - player.active_on).days),
    }


def _player(facts: dict[str, Any], as_of: date, account_id: uuid.UUID) -> Player:
    years = AGES[AgeBand(facts["age"])] if facts["age"] else None
    return Player(
        account_id=account_id,
        active_on=as_of - timedelta(days=facts["daysAway"]),
        games=tuple(
            Played(game_id=uuid.UUID(game), rating=rating, role_bits=role_bits, is_favorite=is_favorite)
            for game, rating, role_bits, is_favorite in facts["games"]
        ),
        platforms=frozenset(map(Platform, facts["platforms"])),
        genre_bits=facts["genres"],
        languages=spoken(facts["languages"]),
        region=Region(facts["region"]) if facts["region"] else None,
        play_style=PlayStyle(facts["playStyle"]) if facts["playStyle"] else None,
        voice_chat=VoiceChat(facts["voiceChat"]) if facts["voiceChat"] else None,
        birth_date=None if years is None else as_of - timedelta(days=round(years * 365.25)),
        schedule=None if facts["hours"] is None else int(facts["hours"], 16),
        reputation=facts["reputation"],
    )
