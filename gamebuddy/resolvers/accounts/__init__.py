"""Accounts: registering, proving an address, signing in and out, getting back in, and finding people."""

from gamebuddy.resolvers.accounts.authenticator import has_second_factor
from gamebuddy.resolvers.accounts.changes import change_email, change_password, confirm_email_change, undo_email_change
from gamebuddy.resolvers.accounts.lookup import by_ids, find, known_by_ids, with_deleted_by_ids
from gamebuddy.resolvers.accounts.recovery import recover_username, request_password_reset, reset_password
from gamebuddy.resolvers.accounts.registration import register, resend_verification, sign_in_as_guest, verify_email
from gamebuddy.resolvers.accounts.sessions import (
    Device,
    SignedIn,
    end_other_sessions,
    find_sessions,
    refresh_session,
    revoke_session,
    sessions_by_account_ids,
    sessions_by_ids,
    sign_out,
)
from gamebuddy.resolvers.accounts.signing_in import sign_in

__all__ = [
    "Device",
    "SignedIn",
    "by_ids",
    "change_email",
    "change_password",
    "confirm_email_change",
    "end_other_sessions",
    "find",
    "find_sessions",
    "has_second_factor",
    "known_by_ids",
    "recover_username",
    "refresh_session",
    "register",
    "request_password_reset",
    "resend_verification",
    "reset_password",
    "revoke_session",
    "sessions_by_account_ids",
    "sessions_by_ids",
    "sign_in",
    "sign_in_as_guest",
    "sign_out",
    "undo_email_change",
    "verify_email",
    "with_deleted_by_ids",
]
