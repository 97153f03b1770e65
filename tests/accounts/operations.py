"""What the tests of accounts send, and how they read the answers."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from typing import Any

from tests.api import Api, GraphQLError, Json
from tests.post_office import PostOffice

PASSWORD = "correct horse 7"

REGISTER = """
mutation Register($input: RegisterInput!) {
  register(input: $input) { verificationExpiresAt userErrors { __typename code path ... on RetryLater { retryAt } } }
}"""
VERIFY = """
mutation Verify($input: VerifyEmailInput!) {
  verifyEmail(input: $input) {
    tokens { accessToken accessTokenExpiresAt refreshToken refreshTokenExpiresAt sessionId }
    viewer {
      role email status
      user { username displayName profile { languages isLookingForTeammates } }
      sessions { id deviceName }
    }
    userErrors { __typename code path ... on RetryLater { retryAt } }
  }
}"""
RESEND = """
mutation Resend($input: ResendVerificationInput!) {
  resendVerification(input: $input) { isDone userErrors { __typename code path } }
}"""
SIGN_IN = """
mutation SignIn($input: SignInInput!) {
  signIn(input: $input) {
    tokens { accessToken accessTokenExpiresAt refreshToken refreshTokenExpiresAt sessionId }
    viewer { user { username } sessions { id deviceName isCurrent } }
    userErrors { __typename code message path ... on RetryLater { retryAt } }
  }
}"""
REFRESH = """
mutation Refresh($input: RefreshSessionInput!) {
  refreshSession(input: $input) {
    tokens { accessToken accessTokenExpiresAt refreshToken refreshTokenExpiresAt sessionId }
    viewer { user { username } }
    userErrors { __typename code path }
  }
}"""
SIGN_OUT = "mutation SignOut { signOut { isDone userErrors { code } } }"
WHO = "{ viewer { user { username } } }"
ACCOUNT = {"email": "nika@example.com", "username": "nika", "password": PASSWORD}


def payload(answer: Json) -> Any:
    """Give the payload of a mutation that went well."""
    (found,) = answer.values()
    assert found["userErrors"] == []
    return found


def problems(answer: Json) -> list[tuple[str, str]]:
    """Give code and path of everything that was wrong."""
    (found,) = answer.values()
    assert all(value is None or value is False for name, value in found.items() if name != "userErrors")
    return [(error["code"], ".".join(error["path"])) for error in found["userErrors"]]


async def register(api: Api, **changes: Any) -> Json:
    """Register as nika, but for the changes."""
    return await api(REGISTER, input=ACCOUNT | changes)


async def verify(api: Api, code: str, email: str = "nika@example.com", **more: Any) -> Json:
    """Give a code for an address."""
    return await api(VERIFY, input={"email": email, "code": code} | more)


async def sign_in(api: Api, login: str = "nika", password: str = PASSWORD, **more: Any) -> Json:
    """Sign in."""
    return await api(SIGN_IN, input={"login": login, "password": password} | more)


async def crowd(tries: list[Awaitable[Json]]) -> Counter[str]:
    """Let many try at once, and count the codes that they meet; a machine that is too slow for them is UNAVAILABLE."""
    answers = await asyncio.gather(*tries, return_exceptions=True)
    codes: Counter[str] = Counter()
    for answer in answers:
        if isinstance(answer, GraphQLError):
            codes[answer.code] += 1
        elif isinstance(answer, BaseException):
            raise answer
        else:
            codes[problems(answer)[0][0]] += 1
    return codes


async def refresh(api: Api, token: str) -> Json:
    """Refresh a session."""
    return await api(REFRESH, input={"refreshToken": token})


async def arrive(api: Api, post_office: PostOffice, name: str = "nika") -> Json:
    """Register, read the letter, prove the address; gives the payload of verifyEmail."""
    address = f"{name}@example.com"
    before = len(post_office.to(address))
    payload(await register(api, email=address, username=name))
    code = await post_office.code_for(address, number=before + 1)
    proved: Json = payload(await verify(api, code, address))
    return proved


def wrong(code: str) -> str:
    """Give six digits that are not the code."""
    return f"{(int(code) + 1) % 1_000_000:06}"


async def call(api: Api, operation: str, fields: str = "isDone", **input: Any) -> Json:
    """Send a mutation by its name, whose input type has the name that the convention gives it."""
    kind = operation[0].upper() + operation[1:] + "Input"
    return await api(
        f"mutation($input: {kind}!) {{ {operation}(input: $input) {{ {fields} userErrors {{ __typename code path"
        " ... on RetryLater { retryAt } ... on Sanctioned { reason until } } } }",
        input=input,
    )


async def done(api: Api, operation: str, **input: Any) -> None:
    """Send a mutation that has to go well."""
    assert payload(await call(api, operation, **input)) == {"isDone": True, "userErrors": []}


async def refused(api: Api, operation: str, fields: str = "isDone", **input: Any) -> list[tuple[str, str]]:
    """Send a mutation that has to be refused; gives code and path of everything that was wrong."""
    return problems(await call(api, operation, fields, **input))


async def is_alive(api: Api) -> bool:
    """Tell whether somebody's access token still works."""
    answer = await api.post(WHO)
    assert answer.status_code in {200, 401}, answer.text
    return answer.status_code == 200
