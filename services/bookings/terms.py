"""What a cancelled booking gives back: by its fare, by the time left, and by law. Nothing here asks the database.

Sources: 14 CFR 259.5(b)(4), the 24-hour rule of the United States; 14 CFR 260, a cancelled flight is refunded in full.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.money import Money

DAY = timedelta(hours=24)
HALF_DAY = timedelta(hours=12)
WEEK = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A paid booking about to be cancelled at `moment`. `fee` is that of its fare family, for the whole booking.

    `in_us` tells that a flight of it begins or ends in the United States, `flight_cancelled` that the airline itself
    won't fly; `departs_at` is when its first flight is expected to leave.
    """

    paid: Money
    fee: Money
    refundable: bool
    in_us: bool
    flight_cancelled: bool
    booked_at: datetime
    departs_at: datetime
    moment: datetime


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What comes back, and why, in a sentence."""

    refund: Money
    reason: str


def terms(case: Case) -> Terms:
    """The best that fare and law give: law first, because it asks for no fee."""
    nothing, left = Money(0, case.paid.currency), case.departs_at - case.moment
    if case.flight_cancelled:
        return Terms(refund=case.paid, reason="The airline has cancelled this flight: everything is refunded.")
    if free_by_law(case):
        return Terms(refund=case.paid, reason="Cancelled within 24 hours of booking, a week ahead: free of charge.")
    if not case.refundable:
        return Terms(refund=nothing, reason="This fare is not refundable.")
    if left > DAY:
        refund = max(case.paid - case.fee, nothing)
        return Terms(refund=refund, reason="More than 24 hours before departure: everything less the fee.")
    if left >= HALF_DAY:
        return Terms(refund=case.paid.share(5_000), reason="12 to 24 hours before departure: half of the price.")
    return Terms(refund=nothing, reason="Less than 12 hours before departure: nothing is refunded.")


def free_by_law(case: Case) -> bool:
    """Whether the 24-hour rule holds: booked a week ahead or earlier, and cancelled within 24 hours of that."""
    return case.in_us and case.departs_at - case.booked_at >= WEEK and case.moment - case.booked_at <= DAY
