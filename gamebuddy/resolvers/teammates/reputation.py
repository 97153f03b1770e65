"""How good it is to play with somebody: praise by those who have, and the score that is made of it.

The score is the lower edge of a belief about one share: of all who have been somebody's teammates, how many would
praise him? The belief is a beta distribution (Gelman et al., Bayesian Data Analysis, 3rd ed., section 2.4): it begins
as if `PRIOR_COUNT` teammates had been asked and `PRIOR_SHARE` of them had praised, every praiser adds a voice for, and
every other teammate `SILENCE` of a voice against, since most people praise nobody. Its mean less one standard deviation
is the score: it grows with the share and with the number of voices, and one lucky praise does not beat many.

People who praise each other are no independent witnesses. A praiser's voice counts 1 / (1 + ties), where ties are the
others among the same person's praisers whom he has praised or who have praised him: the size of a sample whose members
all agree with those they are tied to (Kish, Survey Sampling, 1965, section 5.4). A circle of any size in which
everybody praises everybody is one voice for each of its members, and praising back never costs the praiser anything.
"""

import math
import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Date, and_, cast, delete, exists, func, or_, select, union, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from gamebuddy import db
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import Trait, WriteSession
from gamebuddy.errors import Code, Problem, Rejected, reject
from gamebuddy.resolvers.teammates.reach import is_within_reach, no_such_player

PRIOR_SHARE, PRIOR_COUNT = 0.8, 8
SILENCE = 0.25
MOST_TRAITS = 3  # shown of somebody
THOUSAND = 1000
# One at a time: who praises changes how much the praise of others counts, whose rows he does not know beforehand.
LOCK = 0x7072616973650001


def lower_edge(ties: Collection[int], silent: int) -> int:
    """Give the score in thousandths, 0 to 1000.

    `ties` has one number for each praiser: with how many of the other praisers he is tied. `silent` are the teammates,
    present and past, who have not praised.
    """
    good = PRIOR_SHARE * PRIOR_COUNT + math.fsum(1 / (1 + tied) for tied in ties)
    bad = (1 - PRIOR_SHARE) * PRIOR_COUNT + SILENCE * silent
    mean = good / (good + bad)
    deviation = math.sqrt(mean * (1 - mean) / (good + bad + 1))
    return round(THOUSAND * max(0.0, mean - deviation))


async def praise(
    session: WriteSession, viewer: Viewer, *, user_id: uuid.UUID, traits: Sequence[Trait], game_id: uuid.UUID | None
) -> db.Account:
    """Praise somebody with whom the viewer plays or has played; once in a week from Monday to Sunday, UTC.

    Raises:
        Rejected: INVALID for oneself, TOO_SHORT without a trait, NOT_FOUND for whoever never was a teammate or cannot
            be reached and for an unknown game, RETRY_LATER for a second time in the same week.
    """
    if user_id == viewer.account_id:
        raise reject(Code.INVALID, "You cannot praise yourself.", "user_id")
    if not traits:
        raise reject(Code.TOO_SHORT, "Name at least one trait.", "traits")
    pair = db.Companionship
    first, second = sorted((viewer.account_id, user_id))
    account: db.Account | None = await session.scalar(
        select(db.Account).where(
            db.Account.id == user_id,
            is_within_reach(viewer),
            exists().where(pair.first_id == first, pair.second_id == second),
        )
    )
    if account is None:
        raise no_such_player("user_id")
    if game_id is not None and not await session.scalar(select(exists().where(db.Game.id == game_id))):
        raise reject(Code.NOT_FOUND, "There is no such game.", "game_id")
    await session.execute(select(func.pg_advisory_xact_lock(LOCK)))
    added = await session.scalar(
        insert(db.Praise)
        .values(id=db.new_id(), by_id=viewer.account_id, account_id=user_id, game_id=game_id)
        .values(traits=list(dict.fromkeys(traits)), week=cast(func.date_trunc("week", func.now()), Date))
        .on_conflict_do_nothing()
        .returning(db.Praise.id)
    )
    if added is None:
        message = "You have praised this player this week."
        raise Rejected(
            Problem(code=Code.RETRY_LATER, message=message, field=("user_id",), retry_at=next_week(datetime.now(UTC)))
        )
    await recount(session, [user_id, *await _praised_by_both(session, viewer.account_id, user_id)])
    return account


async def remember_companions(session: WriteSession, one: uuid.UUID, other: uuid.UUID) -> None:
    """Note that two have become teammates: from now on they may praise each other, also when they have parted."""
    first, second = sorted((one, other))
    added = await session.scalar(
        insert(db.Companionship)
        .values(first_id=first, second_id=second)
        .on_conflict_do_nothing()
        .returning(db.Companionship.first_id)
    )
    if added is not None:
        await recount(session, [one, other])


