import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import uvicorn
from sqlalchemy import func, select, update

from gamebuddy import db
from gamebuddy.schema.context import Services
from gamebuddy.settings import Settings
from tests.accounts.operations import PASSWORD, REGISTER, arrive, payload, problems, register, sign_in, verify
from tests.api import Api
from tests.conftest import Statements, free_port, running
from tests.factories import Factory
from tests.post_office import PostOffice


async def test_a_newcomer_gets_a_code_and_proves_the_address(api: Api, post_office: PostOffice) -> None:
    registered = payload(await register(api, username="Nika", locale="ru"))
    left = datetime.fromisoformat(registered["verificationExpiresAt"]) - datetime.now(UTC)
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)

    viewer = payload(await verify(api, await post_office.code_for("nika@example.com")))["viewer"]
    assert (viewer["role"], viewer["status"], viewer["email"]) == ("USER", "ACTIVE", "nika@example.com")
    assert viewer["user"] == {
        "username": "nika",
        "displayName": "Nika",
        "profile": {"languages": ["ru"], "isLookingForTeammates": True},
    }


async def test_nobody_sees_an_account_before_it_is_proved(api: Api, post_office: PostOffice) -> None:
    await register(api)
    find = '{ user(by: {username: "nika"}) { username } }'
    assert (await api(find))["user"] is None
    await verify(api, await post_office.code_for("nika@example.com"))
    assert (await api(find))["user"] == {"username": "nika"}


@pytest.mark.parametrize(
    ("locale", "subject"),
    [("ru-RU", "Ваш код GameBuddy"), ("en", "Your GameBuddy code"), (None, "Your GameBuddy code")],
)
async def test_the_letter_speaks_the_language_of_the_account(
    api: Api, post_office: PostOffice, locale: str | None, subject: str
) -> None:
    await register(api, locale=locale)
    letter = await post_office.letter_to("nika@example.com")
    assert letter["Subject"] == subject
    html = letter.get_body(("html",))
    assert html is not None
    assert await post_office.code_for("nika@example.com") in html.get_content()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"username": "ab"}, ("TOO_SHORT", "input.username")),
        ({"username": ""}, ("TOO_SHORT", "input.username")),
        ({"username": "a" * 33}, ("TOO_LONG", "input.username")),
        *[
            ({"username": name}, ("INVALID", "input.username"))
            for name in (
                "Ａdmin", "admin\u200b", "ad\u202emin", "аdmin", "admın", "ⓐdmin", "ni ka", "\u212aelvin"
            )
        ],
        *[
            ({"username": name}, ("NOT_ALLOWED", "input.username"))
            for name in ("admin", "Root", "SUPPORT", "null", "system", "moderator", "gamebuddy")
        ],
        *[
            ({"email": email}, ("INVALID", "input.email"))
            for email in (
                "a@x.com\nBcc:y@z", "a" * 65 + "@x.com", "a@localhost", '"a b"@x.com', "a", "a@b@c.com", "a@[127.0.0.1]"
            )
        ],
        ({"password": "1234567"}, ("TOO_SHORT", "input.password")),
        ({"password": "😀" * 7}, ("TOO_SHORT", "input.password")),
        ({"password": "x" * 129}, ("TOO_LONG", "input.password")),
        *[
            ({"password": password}, ("WEAK_PASSWORD", "input.password"))
            for password in ("password", "Password123!", "gamebuddy2026", "qwertyuiop", "P@ssw0rd", "йцукенг1")
        ],
        ({"username": "long_name_of_mine", "password": "Long_Name_Of_Mine1"}, ("WEAK_PASSWORD", "input.password")),
        ({"password": "Nika@Example.com"}, ("WEAK_PASSWORD", "input.password")),
        ({"displayName": "\u200b\u200d"}, ("TOO_SHORT", "input.displayName")),
        ({"displayName": "x" * 41}, ("TOO_LONG", "input.displayName")),
        ({"displayName": "a\nb"}, ("INVALID", "input.displayName")),
        ({"displayName": "a\u202eb"}, ("INVALID", "input.displayName")),
        ({"displayName": "Z" + "\u0351" * 30}, ("INVALID", "input.displayName")),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_told_at_its_field(
    api: Api, post_office: PostOffice, changes: dict[str, str], expected: tuple[str, str]
) -> None:
    assert problems(await register(api, **changes)) == [expected]
    assert post_office.letters == []


async def test_everything_wrong_is_told_at_once(api: Api) -> None:
    answer = await register(api, email="x", username="!", password="short", displayName=" ")
    assert [path for _, path in problems(answer)] == [
        "input.email",
        "input.username",
        "input.password",
        "input.displayName",
    ]


@pytest.mark.parametrize(
    "password", ["  spaces around  ", "😀" * 64, "пароль для игры", "x" * 128, "k" + "Qz7!" * 31, "1234567é"]
)
async def test_a_password_works_exactly_as_typed(api: Api, post_office: PostOffice, password: str) -> None:
    payload(await register(api, password=password))
    await verify(api, await post_office.code_for("nika@example.com"))
    assert payload(await sign_in(api, password=password))["tokens"]
    assert problems(await sign_in(api, password=password.swapcase() + " ")) == [("WRONG_CREDENTIALS", "input")]


