"""How far each share of a booking has been paid, and the whole of one that is not split; for whoever only looks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from uuid import UUID

from core.rows import Reader
from models import BookingStatus, Payment, PaymentStatus, Share
from services import payments
from services.bookings.reading import Hanging

SHARES = Hanging(Share, "booking_id", "ordinal")

UNPAID = frozenset({BookingStatus.SEATS_LOCKED, BookingStatus.PAYMENT_PENDING})
"""Bookings that wait for their money."""


class ShareStatus(StrEnum):
    """How far a share, or what a payment link is for, has been paid.

    OPEN and DECLINED may be paid; DECLINED was tried. UNDER_WAY: somebody is paying. PROMISED money is taken when all
    shares are promised: then it is PAID. RETURNED went back. CLOSED can be paid no more.
    """

    OPEN = "OPEN"
    DECLINED = "DECLINED"
    UNDER_WAY = "UNDER_WAY"
    PROMISED = "PROMISED"
    PAID = "PAID"
    RETURNED = "RETURNED"
    CLOSED = "CLOSED"


FAR = {
    PaymentStatus.AUTHORIZED: ShareStatus.PROMISED,
    PaymentStatus.CAPTURED: ShareStatus.PAID,
    PaymentStatus.PARTIALLY_REFUNDED: ShareStatus.PAID,
    PaymentStatus.REFUNDED: ShareStatus.RETURNED,
}
"""What a payment makes of its share that is further than being made: staff who look at one are nobody's business."""


def status_of(attempts: Sequence[Payment], *, waits: bool) -> ShareStatus:
    """How far a share is with these payments, the oldest first; `waits`: the booking can still be paid."""
    live = [one.status for one in attempts if one.status not in payments.OVER]
    if live:
        return FAR.get(live[0], ShareStatus.UNDER_WAY)
    if not waits:
        return ShareStatus.CLOSED
    return ShareStatus.DECLINED if attempts and attempts[-1].decline_code is not None else ShareStatus.OPEN


async def shares_by_booking_ids(reader: Reader, ids: Iterable[UUID]) -> dict[UUID, list[Share]]:
    """The shares of each booking that were not withdrawn, in their order."""
    found = await SHARES.of(reader, ids)
    return {id_: [share for share in some if share.withdrawn_at is None] for id_, some in found.items()}
