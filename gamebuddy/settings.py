"""The only reader of the environment."""

import difflib
import ipaddress
import os
import secrets
import stat
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "GAMEBUDDY_"
MINIMUM_SECRET_BYTES = 32
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class SettingsError(Exception):
    """One clear line on what is wrong with the settings."""


class Environment(StrEnum):
    """Where the server runs; development opens the known passwords and the mailbox, on loopback only."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class PersistedQueries(StrEnum):
    """Which documents requests may name by a hash."""

    OFF = "off"
    APQ = "apq"
    TRUSTED = "trusted"


Names = Annotated[tuple[str, ...], NoDecode]
Files = Annotated[tuple[Path, ...], NoDecode]
Secrets = Annotated[tuple[SecretStr, ...], NoDecode]


class Settings(BaseSettings):
    """Everything that can be set, each as GAMEBUDDY_<NAME> in the environment or in `.env`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
    )

    database_url: SecretStr | None = None
    data_dir: Path = Path(".gamebuddy")
    pg_bin: Path | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    workers: int = Field(default=1, ge=1, le=64)
    secret_key: SecretStr | None = None
    previous_secret_keys: Secrets = ()
    public_url: str | None = None
    smtp_url: SecretStr | None = None
    broadcast_url: SecretStr | None = None
    storage_url: str | None = None
    mail_from: str = "GameBuddy <no-reply@gamebuddy.example>"
    trusted_proxies: Names = ()
    cors_origins: Names = ()
    rate_limit_factor: float = Field(default=1, gt=0)
    environment: Environment = Environment.DEVELOPMENT
    graphiql: bool = True
    introspection: bool = True
    persisted_queries: PersistedQueries = PersistedQueries.APQ
    trusted_documents: Files = ()
    demo: bool = False
    admin_password: SecretStr | None = None
    log_format: Literal["auto", "json", "console"] = "auto"

    max_body_bytes: int = Field(default=100_000, ge=1_000)
    max_socket_message_bytes: int = Field(default=65_536, ge=1_000)
    max_tokens: int = Field(default=2_000, ge=10)
    max_aliases: int = Field(default=30, ge=1)
    max_cost: int = Field(default=5_000, ge=10)
    max_operations_per_socket: int = Field(default=50, ge=1)
    max_sockets_per_account: int = Field(default=10, ge=1)
    socket_init_seconds: float = Field(default=10, gt=0)
    heartbeat_seconds: float = Field(default=20, gt=0)
    silence_seconds: float = Field(default=60, gt=0)
    access_token_seconds: int = Field(default=600, ge=1)
    drain_seconds: float = Field(default=5, ge=0, le=10)
    event_days: int = Field(default=30, ge=1)
    statement_timeout_seconds: float = Field(default=5, gt=0)
    pool_size: int = Field(default=10, ge=2)

    @field_validator("trusted_proxies", "cors_origins", "previous_secret_keys", "trusted_documents", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            ipaddress.ip_network(name, strict=False)
        return value

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value().encode()) < MINIMUM_SECRET_BYTES:
            raise ValueError(f"has to have at least {MINIMUM_SECRET_BYTES} bytes")
        return value

    @field_validator("previous_secret_keys")
    @classmethod
    def _each_long_enough(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if any(len(key.get_secret_value().encode()) < MINIMUM_SECRET_BYTES for key in value):
            raise ValueError(f"has to have at least {MINIMUM_SECRET_BYTES} bytes in each secret; commas part them")
        return value

    @field_validator("database_url")
    @classmethod
    def _postgres(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and urlsplit(value.get_secret_value()).scheme not in {"postgresql", "postgres"}:
            raise ValueError("has to begin with postgresql://")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _smtp(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parts = urlsplit(value.get_secret_value())
            if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
                raise ValueError("has to look like smtp://user:password@host:port or smtps://…")
        return value

    @field_validator("broadcast_url")
    @classmethod
    def _redis(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and urlsplit(value.get_secret_value()).scheme not in {"redis", "rediss"}:
            raise ValueError("has to begin with redis:// or rediss://")
        return value

    @field_validator("storage_url")
    @classmethod
    def _storage(cls, value: str | None) -> str | None:
        if value is not None and (urlsplit(value).scheme not in {"s3", "gs", "az"} or not urlsplit(value).netloc):
            raise ValueError("has to look like s3://bucket/folder, gs://… or az://…")
        return value

    @field_validator("public_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is not None and (urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname):
            raise ValueError("has to begin with http:// or https://")
        return value.rstrip("/") if value else None

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.database_url is not None and self.secret_key is None:
            raise ValueError(f"{PREFIX}SECRET_KEY has to be given with {PREFIX}DATABASE_URL: all nodes sign with it")
        if (self.persisted_queries is PersistedQueries.TRUSTED) != bool(self.trusted_documents):
            raise ValueError(f"{PREFIX}PERSISTED_QUERIES=trusted and {PREFIX}TRUSTED_DOCUMENTS go together")
        if self.demo and self.environment is Environment.PRODUCTION:
            raise ValueError(f"{PREFIX}DEMO brings known passwords and cannot be used in production")
        if self.demo and not self.is_loopback:
            raise ValueError(f"{PREFIX}DEMO brings known passwords and needs {PREFIX}HOST to be a loopback address")
        return self

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.host in LOOPBACK_NAMES

    @property
    def is_development(self) -> bool:
        """Whether the parts that know passwords and letters are open: development, and bound to loopback."""
        return self.environment is Environment.DEVELOPMENT and self.is_loopback

    @property
    def url(self) -> str:
        """Where people reach the server; letters and links are made from it, never from a request's headers."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    @property
    def mail_dir(self) -> Path:
        """The development mailbox: one .eml file a letter."""
        return self.data_dir / "mail"

    def secret(self) -> bytes:
        """Give the key that everything is signed with, made and kept in `data_dir` where none was set."""
        if self.secret_key is not None:
            return self.secret_key.get_secret_value().encode()
        return _kept_secret(self.data_dir / "secret")

    def known_secrets(self) -> tuple[bytes, ...]:
        """Give the key that everything is signed with, and after it those whose signatures still count."""
        return (self.secret(), *(key.get_secret_value().encode() for key in self.previous_secret_keys))


def _kept_secret(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, stat.S_IRUSR | stat.S_IWUSR), "w") as file:  # noqa: PTH123 - the mode has to hold from the first byte
        file.write(secrets.token_urlsafe(48))
    try:
        path.hardlink_to(fresh)  # of two processes that start at once, one wins and both read its key
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return path.read_text().encode()


def load() -> Settings:
    """Read the settings.

    Raises:
        SettingsError: with one line that names the variable and what it has to be.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise SettingsError(f"{name} is not a setting" + (f"; did you mean {near[0]}?" if near else ""))
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + "_".join(str(part) for part in first["loc"]).upper() if first["loc"] else ""
        raise SettingsError(f"{name} {first['msg'].removeprefix('Value error, ')}".strip()) from None
