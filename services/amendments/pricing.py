"""What a change costs, or gives back: the difference in price, and what the rules keep. Nothing here asks the database.

A lower price is given back as a cancellation of as much would be: so nobody gets by a change what cancelling would not
give. The 24-hour rule of the United States (14 CFR 259.5(b)(4)) is about cancelling; we waive the fee of a change by
the same measure, because whoever may cancel free of charge may also book anew.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from core.money import Money, add
from models import CancellationRule
from services.amendments.drafts import Draft
from services.amendments.picture import Picture
from services.bookings.terms import Case, free_by_law, terms

RETURNS: Mapping[CancellationRule, str] = MappingProxyType(
    {
        CancellationRule.AIRLINE: "All of the difference is given back.",
        CancellationRule.BY_LAW: "All of the difference is given back.",
        CancellationRule.LESS_FEE: "What is left of the difference is given back.",
        CancellationRule.HALF: "12 to 24 hours before departure half of the difference is given back.",
        CancellationRule.NOT_REFUNDABLE: "This fare is not refundable: nothing of the difference is given back.",
        CancellationRule.TOO_LATE: "Less than 12 hours before departure nothing of the difference is given back.",
    }
)
"""What each rule gives back of a lower price, as the client reads it."""


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What a change comes to: `due` is `difference` and `penalty` together, less than nothing where money goes back."""

    difference: Money
    penalty: Money
    due: Money
    reason: str


def settle(picture: Picture, draft: Draft) -> Settled:
    """The money of a draft."""
    currency = picture.booking.currency
    removed = Money(sum(line.amount for line in draft.removed), currency)
    difference = add((one.line.amount for one in draft.added), currency) - removed
    case = case_of(picture, draft.change["slots"])
    penalty, reason = fee_of(case, draft)
    nothing = Money(0, currency)
    if draft.forfeit is not None:
        penalty += draft.forfeit
        reason = f"{reason} The price of some extras does not come back."
    lower = nothing - difference - penalty
    if nothing < lower and not draft.in_full:
        answer = terms(replace(case, paid=lower))
        penalty += lower - answer.refund
        reason = f"{reason} {RETURNS[answer.rule]}"
    return Settled(difference=difference, penalty=penalty, due=difference + penalty, reason=reason)


def free(picture: Picture, slots: Collection[int]) -> bool:
    """Whether a change of those flights keeps nothing: the airline cancelled one of them, or the 24-hour rule holds."""
    case = case_of(picture, slots)
    return case.flight_cancelled or free_by_law(case)


def case_of(picture: Picture, slots: Collection[int]) -> Case:
    """The facts on which the rules depend: those of the flights that are changed, the strictest of them."""
    trips = picture.trips_on(slots)
    nothing = Money(0, picture.booking.currency)
    return Case(
        paid=nothing,
        fee=nothing,
        refundable=all(trip.family.refundable for trip in trips),
        in_us=any("US" in trip.countries for trip in picture.trips),
        flight_cancelled=any(trip.cancelled for trip in trips),
        booked_at=picture.booking.created_at,
        departs_at=min(trip.departs_at for trip in trips),
        moment=picture.moment,
    )


def fee_of(case: Case, draft: Draft) -> tuple[Money, str]:
    """What the change itself costs, and why."""
    nothing = Money(0, draft.fee.currency)
    if draft.fee == nothing:
        return nothing, draft.reason
    if case.flight_cancelled:
        return nothing, "The airline has cancelled the flight: no fee."
    if free_by_law(case):
        return nothing, "Changed within 24 hours of booking, a week ahead: no fee."
    return draft.fee, draft.reason
