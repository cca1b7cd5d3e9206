"""What the sandbox can be paid with: methods that a page offers to whoever tries things out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TestPaymentMethod:
    """A method of the sandbox, and what it is for."""

    payment_method: str
    label: str
    outcome: str


SANDBOX_METHODS = (
    TestPaymentMethod("pm_card_visa", "Visa", "succeeds"),
    TestPaymentMethod("pm_card_mastercard", "Mastercard", "succeeds"),
    TestPaymentMethod("pm_card_threeDSecure2Required", "Visa with 3-D Secure", "asks the bank first"),
    TestPaymentMethod("pm_card_riskLevelElevated", "Visa, in doubt", "waits for staff to approve it"),
    TestPaymentMethod("pm_card_visa_chargeDeclined", "Visa, declined", "is declined"),
    TestPaymentMethod("pm_card_visa_chargeDeclinedInsufficientFunds", "Visa, no funds", "is declined: no funds"),
    TestPaymentMethod("pm_card_chargeDeclinedExpiredCard", "Visa, expired", "is declined: expired card"),
)
"""Stripe's documented test methods; the sandbox behaves as Stripe's test mode does."""
