"""What the tests order, in the SDK's own types."""

from stripe.params import PaymentIntentCreateParams

BACK = "https://shop.example/paid?booking=b1"


def order(**change: object) -> PaymentIntentCreateParams:
    """A payment of 125.00 USD by a card that works, taken at once and without a redirect; `change` overrides."""
    base = {
        "amount": 12_500,
        "currency": "usd",
        "confirm": True,
        "payment_method": "pm_card_visa",
        "allowed_payment_method_types": ["card"],
    }
    return {**base, **change}  # type: ignore[typeddict-item]


def held(**change: object) -> PaymentIntentCreateParams:
    """The same, authorised now and captured later, and open to methods that redirect."""
    params = order(capture_method="manual", return_url=BACK, **change)
    del params["allowed_payment_method_types"]
    return params


def debit(method: str, **change: object) -> PaymentIntentCreateParams:
    """The same from a bank account whose owner has agreed, in the currency that the account has."""
    currency = "usd" if method.startswith("pm_us") else "eur"
    mandate = {"customer_acceptance": {"type": "offline"}}
    params = order(
        payment_method=method, **{"currency": currency, "mandate_data": mandate, "return_url": BACK, **change}
    )
    del params["allowed_payment_method_types"]
    return params