@pytest.mark.parametrize("field", ["username", "password", "displayName"])
@pytest.mark.parametrize("text", ["nik\0a is here", "nik\ud800a is here"])
async def test_what_is_no_text_is_bad_input(api: Api, field: str, text: str) -> None:
    fields = {"email": "n@example.com", "username": "nika", "password": PASSWORD, field: text}
    body = json.dumps({"query": REGISTER, "variables": {"input": fields}})  # httpx would refuse to write it
    answer = (await api.http.post("/graphql", content=body, headers={"Content-Type": "application/json"})).json()
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_name_is_taken_once_in_any_case(api: Api, post_office: PostOffice) -> None:
    answers = await asyncio.gather(
        *(
            register(api, email=f"{number}@example.com", username=name)
            for number, name in enumerate(["nika", "NIKA", "Nika", "nIKA"] * 4)
        )
    )
    taken = [problems(answer) for answer in answers if answer["register"]["userErrors"]]
    assert taken == [[("TAKEN", "input.username")]] * 15


async def test_the_roles_of_others_cannot_be_asked_for(api: Api) -> None:
    for name in ("role", "isAdmin", "emailVerified"):
        error = await api.error(
            f"mutation($i: RegisterInput!) {{ register(input: $i) {{ userErrors {{ code }} }} {name}: __typename }}",
            i={"email": "n@example.com", "username": "nika", "password": PASSWORD, name: "ADMIN"},
        )
        assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_known_address_gives_the_same_answer(api: Api, post_office: PostOffice, statements: Statements) -> None:
    await arrive(api, post_office, "owner")
    runs: list[tuple[Any, list[str]]] = []
    for email, name in (("owner@example.com", "second"), ("nobody@example.com", "third_")):
        statements.clear()
        answer = await register(api, email=email, username=name)
        runs.append((payload(answer).keys(), list(statements)))
        await post_office.letter_to(email, number=2 if name == "second" else 1)
    assert runs[0] == runs[1]

    letter = post_office.to("owner@example.com")[1]
    assert letter["Subject"] == "Somebody tried to register with your address"
    assert "owner" in str(letter.get_body(("plain",)))
    for login in ("second", "owner@example.com", "third_", "nobody@example.com"):
        assert problems(await sign_in(api, login, PASSWORD + " and more")) == [("WRONG_CREDENTIALS", "input")]
    for login in ("second", "third_", "nobody@example.com"):
        assert problems(await sign_in(api, login)) == [("EMAIL_NOT_VERIFIED", "input")]


async def test_who_claims_a_known_address_learns_nothing_by_signing_in(api: Api, make: Factory) -> None:
    await make.player("owner")
    for email, name in (("owner@example.com", "second"), ("nobody@example.com", "third_")):
        payload(await register(api, email=email, username=name))
        assert problems(await sign_in(api, email)) == [("EMAIL_NOT_VERIFIED", "input")]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("nika@EXAMPLE.com", "Nika@example.COM"),
        ("nika@bücher.example.com", "nika@xn--bcher-kva.example.com"),
        ("ünal@example.com", "u\u0308nal@example.com"),
    ],
)
async def test_one_mailbox_has_one_key(
    api: Api, post_office: PostOffice, services: Services, first: str, second: str
) -> None:
    await register(api, email=first, username="first")
    await register(api, email=second, username="second")
    async with services.database.read() as session:
        assert await session.scalar(select(func.count(db.Account.email_key.distinct()))) == 1


async def test_a_tag_makes_another_address(api: Api, post_office: PostOffice) -> None:
    await arrive(api, post_office)
    payload(await register(api, email="nika+two@example.com", username="nika2"))
    payload(await verify(api, await post_office.code_for("nika+two@example.com"), "nika+two@example.com"))


async def test_an_unproved_account_keeps_its_name_for_two_days(api: Api, services: Services) -> None:
    await register(api)
    assert problems(await register(api, email="other@example.com")) == [("TAKEN", "input.username")]
    async with services.database.write() as session:
        await session.execute(update(db.Account).values(created_at=datetime.now(UTC) - timedelta(hours=49)))
    payload(await register(api, email="other@example.com"))
    async with services.database.read() as session:
        assert (await session.scalars(select(db.Account.email))).all() == ["other@example.com"]


async def test_a_proved_account_keeps_its_name(api: Api, make: Factory, services: Services) -> None:
    await make.player("nika")
    async with services.database.write() as session:
        await session.execute(update(db.Account).values(created_at=datetime.now(UTC) - timedelta(days=900)))
    assert problems(await register(api, email="other@example.com")) == [("TAKEN", "input.username")]


async def test_an_address_gets_three_letters_an_hour(api: Api, post_office: PostOffice) -> None:
    for number in range(5):
        payload(await register(api, username=f"nika_{number}"))
    payload(await register(api, email="last@example.com", username="last_one"))
    await post_office.letter_to("last@example.com")
    assert len(post_office.to("nika@example.com")) == 3


async def test_one_network_address_registers_twenty_times(api: Api, settings: Settings, server: uvicorn.Server) -> None:
    strict = settings.model_copy(update={"port": free_port(), "rate_limit_factor": 1})
    async with running(strict), Api.open(strict.url) as client:
        answers = []
        for n in range(21):
            client.http.headers["X-Forwarded-For"] = f"198.51.100.{n}"  # without a proxy that is believed, an invention
            answers.append(await register(client, email=f"{n}@example.com", username=f"nika_{n}"))
    assert [bool(answer["register"]["userErrors"]) for answer in answers] == [False] * 20 + [True]
    (error,) = answers[-1]["register"]["userErrors"]
    assert (error["__typename"], error["code"]) == ("RetryLater", "RETRY_LATER")
    assert datetime.fromisoformat(error["retryAt"]) > datetime.now(UTC)
