from collections.abc import AsyncIterator

import pytest
from sqlalchemy import delete

from gamebuddy import db
from gamebuddy.schema.context import Services
from tests.api import Api


@pytest.fixture(autouse=True)
async def no_rules_afterwards(services: Services, api: Api) -> AsyncIterator[None]:
    yield
    async with services.database.write() as session:
        await session.execute(delete(db.WordRule))
        await session.execute(delete(db.RulesVersion))
    await services.words.follow()
