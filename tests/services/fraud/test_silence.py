"""Whoever pays cannot tell what was blocked from what a bank declined."""

from __future__ import annotations

import pytest

from models import Booking, FraudMeasure, FraudSubject, FraudVerdict
from services import bookings
from services.fraud import NOBODY
from services.gateways import Gateways
from services.payments import PaymentDeclined
from tests.factories.bookings import GUEST, Desk, key, story_of
from tests.factories.fraud import ADA, rule
from tests.fakes.sandbox import Sandbox

DECLINED = "pm_card_visa_chargeDeclined"


@pytest.fixture
async def blocks_ada(desk: Desk) -> None:
    """A rule beyond which everything of Ada's is."""
    await rule(desk.database, FraudMeasure.PAYMENTS, FraudSubject.USER, 0, FraudVerdict.BLOCK)


@pytest.mark.usefixtures("blocks_ada")
async def test_a_blocked_payment_leaves_the_same_lines_as_a_declined_one(
    desk: Desk, gateways: Gateways, booking: Booking, sandbox: Sandbox
) -> None:
    other = await desk.booked("3B")
    for one, payer, method in ((booking, ADA, "pm_card_visa"), (other, NOBODY, DECLINED)):
        with pytest.raises(PaymentDeclined):
            await bookings.pay(desk.database, gateways, one.id, method, None, GUEST, key(), payer)
    assert await sandbox.intents(booking.id) == []
    lines, facts = await story_of(desk.database, booking)
    assert (lines, facts) == await story_of(desk.database, other)
    assert [line[:3] for line in lines[-4:]] == [
        ("PAYMENT", None, "INITIATED"),
        ("BOOKING", "SEATS_LOCKED", "PAYMENT_PENDING"),
        ("PAYMENT", "INITIATED", "DECLINED"),
        ("BOOKING", "PAYMENT_PENDING", "SEATS_LOCKED"),
    ]
