"""What signing in needs, once a process."""

from gamebuddy.auth.codes import Codes
from gamebuddy.auth.keys import Keys
from gamebuddy.auth.passwords import Passwords
from gamebuddy.auth.throttle import Throttle
from gamebuddy.auth.tokens import ISSUER, RefreshTokens, Tokens
from gamebuddy.settings import Settings


class Gate:
    """Keys and what is made with them, the threads that hash, and the limits."""

    def __init__(self, settings: Settings) -> None:
        newest, *previous = settings.known_secrets()
        self.keys = Keys(newest, previous)
        self.passwords = Passwords()
        self.tokens = Tokens(self.keys, ISSUER, settings.access_token_seconds)
        self.refresh_tokens = RefreshTokens(self.keys)
        self.codes = Codes(self.keys)
        self.throttle = Throttle(settings.rate_limit_factor)

    async def close(self) -> None:
        """End the threads."""
        await self.passwords.close()
