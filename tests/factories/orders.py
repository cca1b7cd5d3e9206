"""Orders that reach a gateway though nobody wrote down an intent to pay."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from core.money import Money
from models import Booking
from services.gateways import Order


def unwritten(booking: Booking, amount: Money) -> Order:
    """An order of that amount for a booking, by a good card, which no payment of ours stands behind."""
    return Order(
        payment_id=uuid4(),
        booking_id=booking.id,
        pnr=booking.pnr,
        amount=amount,
        method="pm_card_visa",
        return_url=None,
        created_at=datetime.now(UTC),
    )
