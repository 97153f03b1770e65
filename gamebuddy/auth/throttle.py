"""Limits on how often: the generic cell rate algorithm, one statement a hit, the same for all nodes."""

import hashlib
import ipaddress
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import case, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from gamebuddy import db
from gamebuddy.auth.codes import LIFETIME
from gamebuddy.db import ReadSession, WriteSession
from gamebuddy.errors import retry_later

MESSAGE = "Too many tries. Wait a moment."
IPV6_PREFIX = 64  # what one customer gets


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` hits at once, then one each `interval`."""

    burst: int
    interval: timedelta


class Limit(StrEnum):
    """What is limited. Those BY_ADDRESS count a network address and are multiplied by RATE_LIMIT_FACTOR."""

    SIGN_IN = "SIGN_IN"
    PASSWORD = "PASSWORD"  # noqa: S105 - the password of one who is signed in already
    SECOND_FACTOR = "SECOND_FACTOR"
    CODE_TRIES = "CODE_TRIES"
    LETTERS = "LETTERS"
    EMAIL_CHANGES = "EMAIL_CHANGES"
    SEND_MESSAGE = "SEND_MESSAGE"
    UPLOAD = "UPLOAD"
    REPORT = "REPORT"
    SIGN_IN_BY_ADDRESS = "SIGN_IN_BY_ADDRESS"
    REGISTER_BY_ADDRESS = "REGISTER_BY_ADDRESS"
    ASK_FOR_LETTER_BY_ADDRESS = "ASK_FOR_LETTER_BY_ADDRESS"
    TRY_CODE_BY_ADDRESS = "TRY_CODE_BY_ADDRESS"


# What is built in; an administrator may change it.
RATES: Mapping[Limit, Rate] = {
    Limit.SIGN_IN: Rate(5, timedelta(minutes=3)),
    Limit.PASSWORD: Rate(5, timedelta(minutes=3)),
    # Three of a million codes are right at any time: at this rate a guesser needs four years for an even chance.
    Limit.SECOND_FACTOR: Rate(10, timedelta(minutes=10)),
    # Five tries for one code: when the sixth would have room, the code has expired.
    Limit.CODE_TRIES: Rate(5, LIFETIME),
    Limit.LETTERS: Rate(3, timedelta(hours=1)),
    Limit.EMAIL_CHANGES: Rate(5, timedelta(hours=1)),
    Limit.SEND_MESSAGE: Rate(60, timedelta(milliseconds=200)),
    Limit.UPLOAD: Rate(60, timedelta(minutes=1)),
    Limit.REPORT: Rate(20, timedelta(minutes=5)),
    Limit.SIGN_IN_BY_ADDRESS: Rate(30, timedelta(seconds=2)),
    Limit.REGISTER_BY_ADDRESS: Rate(20, timedelta(minutes=3)),
    Limit.ASK_FOR_LETTER_BY_ADDRESS: Rate(20, timedelta(minutes=3)),
    Limit.TRY_CODE_BY_ADDRESS: Rate(30, timedelta(seconds=2)),
}
BY_ADDRESS = frozenset(limit for limit in Limit if limit.endswith("_BY_ADDRESS"))
# Counted by what is tried or written to: a login, a code, an e-mail address. What is left of these is told to nobody.
BY_TARGET = frozenset({Limit.SIGN_IN, Limit.CODE_TRIES, Limit.LETTERS})
BY_ACCOUNT = frozenset(Limit) - BY_ADDRESS - BY_TARGET
# What keeps secrets from being guessed: the odds beside the rates hold only while nobody makes these looser.
AGAINST_GUESSING = frozenset({Limit.SIGN_IN, Limit.PASSWORD, Limit.SECOND_FACTOR, Limit.CODE_TRIES})
MOST_CHANGE = 10  # how many times stricter or looser a limit may become


def strictest(limit: Limit) -> Rate:
    """Give the rate below which nobody could use what is limited."""
    rate = RATES[limit]
    return Rate(math.ceil(rate.burst / MOST_CHANGE), rate.interval * MOST_CHANGE)


def loosest(limit: Limit) -> Rate:
    """Give the rate beyond which the limit would keep nothing out."""
    rate = RATES[limit]
    return rate if limit in AGAINST_GUESSING else Rate(rate.burst * MOST_CHANGE, rate.interval / MOST_CHANGE)


@dataclass(frozen=True, slots=True)
class Hit:
    """One hit on the bucket of a limit and a key. Keys are stored as hashes: they may be addresses."""

    limit: Limit
    key: str

    @property
    def bucket(self) -> str:
        """The name of the row."""
        return f"{self.limit}:{hashlib.sha256(self.key.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left of a limit; `reset_at` is when all of it is left again."""

    limit: Limit
    rate: Rate
    remaining: int
    reset_at: datetime


class Throttle:
    """Counts hits. `factor` multiplies the limits of network addresses, for load tests from behind one.

    `changed` holds the rates that are not the built-in ones; whoever follows them puts in others.
    """

    def __init__(self, factor: float = 1) -> None:
        self._factor = factor
        self.changed: Mapping[Limit, Rate] = {}

    async def take(self, session: WriteSession, *hits: Hit) -> None:
        """Count the hits at once, whatever becomes of this transaction.

        They are counted in order; what comes after a full bucket is not counted. Nothing may have been written yet.

        Raises:
            Rejected: RETRY_LATER with the moment from which on the full bucket has room.
        """
        async with session.at_once() as own:
            retry_at = await self.count_all(own, *hits)
        if retry_at is not None:
            raise retry_later(MESSAGE, retry_at)

    async def count_all(self, session: WriteSession, *hits: Hit) -> datetime | None:
        """Count hits, up to the first full bucket; tell from when on that has room."""
        for hit in hits:
            retry_at = await self.count(session, hit)
            if retry_at is not None:
                return retry_at
        return None

    async def count(self, session: WriteSession, hit: Hit) -> datetime | None:
        """Count one hit in this transaction; when the bucket is full, tell from when on it has room."""
        return (await self.count_each(session, hit.limit, [hit.key])).get(hit.key)

    async def count_each(self, session: WriteSession, limit: Limit, keys: Collection[str]) -> dict[str, datetime]:
        """Count one hit for each of different keys; give those whose bucket is full, and from when on it has room."""
        rate = self._rate(limit)
        row, now = db.RateLimit, func.clock_timestamp()
        tolerance = rate.interval * (rate.burst - 1)
        # Further ahead than any hit can move it: the clock was set back, or the limit was made stricter. Nobody shall
        # wait for that, and the bucket begins anew.
        is_astray = row.theoretical_arrival_at > now + tolerance + rate.interval
        buckets = {Hit(limit, key).bucket: key for key in keys}
        # In one order everywhere: two who count the same many at once do not wait for each other for ever.
        hit = db.given("hit", key=(row.key, sorted(buckets)))
        passed = await session.scalars(
            insert(row)
            .from_select(["key", "theoretical_arrival_at"], select(hit.c.key, now + rate.interval))
            .on_conflict_do_update(
                index_elements=[row.key],
                set_={
                    "theoretical_arrival_at": case(
                        (is_astray, now), else_=func.greatest(row.theoretical_arrival_at, now)
                    )
                    + rate.interval
                },
                where=or_(row.theoretical_arrival_at <= now + tolerance, is_astray),
            )
            .returning(row.key)
        )
        full = buckets.keys() - set(passed)
        if not full:
            return {}
        rows = await session.execute(select(row.key, row.theoretical_arrival_at - tolerance).where(row.key.in_(full)))
        return {buckets[bucket]: retry_at for bucket, retry_at in rows}

    async def left(self, session: ReadSession, *hits: Hit) -> list[Budget]:
        """Tell what is left for each of the hits, in one statement; nothing is counted."""
        row = db.RateLimit
        found = await session.execute(
            select(func.clock_timestamp(), func.array_agg(row.key), func.array_agg(row.theoretical_arrival_at)).where(
                row.key.in_([hit.bucket for hit in hits])
            )
        )
        now, keys, times = found.one()
        arrivals = dict(zip(keys or (), times or (), strict=True))
        budgets = []
        for hit in hits:
            rate, arrival_at = self._rate(hit.limit), arrivals.get(hit.bucket, now)
            if not now < arrival_at <= now + rate.interval * rate.burst:  # later: it is astray
                arrival_at = now
            remaining = rate.burst - math.ceil((arrival_at - now) / rate.interval)
            budgets.append(Budget(hit.limit, rate, remaining, arrival_at))
        return budgets

    async def forget(self, session: WriteSession, *hits: Hit) -> None:
        """Empty the buckets of the hits, in this transaction."""
        await session.execute(delete(db.RateLimit).where(db.RateLimit.key.in_([hit.bucket for hit in hits])))

    def _rate(self, limit: Limit) -> Rate:
        rate = self.changed.get(limit, RATES[limit])
        if limit not in BY_ADDRESS:
            return rate
        return Rate(max(1, round(rate.burst * self._factor)), rate.interval / self._factor)


def network_of(address: str) -> str:
    """Give what counts as one client: an IPv4 address, or the /64 that an IPv6 address is from."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, IPV6_PREFIX), strict=False))
