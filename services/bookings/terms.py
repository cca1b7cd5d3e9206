"""What a cancelled booking, or a part of one, gives back: by its fare, by the time left, and by law.

Nothing here asks the database. A booking that is cancelled bit by bit gives back what it would have given at once: what
a rule kept of the parts that left before counts, so that the fee is kept once per booking and halves lose no unit.

Sources: 14 CFR 259.5(b)(4), the 24-hour rule of the United States; 14 CFR 260, a cancelled flight is refunded in full.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from core.money import Money
from models import CancellationRule

DAY = timedelta(hours=24)
HALF_DAY = timedelta(hours=12)
WEEK = timedelta(days=7)

REASONS: Mapping[CancellationRule, str] = MappingProxyType(
    {
        CancellationRule.NOT_PAID: "Nothing has been paid: the seats are given back.",
        CancellationRule.AIRLINE: "The airline has cancelled this flight: everything is refunded.",
        CancellationRule.BY_LAW: "Cancelled within 24 hours of booking, a week ahead: free of charge.",
        CancellationRule.NOT_REFUNDABLE: "This fare is not refundable.",
        CancellationRule.LESS_FEE: "More than 24 hours before departure: everything less the fee.",
        CancellationRule.HALF: "12 to 24 hours before departure: half of the price.",
        CancellationRule.TOO_LATE: "Less than 12 hours before departure: nothing is refunded.",
    }
)
"""Each rule as the client reads it."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is about to be cancelled at `moment`: `paid` is what was paid for it, of a booking or a part of one.

    `fee` is that of the fare family, once for the whole booking. `before` is what was paid for the parts of the booking
    that left earlier, by the rule that was applied. `in_us` tells that a flight of the booking begins or ends in the
    United States, `flight_cancelled` that the airline itself won't fly one of them; `departs_at` is when the first
    flight of what is cancelled is expected to leave.
    """

    paid: Money
    fee: Money
    refundable: bool
    in_us: bool
    flight_cancelled: bool
    booked_at: datetime
    departs_at: datetime
    moment: datetime
    before: Mapping[CancellationRule, Money] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What comes back, and by which rule."""

    refund: Money
    rule: CancellationRule

    @property
    def reason(self) -> str:
        """The rule in a sentence."""
        return REASONS[self.rule]


def terms(case: Case) -> Terms:
    """The best that fare and law give: law first, because it asks for no fee."""
    rule = rule_of(case)
    earlier = case.before.get(rule, Money(0, case.paid.currency))
    refund = returned(rule, earlier + case.paid, case.fee) - returned(rule, earlier, case.fee)
    return Terms(refund=refund, rule=rule)


def rule_of(case: Case) -> CancellationRule:
    """The first rule that applies."""
    if case.flight_cancelled:
        return CancellationRule.AIRLINE
    if free_by_law(case):
        return CancellationRule.BY_LAW
    left = case.departs_at - case.moment
    if left < HALF_DAY:
        return CancellationRule.TOO_LATE
    if not case.refundable:
        return CancellationRule.NOT_REFUNDABLE
    return CancellationRule.LESS_FEE if left > DAY else CancellationRule.HALF


def returned(rule: CancellationRule, paid: Money, fee: Money) -> Money:
    """What a rule gives back of all that was paid for what it was applied to."""
    nothing = Money(0, paid.currency)
    match rule:
        case CancellationRule.AIRLINE | CancellationRule.BY_LAW:
            return paid
        case CancellationRule.LESS_FEE:
            return max(paid - fee, nothing)
        case CancellationRule.HALF:
            return paid.share(5_000)
        case _:
            return nothing


def returned_of_extras(rule: CancellationRule, paid: Money, bound: Money) -> Money:
    """What a rule gives back of what was paid for extras, `bound` of it for such as are not refundable.

    Their own rule is theirs: the fare's fee and halves are not asked of a meal. Law and the airline's own cancellation
    give all of it back, and less than 12 hours before departure nothing comes back of anything.
    """
    match rule:
        case CancellationRule.AIRLINE | CancellationRule.BY_LAW:
            return paid
        case CancellationRule.TOO_LATE:
            return Money(0, paid.currency)
        case _:
            return max(paid - bound, Money(0, paid.currency))


def free_by_law(case: Case) -> bool:
    """Whether the 24-hour rule holds: booked a week ahead or earlier, and cancelled within 24 hours of that."""
    return case.in_us and case.departs_at - case.booked_at >= WEEK and case.moment - case.booked_at <= DAY
