"""What the sandbox is told when it starts: flags, or the environment in their absence."""

import argparse
import fnmatch
import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """One run's settings. `webhook_url` None means that events are recorded and not sent."""

    host: str = "127.0.0.1"
    port: int = 0
    data: str = "sandbox.db"
    webhook_url: str | None = None
    webhook_secret: str = "whsec_sandbox"
    webhook_events: tuple[str, ...] = ("*",)
    key: str = "sk_test_sandbox"
    publishable_key: str = "pk_test_sandbox"
    public_url: str | None = None
    settle_seconds: float = 2.0
    paypal_client_id: str = "paypal_sandbox"
    paypal_secret: str = "paypal_sandbox_secret"
    paypal_webhook_url: str | None = None
    paypal_webhook_id: str = "WH-SANDBOX"
    paypal_webhook_events: tuple[str, ...] = ("*",)

    def wants(self, event_type: str) -> bool:
        """Whether the webhook endpoint listens to an event type."""
        return self.webhook_url is not None and _any_fits(self.webhook_events, event_type)

    def wants_paypal(self, event_type: str) -> bool:
        """The same for the webhook endpoint of PayPal's side."""
        return self.paypal_webhook_url is not None and _any_fits(self.paypal_webhook_events, event_type)


@functools.cache
def _any_fits(globs: tuple[str, ...], event_type: str) -> bool:
    return any(fnmatch.fnmatch(event_type, glob) for glob in globs)


def read(argv: Sequence[str] | None = None) -> Settings:
    """Settings from the command line, then `SANDBOX_*`, then the defaults; exits on nonsense as argparse does."""
    default = Settings()
    parser = argparse.ArgumentParser(prog="sandbox", description="A payment server in Stripe's wire format.")

    def flag(name: str, fallback: object, about: str) -> None:
        env = f"SANDBOX_{name.upper().replace('-', '_')}"
        parser.add_argument(f"--{name}", default=os.environ.get(env) or fallback, help=f"{about} (${env})")

    flag("host", default.host, "address to listen on")
    flag("port", default.port, "port to listen on; 0 takes a free one")
    flag("data", default.data, "SQLite file that holds everything")
    flag("webhook-url", None, "where events are posted")
    flag("webhook-secret", default.webhook_secret, "signs the webhooks")
    flag("webhook-events", "*", "event types to post, comma-separated, * as wildcard")
    flag("key", default.key, "secret API key")
    flag("publishable-key", None, "publishable API key; by default the secret one with pk_ in front")
    flag("public-url", None, "address of this server as browsers reach it")
    flag("settle-seconds", default.settle_seconds, "how long bank debits and slow refunds take")
    flag("paypal-client-id", default.paypal_client_id, "client id of PayPal's side")
    flag("paypal-secret", default.paypal_secret, "its secret")
    flag("paypal-webhook-url", None, "where its events are posted")
    flag("paypal-webhook-id", default.paypal_webhook_id, "the id of that webhook, which is signed with it")
    flag("paypal-webhook-events", "*", "event types to post, comma-separated, * as wildcard")
    given = parser.parse_args(argv)
    return Settings(
        host=given.host,
        port=int(given.port),
        data=given.data,
        webhook_url=given.webhook_url,
        webhook_secret=given.webhook_secret,
        webhook_events=_globs(given.webhook_events),
        key=given.key,
        publishable_key=given.publishable_key or "pk_" + given.key.removeprefix("sk_"),
        public_url=given.public_url.rstrip("/") if given.public_url else None,
        settle_seconds=float(given.settle_seconds),
        paypal_client_id=given.paypal_client_id,
        paypal_secret=given.paypal_secret,
        paypal_webhook_url=given.paypal_webhook_url,
        paypal_webhook_id=given.paypal_webhook_id,
        paypal_webhook_events=_globs(given.paypal_webhook_events),
    )


def _globs(text: str) -> tuple[str, ...]:
    return tuple(glob.strip() for glob in text.split(","))
