"""What Stripe tells of whoever pays: Radar's score, and the card behind a payment.

Radar's score is told with a charge (https://docs.stripe.com/radar/risk-evaluation); accounts without Radar for Fraud
Teams are told its level alone, which stands for the lowest score that it begins with. A declined payment has no charge
in its answer, but the method that was declined. In test mode everybody pays with the same few cards: theirs are not
told, so that nobody is taken for anybody else.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from core.keys import derive
from services.gateways.protocol import Risk

LEVELS = {"normal": 0, "elevated": 65, "highest": 75}
"""Radar's levels, and the score that each begins with."""


def card_key(api_key: str) -> bytes:
    """The key that cards are hashed under: only who knows the account's secret has it. It changes with the secret."""
    return derive(api_key.encode(), "card")


def risk_of(intent: Mapping[str, Any], key: bytes) -> Risk:
    """What a PaymentIntent tells, its `latest_charge` expanded or not."""
    charge = intent.get("latest_charge")
    if isinstance(charge, dict):
        outcome, details = charge.get("outcome") or {}, charge.get("payment_method_details")
    else:
        outcome, details = {}, (intent.get("last_payment_error") or {}).get("payment_method")
    level, score = outcome.get("risk_level"), outcome.get("risk_score")
    return Risk(
        score=LEVELS.get(level or "") if score is None else score,
        level=level,
        card=hashed(instrument(details, "fingerprint"), key) if intent["livemode"] else None,
        country=instrument(details, "country"),
    )


def instrument(details: Mapping[str, Any] | None, name: str) -> str | None:
    """A field of the card or account that some details are of."""
    if not details:
        return None
    found: str | None = (details.get(details["type"]) or {}).get(name)
    return found


def hashed(fingerprint: str | None, key: bytes) -> bytes | None:
    """A fingerprint as we keep it: 16 bytes of HMAC-SHA256 (RFC 2104)."""
    return None if fingerprint is None else hmac.digest(key, fingerprint.encode(), hashlib.sha256)[:16]
