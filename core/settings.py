"""What the environment says, read once and passed down.

Nothing else in Jetway reads `os.environ`. A `Settings` never changes after it was made, so two parts of one process
cannot disagree about where the database is.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

GATES = ("local", "valkey")
"""The gates that there are, the cheapest first: the order in which they are asked."""


DOCUMENTS = ("anything", "persisted", "trusted")
SWITCH = ("off", "on")


class SettingsError(ValueError):
    """A setting is missing or has no meaning; the message names the variable and what it accepts."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting of a Jetway process.

    `secrets` are the master secrets, newest first: the first signs, all of them verify, so a secret is rotated by
    putting a new one in front and dropping the last a month later. Each holds at least 32 bytes. `trusted_proxies` are
    the addresses whose X-Forwarded-For is believed, separated by commas; empty: nobody's is. `gates` are those before
    the inventory, in the order in which they are asked. `documents` says what clients may send: any document, those
    that are persisted, or those that are trusted. `introspection` is for developers: it tells the whole schema.
    `response_cache` is how many MiB each process keeps of answers that are the same for many; 0 for none. Facts go to
    `kafka_brokers`, `host:port` each, where there are any. `processes` is how many processes serve behind the one port.
    `sockets_per_client` is how many WebSockets one address may have open at each process. `public_url` is how payers
    reach this server, without a slash at its end. PayPal is a gateway where there is a `paypal_client_id`;
    `payment_routes` are lines of `services/gateways/routing.py`.
    """

    host: str
    port: int
    database_url: str
    read_database_url: str
    redis_url: str
    secrets: tuple[bytes, ...]
    stripe_api_key: str
    stripe_webhook_secret: str
    stripe_api_base: str
    pool_size: int
    log_level: str
    trusted_proxies: str
    gates: tuple[str, ...] = GATES
    documents: str = DOCUMENTS[0]
    introspection: bool = False
    response_cache: int = 64
    kafka_brokers: tuple[str, ...] = ()
    sockets_per_client: int = 200
    processes: int = 1
    public_url: str = ""
    paypal_client_id: str = ""
    paypal_secret: str = ""
    paypal_webhook_id: str = ""
    paypal_api_base: str = ""
    payment_routes: tuple[str, ...] = ()

    @property
    def sandbox(self) -> bool:
        """Whether money goes to our sandbox instead of to Stripe."""
        return self.stripe_api_base != STRIPE

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Settings:
        """Read the settings from `env`; raises SettingsError for the first one that is missing or malformed."""
        host = env.get("HOST", "127.0.0.1")
        port = read_port(env)
        database_url = asyncpg_url(required(env, "DATABASE_URL"))
        return cls(
            host=host,
            port=port,
            database_url=database_url,
            read_database_url=asyncpg_url(env.get("READ_DATABASE_URL", database_url)),
            redis_url=required(env, "REDIS_URL"),
            secrets=read_secrets(required(env, "JETWAY_SECRETS")),
            stripe_api_key=required(env, "STRIPE_API_KEY"),
            stripe_webhook_secret=required(env, "STRIPE_WEBHOOK_SECRET"),
            stripe_api_base=env.get("STRIPE_API_BASE", STRIPE).rstrip("/"),
            pool_size=read_positive(env, "DATABASE_POOL_SIZE", 16),
            log_level=env.get("LOG_LEVEL", "INFO").upper(),
            trusted_proxies=env.get("FORWARDED_ALLOW_IPS", "").strip(),
            gates=read_gates(env.get("GATES", "").strip()),
            documents=read_choice(env, "DOCUMENTS", DOCUMENTS),
            introspection=read_choice(env, "INTROSPECTION", SWITCH) == "on",
            response_cache=read_megabytes(env, "RESPONSE_CACHE", 64),
            kafka_brokers=read_brokers(env.get("KAFKA_BROKERS", "")),
            sockets_per_client=read_positive(env, "SOCKETS_PER_CLIENT", 200),
            processes=read_positive(env, "SERVER_PROCESSES", 1),
            public_url=(env.get("PUBLIC_URL", "").strip() or f"http://{host}:{port}").rstrip("/"),
            **read_paypal(env),
            payment_routes=tuple(filter(None, (part.strip() for part in env.get("PAYMENT_ROUTES", "").split(",")))),
        )


STRIPE = "https://api.stripe.com"


PAYPAL = "https://api-m.paypal.com"


class PayPalSettings(TypedDict):
    """What PayPal needs; all of it, or nothing."""

    paypal_client_id: str
    paypal_secret: str
    paypal_webhook_id: str
    paypal_api_base: str


def read_paypal(env: Mapping[str, str]) -> PayPalSettings:
    """PAYPAL_CLIENT_ID and what has to come with it; empty where it is not set."""
    client_id = env.get("PAYPAL_CLIENT_ID", "").strip()
    return {
        "paypal_client_id": client_id,
        "paypal_secret": required(env, "PAYPAL_SECRET") if client_id else "",
        "paypal_webhook_id": required(env, "PAYPAL_WEBHOOK_ID") if client_id else "",
        "paypal_api_base": env.get("PAYPAL_API_BASE", PAYPAL).rstrip("/"),
    }


def required(env: Mapping[str, str], name: str) -> str:
    """The value of `name`; raises SettingsError where it is missing or empty."""
    value = env.get(name, "").strip()
    if not value:
        raise SettingsError(f"{name} is not set")
    return value


def read_port(env: Mapping[str, str]) -> int:
    """PORT as a TCP port, 8000 where unset."""
    port = read_positive(env, "PORT", 8000)
    if port > 65535:
        raise SettingsError(f"PORT is {port}; it is a number from 1 to 65535")
    return port


def read_positive(env: Mapping[str, str], name: str, default: int) -> int:
    """A whole number above zero."""
    text = env.get(name, "").strip() or str(default)
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise SettingsError(f"{name} is {text!r}; it is a whole number above zero")
    return int(text)


def read_megabytes(env: Mapping[str, str], name: str, default: int) -> int:
    """A number of MiB, 0 for none."""
    text = env.get(name, "").strip() or str(default)
    if not text.isascii() or not text.isdigit():
        raise SettingsError(f"{name} is {text!r}; it is a number of MiB, 0 for none")
    return int(text)


def read_choice(env: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """One of a few words, the first of them where nothing is said."""
    word = env.get(name, "").strip().lower() or choices[0]
    if word not in choices:
        raise SettingsError(f"{name} is {word!r}; it is one of {', '.join(choices)}")
    return word


def read_gates(text: str) -> tuple[str, ...]:
    """The gates named in a comma-separated list, in their own order; all of them where it is empty, `none` for none."""
    if text in ("", "none"):
        return () if text else GATES
    named = {name.strip() for name in text.split(",")}
    if unknown := sorted(named.difference(GATES)):
        raise SettingsError(f"GATES names {unknown[0]!r}; it is `none`, or some of {', '.join(GATES)}")
    return tuple(name for name in GATES if name in named)


def read_brokers(text: str) -> tuple[str, ...]:
    """Comma-separated addresses, `host:port` each."""
    brokers = tuple(part.strip() for part in text.split(",") if part.strip())
    for broker in brokers:
        host, _, port = broker.rpartition(":")
        if not host or not port.isascii() or not port.isdigit():
            raise SettingsError(f"KAFKA_BROKERS names {broker!r}; each is host:port")
    return brokers


def read_secrets(text: str) -> tuple[bytes, ...]:
    """Comma-separated base64url secrets of at least 32 bytes each, newest first."""
    try:
        secrets = tuple(
            base64.b64decode(part.encode("ascii") + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
            for part in text.split(",")
        )
    except ValueError as error:
        raise SettingsError("JETWAY_SECRETS is a comma-separated list of base64url strings") from error
    if any(len(secret) < 32 for secret in secrets):
        raise SettingsError("JETWAY_SECRETS holds a secret of less than 32 bytes")
    return secrets


def asyncpg_url(url: str) -> str:
    """The same address with SQLAlchemy's asyncpg driver named in it."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.split("+")[0] not in ("postgres", "postgresql"):
        raise SettingsError("DATABASE_URL starts with postgresql://")
    # libpq's name for it, which operators know; the driver calls the same values `ssl`.
    return f"postgresql+asyncpg://{rest.replace('?sslmode=', '?ssl=').replace('&sslmode=', '&ssl=')}"


def libpq_url(url: str) -> str:
    """The inverse of `asyncpg_url`: the same address for those who connect without SQLAlchemy."""
    plain = url.replace("postgresql+asyncpg://", "postgresql://", 1)
    return plain.replace("?ssl=", "?sslmode=").replace("&ssl=", "&sslmode=")


def home(env: Mapping[str, str] = os.environ) -> Path:
    """Where a laptop keeps its data: JETWAY_HOME, or `jetway` in the user's data folder (XDG Base Directory)."""
    if chosen := env.get("JETWAY_HOME", "").strip():
        return Path(chosen).expanduser().resolve()
    data = env.get("XDG_DATA_HOME", "").strip() or "~/.local/share"
    return Path(data).expanduser().resolve() / "jetway"
