"""Bookings whose price is split, and payers of their shares."""

from __future__ import annotations

from collections.abc import Sequence

from core.db import Database
from core.money import Money
from models import Booking, Payment, Share
from services import bookings
from services.bookings import Part, Paying
from services.gateways import Gateways
from tests.factories.bookings import GUEST, key

BACK = "https://shop.example/paid"


async def split(database: Database, booking: Booking, parts: Sequence[Part] | int, used: str = "") -> Sequence[Share]:
    """Have a booking's price split, by parts or equally."""
    async with database.transaction() as session:
        return await bookings.split(session, booking.id, parts, GUEST, used or key())


def part(booking: Booking, units: int, label: str = "Ada", email: str | None = None) -> Part:
    """A part of so many minor units, in the booking's currency."""
    return Part(amount=Money(units, booking.currency), label=label, email=email)


def asked(share: Share, method: str = "pm_card_visa", used: str = "", *, by_link: bool = False) -> Paying:
    """A request to pay a share."""
    return Paying(
        booking_id=share.booking_id,
        share_id=share.id,
        method=method,
        return_url=BACK,
        owner=GUEST,
        idempotency_key=used or key(),
        by_link=by_link,
    )


async def pay_share(
    database: Database, gateways: Gateways, share: Share, method: str = "pm_card_visa", used: str = ""
) -> Payment:
    """Have a share paid."""
    return await bookings.pay_as(database, gateways, asked(share, method, used))
