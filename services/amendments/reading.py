"""Finding amendments, and what was paid for them, many at a time."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from core.rows import Reader
from models import Amendment, Payment
from services.bookings.reading import Hanging

AMENDMENTS = Hanging(Amendment, "booking_id", "id")
PAYMENTS = Hanging(Payment, "amendment_id", "id")


async def by_booking_ids(reader: Reader, ids: Iterable[UUID]) -> dict[UUID, list[Amendment]]:
    """Every amendment of each booking, the first one first."""
    return await AMENDMENTS.of(reader, ids)


async def payments_by_ids(reader: Reader, ids: Iterable[UUID]) -> dict[UUID, list[Payment]]:
    """Every attempt to pay each amendment, the first one first."""
    return await PAYMENTS.of(reader, ids)
