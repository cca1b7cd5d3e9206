"""Why a payment was declined, in words for the person who pays.

Codes are Stripe's decline codes, or its error codes where the bank gave none (https://docs.stripe.com/declines/codes).
What a bank says of a card that was lost, stolen or is watched is never told to whoever holds it: they read
`generic_decline`, and only the history keeps the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

GENERIC = "generic_decline"


@dataclass(frozen=True)
class Decline:
    """What the payer is told: a stable `code`, a sentence, and whether this card again, or another, may do."""

    code: str
    message: str
    retryable: bool = True


UNKNOWN = Decline(GENERIC, "The bank declined this payment. Try again, or use another card.")

DECLINES = MappingProxyType(
    {
        decline.code: decline
        for decline in (
            UNKNOWN,
            Decline("insufficient_funds", "The card has insufficient funds. Use another card."),
            Decline("expired_card", "The card has expired. Use another card."),
            Decline("incorrect_cvc", "The card's security code is wrong. Check it and try again."),
            Decline("incorrect_number", "The card's number is wrong. Check it and try again."),
            Decline("incorrect_zip", "The postal code does not belong to this card. Check it and try again."),
            Decline("card_velocity_exceeded", "The card has reached its limit. Use another card, or try again later."),
            Decline("withdrawal_count_limit_exceeded", "The card has reached its limit. Use another card."),
            Decline("processing_error", "The card could not be processed. Try again in a little while."),
            Decline("issuer_not_available", "The bank could not be reached. Try again in a little while."),
            Decline("try_again_later", "The bank could not decide. Try again in a little while."),
            Decline("call_issuer", "The bank declined this payment. Ask it why, or use another card."),
            Decline("card_not_supported", "The card does not support this kind of purchase. Use another card."),
            Decline("currency_not_supported", "The card does not support this currency. Use another card."),
            Decline("authentication_required", "The bank wants to confirm this payment with you. Try again."),
            Decline(
                "authentication_failed", "The bank could not confirm that it is you. Try again, or use another card."
            ),
            Decline("unknown_method", "The gateway does not know this payment method. Enter the card again."),
            Decline("method_not_supported", "This kind of payment cannot be taken here. Use a card."),
            Decline("bank_refused", "The bank did not make this payment. Try again, or pay in another way."),
            Decline("amount_not_supported", "This amount cannot be paid this way. Pay in another way."),
            Decline("cancelled", "The payment was called off. Try again."),
            Decline("gateway_refused", "The payment could not be taken.", retryable=False),
        )
    }
)

SECRET = frozenset(
    {
        "fraudulent",
        "lost_card",
        "merchant_blacklist",
        "pickup_card",
        "restricted_card",
        "security_violation",
        "stolen_card",
    }
)


def explain(code: str) -> Decline:
    """What the payer is told about a decline with that code. Explaining what was explained changes nothing."""
    return UNKNOWN if code in SECRET else DECLINES.get(code, UNKNOWN)
