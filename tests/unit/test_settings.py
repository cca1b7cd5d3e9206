"""The environment: read once, refused by name where it has no meaning."""

from __future__ import annotations

import base64
import dataclasses
from pathlib import Path

import pytest

from core.settings import Settings, SettingsError, home, libpq_url

SECRET, OTHER = b"\xff" * 32, b"\xfe" * 40


def spelled(secret: bytes, *, padded: bool = False) -> str:
    text = base64.urlsafe_b64encode(secret).decode()
    return text if padded else text.rstrip("=")


ENOUGH = {
    "DATABASE_URL": "postgresql://jetway@db/jetway",
    "REDIS_URL": "redis://cache:6379/0",
    "JETWAY_SECRETS": spelled(SECRET),
    "STRIPE_API_KEY": "sk_test_1",
    "STRIPE_WEBHOOK_SECRET": "whsec_1",
}


def read(**changes: str) -> Settings:
    return Settings.from_env({**ENOUGH, **changes})


def test_what_is_not_said_has_a_default() -> None:
    assert dataclasses.asdict(read()) == {
        "host": "127.0.0.1",
        "port": 8000,
        "database_url": "postgresql+asyncpg://jetway@db/jetway",
        "read_database_url": "postgresql+asyncpg://jetway@db/jetway",
        "redis_url": "redis://cache:6379/0",
        "secrets": (SECRET,),
        "stripe_api_key": "sk_test_1",
        "stripe_webhook_secret": "whsec_1",
        "stripe_api_base": "https://api.stripe.com",
        "pool_size": 16,
        "log_level": "INFO",
        "trusted_proxies": "",
        "gates": ("local", "valkey"),
        "documents": "anything",
        "introspection": False,
        "response_cache": 64,
        "kafka_brokers": (),
        "sockets_per_client": 200,
        "processes": 1,
        "public_url": "http://127.0.0.1:8000",
        "paypal_client_id": "",
        "paypal_secret": "",
        "paypal_webhook_id": "",
        "paypal_api_base": "https://api-m.paypal.com",
        "payment_routes": (),
    }


def test_paypal_is_set_up_whole_or_not_at_all() -> None:
    whole = {"PAYPAL_CLIENT_ID": "a", "PAYPAL_SECRET": "b", "PAYPAL_WEBHOOK_ID": "c"}
    said = read(**whole, PUBLIC_URL="https://jetway.example/", PAYMENT_ROUTES="EUR:*=paypal, *:*=stripe")
    assert (said.paypal_client_id, said.paypal_secret, said.paypal_webhook_id) == ("a", "b", "c")
    assert said.public_url == "https://jetway.example"
    assert said.payment_routes == ("EUR:*=paypal", "*:*=stripe")
    for missing in ("PAYPAL_SECRET", "PAYPAL_WEBHOOK_ID"):
        with pytest.raises(SettingsError, match=missing):
            read(**{**whole, missing: ""})


def test_what_is_said_counts() -> None:
    said = read(
        HOST="0.0.0.0",  # noqa: S104 - only read, nothing listens
        PORT="1",
        READ_DATABASE_URL="postgres://replica/jetway",
        STRIPE_API_BASE="http://127.0.0.1:12111/",
        DATABASE_POOL_SIZE="4",
        LOG_LEVEL="debug",
    )
    assert (said.host, said.port, said.pool_size, said.log_level) == ("0.0.0.0", 1, 4, "DEBUG")  # noqa: S104
    assert said.read_database_url == "postgresql+asyncpg://replica/jetway"
    assert said.stripe_api_base == "http://127.0.0.1:12111"
    assert said.sandbox
    assert not read().sandbox


@pytest.mark.parametrize("name", sorted(ENOUGH))
@pytest.mark.parametrize("value", ["", "  "])
def test_what_is_missing_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is not set"):
        read(**{name: value})
    with pytest.raises(SettingsError, match=f"{name} is not set"):
        Settings.from_env({key: text for key, text in ENOUGH.items() if key != name})


@pytest.mark.parametrize("value", ["x", "-1", "0", "65536", "1.5", "8000a", "٨", "1 2"])
def test_a_port_is_a_port(value: str) -> None:
    with pytest.raises(SettingsError, match="PORT is "):
        read(PORT=value)


