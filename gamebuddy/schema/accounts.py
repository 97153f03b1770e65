"""Registering, proving an address, signing in and out."""

import strawberry

from gamebuddy.auth.policy import Right
from gamebuddy.resolvers import accounts
from gamebuddy.resolvers.accounts import Device, SignedIn
from gamebuddy.schema import ids
from gamebuddy.schema.context import Info
from gamebuddy.schema.describe import field
from gamebuddy.schema.errors import UserError
from gamebuddy.schema.fields import Writing, mutation
from gamebuddy.schema.ids import Kind
from gamebuddy.schema.scalars import EmailAddress, LanguageTag, Moment
from gamebuddy.schema.viewer import Viewer

ERRORS = "What can be mended; empty when all went well."


@strawberry.type(
    description="What a client goes on with. `accessToken` is a short-lived JWT; `refreshToken` is opaque, works once, "
    "and is replaced at each use."
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


@strawberry.input(description="A new account.")
class RegisterInput:
    """See the description."""

    email: EmailAddress = strawberry.field(description="Where the code goes.")
    username: str = strawberry.field(description="`[a-z0-9_]{3,32}` in any case; unique, some are reserved.")
    password: str = strawberry.field(description="8 to 128 characters, used exactly as typed; no well-known ones.")
    display_name: strawberry.Maybe[str | None] = strawberry.field(
        description="Name as shown, 1 to 40 characters; absent: the user name.", default=None
    )
    locale: strawberry.Maybe[LanguageTag | None] = strawberry.field(
        description="Language of letters, and the first language of the profile; absent: English letters.",
        default=None,
    )


@strawberry.input(description="The code from the letter.")
class VerifyEmailInput:
    """See the description."""

    email: EmailAddress = strawberry.field(description="The address the letter came to.")
    code: str = strawberry.field(description="Six digits. They work for 15 minutes, for five tries and once.")
    device_name: strawberry.Maybe[str | None] = strawberry.field(
        description="What to call this device in the list of sessions; at most 80 characters.", default=None
    )


@strawberry.input(description="Where to send a new code.")
class ResendVerificationInput:
    """See the description."""

    email: EmailAddress = strawberry.field(description="The address that was registered with.")


@strawberry.input(description="Who signs in.")
class SignInInput:
    """See the description."""

    login: str = strawberry.field(description="User name or e-mail, in any case.")
    password: str = strawberry.field(description="The password, exactly as it was chosen.")
    device_name: strawberry.Maybe[str | None] = strawberry.field(
        description="What to call this device in the list of sessions; at most 80 characters.", default=None
    )


@strawberry.input(description="Which session to renew.")
class RefreshSessionInput:
    """See the description."""

    refresh_token: str = strawberry.field(description="The newest one of the session.")


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


@strawberry.type(description="Nothing to give back but what went wrong.")
class DonePayload:
    """See the description."""

    is_done: bool = strawberry.field(description="True exactly when `userErrors` is empty.", default=False)
    user_errors: list[UserError] = strawberry.field(description=ERRORS, default_factory=list)


@strawberry.type
class AccountMutations:
    """Root fields about the caller's account and sessions."""

    @mutation(Right.PUBLIC)
    async def register(self, door: Writing, input: RegisterInput) -> RegisterPayload:
        """Make an account. It can be used once verifyEmail has proved the address with the code from the letter."""
        expires_at = await accounts.register(
            door.session,
            door.services.gate,
            email=input.email,
            username=input.username,
            password=input.password,
            display_name=_given(input.display_name),
            locale=_given(input.locale),
            address=door.context.client.address,
        )
        return RegisterPayload(verification_expires_at=Moment(expires_at))

    @mutation(Right.PUBLIC)
    async def verify_email(self, door: Writing, input: VerifyEmailInput) -> AuthPayload:
        """Prove an address with the code from the letter, and sign in. The account is a USER from now on."""
        return _sign_in(
            door,
            await accounts.verify_email(
                door.session,
                door.services.gate,
                email=input.email,
                code=input.code,
                device=_device(door, _given(input.device_name)),
            ),
        )

    @mutation(Right.PUBLIC)
    async def resend_verification(self, door: Writing, input: ResendVerificationInput) -> DonePayload:
        """Send a new code; the old one is worthless from now on. At most three letters an hour to one address.

        The answer is the same whether or not the e-mail is known.
        """
        await accounts.resend_verification(
            door.session, door.services.gate, email=input.email, address=door.context.client.address
        )
        return DonePayload(is_done=True)

    @mutation(Right.PUBLIC)
    async def sign_in(self, door: Writing, input: SignInInput) -> AuthPayload:
        """Sign in on one device. After five wrong tries one waits; the 21st session ends the longest idle one."""
        return _sign_in(
            door,
            await accounts.sign_in(
                door.session,
                door.services.gate,
                login=input.login,
                password=input.password,
                device=_device(door, _given(input.device_name)),
            ),
        )

    @mutation(Right.PUBLIC)
    async def refresh_session(self, door: Writing, input: RefreshSessionInput) -> AuthPayload:
        """Get new tokens. The same token twice in a row gives the same successor, so a lost answer does no harm.

        An older token shows that somebody else has a copy: the session ends for both.
        """
        return _sign_in(
            door,
            await accounts.refresh_session(door.session, door.services.gate, refresh_token=input.refresh_token),
        )

    @mutation(Right.USE_ACCOUNT)
    async def sign_out(self, door: Writing) -> DonePayload:
        """End the session that asks: its tokens are refused at once, its streams end."""
        await accounts.sign_out(door.session, door.viewer)
        door.become(None)
        return DonePayload(is_done=True)


def _sign_in(door: Writing, signed_in: SignedIn) -> AuthPayload:
    door.become(signed_in.viewer)
    return AuthPayload.of(signed_in)


def _device(door: Writing, name: str | None) -> Device:
    client = door.context.client
    return Device(address=client.address, name=name, user_agent=client.user_agent)


def _given[T](value: strawberry.Maybe[T | None]) -> T | None:
    """Give a value where null means the same as leaving it out."""
    return value.value if value is not None else None
