"""Stripe's documented test payment methods and what each of them does.

The table follows https://docs.stripe.com/testing. A method is named by PaymentMethod (`pm_card_visa`), by token
(`tok_visa`) or by card number.
"""

from dataclasses import replace

from sandbox import banks
from sandbox.kinds import Challenge, Decline, Method

GENERIC = Decline("card_declined", "Your card was declined.", "generic_decline", "try_again_later")
INSUFFICIENT = Decline("card_declined", "Your card has insufficient funds.", "insufficient_funds", "try_again_later")
LOST = Decline("card_declined", "Your card was declined.", "lost_card", "do_not_try_again")
STOLEN = Decline("card_declined", "Your card was declined.", "stolen_card", "do_not_try_again")
EXPIRED = Decline("expired_card", "Your card has expired.", advice="do_not_try_again")
CVC = Decline("incorrect_cvc", "Your card's security code is incorrect.", advice="confirm_card_data")
PROCESSING = Decline(
    "processing_error",
    "An error occurred while processing your card. Try again in a little bit.",
    advice="try_again_later",
)
VELOCITY = Decline(
    "card_declined",
    "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
    "card_velocity_exceeded",
    "try_again_later",
)
BLOCKED = Decline("card_declined", "Your card was declined.", "fraudulent", "do_not_try_again", blocked=True)
UNAUTHENTICATED = Decline(
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
    "authentication_required",
)


def _declining(name: str, number: str, decline: Decline) -> Method:
    return Method(name, number=number, last4=number[-4:], decline=decline, attachable=False)


def _secure(name: str, number: str | None, challenge: Challenge, decline: Decline | None = None, **more: str) -> Method:
    method = Method(name, number=number, last4=number[-4:] if number else "3220", challenge=challenge, decline=decline)
    return replace(method, **more)  # type: ignore[arg-type]


def _disputed(name: str, number: str, reason: str) -> Method:
    return Method(name, number=number, last4=number[-4:], dispute=reason)


_ALL = (
    Method("visa", number="4242424242424242"),
    Method("visa_debit", number="4000056655665556", last4="5556", funding="debit"),
    Method("mastercard", "mastercard", "4444", "5555555555554444"),
    Method("mastercard_debit", "mastercard", "8210", "5200828282828210", "debit"),
    Method("mastercard_prepaid", "mastercard", "5100", "5105105105105100", "prepaid"),
    Method("amex", "amex", "8431", "371449635398431"),
    Method("discover", "discover", "1117", "6011111111111117"),
    Method("diners", "diners", "0004", "3056930009020004"),
    Method("jcb", "jcb", "0505", "3566002020360505"),
    Method("unionpay", "unionpay", "0005", "6200000000000005"),
    _declining("chargeDeclined", "4000000000000002", GENERIC),
    _declining("chargeDeclinedInsufficientFunds", "4000000000009995", INSUFFICIENT),
    _declining("chargeDeclinedLostCard", "4000000000009987", LOST),
    _declining("chargeDeclinedStolenCard", "4000000000009979", STOLEN),
    _declining("chargeDeclinedExpiredCard", "4000000000000069", EXPIRED),
    _declining("chargeDeclinedIncorrectCvc", "4000000000000127", CVC),
    _declining("chargeDeclinedProcessingError", "4000000000000119", PROCESSING),
    _declining("chargeDeclinedVelocityLimitExceeded", "4000000000006975", VELOCITY),
    Method("chargeCustomerFail", number="4000000000000341", last4="0341", decline=GENERIC),
    Method("radarBlock", number="4100000000000019", last4="0019", decline=BLOCKED, risk=95),
    Method("riskLevelHighest", number="4000000000004954", last4="4954", decline=BLOCKED, risk=85),
    Method("riskLevelElevated", number="4000000000009235", last4="9235", risk=70),
    Method("cvcCheckFail", number="4000000000000101", last4="0101", cvc_check="fail"),
    _secure("threeDSecure2Required", "4000000000003220", "always"),
    _secure("threeDSecureRequired", None, "always"),
    _secure("threeDSecureOptional", "4000000000003055", "on_request"),
    _secure("amex_threeDSecureNotSupported", "378282246310005", "never", brand="amex"),
    _secure("authenticationRequired", "4000002760003184", "always"),
    _secure("authenticationRequiredOnSetup", "4000002500003155", "always"),
    _secure("authenticationRequiredSetupForOffSession", "4000003800000446", "on_session"),
    _secure("authenticationRequiredChargeDeclinedInsufficientFunds", "4000008260003178", "always", INSUFFICIENT),
    _secure("threeDSecureRequiredChargeDeclined", "4000008400001629", "always", GENERIC),
    _disputed("createDispute", "4000000000000259", "fraudulent"),
    _disputed("createDisputeProductNotReceived", "4000000000002685", "product_not_received"),
    Method("pendingRefund", number="4000000000007726", last4="7726", refund="pending"),
    Method("refundFail", number="4000000000005126", last4="5126", refund="fails"),
)
BY_NAME: dict[str, Method] = {method.name: method for method in (*_ALL, *banks.METHODS)}
_BY_NUMBER = {method.number: method for method in _ALL if method.number}


def find(name: str) -> Method | None:
    """The method of a PaymentMethod or token name, with or without the `visa_` that Stripe's page has in some."""
    if name in BY_NAME and name.startswith("pm_"):
        return BY_NAME[name]
    for prefix in ("pm_card_visa_", "tok_visa_", "pm_card_", "tok_"):
        short = name.removeprefix(prefix)
        if name.startswith(prefix) and short in BY_NAME and BY_NAME[short].type == "card":
            return BY_NAME[short]
    return None


def by_number(number: str) -> Method | None:
    """The method of a test card number, spaces allowed."""
    return _BY_NUMBER.get(number.replace(" ", ""))
