from tests.accounts.operations import RESEND, arrive, payload, problems, register, verify
from tests.api import Api
from tests.conftest import Statements
from tests.post_office import PostOffice


async def test_a_new_code_replaces_the_old_one(api: Api, post_office: PostOffice) -> None:
    await register(api)
    old = await post_office.code_for("nika@example.com")
    assert payload(await api(RESEND, input={"email": "Nika@example.com"}))["isDone"]
    new = await post_office.code_for("nika@example.com", number=2)
    assert problems(await verify(api, old)) == [("CODE_WRONG", "input.code")]
    payload(await verify(api, new))


async def test_known_and_unknown_are_one(api: Api, post_office: PostOffice, statements: Statements) -> None:
    await arrive(api, post_office, "owner")
    await register(api)
    runs = []
    for address in ("nika@example.com", "owner@example.com", "nobody@example.com"):
        statements.clear()
        answer = await api(RESEND, input={"email": address})
        runs.append((answer, list(statements)))
    assert runs[0] == runs[1] == runs[2]
    await post_office.letter_to("nika@example.com", number=2)
    assert len(post_office.to("owner@example.com")) == 1
    assert post_office.to("nobody@example.com") == []


async def test_no_more_than_three_letters_an_hour_and_the_same_answer(api: Api, post_office: PostOffice) -> None:
    await register(api)
    answers = [await api(RESEND, input={"email": "nika@example.com"}) for _ in range(9)]
    assert all(answer == {"resendVerification": {"isDone": True, "userErrors": []}} for answer in answers)
    await register(api, email="last@example.com", username="last_one")
    await post_office.letter_to("last@example.com")
    assert len(post_office.to("nika@example.com")) == 3
    # What was not sent cannot be guessed at: the code of the last letter still works.
    payload(await verify(api, await post_office.code_for("nika@example.com", number=3)))


async def test_what_is_no_address_is_refused(api: Api) -> None:
    assert problems(await api(RESEND, input={"email": "a@localhost"})) == [("INVALID", "input.email")]
