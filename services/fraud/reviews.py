"""Payments that staff have to look at: each until the moment at which its seats are let go.

Who decides has locked the payment's booking and the payment (`services/bookings/reviewing.py`), so a review is decided
once, and never after its deadline. One that nobody decided is over when its payment is not REVIEW any more. Each
beginning and each decision is a fact on the stream that staff watch.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from prometheus_client import Gauge
from sqlalchemy import ColumnElement, and_, func, select, tuple_, update

from core.db import ReadSession, Session
from core.errors import Conflict, Invalid
from core.paging import Edge, Page, check_first, key_of, page_info, write_cursor
from models import Booking, FraudAssessment, Payment, PaymentReview, PaymentStatus, ReviewDecision
from services import outbox
from services.transitions import Cause

OPEN = Gauge("jetway_payment_reviews_open", "Payments that wait for staff.")
OLDEST = Gauge("jetway_payment_reviews_oldest_seconds", "How long the oldest of them has waited.")


class ReviewOver(Conflict):
    """The payment does not wait for staff any more: somebody has decided, or its time is over."""

    default_code = "REVIEW_OVER"

    def __init__(self) -> None:
        super().__init__("This payment does not wait for a decision any more.")


@dataclass(frozen=True)
class Review:
    """A review with its payment and booking, and what was found of the payment, the earliest first."""

    row: PaymentReview
    payment: Payment
    booking: Booking
    assessments: Sequence[FraudAssessment]

    @property
    def id(self) -> UUID:
        """Its payment's key."""
        return self.row.payment_id

    @property
    def status(self) -> PaymentStatus:
        """How far the payment is."""
        return self.payment.status

    @property
    def opened_at(self) -> datetime:
        """Since when it waits."""
        return self.row.opened_at

    @property
    def deadline_at(self) -> datetime:
        """Until when it can be decided."""
        return self.row.deadline_at

    @property
    def decision(self) -> ReviewDecision | None:
        """What was decided; None where nobody has."""
        return self.row.decision

    @property
    def decided_at(self) -> datetime | None:
        """When."""
        return self.row.decided_at

    @property
    def decided_by(self) -> str | None:
        """By whom."""
        return self.row.decided_by

    @property
    def reason(self) -> str | None:
        """Why."""
        return self.row.reason


async def begin(session: Session, payment: Payment, deadline: datetime) -> None:
    """Put a locked payment that has become REVIEW before staff, until `deadline`.

    What keeps its seats keeps those of the other shares of its price as well: their reviews last as long.
    """
    others = select(Payment.id).where(
        Payment.booking_id == payment.booking_id,
        Payment.amendment_id.is_not_distinct_from(payment.amendment_id),
        Payment.status == PaymentStatus.REVIEW,
    )
    beside = update(PaymentReview).where(PaymentReview.payment_id.in_(others), PaymentReview.decision.is_(None))
    await session.execute(beside.values(deadline_at=func.greatest(PaymentReview.deadline_at, deadline)))
    session.add(PaymentReview(payment_id=payment.id, deadline_at=deadline))
    told = {"payment": str(payment.id), "booking": str(payment.booking_id), "deadline_at": deadline.isoformat()}
    await outbox.record(session, "review.begun", outbox.REVIEWS, told)


async def decide(session: Session, payment: Payment, decision: ReviewDecision, cause: Cause) -> None:
    """Write what staff decided about a locked payment. Raises ReviewOver where it does not wait for that."""
    decided = (
        update(PaymentReview)
        .where(PaymentReview.payment_id == payment.id, waits())
        .values(decision=decision, decided_at=func.jetway_now(), decided_by=cause.actor, reason=cause.reason)
    )
    if payment.status is not PaymentStatus.REVIEW:
        raise ReviewOver
    if (await session.scalar(decided.returning(PaymentReview.payment_id))) is None:
        raise ReviewOver
    told = {"payment": str(payment.id), "booking": str(payment.booking_id), "decision": decision}
    told |= {"actor": cause.actor, "reason": cause.reason}
    await outbox.record(session, "review.decided", outbox.REVIEWS, told)


def waits() -> ColumnElement[bool]:
    """A condition: the review is not decided, and its time is not over."""
    now = select(func.jetway_now()).scalar_subquery()
    return and_(PaymentReview.decision.is_(None), PaymentReview.deadline_at > now)


async def queue(session: ReadSession, first: int, after: str | None) -> Page[Review]:
    """What waits for staff, the nearest deadline first.

    Raises Invalid for a page size outside 1..100 and for a cursor that was never one of this list.
    """
    check_first(first)
    place = (PaymentReview.deadline_at, PaymentReview.payment_id)
    waiting = select(*place).join(Payment, Payment.id == PaymentReview.payment_id)
    waiting = waiting.where(waits(), Payment.status == PaymentStatus.REVIEW)
    total = (await session.execute(select(func.count()).select_from(waiting.subquery()))).scalar_one()
    if after is not None:
        last = await session.get(PaymentReview, key_of(after))
        if last is None:
            raise Invalid("This is not a cursor of this list.", field="after", code="INVALID_CURSOR")
        waiting = waiting.where(tuple_(*place) > (last.deadline_at, last.payment_id))
    found = [row.payment_id for row in await session.execute(waiting.order_by(*place).limit(first + 1))]
    edges = [Edge(write_cursor((str(one.payment.id),)), one) for one in await of_payments(session, found[:first])]
    return Page(edges, page_info(edges, previous=after is not None, following=len(found) > first), total)


async def of_payments(session: ReadSession, payment_ids: Collection[UUID]) -> list[Review]:
    """The reviews of those payments, in that order; those that have none are left out."""
    wanted = list(payment_ids)
    rows = await session.execute(
        select(PaymentReview, Payment, Booking)
        .join(Payment, Payment.id == PaymentReview.payment_id)
        .join(Booking, Booking.id == Payment.booking_id)
        .where(PaymentReview.payment_id.in_(wanted))
    )
    found = {row.payment_id: (row, payment, booking) for row, payment, booking in rows}
    assessed = await session.scalars(
        select(FraudAssessment).where(FraudAssessment.payment_id.in_(wanted)).order_by(FraudAssessment.at)
    )
    beside: dict[UUID, list[FraudAssessment]] = {key: [] for key in wanted}
    for one in assessed:
        beside[one.payment_id].append(one)
    return [Review(*found[key], beside[key]) for key in wanted if key in found]


async def assessments_of(session: ReadSession, booking_id: UUID) -> Sequence[FraudAssessment]:
    """What was found of the payments of a booking, in order."""
    chosen = select(FraudAssessment).join(Payment, Payment.id == FraudAssessment.payment_id)
    chosen = chosen.where(Payment.booking_id == booking_id).order_by(FraudAssessment.at, FraudAssessment.payment_id)
    return (await session.scalars(chosen)).all()


async def gauge(session: ReadSession) -> None:
    """Measure how many wait, and for how long."""
    age = func.extract("epoch", func.jetway_now() - func.min(PaymentReview.opened_at))
    asked = select(func.count(), func.coalesce(age, 0)).join(Payment, Payment.id == PaymentReview.payment_id)
    asked = asked.where(PaymentReview.decision.is_(None), Payment.status == PaymentStatus.REVIEW)
    count, oldest = (await session.execute(asked)).one()
    OPEN.set(count)
    OLDEST.set(float(oldest))
