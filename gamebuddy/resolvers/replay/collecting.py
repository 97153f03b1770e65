"""Takes searches and answers from the database: whom people could have asked, and whom they did."""

import random
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from gamebuddy import db
from gamebuddy.auth.viewer import Viewer
from gamebuddy.db import Database, RequestStatus
from gamebuddy.resolvers.matching import Player, Weights
from gamebuddy.resolvers.replay.records import Answer, Candidate, Record
from gamebuddy.resolvers.search import Filter, finding, loading

LATELY = timedelta(days=90)
LISTED = 100  # of the best whom the viewer did not ask
ANSWERS = {RequestStatus.ACCEPTED: Answer.ACCEPTED}


async def collect(database: Database) -> AsyncIterator[Record]:
    """Give a record for everybody who has asked somebody in the last 90 days.

    His candidates are those whom he asked and the hundred best of the others, by all of them as they are now: what
    people have changed since then is not kept. Where a candidate stands in the file tells nothing.
    """
    for sender_id, answers in (await _answers(database)).items():
        async with database.read() as session:
            me = (await loading.players_by_ids(session, [sender_id])).get(sender_id)
            if me is None:
                continue
            facts = await loading.load_game_facts(session, me, Filter())
            ground = finding.new_ground(me, facts)
            question = finding.question_of(me, Weights.of(), ground, facts, Filter())
            viewer = Viewer(account_id=sender_id, session_id=sender_id, role=db.Role.USER, locale="en")
            listed = await finding.list_candidates(session, viewer, question, facts, Filter(), limit=LISTED)
            ids = {*answers, *(row.account_id for row in listed)} - {sender_id}
            players = await loading.players_by_ids(session, ids)
        candidates = [Candidate(player, answers.get(key, Answer.NOT_ASKED)) for key, player in players.items()]
        random.shuffle(candidates)
        yield record_of(me, facts, candidates)


def record_of(me: Player, facts: loading.GameFacts, candidates: list[Candidate]) -> Record:
    """Make a record of a search of today."""
    return Record(
        as_of=datetime.now(UTC).date(),
        viewer=me,
        player_counts={played.game_id: facts.player_counts[played.game_id] for played in me.games},
        cross_play=facts.cross_play,
        most=facts.most,
        candidates=candidates,
    )


async def _answers(database: Database) -> dict[uuid.UUID, dict[uuid.UUID, Answer]]:
    asked = db.TeammateRequest
    found: defaultdict[uuid.UUID, dict[uuid.UUID, Answer]] = defaultdict(dict)
    async with database.read() as session:
        rows = await session.execute(
            select(asked.sender_id, asked.receiver_id, asked.status).where(
                asked.created_at > func.now() - LATELY, asked.status != RequestStatus.CANCELLED
            )
        )
        for sender_id, receiver_id, status in rows:
            found[sender_id][receiver_id] = ANSWERS.get(status, Answer.ASKED)
    return found
