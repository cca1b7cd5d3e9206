"""Finding amendments, and what was paid for them, many at a time."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from core.rows import Reader
from models import Amendment, Payment
from services.bookings.reading import LATEST, MOST_ATTEMPTS, Hanging

MOST = 20
"""How many changes of a booking are shown; most of the others were quoted and never confirmed."""

MADE_FIRST = "status IN ('QUOTED', 'EXPIRED', 'FAILED'), id DESC"

AMENDMENTS = Hanging(Amendment, "booking_id", "id", most=MOST, kept=MADE_FIRST)
PAYMENTS = Hanging(Payment, "amendment_id", "id", most=MOST_ATTEMPTS, kept=LATEST)


async def by_booking_ids(reader: Reader, ids: Iterable[UUID]) -> dict[UUID, list[Amendment]]:
    """The amendments of each booking, the first one first: those that were made, and the latest of the others."""
    return await AMENDMENTS.of(reader, ids)


async def payments_by_ids(reader: Reader, ids: Iterable[UUID]) -> dict[UUID, list[Payment]]:
    """The attempts to pay each amendment, as `bookings.payments_by_booking_ids` finds them."""
    return await PAYMENTS.of(reader, ids)
