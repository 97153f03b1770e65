"""The races of accounts, on two real server processes that share nothing but the database."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gamebuddy.db import Role
from gamebuddy.settings import Settings
from tests.accounts.operations import (
    PASSWORD,
    arrive,
    call,
    crowd,
    done,
    is_alive,
    payload,
    problems,
    refresh,
    sign_in,
)
from tests.api import Api
from tests.conftest import SECRET, free_port
from tests.factories import Factory, Player
from tests.post_office import PostOffice
from tests.test_cli import serving


@pytest.fixture(scope="module")
async def urls(
    settings: Settings, post_office: PostOffice, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[list[str]]:
    """Two servers, started as a person starts them."""
    assert settings.database_url is not None
    with contextlib.ExitStack() as running:
        found = []
        for _ in range(2):
            environment = {
                "GAMEBUDDY_DATABASE_URL": settings.database_url.get_secret_value(),
                "GAMEBUDDY_SECRET_KEY": SECRET,
                "GAMEBUDDY_SMTP_URL": post_office.url,
                "GAMEBUDDY_PORT": str(free_port()),
                "GAMEBUDDY_RATE_LIMIT_FACTOR": "1000",
                "GAMEBUDDY_DATA_DIR": str(Path(tmp_path_factory.mktemp("node"))),
            }
            _, url = await asyncio.to_thread(running.enter_context, serving("serve", **environment))
            found.append(url)
        yield found


@pytest.fixture
async def nodes(urls: list[str], api: Api) -> AsyncIterator[list[Api]]:
    """Somebody at each of them."""
    async with contextlib.AsyncExitStack() as open_clients:
        yield [await open_clients.enter_async_context(Api.open(url)) for url in urls]


async def test_of_sixty_wrong_tries_five_are_checked(nodes: list[Api], nika: Player) -> None:
    codes = await crowd([sign_in(nodes[n % 2], "nika", f"wrong horse {n}") for n in range(60)])
    assert codes["WRONG_CREDENTIALS"] == 5 or (codes["UNAVAILABLE"] and codes["WRONG_CREDENTIALS"] < 5)
    assert codes.keys() <= {"WRONG_CREDENTIALS", "RETRY_LATER", "UNAVAILABLE"}


async def test_twenty_refreshes_have_one_successor(nodes: list[Api], post_office: PostOffice) -> None:
    tokens = (await arrive(nodes[0], post_office))["tokens"]
    answers = await asyncio.gather(*(refresh(nodes[n % 2], tokens["refreshToken"]) for n in range(20)))
    successors = {payload(answer)["tokens"]["refreshToken"] for answer in answers}
    assert len(successors) == 1
    payload(await refresh(nodes[1], successors.pop()))


async def test_a_revoked_session_is_dead_on_both(nodes: list[Api], nika: Player) -> None:
    tokens = payload(await sign_in(nodes[0]))["tokens"]
    phones = [node.signed_in(tokens["accessToken"]) for node in nodes]
    async with phones[0].socket() as one, phones[1].socket() as other:
        owner = nodes[1].signed_in(nika.api.token or "")
        await done(owner, "revokeSession", sessionId=tokens["sessionId"])
        assert [await is_alive(phone) for phone in phones] == [False, False]
        assert [await one.closed(), await other.closed()] == [4403, 4403]


async def test_one_code_resets_one_password(nodes: list[Api], nika: Player, post_office: PostOffice) -> None:
    await done(nodes[0], "requestPasswordReset", login="nika")
    code = await post_office.code_for("nika@example.com")
    new = [f"another horse {n}" for n in range(4)]
    answers = await asyncio.gather(
        *(call(nodes[n % 2], "resetPassword", login="nika", code=code, newPassword=new[n]) for n in range(4))
    )
    won = [n for n, answer in enumerate(answers) if answer["resetPassword"]["isDone"]]
    assert len(won) == 1
    payload(await sign_in(nodes[1], password=new[won[0]]))
    assert problems(await sign_in(nodes[0], password=PASSWORD)) == [("WRONG_CREDENTIALS", "input")]


async def test_of_two_administrators_who_demote_each_other_one_stays(nodes: list[Api], make: Factory) -> None:
    document = "mutation($i: SetUserRoleInput!) { setUserRole(input: $i) { user { id } userErrors { code } } }"
    for _ in range(5):
        pair = [await make.player(role=Role.ADMIN) for _ in range(2)]
        answers = await asyncio.gather(
            *(
                nodes[n]
                .signed_in(pair[n].api.token or "")
                .post(document, {"i": {"userId": pair[1 - n].id, "role": "USER", "reason": "first come"}})
                for n in range(2)
            )
        )
        results = [(answer.json()["data"] or {}).get("setUserRole") or {} for answer in answers]
        assert sum(bool(result.get("user")) for result in results) == 1
        left = [p for p in pair if (await p.api("{ viewer { role } }"))["viewer"]["role"] == "ADMIN"]
        assert len(left) == 1
        await make.demote(left[0])


async def test_a_name_is_registered_once(nodes: list[Api]) -> None:
    document = "mutation($i: RegisterInput!) { register(input: $i) { userErrors { code } } }"
    spelled = ["nika", "NIKA", "Nika", "nIkA"] * 4
    answers = await asyncio.gather(
        *(
            nodes[n % 2](document, i={"email": f"{n}@example.com", "username": name, "password": PASSWORD})
            for n, name in enumerate(spelled)
        )
    )
    codes = Counter(tuple(e["code"] for e in answer["register"]["userErrors"]) for answer in answers)
    assert codes == {(): 1, ("TAKEN",): 15}
