"""Accounts: registering, proving an address, signing in and out, and finding people."""

from gamebuddy.resolvers.accounts.lookup import by_ids, find
from gamebuddy.resolvers.accounts.refreshing import refresh_session, sign_out
from gamebuddy.resolvers.accounts.registration import create_admin, register, resend_verification, verify_email
from gamebuddy.resolvers.accounts.signing_in import Device, SignedIn, sign_in

__all__ = [
    "Device",
    "SignedIn",
    "by_ids",
    "create_admin",
    "find",
    "refresh_session",
    "register",
    "resend_verification",
    "sign_in",
    "sign_out",
    "verify_email",
]
