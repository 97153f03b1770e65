"""Who is signed in, and what he asks of the server."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Self

import httpx

LONGEST_PAUSE_SECONDS = 30.0
PATIENCE_SECONDS = 15.0
WORTH_ANOTHER_TRY = frozenset({"UNAVAILABLE", "RATE_LIMITED", "INTERNAL_SERVER_ERROR"})
TOKENS = "tokens { accessToken refreshToken } userErrors { code message }"
SIGN_IN = f"mutation SignIn($input: SignInInput!) {{ signIn(input: $input) {{ {TOKENS} }} }}"
REFRESH = f"mutation Refresh($input: RefreshSessionInput!) {{ refreshSession(input: $input) {{ {TOKENS} }} }}"

type Json = dict[str, Any]


class Unreachable(Exception):
    """The server cannot be reached, or has no time: the same may go well later."""


class Refused(Exception):
    """The server has said no, and would say it again."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class SessionEnded(Exception):
    """Somebody has to sign in anew."""

    def __init__(self) -> None:
        super().__init__("Your session has ended. Sign in again.")


@dataclass
class Pauses:
    """Waits between attempts: longer from one to the next, by chance, so that not everybody comes back at once."""

    first_seconds: float = 0.25
    failures: int = 0

    async def wait(self) -> None:
        """Wait before the next attempt."""
        longest = min(LONGEST_PAUSE_SECONDS, self.first_seconds * 2**self.failures)
        self.failures += 1
        await asyncio.sleep(random.uniform(0, longest))  # noqa: S311 - spreads load, protects nothing

    def reset(self) -> None:
        """Begin with short ones: an attempt has gone well."""
        self.failures = 0


@dataclass
class Session:
    """A signed-in client; without a refresh token it lasts as long as its access token."""

    http: httpx.AsyncClient
    url: str
    access_token: str
    refresh_token: str | None = None
    _is_expired: bool = False
    _refreshing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def sign_in(self, login: str, password: str, totp_code: str | None = None) -> Self:
        """Get tokens for a password.

        Raises:
            Refused: with the code of what is wrong; TOTP_REQUIRED asks for a second factor.
        """
        given = {"login": login, "password": password, "totpCode": totp_code, "deviceName": "gamebuddy chat"}
        self._take((await self._post(SIGN_IN, {"input": given}))["signIn"])
        return self

    def expire(self) -> None:
        """Note that the server does not take the token any more."""
        self._is_expired = True

    async def authorization(self) -> str:
        """Give the value of the header, after a refresh where one is due.

        Raises:
            SessionEnded: there is nothing to refresh it with.
        """
        async with self._refreshing:  # a refresh token works once
            if self._is_expired:
                await self._refresh()
        return f"Bearer {self.access_token}"

    async def request(self, query: str, **variables: Any) -> Json:
        """Send an operation and give its data.

        Raises:
            Unreachable: it may be repeated.
            Refused: it will not do.
            SessionEnded: nobody is signed in any more.
        """
        try:
            return await self._post(query, variables, Authorization=await self.authorization())
        except Refused as refused:
            if refused.code != "UNAUTHENTICATED":
                raise
        self.expire()  # nothing was done, so even a mutation is repeated
        return await self._post(query, variables, Authorization=await self.authorization())

    async def _refresh(self) -> None:
        if self.refresh_token is None:
            raise SessionEnded
        answer = await self._post(REFRESH, {"input": {"refreshToken": self.refresh_token}})
        try:
            self._take(answer["refreshSession"])
        except Refused:
            raise SessionEnded from None
        self._is_expired = False

    def _take(self, payload: Json) -> None:
        for problem in payload["userErrors"]:
            raise Refused(problem["code"], problem["message"])
        self.access_token, self.refresh_token = payload["tokens"]["accessToken"], payload["tokens"]["refreshToken"]

    async def _post(self, query: str, variables: Json, **headers: str) -> Json:
        try:
            body = {"query": query, "variables": variables}
            answer = (await self.http.post(f"{self.url}/graphql", json=body, headers=headers)).json()
        except (httpx.HTTPError, ValueError) as problem:
            raise Unreachable(str(problem) or type(problem).__name__) from problem
        refuse(answer.get("errors"))
        data: Json = answer["data"]
        return data


def refuse(errors: list[Json] | None) -> None:
    """Raise what errors of GraphQL mean; nothing for none."""
    for error in errors or ():
        code = error.get("extensions", {}).get("code", "")
        if code in WORTH_ANOTHER_TRY:
            raise Unreachable(error["message"])
        raise Refused(code, error["message"])


@contextlib.asynccontextmanager
async def open_session(url: str, access_token: str = "") -> AsyncIterator[Session]:
    """Open a client for a server; it is signed in with a token, or signs in next."""
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:
        yield Session(http, url.rstrip("/"), access_token)
