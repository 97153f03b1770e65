"""Accounts: who can sign in, what proves it, on which devices, and what is kept of those who left."""

import uuid
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, Text, func, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from gamebuddy.db.base import CreatedAt, Id, Moment, Row, account_id_column, new_id


class Role(StrEnum):
    """What an account may do at all; states such as a ban subtract from it."""

    GUEST = "GUEST"
    USER = "USER"
    MODERATOR = "MODERATOR"
    ADMIN = "ADMIN"


class AccountStatus(StrEnum):
    """Whether the account can be used."""

    ACTIVE = "ACTIVE"
    BANNED = "BANNED"
    DELETED = "DELETED"


class Audience(StrEnum):
    """Who may do or see something; EVERYONE is every verified user who is not blocked."""

    EVERYONE = "EVERYONE"
    TEAMMATES = "TEAMMATES"
    NOBODY = "NOBODY"


class CodePurpose(StrEnum):
    """What a one-time code proves."""

    VERIFY_EMAIL = "VERIFY_EMAIL"
    RESET_PASSWORD = "RESET_PASSWORD"  # noqa: S105 - the name of a purpose
    CHANGE_EMAIL = "CHANGE_EMAIL"
    UNDO_EMAIL_CHANGE = "UNDO_EMAIL_CHANGE"


class Account(Row):
    """One who can sign in.

    An address that has not been verified is a claim: many accounts may claim one address, and whoever proves it first
    has it. So a registration looks the same whether or not the address was known before. The claim of a guest is an
    account beside his own, which takes it over once the address is proved.
    """

    __tablename__ = "accounts"
    __table_args__ = (
        Index(
            "uq_accounts_verified_email",
            "email_key",
            unique=True,
            postgresql_where=text("email_verified_at IS NOT NULL"),
        ),
        Index("ix_accounts_claimed_email", "email_key", postgresql_where=text("email_verified_at IS NULL")),
        # One or two letters have no trigram: a plain index for what names begin with, whatever the collation.
        Index("ix_accounts_username_prefix", "username", postgresql_ops={"username": "text_pattern_ops"}),
        Index(
            "ix_accounts_display_name_prefix",
            func.lower(literal_column("display_name")).label("shown"),
            postgresql_ops={"shown": "text_pattern_ops"},
        ),
        # What names begin with, or resemble: lower() for Cyrillic too. Trigrams need the extension pg_trgm.
        Index(
            "ix_accounts_username_trigrams",
            "username",
            postgresql_using="gin",
            postgresql_ops={"username": "gin_trgm_ops"},
        ),
        Index(
            "ix_accounts_display_name_trigrams",
            func.lower(literal_column("display_name")).label("shown"),
            postgresql_using="gin",
            postgresql_ops={"shown": "gin_trgm_ops"},
        ),
        Index("ix_accounts_guest_id", "guest_id", postgresql_where=text("guest_id IS NOT NULL")),
        Index("ix_accounts_role", "role", "id", postgresql_where=text("role IN ('MODERATOR', 'ADMIN')")),
        CheckConstraint("username ~ '^[a-z0-9_]{3,32}$'", name="username_form"),
    )

    id: Mapped[Id] = mapped_column(default_factory=new_id)
    username: Mapped[str] = mapped_column(unique=True)
    display_name: Mapped[str]
    role: Mapped[Role] = mapped_column(default=Role.GUEST)
    status: Mapped[AccountStatus] = mapped_column(default=AccountStatus.ACTIVE)
    email: Mapped[str | None] = mapped_column(default=None)
    email_key: Mapped[str | None] = mapped_column(default=None)  # compared; the address as given stays in email
    email_verified_at: Mapped[Moment | None] = mapped_column(default=None)
    password_hash: Mapped[str | None] = mapped_column(default=None)
    locale: Mapped[str] = mapped_column(default="en", server_default="en")
    who_may_write_to_me: Mapped[Audience] = mapped_column(default=Audience.EVERYONE)
    who_sees_my_presence: Mapped[Audience] = mapped_column(default=Audience.EVERYONE)
    banned_until: Mapped[Moment | None] = mapped_column(default=None)  # of one who is BANNED: null is for ever
    muted_until: Mapped[Moment | None] = mapped_column(default=None)
    guest_id: Mapped[uuid.UUID | None] = mapped_column(account_id_column(on_delete="SET NULL"), default=None)
    created_at: Mapped[CreatedAt] = mapped_column(init=False)
    last_seen_at: Mapped[Moment | None] = mapped_column(default=None)


