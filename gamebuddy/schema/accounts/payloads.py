"""What signing in and the like give back."""

import strawberry

from gamebuddy.resolvers.accounts import SignedIn
from gamebuddy.schema import ids
from gamebuddy.schema.context import Info
from gamebuddy.schema.describe import field
from gamebuddy.schema.errors import UserError
from gamebuddy.schema.ids import Kind
from gamebuddy.schema.scalars import Moment
from gamebuddy.schema.viewer import Viewer

ERRORS = "What can be mended; empty when all went well."


@strawberry.type(
    description="What a client goes on with. `accessToken` is a short-lived JWT; `refreshToken` is opaque, works once, "
    "and is replaced at each use. Seen once, by the one who has signed in."
)
class Tokens:
    """See the description."""

    access_token: str = strawberry.field(description="For `Authorization: Bearer …`. Never stored by the server.")
    access_token_expires_at: Moment = strawberry.field(description="Refresh before; usually ten minutes from now.")
    refresh_token: str = strawberry.field(description="For refreshSession. Keep it as safe as a password.")
    refresh_token_expires_at: Moment = strawberry.field(
        description="Without a refresh until then the session ends: 60 days, and a year after signing in at the latest."
    )
    session_id: strawberry.ID = strawberry.field(description="The Session these tokens belong to.")

    @classmethod
    def of(cls, signed_in: SignedIn) -> "Tokens":
        """Show the tokens of a session."""
        return cls(
            access_token=signed_in.access_token,
            access_token_expires_at=Moment(signed_in.access_token_expires_at),
            refresh_token=signed_in.refresh_token,
            refresh_token_expires_at=Moment(signed_in.refresh_token_expires_at),
            session_id=ids.write(Kind.SESSION, signed_in.viewer.session_id),
        )


@strawberry.type(
    description="The answer is the same whether or not the e-mail was known before; the letter tells its owner."
)
class RegisterPayload:
    """See the description."""

    verification_expires_at: Moment | None = strawberry.field(
        description="Until when the code in the letter works.", default=None
    )
    user_errors: list[UserError] = strawberry.field(description=ERRORS, default_factory=list)


@strawberry.type(description="Somebody is signed in, and the rest of the operation is done as this account.")
class AuthPayload:
    """See the description."""

    tokens: Tokens | None = strawberry.field(description="What to go on with.", default=None)
    user_errors: list[UserError] = strawberry.field(description=ERRORS, default_factory=list)

    @classmethod
    def of(cls, signed_in: SignedIn) -> "AuthPayload":
        """Show who is signed in."""
        return cls(tokens=Tokens.of(signed_in))

    @field
    async def viewer(self, info: Info) -> Viewer | None:
        """The account that is signed in now."""
        viewer = info.context.viewer
        row = await info.context.loaders.accounts.load(viewer.account_id) if self.tokens and viewer else None
        return Viewer.of(row) if row else None
