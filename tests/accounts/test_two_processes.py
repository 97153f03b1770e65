"""The races of accounts, on two real server processes that share nothing but the database."""

import asyncio
from collections import Counter

from gamebuddy.db import Role
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
from tests.factories import Factory, Player
from tests.post_office import PostOffice


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