@pytest.mark.parametrize("value", ["0", "-4", "many"])
def test_a_pool_has_a_size(value: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_POOL_SIZE is "):
        read(DATABASE_POOL_SIZE=value)


def test_an_empty_number_is_the_default() -> None:
    assert (read(PORT="").port, read(DATABASE_POOL_SIZE=" ").pool_size) == (8000, 16)


@pytest.mark.parametrize("name", ["DATABASE_URL", "READ_DATABASE_URL"])
@pytest.mark.parametrize("value", ["mysql://db/x", "db/x", "postgresql:/db", "://x"])
def test_a_database_is_postgresql(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match="postgresql://"):
        read(**{name: value})


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg"])
def test_however_the_driver_is_spelled_it_is_ours(scheme: str) -> None:
    assert read(DATABASE_URL=f"{scheme}://u:p@h/d").database_url == "postgresql+asyncpg://u:p@h/d"


def test_the_mode_of_encryption_is_spelled_as_each_driver_has_it() -> None:
    given = "postgresql://u:p@h/d?application_name=jetway&sslmode=require"
    asked = read(DATABASE_URL=given).database_url
    assert asked == "postgresql+asyncpg://u:p@h/d?application_name=jetway&ssl=require"
    assert libpq_url(asked) == given


@pytest.mark.parametrize(
    ("text", "gates"),
    [
        ("", ("local", "valkey")),
        (" none ", ()),
        ("valkey", ("valkey",)),
        ("valkey, local,valkey", ("local", "valkey")),
    ],
)
def test_gates_stand_in_their_own_order(text: str, gates: tuple[str, ...]) -> None:
    assert read(GATES=text).gates == gates


@pytest.mark.parametrize("text", ["redis", "local,none", "local,", "Local"])
def test_gates_that_there_are_not_are_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="GATES names "):
        read(GATES=text)


def test_secrets_are_read_the_newest_first() -> None:
    assert read(JETWAY_SECRETS=f"{spelled(OTHER)},{spelled(SECRET, padded=True)}").secrets == (OTHER, SECRET)


@pytest.mark.parametrize(
    "text",
    [
        spelled(SECRET[:31]),
        f"{spelled(SECRET)},",
        f",{spelled(SECRET)}",
        f"{spelled(SECRET)},{spelled(b'x')}",
        f"{spelled(SECRET)}!",
        f"correct horse battery staple {spelled(SECRET)}",
        f"{spelled(SECRET)};{spelled(OTHER)}",
        "é" * 50,
    ],
)
def test_a_secret_that_is_short_or_no_base64url_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="JETWAY_SECRETS"):
        read(JETWAY_SECRETS=text)


def test_the_error_does_not_repeat_the_secret() -> None:
    with pytest.raises(SettingsError) as error:
        read(JETWAY_SECRETS="c2VjcmV0!")
    assert "c2VjcmV0" not in str(error.value)


def test_settings_never_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        read().port = 1  # type: ignore[misc]


def test_data_lives_where_the_user_says(tmp_path: Path) -> None:
    assert home({"JETWAY_HOME": f"{tmp_path}/../{tmp_path.name}"}) == tmp_path
    assert home({"JETWAY_HOME": " ", "XDG_DATA_HOME": str(tmp_path)}) == tmp_path / "jetway"
    assert home({}) == Path.home() / ".local/share/jetway"


def test_documents_and_introspection_are_words() -> None:
    assert (read(DOCUMENTS="Trusted").documents, read(INTROSPECTION="on").introspection) == ("trusted", True)
    for name in ("DOCUMENTS", "INTROSPECTION"):
        with pytest.raises(SettingsError, match=f"^{name} is 'some'"):
            read(**{name: "some"})


def test_brokers_are_hosts_with_ports() -> None:
    assert read(KAFKA_BROKERS="one:9092, [::1]:9093").kafka_brokers == ("one:9092", "[::1]:9093")


@pytest.mark.parametrize("value", ["one", "one:", ":9092", "one:port", "one:9092,two"])
def test_a_broker_without_its_port_is_named(value: str) -> None:
    with pytest.raises(SettingsError, match="KAFKA_BROKERS names"):
        read(KAFKA_BROKERS=value)
