"""The second factor of an account: an authenticator app, and recovery codes in its place."""

import strawberry

from gamebuddy.auth.policy import Right
from gamebuddy.resolvers.accounts import authenticator
from gamebuddy.schema.accounts.payloads import ERRORS
from gamebuddy.schema.errors import DonePayload, UserError
from gamebuddy.schema.fields import Writing, mutation


@strawberry.input(description="Who wants a second factor.")
class BeginTotpInput:
    """See the description."""

    password: str = strawberry.field(description="The viewer's password.")


@strawberry.input(description="A first code of the authenticator app.")
class ConfirmTotpInput:
    """See the description."""

    code: str = strawberry.field(description="The six digits that the app shows.")


@strawberry.input(description="Who wants no second factor any more.")
class RemoveTotpInput:
    """See the description."""

    password: str = strawberry.field(description="The viewer's password.")
    code: str = strawberry.field(description="Six digits of the app, or a recovery code; each works once.")


@strawberry.input(description="Who wants new recovery codes.")
class RenewRecoveryCodesInput:
    """See the description."""

    password: str = strawberry.field(description="The viewer's password.")
    code: str = strawberry.field(description="Six digits of the app, or a recovery code; each works once.")


@strawberry.type(description="What an authenticator app needs. It is shown this once.")
class BeginTotpPayload:
    """See the description."""

    secret: str | None = strawberry.field(
        description="In base 32, to type in. Codes are SHA-1, six digits, 30 seconds.", default=None
    )
    uri: str | None = strawberry.field(description="The same as an `otpauth://` address, for a QR code.", default=None)
    user_errors: list[UserError] = strawberry.field(description=ERRORS, default_factory=list)


@strawberry.type(description="Ten codes, each of which takes the place of the app once. They are shown this once.")
class RecoveryCodesPayload:
    """See the description."""

    recovery_codes: list[str] | None = strawberry.field(description="Like `abcd-efgh-ijkl-mnop`.", default=None)
    user_errors: list[UserError] = strawberry.field(description=ERRORS, default_factory=list)


@strawberry.type
class SecondFactorMutations:
    """Root fields about the second factor."""

    @mutation(Right.MANAGE_ACCOUNT)
    async def begin_totp(self, door: Writing, input: BeginTotpInput) -> BeginTotpPayload:
        """Make a secret for an authenticator app. It counts for nothing until confirmTotp."""
        enrolment = await authenticator.begin(door.session, door.services.gate, door.viewer, password=input.password)
        return BeginTotpPayload(secret=enrolment.secret, uri=enrolment.uri)

    @mutation(Right.MANAGE_ACCOUNT)
    async def confirm_totp(self, door: Writing, input: ConfirmTotpInput) -> RecoveryCodesPayload:
        """Show that the app has the secret: from now on signing in asks for its codes. Gives the recovery codes."""
        codes = await authenticator.confirm(door.session, door.services.gate, door.viewer, code=input.code)
        return RecoveryCodesPayload(recovery_codes=codes)

    @mutation(Right.MANAGE_ACCOUNT)
    async def remove_totp(self, door: Writing, input: RemoveTotpInput) -> DonePayload:
        """Ask for no second factor any more."""
        await authenticator.remove(
            door.session, door.services.gate, door.viewer, password=input.password, code=input.code
        )
        return DonePayload(is_done=True)

    @mutation(Right.MANAGE_ACCOUNT)
    async def renew_recovery_codes(self, door: Writing, input: RenewRecoveryCodesInput) -> RecoveryCodesPayload:
        """Make ten new recovery codes; the old ones are worthless."""
        codes = await authenticator.renew_recovery_codes(
            door.session, door.services.gate, door.viewer, password=input.password, code=input.code
        )
        return RecoveryCodesPayload(recovery_codes=codes)
