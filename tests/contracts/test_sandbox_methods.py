"""What the page offers and a laptop listens to is what the sandbox has, and what Jetway acts on."""

from __future__ import annotations

import pytest

from demo.laptop import EVENTS, PAYPAL_EVENTS
from sandbox import cards
from services.gateways import paypal_words
from services.gateways import sandbox as offered
from services.gateways.stripe_words import CONCERNS
from tests.contracts.sources import ROOT


@pytest.mark.parametrize("method", offered.SANDBOX_METHODS, ids=lambda method: method.payment_method)
def test_a_method_does_what_is_said_of_it(method: offered.TestPaymentMethod) -> None:
    found = cards.find(method.payment_method)
    assert found is not None
    assert (found.decline is not None) == method.outcome.startswith("is declined")


def test_a_laptop_is_told_what_is_acted_on() -> None:
    assert set(EVENTS) == set(CONCERNS)
    assert set(PAYPAL_EVENTS) == set(paypal_words.CONCERNS)


def test_the_docs_tell_what_an_endpoint_at_stripe_is_to_send() -> None:
    listed = (ROOT / "docs" / "gateways.md").read_text().partition("`enabled_events`")[2].split("```")[1]
    assert listed.split() == sorted(CONCERNS)
