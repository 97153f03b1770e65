"""Searches that have been answered, replayed under the weights of today and under others."""

import math
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update
from typer.testing import CliRunner

from gamebuddy import cli, db
from gamebuddy.resolvers import replay
from gamebuddy.resolvers.matching import RANKING, Ranking, Signal, Weights
from gamebuddy.resolvers.replay import Answer, Judgement, judging
from gamebuddy.schema.context import Services
from tests.factories import Factory

ANSWERS = st.lists(st.sampled_from(Answer), min_size=1, max_size=60)


def ranking(**weights: int) -> str:
    """Write a ranking that differs from that of today."""
    lines = [f"{signal} = {weights.get(signal.value, RANKING.weights[signal])}" for signal in Signal]
    return "\n".join(['version = "changed"', "[weights]", *lines])


@given(ANSWERS)
def test_the_best_order_is_worth_one_and_every_other_less(answers: list[Answer]) -> None:
    best = sorted(answers, reverse=True)
    asked = any(answers)
    assert judging.ndcg(best) == pytest.approx(1.0 if asked else 0.0)
    assert 0 <= judging.ndcg(answers) <= judging.ndcg(best) + 1e-12


def test_the_gain_is_that_of_the_formula() -> None:
    answers: Sequence[Answer] = [Answer.NOT_ASKED, Answer.ACCEPTED, Answer.ASKED]
    gain, best = 3 / math.log2(3) + 1 / 2, 3 + 1 / math.log2(3)
    assert judging.ndcg(answers) == pytest.approx(gain / best)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ranking(GAMES=81), "sum to 1000"),
        (ranking(GAMES=-1), "whole number"),
        ('version = "x"\n[weights]\nGAMES = 1000', "every signal"),
        ("no toml", "Expected"),
    ],
)
def test_what_is_no_ranking_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Ranking.read(text)


async def test_what_happened_is_collected_without_names_and_judged(
    make: Factory, services: Services, tmp_path: Path
) -> None:
    viewer = await make.player("nika", games={"valorant": 1700}, schedule="1" * 168, region=db.Region.CIS)
    near = await make.player("near", games={"valorant": 1700}, region=db.Region.CIS)
    far = await make.player("far", games={"valorant": 100}, region=db.Region.OCEANIA)
    for number in range(30):
        await make.player(f"between_{number}", games={"valorant": 1100}, region=db.Region.CIS)
    async with services.database.write() as session:
        for receiver, status in ((near, db.RequestStatus.DECLINED), (far, db.RequestStatus.ACCEPTED)):
            session.add(db.TeammateRequest(sender_id=viewer.account_id, receiver_id=receiver.account_id, status=status))
        old = db.TeammateRequest(sender_id=near.account_id, receiver_id=far.account_id)
        session.add(old)
        await session.flush()
        await session.execute(
            update(db.TeammateRequest)
            .where(db.TeammateRequest.id == old.id)
            .values(created_at=db.TeammateRequest.created_at - timedelta(days=91))
        )
    path = tmp_path / "searches.jsonl"
    assert replay.write(path, [record async for record in replay.collect(services.database)]) == 1
    text = path.read_text()
    assert not any(str(who.account_id) in text or who.username in text for who in (viewer, near, far))
    (record,) = replay.read(path)
    assert len(record.candidates) == 32
    answers = judging.ranked(record, Weights.of())
    assert (answers[0], answers[-1]) == (Answer.ASKED, Answer.ACCEPTED)
    usual = replay.judge([record], Weights.of())
    assert (usual.acceptance, usual.searches) == (0, 1)


async def test_the_command_compares_and_draws(make: Factory, services: Services, tmp_path: Path) -> None:
    viewer = await make.player("nika", games={"valorant": 1700})
    for number in range(25):
        await make.player(f"player_{number}", games={"valorant": 1700 - 60 * number}, region=db.Region.CIS)
    far = await make.player("far", games={"valorant": 100}, reputation=990)
    async with services.database.write() as session:
        status = db.RequestStatus.ACCEPTED
        session.add(db.TeammateRequest(sender_id=viewer.account_id, receiver_id=far.account_id, status=status))
    searches, other, picture = tmp_path / "s.jsonl", tmp_path / "other.toml", tmp_path / "p.svg"
    replay.write(searches, [record async for record in replay.collect(services.database)])
    other.write_text(ranking(REPUTATION=50 + 210, RATING=0))
    run = CliRunner().invoke(cli.app, ["rank-eval", str(searches), "--weights", str(other), "--picture", str(picture)])
    assert run.exit_code == 0, run.output
    assert "changed" in run.output
    assert "1.0000" in run.output
    root = ET.fromstring(picture.read_text())  # noqa: S314 - our own
    assert sum(element.tag.endswith("rect") for element in root) == 1 + 2 * (2 + len(Signal))


@pytest.mark.parametrize("content", ["", "{}", "nonsense", '{"asOf": "2026-01-01"}'])
def test_a_file_that_is_none_is_told_in_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text(content)
    run = CliRunner().invoke(cli.app, ["rank-eval", str(path)])
    assert run.exit_code == 1
    assert "Traceback" not in run.output


def test_a_picture_of_one_ranking_shows_it_twice() -> None:
    judged = (Weights.of(), Judgement(0.5, 0.25, 10))
    assert replay.draw(judged, judged).count("0.500") == 2
