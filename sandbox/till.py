"""One piece of work at the sandbox: what every room needs to change money and to say so.

A `Till` lives inside one transaction, whether a request, a 3-D Secure page or a timer opened it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox import faults
from sandbox.clock import Clock
from sandbox.settings import Settings
from sandbox.store import Doc, Store
from sandbox.wire import API_VERSION, new_id


@dataclass(frozen=True)
class Till:
    """`request_id` and `key` (the idempotency key) are None for what happens by itself; events tell them."""

    store: Store
    clock: Clock
    settings: Settings
    base_url: str
    request_id: str | None = None
    key: str | None = None

    @property
    def now(self) -> int:
        """Sandbox time in whole seconds since the epoch."""
        return int(self.clock.now())

    def after(self, seconds: float, kind: str, object_id: str) -> None:
        """Have `kind` happen to an object that many seconds from now."""
        self.store.add_timer(self.clock.now() + seconds, kind, object_id)

    def emit(self, type: str, doc: Doc, previous: Mapping[str, Any] | None = None) -> None:
        """Record an event about `doc` as it now is, and queue its webhook if the endpoint listens to that type."""
        wanted = self.settings.wants(type)
        data: Doc = {"object": doc}
        if previous is not None:
            data["previous_attributes"] = dict(previous)
        event: Doc = {
            "id": new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now,
            "data": data,
            "livemode": False,
            "pending_webhooks": int(wanted),
            "request": {"id": self.request_id, "idempotency_key": self.key},
            "type": type,
        }
        self.store.insert(event)
        if wanted:
            faults.queue(self.store, event, self.clock.now())
