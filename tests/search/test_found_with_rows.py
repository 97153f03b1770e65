"""The search brings rows that read like two kinds of entities at once."""

import pytest
from sqlalchemy import text

from gamebuddy import db
from gamebuddy.db import Database


@pytest.mark.parametrize("kinds", [(db.Account, db.Profile), (db.PlayerGame, db.Game)])
def test_rows_that_are_read_as_one_share_no_name(kinds: tuple[type[db.Row], type[db.Row]]) -> None:
    one, other = (set(kind.__table__.columns.keys()) for kind in kinds)
    assert not one & other


async def test_the_planner_knows_that_few_are_found(database_url: str) -> None:
    database = Database(database_url)
    async with database.read() as session:
        rows = await session.scalar(text("SELECT prorows FROM pg_proc WHERE proname = 'search_best'"))
    await database.close()
    assert rows == 20
