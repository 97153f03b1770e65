"""Makes the demo world in memory, from a fixed seed, and copies it into the database."""

import json
import random
import tomllib
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from importlib import resources
from typing import Any, Self

import asyncpg
from sqlalchemy import select

from gamebuddy import catalogue, db
from gamebuddy.demo.known import KNOWN
from gamebuddy.events import types
from gamebuddy.resolvers import teammates, week
from gamebuddy.resolvers.reports.evidence import AROUND

SEED = 20_261_123
PLAYERS = 2_000
DIRECT_CHATS = 240
GROUPS = 60
KNOWN_ROLES = {"moderator": db.Role.MODERATOR, "admin": db.Role.ADMIN}
# region, language, zones, share of players
HOMES = (
    (db.Region.CIS, "ru", ("Europe/Moscow", "Asia/Yekaterinburg", "Asia/Almaty", "Asia/Novosibirsk"), 46),
    (db.Region.EUROPE, "en", ("Europe/London", "Europe/Berlin", "Europe/Warsaw", "Europe/Madrid"), 30),
    (db.Region.NORTH_AMERICA, "en", ("America/New_York", "America/Chicago", "America/Los_Angeles"), 18),
    (db.Region.OCEANIA, "en", ("Australia/Sydney", "Pacific/Auckland"), 6),
)
COUNTRIES = {
    "Europe/Moscow": "RU", "Asia/Yekaterinburg": "RU", "Asia/Almaty": "KZ", "Asia/Novosibirsk": "RU",
    "Europe/London": "GB", "Europe/Berlin": "DE", "Europe/Warsaw": "PL", "Europe/Madrid": "ES",
    "America/New_York": "US", "America/Chicago": "US", "America/Los_Angeles": "US",
    "Australia/Sydney": "AU", "Pacific/Auckland": "NZ",
}  # fmt: skip
# When people play: days, first hour, last hour, the chance of each hour
HABITS = (
    ((range(5), 19, 24, 0.75), (range(5, 7), 15, 24, 0.5)),
    ((range(5, 7), 11, 24, 0.7), (range(5), 20, 23, 0.3)),
    ((range(7), 22, 24, 0.7), (range(7), 0, 3, 0.6)),
    ((range(7), 8, 13, 0.5),),
    ((range(7), 15, 22, 0.5),),
)


@dataclass(frozen=True)
class Person:
    """Somebody of the world: the id and what the others need to know of him."""

    id: uuid.UUID
    language: str
    created_at: datetime


