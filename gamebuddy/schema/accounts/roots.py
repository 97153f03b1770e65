"""Registering, signing in and out, getting back in, and leaving."""

import strawberry

from gamebuddy.auth.policy import Right
from gamebuddy.resolvers import accounts, departure
from gamebuddy.resolvers.accounts import Device, SignedIn
from gamebuddy.schema import ids
from gamebuddy.schema.accounts.inputs import (
    ChangeEmailInput,
    ChangePasswordInput,
    ConfirmEmailChangeInput,
    DeleteAccountInput,
    RecoverUsernameInput,
    RefreshSessionInput,
    RegisterInput,
    RequestPasswordResetInput,
    ResendVerificationInput,
    ResetPasswordInput,
    RestoreAccountInput,
    RevokeSessionInput,
    SignInAsGuestInput,
    SignInInput,
    UndoEmailChangeInput,
    VerifyEmailInput,
)
from gamebuddy.schema.accounts.payloads import AuthPayload, RegisterPayload
from gamebuddy.schema.errors import DonePayload
from gamebuddy.schema.fields import Writing, mutation
from gamebuddy.schema.ids import Kind
from gamebuddy.schema.scalars import Moment


@strawberry.type
class AccountMutations:
    """Root fields about the caller's account and sessions."""

    @mutation(Right.PUBLIC)
    async def register(self, door: Writing, input: RegisterInput) -> RegisterPayload:
        """Make an account. It can be used once verifyEmail has proved the address with the code from the letter.

        Called with a guest's token, the guest becomes the account then, and keeps id and profile.
        """
        expires_at = await accounts.register(
            door.session,
            door.services.gate,
            door.caller,
            email=input.email,
            username=input.username,
            password=input.password,
            display_name=_given(input.display_name),
            locale=_given(input.locale),
            address=door.context.client.address,
            words=door.services.words,
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
                words=door.services.words,
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
        """Sign in on one device. After five wrong tries one waits; the 21st session ends the longest idle one.

        An account with a second factor answers TOTP_REQUIRED until `totpCode` comes with the password.
        """
        return _sign_in(
            door,
            await accounts.sign_in(
                door.session,
                door.services.gate,
                login=input.login,
                password=input.password,
                device=_device(door, _given(input.device_name)),
                totp_code=_given(input.totp_code),
            ),
        )

    @mutation(Right.PUBLIC)
    async def sign_in_as_guest(self, door: Writing, input: SignInAsGuestInput) -> AuthPayload:
        """Look around without an address: a guest fills in a profile and sees the first page of teammates.

        Nobody gets into a guest's account again once its session has ended. Register with its token to keep it.
        """
        device = _device(door, _given(input.device_name))
        return _sign_in(door, await accounts.sign_in_as_guest(door.session, door.services.gate, device=device))

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

    @mutation(Right.MANAGE_ACCOUNT)
    async def revoke_session(self, door: Writing, input: RevokeSessionInput) -> DonePayload:
        """End one of your sessions: on every node its tokens are refused at once and its sockets closed."""
        session_id = ids.read(Kind.SESSION, input.session_id)
        await accounts.revoke_session(door.session, door.viewer, session_id=session_id)
        if session_id == door.viewer.session_id:
            door.become(None)
        return DonePayload(is_done=True)

    @mutation(Right.MANAGE_ACCOUNT)
    async def revoke_other_sessions(self, door: Writing) -> DonePayload:
        """End all of your sessions but the one that asks."""
        await accounts.end_other_sessions(door.session, door.viewer)
        return DonePayload(is_done=True)


@strawberry.type
class RecoveryMutations:
    """Root fields for those who cannot get in, or want to change what they get in with."""

    @mutation(Right.PUBLIC)
    async def request_password_reset(self, door: Writing, input: RequestPasswordResetInput) -> DonePayload:
        """Send a code for a new password to the address of an account; the code before is worthless.

        The answer is the same whether or not there is such an account. At most three letters an hour to one address.
        """
        await accounts.request_password_reset(
            door.session, door.services.gate, login=input.login, address=door.context.client.address
        )
        return DonePayload(is_done=True)

    @mutation(Right.PUBLIC)
    async def reset_password(self, door: Writing, input: ResetPasswordInput) -> DonePayload:
        """Choose a new password with the code. Ends every session of the account and signs nobody in."""
        await accounts.reset_password(
            door.session,
            door.services.gate,
            login=input.login,
            code=input.code,
            new_password=input.new_password,
            address=door.context.client.address,
        )
        return DonePayload(is_done=True)

    @mutation(Right.PUBLIC)
    async def recover_username(self, door: Writing, input: RecoverUsernameInput) -> DonePayload:
        """Send the user name of an account to its address. The answer is the same whether or not there is one."""
        await accounts.recover_username(
            door.session, door.services.gate, email=input.email, address=door.context.client.address
        )
        return DonePayload(is_done=True)

    @mutation(Right.MANAGE_ACCOUNT)
    async def change_password(self, door: Writing, input: ChangePasswordInput) -> DonePayload:
        """Change the password; every other session ends, and a letter tells the owner."""
        await accounts.change_password(
            door.session,
            door.services.gate,
            door.viewer,
            current_password=input.current_password,
            new_password=input.new_password,
        )
        return DonePayload(is_done=True)

    @mutation(Right.MANAGE_ACCOUNT)
    async def change_email(self, door: Writing, input: ChangeEmailInput) -> DonePayload:
        """Send a code to a new address; the old one stays until confirmEmailChange.

        The answer is the same whether or not the address is known.
        """
        await accounts.change_email(
            door.session, door.services.gate, door.viewer, new_email=input.new_email, password=input.password
        )
        return DonePayload(is_done=True)

    @mutation(Right.MANAGE_ACCOUNT)
    async def confirm_email_change(self, door: Writing, input: ConfirmEmailChangeInput) -> DonePayload:
        """Let the new address take the place of the old one, which is told and may undo it for seven days."""
        await accounts.confirm_email_change(
            door.session,
            door.services.gate,
            door.viewer,
            new_email=input.new_email,
            code=input.code,
            address=door.context.client.address,
        )
        return DonePayload(is_done=True)

    @mutation(Right.PUBLIC)
    async def undo_email_change(self, door: Writing, input: UndoEmailChangeInput) -> DonePayload:
        """Give an account its old address back, with the code that was sent there when it was replaced.

        Every session ends, the password works no more, and a code for a new one goes to the old address.
        """
        await accounts.undo_email_change(
            door.session,
            door.services.gate,
            email=input.email,
            code=input.code,
            address=door.context.client.address,
        )
        return DonePayload(is_done=True)

    @mutation(Right.MANAGE_ACCOUNT)
    async def delete_account(self, door: Writing, input: DeleteAccountInput) -> DonePayload:
        """Delete your account: you are signed out everywhere, leave your groups, and nobody finds your name any more.

        User name and address are free for others at once. For 14 days restoreAccount gives it back; then it is erased.
        """
        await departure.delete_account(
            door.session,
            door.services.gate,
            door.viewer,
            password=input.password,
            erase_messages=bool(input.erase_messages),
        )
        door.become(None)
        return DonePayload(is_done=True)

    @mutation(Right.PUBLIC)
    async def restore_account(self, door: Writing, input: RestoreAccountInput) -> AuthPayload:
        """Take the deletion of an account back within 14 days, and sign in. Groups have to be joined again."""
        return _sign_in(
            door,
            await departure.restore_account(
                door.session,
                door.services.gate,
                login=input.login,
                password=input.password,
                username=_given(input.username),
                device=_device(door, _given(input.device_name)),
                totp_code=_given(input.totp_code),
            ),
        )


def _sign_in(door: Writing, signed_in: SignedIn) -> AuthPayload:
    door.become(signed_in.viewer)
    return AuthPayload.of(signed_in)


def _device(door: Writing, name: str | None) -> Device:
    client = door.context.client
    return Device(address=client.address, name=name, user_agent=client.user_agent)


def _given[T](value: strawberry.Maybe[T | None]) -> T | None:
    """Give a value where null means the same as leaving it out."""
    return value.value if value is not None else None