async def recount(session: WriteSession, account_ids: Collection[uuid.UUID]) -> None:
    """Make the reputations anew of those among these who have praise, or had.

    Their profiles are locked first, in the order of ids; so of two who recount at once the second one sees everything.
    """
    profile = db.Profile
    has_praise = exists().where(db.Praise.account_id == profile.account_id)
    locked = await session.scalars(
        select(profile.account_id)
        .where(db.is_one_of(profile.account_id, account_ids), or_(profile.praise_count > 0, has_praise))
        .order_by(profile.account_id)
        .with_for_update(key_share=True)
    )
    ids = locked.all()
    if not ids:
        return
    praises: dict[uuid.UUID, list[db.Praise]] = {account_id: [] for account_id in ids}
    for row in await session.scalars(select(db.Praise).where(db.is_one_of(db.Praise.account_id, ids))):
        praises[row.account_id].append(row)
    ties = await _ties(session, ids)
    companions = await _companions(session, ids)
    for account_id, received in praises.items():
        said: dict[uuid.UUID, set[Trait]] = defaultdict(set)
        for row in received:
            said[row.by_id].update(row.traits)
        edge = lower_edge([ties[account_id, by_id] for by_id in said], len(companions[account_id] - said.keys()))
        await session.execute(
            update(profile)
            .where(profile.account_id == account_id)
            .values(reputation=edge if received else None, praise_count=len(received), top_traits=top_traits(said))
            .execution_options(synchronize_session=False)
        )


async def forget_praise(session: WriteSession, account_id: uuid.UUID) -> None:
    """Erase what somebody said and heard, and with whom he played; whom he praised is counted anew."""
    await session.execute(select(func.pg_advisory_xact_lock(LOCK)))
    given = await session.scalars(
        delete(db.Praise)
        .where(or_(db.Praise.by_id == account_id, db.Praise.account_id == account_id))
        .returning(db.Praise.account_id)
        .execution_options(synchronize_session=False)
    )
    praised = set(given)
    pair = db.Companionship
    await session.execute(
        delete(pair)
        .where(or_(pair.first_id == account_id, pair.second_id == account_id))
        .execution_options(synchronize_session=False)
    )
    await recount(session, praised)


def next_week(now: datetime) -> datetime:
    """Give the next Monday, 0:00 UTC."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=7 - now.weekday())


def top_traits(said: Mapping[Any, Iterable[Trait]]) -> list[Trait]:
    """Give what most people praise, by what each of them has said; of equals in the order of Trait."""
    counts = Counter(trait for traits in said.values() for trait in set(traits))
    return sorted(counts, key=lambda trait: (-counts[trait], list(Trait).index(trait)))[:MOST_TRAITS]


async def _praised_by_both(session: WriteSession, one: uuid.UUID, other: uuid.UUID) -> Sequence[uuid.UUID]:
    """Give those for whom a tie between two praisers makes a difference."""
    praise = db.Praise
    statements = [select(praise.account_id).where(praise.by_id == by_id) for by_id in (one, other)]
    rows = await session.scalars(statements[0].intersect(statements[1]))
    found: Sequence[uuid.UUID] = rows.all()
    return found


async def _ties(session: WriteSession, ids: Sequence[uuid.UUID]) -> Counter[tuple[uuid.UUID, uuid.UUID]]:
    """Count, for each who is praised and each praiser of his, the other praisers whom this one is tied to."""
    mine, his, tie = (aliased(db.Praise) for _ in range(3))

    pairs = [
        select(mine.account_id, mine.by_id, his.by_id.label("other"))
        .join(tie, link)
        .join(his, and_(his.account_id == mine.account_id, his.by_id == other))
        .where(db.is_one_of(mine.account_id, ids))
        for link, other in ((tie.by_id == mine.by_id, tie.account_id), (tie.account_id == mine.by_id, tie.by_id))
    ]
    found = union(*pairs).subquery()
    rows = await session.execute(
        select(found.c.account_id, found.c.by_id, func.count()).group_by(found.c.account_id, found.c.by_id)
    )
    return Counter({(account_id, by_id): count for account_id, by_id, count in rows})


async def _companions(session: WriteSession, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, set[uuid.UUID]]:
    pair = db.Companionship
    rows = await session.execute(
        select(pair.first_id, pair.second_id)
        .where(db.is_one_of(pair.first_id, ids))
        .union(select(pair.second_id, pair.first_id).where(db.is_one_of(pair.second_id, ids)))
    )
    companions: dict[uuid.UUID, set[uuid.UUID]] = {account_id: set() for account_id in ids}
    for account_id, other_id in rows:
        companions[account_id].add(other_id)
    return companions