@dataclass
class World:
    """The rows of every table, in the order of COPY."""

    now: datetime
    dice: random.Random
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    people: list[Person] = field(default_factory=list)

    @classmethod
    async def build(cls, session: db.ReadSession, password_hash: str, now: datetime) -> Self:
        """Make the world as it is at `now`, from the catalogue in the database; one hash serves all."""
        world = cls(now, random.Random(SEED))  # noqa: S311 - the same world every time
        words = tomllib.loads(resources.files("gamebuddy.demo").joinpath("people.toml").read_text(encoding="utf-8"))
        games = await _Games.load(session)
        for number in range(PLAYERS):
            world._add_person(number, words, games, password_hash)
        world._add_teammates()
        world._add_praise()
        world._add_chats(words)
        world._add_requests(words, games)
        world._add_report()
        return world

    async def copy(self, connection: asyncpg.Connection, table: str) -> None:
        """Copy the rows of a table."""
        rows = self.rows[table]
        if rows:
            columns = list(rows[0])
            await connection.copy_records_to_table(
                table, columns=columns, records=[tuple(row[column] for column in columns) for row in rows]
            )

    def _id(self) -> uuid.UUID:
        return uuid.UUID(int=self.dice.getrandbits(128), version=4)

    def _add_person(self, number: int, words: dict[str, Any], games: "_Games", password_hash: str) -> None:
        dice = self.dice
        is_known = number < len(KNOWN)
        region, language, zones, _ = dice.choices(HOMES, [share for *_, share in HOMES])[0]
        if is_known:
            region, language, zones, _ = HOMES[0] if number % 2 == 0 else HOMES[1]
        zone = zones[0] if is_known else dice.choice(zones)
        given = dice.choice(words[language]["given"])
        username = KNOWN[number] if is_known else f"{dice.choice(words[language]['nicks'])}_{number}"
        created_at = self.now - timedelta(days=dice.randint(30, 700), minutes=dice.randint(0, 1440))
        idle_days = 0 if is_known else min(90, int(dice.expovariate(1 / 9)))
        person = Person(self._id(), language, created_at)
        self.people.append(person)
        self.rows["accounts"].append(
            {
                "id": person.id,
                "username": username,
                "display_name": username.title()
                if is_known
                else f"{given} {dice.choice('АБВГДЕ' if language == 'ru' else 'ABCDEF')}.",
                "role": KNOWN_ROLES.get(username, db.Role.USER).value,
                "status": db.AccountStatus.ACTIVE.value,
                "email": f"{username}@demo.example",
                "email_key": f"{username}@demo.example",
                "email_verified_at": created_at,
                "password_hash": password_hash,
                "locale": language,
                "who_may_write_to_me": db.Audience.EVERYONE.value,
                "who_sees_my_presence": db.Audience.EVERYONE.value,
                "created_at": created_at,
                "last_seen_at": self.now - timedelta(days=idle_days),
            }
        )
        if is_known:
            self.rows["sessions"].append(
                {
                    "id": self._id(),
                    "account_id": person.id,
                    "salt": dice.randbytes(16),
                    "generation": 0,
                    "device_name": "Demo",
                    "created_at": self.now,
                    "last_used_at": self.now,
                    "expires_at": self.now + timedelta(days=365),
                }
            )
        played = games.some(dice, 1 + min(7, int(dice.expovariate(0.45))))
        if is_known:
            played = games.named("dota-2", "counter-strike-2", "valorant")
        self._add_profile(person, words, games, played, (region, zone, idle_days))
        self._add_games(person, games, played)

    def _add_profile(
        self,
        person: Person,
        words: dict[str, Any],
        games: "_Games",
        played: list[db.Game],
        life: tuple[db.Region, str, int],
    ) -> None:
        dice = self.dice
        region, zone, idle_days = life
        genre_ids = list(dict.fromkeys(genre_id for game in played[:3] for genre_id in game.genre_ids))
        hours = sorted(
            {
                day * week.HOURS + hour
                for days, first, last, chance in dice.choice(HABITS)
                for day in days
                for hour in range(first, last)
                if dice.random() < chance
            }
        )
        languages = [person.language] + (["en"] if person.language != "en" and dice.random() < 0.6 else [])
        is_minor = len(self.people) > len(KNOWN) and dice.random() < 0.08
        age = dice.randint(14, 17) if is_minor else min(50, 18 + int(dice.expovariate(0.13)))
        self.rows["profiles"].append(
            {
                "account_id": person.id,
                "bio": dice.choice(words[person.language]["bios"]) if dice.random() < 0.8 else None,
                "birth_date": self.now.date() - timedelta(days=age * 365 + age // 4 + dice.randint(1, 300)),
                "country": COUNTRIES[zone],
                "region": region.value,
                "time_zone": zone,
                "languages": languages,
                "platforms": list(dict.fromkeys(dice.choice(game.platforms).value for game in played)),
                "genre_ids": genre_ids,
                "genre_bits": sum(1 << games.genre_numbers[genre_id] for genre_id in genre_ids),
                "play_style": dice.choice(list(db.PlayStyle)).value,
                "voice_chat": dice.choices(list(db.VoiceChat), [2, 4, 2, 3])[0].value,
                "slots": hours,
                "schedule": asyncpg.BitString.from_int(
                    int(week.in_utc(hours, zone, self.now.date()), 2), db.HOURS_A_WEEK
                ),
                "schedule_made_on": self.now.date(),
                "is_looking_for_teammates": dice.random() < 0.94,
                "active_on": date.fromordinal(self.now.date().toordinal() - idle_days),
                "updated_at": person.created_at,
                "reputation": None,
                "praise_count": 0,
                "top_traits": [],
            }
        )

    def _add_games(self, person: Person, games: "_Games", played: list[db.Game]) -> None:
        dice = self.dice
        skill = dice.gauss(1500, 260)
        for position, game in enumerate(played):
            ranks, roles = games.ranks[game.id], games.roles[game.id]
            rating = round(min(3000, max(0, skill + dice.gauss(0, 200))))
            level = min(1.0, max(0.0, (rating - 500) / 2000))
            rank = min(ranks, key=lambda rank: abs(rank.level - level)) if ranks else None
            chosen = dice.sample(roles, min(len(roles), dice.choice((1, 1, 2))))
            self.rows["player_games"].append(
                {
                    "account_id": person.id,
                    "game_id": game.id,
                    "position": position,
                    "rank_id": rank.id if rank else None,
                    "rating": rating,
                    "role_bits": sum(1 << role.position for role in chosen),
                    "is_favorite": position == 0,
                }
            )

    def _add_teammates(self) -> None:
        self.pairs: set[tuple[int, int]] = {(0, 1)}
        while len(self.pairs) < DIRECT_CHATS + 400:
            one = self.dice.choice((0, 1, 2, 3)) if self.dice.random() < 0.08 else self.dice.randrange(PLAYERS)
            other = self.dice.randrange(PLAYERS)
            if one != other and self.people[one].language == self.people[other].language:
                self.pairs.add((min(one, other), max(one, other)))
        for one, other in sorted(self.pairs):
            for a, b in ((one, other), (other, one)):
                self.rows["teammates"].append(
                    {"account_id": self.people[a].id, "teammate_id": self.people[b].id, "since": self.now}
                )

            first, second = sorted((self.people[one].id, self.people[other].id))
            self.rows["companionships"].append({"first_id": first, "second_id": second, "since": self.now})

    def _add_praise(self) -> None:
        """Let two of five teammates praise the other, for what he is good at."""
        dice, companions = self.dice, defaultdict[int, set[int]](set)
        praised: dict[int, dict[int, list[db.Trait]]] = defaultdict(dict)
        for one, other in sorted(self.pairs):
            for by, account in ((one, other), (other, one)):
                companions[account].add(by)
                if dice.random() < 0.4:
                    praised[account][by] = dice.sample(list(db.Trait), dice.randint(1, 3))
        for account, praises in praised.items():
            for by, traits in praises.items():
                self.rows["praises"].append(
                    {
                        "id": self._id(),
                        "by_id": self.people[by].id,
                        "account_id": self.people[account].id,
                        "week": self.now.date() - timedelta(days=self.now.weekday()),
                        "traits": [trait.value for trait in traits],
                        "created_at": self.now,
                    }
                )
            tied = {
                by: {one for one in praises if by in praised.get(one, ()) or one in praised.get(by, ())}
                for by in praises
            }
            self.rows["profiles"][account] |= {
                "reputation": teammates.lower_edge(
                    list(map(len, tied.values())), len(companions[account] - praises.keys())
                ),
                "praise_count": len(praises),
                "top_traits": [trait.value for trait in teammates.top_traits(praises)],
            }

    def _add_chats(self, words: dict[str, Any]) -> None:
        pairs = sorted(self.pairs)
        known = [pair for pair in pairs if pair[0] < len(KNOWN)]
        rest = self.dice.sample([pair for pair in pairs if pair[0] >= len(KNOWN)], DIRECT_CHATS)
        for one, other in (known + rest)[:DIRECT_CHATS]:
            self._add_chat([self.people[one], self.people[other]], words, title=None)
        speakers = {
            language: [person for person in self.people if person.language == language] for language in ("ru", "en")
        }
        for number in range(GROUPS):
            language = "ru" if number % 2 == 0 else "en"
            first = self.people[0 if language == "ru" else 1] if number < 6 else self.dice.choice(speakers[language])
            others = [person for person in self.dice.sample(speakers[language], 12) if person.id != first.id]
            title = self.dice.choice(words[language]["groups"])
            self._add_chat([first, *others[: self.dice.randint(2, 10)]], words, title=title)

    def _add_chat(self, members: list[Person], words: dict[str, Any], *, title: str | None) -> None:
        dice = self.dice
        chat_id = self._id()
        lines = [
            line
            for dialogue in dice.sample(words[members[0].language]["dialogues"], dice.randint(1, 5))
            for line in dialogue
        ]
        started_at = self.now - timedelta(days=dice.uniform(1, 60))
        step = (self.now - started_at) / (len(lines) + len(members) + 2)
        seq = 0
        for member in members:
            seq += 1
            self._add_event(
                types.MemberJoined(chat_id=chat_id, seq=seq, actor_id=members[0].id, account_id=member.id),
                started_at,
            )
        said_at = started_at
        for number, line in enumerate(lines, start=1):
            seq += 1
            said_at = started_at + step * (number + 1) + timedelta(minutes=dice.uniform(0, 20))
            said_at = min(said_at, self.now - timedelta(seconds=len(lines) - number))
            author = members[number % 2] if len(members) == 2 else dice.choice(members)
            message_id = self._id()
            self.rows["messages"].append(
                {
                    "id": message_id,
                    "chat_id": chat_id,
                    "seq": seq,
                    "number": number,
                    "kind": db.MessageKind.TEXT.value,
                    "author_id": author.id,
                    "client_id": self._id(),
                    "text": line,
                    "created_at": said_at,
                }
            )
            self._add_event(
                types.MessageSent(chat_id=chat_id, seq=seq, actor_id=author.id, message_id=message_id), said_at
            )
        first, second = sorted(member.id for member in members[:2])
        self.rows["chats"].append(
            {
                "id": chat_id,
                "kind": (db.ChatKind.GROUP if title else db.ChatKind.DIRECT).value,
                "title": title,
                "first_account_id": None if title else first,
                "second_account_id": None if title else second,
                "creator_id": members[0].id,
                "client_id": self._id() if title else None,
                "last_seq": seq,
                "message_count": len(lines),
                "member_count": len(members),
                "last_activity_at": said_at,
                "created_at": started_at,
            }
        )
        for place, member in enumerate(members):
            unread = dice.choice((0, 0, 1, 3)) if place else dice.choice((0, 0, 2))
            read = max(0, len(lines) - unread)
            self.rows["chat_members"].append(
                {
                    "chat_id": chat_id,
                    "account_id": member.id,
                    "role": (db.MemberRole.OWNER if title and not place else db.MemberRole.MEMBER).value,
                    "invited_by_id": members[0].id if title and place else None,
                    "joined_at": started_at,
                    "last_read_seq": len(members) + read,
                    "read_count": read,
                    "active_on": said_at.date(),
                }
            )

    def _add_requests(self, words: dict[str, Any], games: "_Games") -> None:
        taken = {*self.pairs}
        for number in range(40):
            receiver = number % 2 if number < 8 else self.dice.randrange(PLAYERS)
            sender = self.dice.randrange(len(KNOWN), PLAYERS)
            pair = (min(sender, receiver), max(sender, receiver))
            if sender == receiver or pair in taken:
                continue
            taken.add(pair)
            at = self.now - timedelta(hours=self.dice.uniform(1, 72))
            request_id = self._id()
            self.rows["teammate_requests"].append(
                {
                    "id": request_id,
                    "sender_id": self.people[sender].id,
                    "receiver_id": self.people[receiver].id,
                    "message": self.dice.choice(words[self.people[sender].language]["requests"]),
                    "game_id": self.dice.choice(games.all).id,
                    "status": db.RequestStatus.PENDING.value,
                    "created_at": at,
                }
            )
            for account in (sender, receiver):
                self._add_event(
                    types.TeammateRequestChanged(
                        account_id=self.people[account].id, actor_id=self.people[sender].id, request_id=request_id
                    ),
                    at,
                )

    def _add_report(self) -> None:
        """Let the first known player report what somebody wrote in a group, for the staff to look at."""
        reporter, known = self.people[0].id, {person.id for person in self.people[: len(KNOWN)]}
        groups = {row["id"] for row in self.rows["chats"] if row["title"]}
        mine = {row["chat_id"] for row in self.rows["chat_members"] if row["account_id"] == reporter} & groups
        lines = [row for row in self.rows["messages"] if row["chat_id"] in mine]
        reported = next(row for row in reversed(lines) if row["author_id"] not in known)
        number = next(place for place, person in enumerate(self.people) if person.id == reported["author_id"])
        account, profile = self.rows["accounts"][number], self.rows["profiles"][number]
        kept = {"username": account["username"], "display_name": account["display_name"], "age_band": None}
        kept |= {name: profile[name] for name in ("bio", "country", "languages")}
        report_id = self._id()
        self.rows["reports"].append(
            {
                "id": report_id,
                "subject": db.ReportSubject.MESSAGE.value,
                "reporter_id": reporter,
                "reported_id": reported["author_id"],
                "message_id": reported["id"],
                "reason": db.ReportReason.SPAM.value,
                "comment": "Again and again, in every group.",
                "profile": json.dumps(kept),
                "status": db.ReportStatus.OPEN.value,
                "created_at": self.now - timedelta(hours=2),
            }
        )
        near = [
            line
            for line in lines
            if line["chat_id"] == reported["chat_id"] and abs(line["number"] - reported["number"]) <= AROUND
        ]
        for position, line in enumerate(near):
            self.rows["evidence"].append(
                {
                    "report_id": report_id,
                    "position": position,
                    "author_id": line["author_id"],
                    "text": line["text"],
                    "is_reported": line is reported,
                    "sent_at": line["created_at"],
                    "earlier_texts": [],
                    "file_names": [],
                }
            )

    def _add_event(self, happened: types.Event, at: datetime) -> None:
        columns = types.to_columns(happened)
        self.rows["events"].append({**columns, "payload": json.dumps(columns["payload"]), "created_at": at})


@dataclass
class _Games:
    """The catalogue, ready for dice."""

    all: list[db.Game]
    weights: list[int]
    ranks: dict[uuid.UUID, list[db.GameRank]]
    roles: dict[uuid.UUID, list[db.GameRole]]
    genre_numbers: dict[uuid.UUID, int]

    @classmethod
    async def load(cls, session: db.ReadSession) -> Self:
        popularity = {game.slug: game.popularity for game in catalogue.load().games}
        games = list(await session.scalars(select(db.Game).order_by(db.Game.slug)))
        ranks: dict[uuid.UUID, list[db.GameRank]] = defaultdict(list)
        for rank in await session.scalars(select(db.GameRank).order_by(db.GameRank.game_id, db.GameRank.position)):
            ranks[rank.game_id].append(rank)
        roles: dict[uuid.UUID, list[db.GameRole]] = defaultdict(list)
        for role in await session.scalars(select(db.GameRole).order_by(db.GameRole.game_id, db.GameRole.position)):
            roles[role.game_id].append(role)
        numbers = {genre.id: genre.number for genre in await session.scalars(select(db.Genre))}
        return cls(games, [popularity.get(game.slug, 1) for game in games], ranks, roles, numbers)

    def some(self, dice: random.Random, count: int) -> list[db.Game]:
        return list(dict.fromkeys(dice.choices(self.all, self.weights, k=count)))

    def named(self, *slugs: str) -> list[db.Game]:
        return [game for slug in slugs for game in self.all if game.slug == slug]
