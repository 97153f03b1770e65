from tests.accounts.operations import SIGN_OUT, WHO, arrive, payload, problems, refresh
from tests.api import Api
from tests.factories import Factory
from tests.post_office import PostOffice

EVENTS = "subscription { events { __typename } }"


async def test_a_session_that_is_over_is_over_everywhere(api: Api, post_office: PostOffice) -> None:
    tokens = (await arrive(api, post_office))["tokens"]
    mine = api.signed_in(tokens["accessToken"])
    async with mine.socket() as socket:
        stream = await socket.subscribe(EVENTS)
        assert (await stream.next())["__typename"] == "CaughtUp"
        assert payload(await mine(SIGN_OUT))["isDone"]
        assert await socket.closed() == 4403
    assert (await mine.post(WHO)).status_code == 401
    assert problems(await refresh(api, tokens["refreshToken"])) == [("SESSION_REVOKED", "input")]


async def test_other_sessions_live_on(api: Api, make: Factory, post_office: PostOffice) -> None:
    first = (await arrive(api, post_office))["tokens"]
    nika = await make.player("max")
    await nika.api(SIGN_OUT)
    assert (await api.signed_in(first["accessToken"])(WHO))["viewer"]


async def test_after_signing_out_the_operation_goes_on_as_nobody(make: Factory) -> None:
    nika = await make.player("nika")
    answer = await nika.api("mutation { signOut { isDone } __typename }")
    assert answer["signOut"]["isDone"]


async def test_nobody_cannot_sign_out(api: Api) -> None:
    assert (await api.error(SIGN_OUT))["extensions"]["code"] == "UNAUTHENTICATED"
