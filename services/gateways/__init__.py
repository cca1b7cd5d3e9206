"""Payment gateways: one protocol, one file for each gateway, and which of them takes what."""

from __future__ import annotations

from services.gateways.bodies import storable
from services.gateways.declines import Decline, explain
from services.gateways.paypal import PayPal
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
from services.gateways.routing import RETURNED, TURNED_BACK, Gateways, Offered, Route
from services.gateways.stripe import Stripe

__all__ = [
    "RETURNED",
    "TURNED_BACK",
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
    "Offered",
    "Order",
    "Outcome",
    "PayPal",
    "Processing",
    "RefundAnswer",
    "RefundOutcome",
    "Risk",
    "Route",
    "Stripe",
    "Voided",
    "explain",
    "storable",
]
