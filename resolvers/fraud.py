"""Fraud, as staff look after it: payments that wait for them, what was found of a payment, and the rules."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID

import strawberry

from core import ids
from core.db import ReadSession
from core.errors import Unavailable
from core.paging import Edge, PageInfo
from models import FraudAssessment, FraudMeasure, FraudRule, FraudSubject, FraudVerdict
from resolvers import access, watching
from resolvers.bookings import ShownBooking
from resolvers.context import Context, Info
from resolvers.inventory import said
from resolvers.payments import ShownPayment
from services import bookings, fraud
from services.bookings import Contact
from services.fraud import Review, SetFraudRule, reviews

REVIEW_KIND = "PaymentReview"

WHOLE = 50
"""How many reviews a stream begins with."""


@dataclass(frozen=True, kw_only=True)
class ApprovePaymentInput:
    """Let a payment go on."""

    payment_id: strawberry.ID
    reason: str


@dataclass(frozen=True, kw_only=True)
class RejectPaymentInput:
    """Send a payment back, and end what it is for."""

    payment_id: strawberry.ID
    reason: str


@dataclass(frozen=True)
class Reviews:
    """A page of what waits for staff, the nearest deadline first."""

    total_count: int
    edges: list[Edge[Review]]
    page_info: PageInfo


@dataclass(frozen=True)
class Finding:
    """A rule that a payment went beyond, and by how much, as both were then."""

    rule: str
    measure: FraudMeasure
    subject: FraudSubject
    seconds: int | None
    currency: str | None
    most: int
    measured: int
    verdict: FraudVerdict


async def review_queue(info: Info, first: int = 20, after: str | None = None) -> Reviews:
    """What waits for staff. Raises Unauthenticated, Forbidden, Invalid."""
    access.staff(info.context)
    async with info.context.reading() as session:
        page = await reviews.queue(session, first, after)
    return Reviews(page.total_count, page.edges, page.page_info)


async def changed(session: ReadSession, ctx: Context, chosen: Sequence[UUID], *, whole: bool) -> list[Review]:
    """What a stream of reviews tells, to whoever still works here: with `whole` what waits, the nearest deadline first,
    otherwise those of some payments, as they are now. Raises Unauthenticated and Forbidden."""
    await watching.staff(session, ctx)
    if whole:
        return [edge.node for edge in (await reviews.queue(session, WHOLE, None)).edges]
    return await reviews.of_payments(session, chosen)


async def fraud_assessments(info: Info, booking_id: strawberry.ID) -> Sequence[FraudAssessment]:
    """What was found of the payments of a booking, in order. Raises Unauthenticated, Forbidden, Invalid (the id)."""
    access.staff(info.context)
    key = ids.uuid_of(access.BOOKING_KIND, booking_id, "bookingId")
    async with info.context.reading() as session:
        return await reviews.assessments_of(session, key)


async def fraud_rules(info: Info) -> Sequence[FraudRule]:
    """Every rule. Raises Unauthenticated and Forbidden."""
    access.staff(info.context)
    async with info.context.reading() as session:
        return await fraud.rules(session)


async def set_fraud_rule(info: Info, input: SetFraudRule) -> FraudRule:
    """Make a rule, or change one. Raises Unauthenticated, Forbidden, Invalid."""
    ctx = info.context
    access.staff(ctx)
    why = said(input.reason)
    async with ctx.transaction() as session:
        return await fraud.set_rule(session, replace(input, reason=why), ctx.cause(why))


async def approve_payment(info: Info, input: ApprovePaymentInput) -> Review:
    """Approve one. Raises Unauthenticated, Forbidden, Invalid, NotFound, ReviewOver."""
    ctx = info.context
    access.staff(ctx)
    payment_id = ids.uuid_of(access.PAYMENT_KIND, input.payment_id, "paymentId")
    booking_id = await bookings.approve(ctx.app.database, payment_id, ctx.cause(said(input.reason)))
    return await gone_on(ctx, booking_id, payment_id)


async def reject_payment(info: Info, input: RejectPaymentInput) -> Review:
    """Reject one. Raises Unauthenticated, Forbidden, Invalid, NotFound, ReviewOver."""
    ctx = info.context
    access.staff(ctx)
    payment_id = ids.uuid_of(access.PAYMENT_KIND, input.payment_id, "paymentId")
    booking_id = await bookings.reject(ctx.app.database, payment_id, ctx.cause(said(input.reason)))
    return await gone_on(ctx, booking_id, payment_id)


async def gone_on(ctx: Context, booking_id: UUID, payment_id: UUID) -> Review:
    """A payment that was decided about, once its booking has gone on.

    Where a gateway is away the decision stands, and the job behind the booking goes on later.
    """
    with suppress(Unavailable):
        await bookings.advance(ctx.app.database, ctx.app.gateways, booking_id)
    async with ctx.reading() as session:
        return await shown(session, payment_id)


async def shown(session: ReadSession, payment_id: UUID) -> Review:
    """The review of a payment that has one."""
    (found,) = await reviews.of_payments(session, [payment_id])
    return found


def payment(root: strawberry.Parent[Review]) -> ShownPayment:
    """The payment, as whoever pays sees it."""
    return ShownPayment(root.payment, owned=False)


def booking(root: strawberry.Parent[Review]) -> ShownBooking:
    """What is paid, as whoever knows locator and name sees it."""
    return ShownBooking(root.booking, owned=False)


def contact(root: strawberry.Parent[Review]) -> Contact:
    """How to reach whoever booked."""
    return Contact(email=root.booking.email, phone=root.booking.phone)


def findings(root: strawberry.Parent[FraudAssessment]) -> list[Finding]:
    """The rules that the payment went beyond."""
    return [
        Finding(
            rule=one["rule"],
            measure=FraudMeasure(one["measure"]),
            subject=FraudSubject(one["subject"]),
            seconds=one["seconds"],
            currency=one["currency"],
            most=one["most"],
            measured=one["measured"],
            verdict=FraudVerdict(one["verdict"]),
        )
        for one in root.findings
    ]


def payment_id(root: strawberry.Parent[FraudAssessment]) -> strawberry.ID:
    """The payment that was assessed."""
    return strawberry.ID(ids.global_id(access.PAYMENT_KIND, root.payment_id))
