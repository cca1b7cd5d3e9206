"""Every method that the page offers is one that the sandbox takes, and does there what the page says of it."""

from __future__ import annotations

import pytest

from sandbox import cards
from services.gateways import sandbox as offered


@pytest.mark.parametrize("method", offered.SANDBOX_METHODS, ids=lambda method: method.payment_method)
def test_a_method_does_what_is_said_of_it(method: offered.TestPaymentMethod) -> None:
    found = cards.find(method.payment_method)
    assert found is not None
    assert (found.decline is not None) == method.outcome.startswith("is declined")
