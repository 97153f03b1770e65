import uuid
from typing import Any

from sqlalchemy import func, select

from gamebuddy import db
from gamebuddy.schema.context import Services
from tests.accounts.operations import ACCOUNT, call, payload, problems, register, sign_in, verify
from tests.api import Api, Json
from tests.factories import Factory
from tests.post_office import PostOffice

ME = """{ viewer {
  role email user { id username displayName profile { bio isLookingForTeammates } }
  can(action: SEARCH_TEAMMATES) { isAllowed } canWrite: can(action: SEND_MESSAGE) { isAllowed reason }
} }"""
SIGNED_IN = "tokens { accessToken } viewer { role user { id } }"


async def arrive_as_guest(api: Api) -> Api:
    guest = payload(await call(api, "signInAsGuest", SIGNED_IN, deviceName="Phone"))
    assert guest["viewer"]["role"] == "GUEST"
    return api.signed_in(guest["tokens"]["accessToken"])


async def me(api: Api) -> Json:
    found: Json = (await api(ME))["viewer"]
    return found


async def update_profile(api: Api, **input: Any) -> None:
    payload(await api(
        "mutation($i: UpdateProfileInput!) { updateProfile(input: $i) { userErrors { code path } } }", i=input
    ))  # fmt: skip


async def test_a_guest_looks_around(api: Api) -> None:
    guest = await me(await arrive_as_guest(api))
    assert guest["email"] is None
    assert guest["user"]["displayName"] == "Guest"
    assert guest["user"]["username"].startswith("guest_")
    assert not guest["user"]["profile"]["isLookingForTeammates"]
    assert guest["can"]["isAllowed"]
    assert guest["canWrite"] == {"isAllowed": False, "reason": "Confirm your e-mail address first."}


async def test_a_guest_who_registers_keeps_account_and_profile(
    api: Api, post_office: PostOffice, services: Services
) -> None:
    guest = await arrive_as_guest(api)
    await update_profile(guest, bio="I was here before", isLookingForTeammates=True)
    before = await me(guest)
    payload(await register(guest))
    assert (await me(guest)) == before  # nothing has changed until the code comes back
    assert problems(await sign_in(api)) == [("EMAIL_NOT_VERIFIED", "input")]
    proved = payload(await verify(api, await post_office.code_for("nika@example.com")))
    after = await me(api.signed_in(proved["tokens"]["accessToken"]))
    assert after["user"]["id"] == before["user"]["id"]
    assert (after["role"], after["email"]) == ("USER", "nika@example.com")
    assert (after["user"]["username"], after["user"]["displayName"]) == ("nika", "nika")
    assert after["user"]["profile"] == {"bio": "I was here before", "isLookingForTeammates": True}
    assert (await me(guest)) == after  # the guest's own session goes on, as the user's
    payload(await sign_in(api))
    async with services.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(db.Account)) == 1


async def test_a_name_that_the_guest_chose_to_show_stays(api: Api, post_office: PostOffice) -> None:
    guest = await arrive_as_guest(api)
    await update_profile(guest, displayName="Nika the Great")
    payload(await register(guest))
    payload(await verify(api, await post_office.code_for("nika@example.com")))
    assert (await me(guest))["user"]["displayName"] == "Nika the Great"


async def test_a_guest_may_try_twice_and_becomes_what_was_proved(api: Api, post_office: PostOffice) -> None:
    guest = await arrive_as_guest(api)
    payload(await register(guest, email="typo@example.com", username="first"))
    payload(await register(guest, email="nika@example.com", username="second"))
    payload(await verify(api, await post_office.code_for("nika@example.com")))
    assert (await me(guest))["user"]["username"] == "second"
    # The other claim is nobody's guest any more: whoever proves it has an account of its own.
    other = payload(await verify(api, await post_office.code_for("typo@example.com"), "typo@example.com"))
    assert other["viewer"]["user"]["username"] == "first"
    assert (await me(guest))["email"] == "nika@example.com"


async def test_a_guest_learns_nothing_of_a_known_address(api: Api, make: Factory, post_office: PostOffice) -> None:
    await make.player("owner")
    guest = await arrive_as_guest(api)
    known = await register(guest, email="owner@example.com", username="second")
    unknown = await register(guest, email="nobody@example.com", username="third_")
    assert payload(known).keys() == payload(unknown).keys()
    await post_office.letter_to("owner@example.com")
    assert (await me(guest))["role"] == "GUEST"


async def test_somebody_who_is_no_guest_registers_another_account(
    api: Api, make: Factory, post_office: PostOffice
) -> None:
    owner = await make.player("owner")
    payload(await owner.api(
        "mutation($input: RegisterInput!) { register(input: $input) { userErrors { code } } }", input=ACCOUNT
    ))  # fmt: skip
    payload(await verify(api, await post_office.code_for("nika@example.com")))
    assert (await me(owner.api))["user"]["username"] == "owner"


async def test_guests_are_listed_nowhere(api: Api, make: Factory) -> None:
    guest = await arrive_as_guest(api)
    await update_profile(guest, isLookingForTeammates=True, languages=["en"])
    nika = await make.player("nika")
    found = await nika.api("{ teammates { nodes { username } } }")
    assert found["teammates"]["nodes"] == []
    for mutation in (
        'sendTeammateRequest(input: {userId: "%s"})',
        'openDirectChat(input: {userId: "%s"})',
    ):
        document = f"mutation {{ {mutation % nika.id} {{ userErrors {{ code }} }} }}"
        assert (await guest.error(document))["extensions"]["code"] == "FORBIDDEN"
    group = f'createGroup(input: {{title: "x", memberIds: [], clientId: "{uuid.uuid4()}"}})'
    assert (await guest.error(f"mutation {{ {group} {{ userErrors {{ code }} }} }}"))["extensions"][
        "code"
    ] == "FORBIDDEN"
