"""What the account operations take."""

import strawberry

from gamebuddy.schema.scalars import EmailAddress, LanguageTag


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
    totp_code: strawberry.Maybe[str | None] = strawberry.field(
        description="Where the account asks for a second factor: six digits of the authenticator app, or a recovery "
        "code. Each works once.",
        default=None,
    )


@strawberry.input(description="A guest's device.")
class SignInAsGuestInput:
    """See the description."""

    device_name: strawberry.Maybe[str | None] = strawberry.field(
        description="What to call this device in the list of sessions; at most 80 characters.", default=None
    )


@strawberry.input(description="Which session to renew.")
class RefreshSessionInput:
    """See the description."""

    refresh_token: str = strawberry.field(description="The newest one of the session.")


@strawberry.input(description="Which session to end.")
class RevokeSessionInput:
    """See the description."""

    session_id: strawberry.ID = strawberry.field(description="One of the viewer's own.")


@strawberry.input(description="Who has forgotten the password.")
class RequestPasswordResetInput:
    """See the description."""

    login: str = strawberry.field(description="User name or e-mail, in any case.")


@strawberry.input(description="A new password, and the code that allows it.")
class ResetPasswordInput:
    """See the description."""

    login: str = strawberry.field(description="The same as in requestPasswordReset.")
    code: str = strawberry.field(description="Six digits from the letter. They work for 15 minutes and five tries.")
    new_password: str = strawberry.field(description="8 to 128 characters; no well-known ones.")


@strawberry.input(description="Who has forgotten the user name.")
class RecoverUsernameInput:
    """See the description."""

    email: EmailAddress = strawberry.field(description="The address of the account.")


@strawberry.input(description="A new password for one who knows the old one.")
class ChangePasswordInput:
    """See the description."""

    current_password: str = strawberry.field(description="The password as it is.")
    new_password: str = strawberry.field(description="8 to 128 characters; no well-known ones.")


@strawberry.input(description="A new address.")
class ChangeEmailInput:
    """See the description."""

    new_email: EmailAddress = strawberry.field(description="Where the code goes.")
    password: str = strawberry.field(description="The viewer's password.")


@strawberry.input(description="The code that came to the new address.")
class ConfirmEmailChangeInput:
    """See the description."""

    new_email: EmailAddress = strawberry.field(description="The same as in changeEmail.")
    code: str = strawberry.field(description="Six digits. They work for 15 minutes and five tries.")


@strawberry.input(description="The code that came to the old address when it was replaced.")
class UndoEmailChangeInput:
    """See the description."""

    email: EmailAddress = strawberry.field(description="The old address.")
    code: str = strawberry.field(description="Like `abcd-efgh-ijkl-mnop`. It works for seven days.")


@strawberry.input(description="The end of an account.")
class DeleteAccountInput:
    """See the description."""

    password: str = strawberry.field(description="The viewer's password.")
    erase_messages: bool | None = strawberry.field(
        description="Messages stay, signed by a deleted account, unless true; then they are erased at once and for "
        "good.",
        default=False,
    )


@strawberry.input(description="An account that was deleted less than 14 days ago.")
class RestoreAccountInput:
    """See the description."""

    login: str = strawberry.field(description="The user name or e-mail that the account had.")
    password: str = strawberry.field(description="The password that it had.")
    username: strawberry.Maybe[str | None] = strawberry.field(
        description="Another user name, where somebody has taken the old one meanwhile.", default=None
    )
    device_name: strawberry.Maybe[str | None] = strawberry.field(
        description="What to call this device in the list of sessions; at most 80 characters.", default=None
    )
    totp_code: strawberry.Maybe[str | None] = strawberry.field(
        description="The second factor, as in signIn.", default=None
    )