class Session(Row):
    """One sign-in on one device. The refresh token is made from `id`, `salt`, `generation` and the server's key."""

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_account_id", "account_id"),)

    id: Mapped[Id] = mapped_column(default_factory=new_id)
    account_id: Mapped[uuid.UUID] = mapped_column(account_id_column())
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    generation: Mapped[int] = mapped_column(default=0)
    device_name: Mapped[str] = mapped_column(default="")
    user_agent: Mapped[str | None] = mapped_column(default=None)
    ip_address: Mapped[str | None] = mapped_column(default=None)
    created_at: Mapped[CreatedAt] = mapped_column(init=False)
    last_used_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    revoked_at: Mapped[Moment | None] = mapped_column(default=None)


class OneTimeCode(Row):
    """Digits sent to an address, made from `id` and the server's key; nothing of them is stored.

    One row an account and purpose: a new code takes the place of the old one. It is used at most once, and worthless
    after a few wrong `tries`. `email` is set where the code goes to another address than the account's.
    """

    __tablename__ = "one_time_codes"
    __table_args__ = (Index("ix_one_time_codes_account_id_purpose", "account_id", "purpose", unique=True),)

    id: Mapped[Id] = mapped_column(default_factory=new_id)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    purpose: Mapped[CodePurpose]
    email: Mapped[str | None] = mapped_column(default=None)
    email_key: Mapped[str | None] = mapped_column(default=None)
    tries: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    created_at: Mapped[CreatedAt] = mapped_column(init=False)
    expires_at: Mapped[Moment]
    used_at: Mapped[Moment | None] = mapped_column(default=None)


class SecondFactor(Row):
    """The secret that an authenticator app shares with us (RFC 6238), sealed with the server's key.

    It counts from `confirmed_at` on. `last_step` is the number of the 30 seconds whose code was used last: no code up
    to it is taken again.
    """

    __tablename__ = "second_factors"

    account_id: Mapped[uuid.UUID] = mapped_column(account_id_column(), primary_key=True)
    sealed_secret: Mapped[bytes] = mapped_column(LargeBinary)
    last_step: Mapped[int | None] = mapped_column(default=None)
    created_at: Mapped[CreatedAt] = mapped_column(init=False)
    confirmed_at: Mapped[Moment | None] = mapped_column(default=None)


class RecoveryCode(Row):
    """What takes the place of an authenticator once: 80 random bits, of which the SHA-256 digest is kept."""

    __tablename__ = "recovery_codes"

    account_id: Mapped[uuid.UUID] = mapped_column(account_id_column(), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    used_at: Mapped[Moment | None] = mapped_column(default=None)


class Departure(Row):
    """What somebody who deleted the account gets back if he changes his mind until `ends_at`; then it is erased.

    Meanwhile the account itself names nobody any more: name and address are free for others.
    """

    __tablename__ = "departures"
    __table_args__ = (
        Index("ix_departures_username", "username"),
        Index("ix_departures_email_key", "email_key"),
        Index("ix_departures_ends_at", "ends_at"),
    )

    account_id: Mapped[uuid.UUID] = mapped_column(account_id_column(), primary_key=True)
    username: Mapped[str]
    display_name: Mapped[str]
    role: Mapped[Role]
    email: Mapped[str]
    email_key: Mapped[str]
    password_hash: Mapped[str]
    created_at: Mapped[CreatedAt] = mapped_column(init=False)
    ends_at: Mapped[Moment]


class RateLimit(Row):
    """A bucket of the generic cell rate algorithm; losing the table to a crash costs nothing, so it is unlogged."""

    __tablename__ = "rate_limits"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    theoretical_arrival_at: Mapped[datetime]


class ChangedLimit(Row):
    """The rate of a limit that an administrator has set in place of the built-in one; the audit log says who."""

    __tablename__ = "changed_limits"

    name: Mapped[str] = mapped_column(primary_key=True)
    burst: Mapped[int]
    interval: Mapped[timedelta]
    changed_at: Mapped[CreatedAt] = mapped_column(init=False)
