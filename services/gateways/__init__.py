"""Payment gateways: one protocol, one file for each gateway, and the registry of those that a process uses."""

from __future__ import annotations

from collections.abc import Sequence

from core.settings import Settings
from services.gateways.declines import Decline, explain
from services.gateways.protocol import (
    UNKNOWN_RISK,
    Approved,
    Authorised,
    Capture,
    Captured,
    Concern,
    Declined,
    Gateway,
    GatewayEvent,
    GatewayRefused,
    GatewayUnavailable,
    ListedDispute,
    ListedPayment,
    ListedRefund,
    Means,
    NeedsAction,
    Order,
    Outcome,
    Processing,
    RefundAnswer,
    RefundOutcome,
    Risk,
    Voided,
)
from services.gateways.stripe import Stripe


class Gateways:
    """The gateways of one process, by name; the first is the one that new payments go to."""

    def __init__(self, gateways: Sequence[Gateway]) -> None:
        self._by_name = {gateway.name: gateway for gateway in gateways}
        self.default = gateways[0]

    @classmethod
    def from_settings(cls, settings: Settings) -> Gateways:
        """The gateways that the settings name: Stripe, or the sandbox in its place."""
        stripe = Stripe(settings.stripe_api_key, settings.stripe_webhook_secret, settings.stripe_api_base)
        return cls([stripe])

    @property
    def names(self) -> list[str]:
        """All of their names."""
        return list(self._by_name)

    def named(self, name: str) -> Gateway:
        """The gateway of that name; KeyError for one that this process was not given."""
        return self._by_name[name]

    async def close(self) -> None:
        """Close every connection of every gateway."""
        for gateway in self._by_name.values():
            await gateway.close()


__all__ = [
    "UNKNOWN_RISK",
    "Approved",
    "Authorised",
    "Capture",
    "Captured",
    "Concern",
    "Decline",
    "Declined",
    "Gateway",
    "GatewayEvent",
    "GatewayRefused",
    "GatewayUnavailable",
    "Gateways",
    "ListedDispute",
    "ListedPayment",
    "ListedRefund",
    "Means",
    "NeedsAction",
    "Order",
    "Outcome",
    "Processing",
    "RefundAnswer",
    "RefundOutcome",
    "Risk",
    "Stripe",
    "Voided",
    "explain",
]
