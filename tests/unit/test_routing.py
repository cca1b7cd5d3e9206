"""Which gateway takes a payment: the first route that fits, or whoever knows such methods."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from core.errors import Invalid
from core.money import Money
from core.settings import SettingsError
from services.gateways import Gateways, PayPal, Route, Stripe
from services.gateways.routing import read_route

EUROS, RUPEES, FORINTS = Money(100_00, "EUR"), Money(100_00, "INR"), Money(100_50, "HUF")


@pytest.fixture
async def both() -> AsyncIterator[tuple[Stripe, PayPal]]:
    """Two gateways that are asked nothing."""
    stripe = Stripe("sk_test_1", "whsec_1", "http://127.0.0.1:9")
    paypal = PayPal("id", "secret", "WH-1", "http://127.0.0.1:9", str, str)
    yield stripe, paypal
    await stripe.close()
    await paypal.close()


async def test_methods_find_their_gateway(both: tuple[Stripe, PayPal]) -> None:
    gateways = Gateways(both)
    assert gateways.route(EUROS, "pm_card_visa").name == "stripe"
    assert gateways.route(EUROS, "paypal").name == "paypal"


@pytest.mark.parametrize(("amount", "method"), [(EUROS, "cash"), (RUPEES, "paypal"), (FORINTS, "paypal")])
async def test_what_nobody_takes(both: tuple[Stripe, PayPal], amount: Money, method: str) -> None:
    with pytest.raises(Invalid) as refusal:
        Gateways(both).route(amount, method)
    assert refusal.value.field == "paymentMethod"


async def test_the_first_route_that_fits_decides(both: tuple[Stripe, PayPal]) -> None:
    gateways = Gateways(both, [Route("EUR", "*", "paypal"), Route("*", "*", "stripe")])
    assert gateways.route(EUROS, "paypal").name == "paypal"
    assert gateways.route(RUPEES, "pm_1").name == "stripe"
    for amount, method in ((EUROS, "pm_1"), (Money(1, "USD"), "paypal")):
        with pytest.raises(Invalid):
            gateways.route(amount, method)


async def test_what_is_offered_is_what_would_be_taken(both: tuple[Stripe, PayPal]) -> None:
    def offered(amount: Money, *routes: Route) -> list[tuple[str, str]]:
        return [(one.gateway, one.means.kind) for one in Gateways(both, routes).offered(amount)]

    cards = ("stripe", "card")
    banks = [("stripe", kind) for kind in ("ideal", "bancontact", "sepa_debit")]
    assert offered(EUROS) == [cards, *banks, ("paypal", "paypal")]
    assert offered(EUROS, Route("EUR", "*", "paypal")) == [("paypal", "paypal")]
    assert offered(FORINTS) == [cards]


def test_a_route_is_read() -> None:
    assert read_route("INR:pm_*=stripe") == Route("INR", "pm_*", "stripe")
    for nonsense in ("INR", "INR=stripe", "INR:*", ":*=stripe"):
        with pytest.raises(SettingsError):
            read_route(nonsense)
