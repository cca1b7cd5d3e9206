"""Refunds: money on its way back, tracked to the end.

The intent is written with whatever made it necessary; the gateway is asked afterwards, with the refund's key, as often
as it takes. A booking may have been paid by several payments (shares of a split, changes paid later): what goes back is
spread over them in proportion to what each still has. What a payment has refunded is always the sum of its refunds
that succeeded. A refund that was refused, or came back, is owed as before: nothing else is paid out of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select

from core import clock
from core.db import Database, ReadSession, Session
from core.errors import Conflict
from core.ids import uuid7
from core.log import logger
from core.money import Money
from core.rows import Scribe
from core.states import Machine
from models import Booking, Payment, PaymentStatus, PostingKind, Refund, RefundStatus
from services import ledger, notices, outbox, payments, transitions
from services.gateways import GatewayRefused, Gateways, GatewayUnavailable, RefundAnswer, RefundOutcome
from services.transitions import Cause

REFUND = Machine(
    "refund",
    RefundStatus,
    RefundStatus.REQUESTED,
    {
        RefundStatus.REQUESTED: frozenset({RefundStatus.SUCCEEDED, RefundStatus.FAILED}),
        RefundStatus.SUCCEEDED: frozenset({RefundStatus.FAILED}),
        RefundStatus.FAILED: frozenset(),
    },
)
"""A refund that succeeded may still come back from the payer's bank."""

FRESH = timedelta(hours=12)
"""For how long a refund's key alone keeps it from being paid twice; Stripe forgets keys after a day."""

GATEWAY = Cause(actor="gateway", reason="the gateway said so")

CARD_DAYS, OTHER_DAYS = 10, 20
"""When money is with its payer again, at the latest: business days by card, calendar days by any other method."""

CARD = "pm_card_"
"""How the tokens of test cards begin, which say that they are cards: known before the gateway tells of a refund."""

WEEKEND = 5
"""The first day of the week, Monday being 0, on which no bank works."""

log = logger("refunds")


class MoreThanLeft(Conflict):
    """More is to go back than a booking's payments still have; nothing is sent back."""

    default_code = "MORE_THAN_LEFT"

    def __init__(self) -> None:
        super().__init__("That is more than was paid and not given back.")


async def give_back(session: Session, booking_id: UUID, amount: Money, reason: str, cause: Cause) -> Sequence[Refund]:
    """Write that `amount`, nothing or more, of what a locked booking has paid is to go back; the refunds it makes.

    Locks the booking's captured payments by id. Each gives in proportion to what it still has, without losing a unit;
    one whose part is nothing has no refund. Whoever calls has a job look after the booking. Raises MoreThanLeft.
    """
    paid = await taken(session, booking_id)
    requested = await requested_of(session, [payment.id for payment in paid])
    left = [payment.captured - requested.get(payment.id, 0) for payment in paid]
    if amount.minor_units > sum(left):
        raise MoreThanLeft
    if not amount.minor_units:
        return []
    parts = zip(paid, amount.allocate(left), strict=True)
    return [await request(session, payment, part, reason, cause) for payment, part in parts if part.minor_units]


async def give_back_rest(session: Session, paid: Sequence[Payment], reason: str, cause: Cause) -> None:
    """Write that all that some locked payments have taken is to go back, but for what was asked to before."""
    requested = await requested_of(session, [payment.id for payment in paid])
    for payment in paid:
        rest = payment.captured - requested.get(payment.id, 0)
        if rest > 0:
            await request(session, payment, Money(rest, payment.currency), reason, cause)


async def taken(session: Session, booking_id: UUID) -> Sequence[Payment]:
    """The captured payments of a locked booking as they are now, locked by id."""
    chosen = select(Payment).where(Payment.booking_id == booking_id, Payment.status.in_(payments.TAKEN))
    locked = chosen.order_by(Payment.id).with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(locked)).all()


async def requested_of(session: ReadSession, payment_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How much is back, on its way back or owed of each of some payments; one of which nothing is, is left out."""
    sums = select(Refund.payment_id, func.sum(Refund.amount)).where(Refund.payment_id.in_(payment_ids))
    return {id_: int(total) for id_, total in await session.execute(sums.group_by(Refund.payment_id))}


def expected_by(refund: Refund, payment: Payment) -> datetime | None:
    """Until when the money is with its payer, as far as banks keep to their word; None for a refund that failed.

    Cards have it within ten business days, as Stripe and the card schemes say; any other method within the twenty
    calendar days of 14 CFR 260, and so what may be a card, until the gateway has told that it is one.
    """
    if refund.status is RefundStatus.FAILED:
        return None
    to_card = payment.method.startswith(CARD) if refund.to_card is None else refund.to_card
    if not to_card:
        return refund.created_at + timedelta(days=OTHER_DAYS)
    day, left = refund.created_at, CARD_DAYS
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < WEEKEND
    return day


async def request(scribe: Scribe, payment: Payment, amount: Money, reason: str, cause: Cause) -> Refund:
    """Write that `amount`, more than nothing, of a locked, captured payment is to go back."""
    refund = Refund(
        id=uuid7(),
        payment_id=payment.id,
        status=REFUND.initial,
        amount=amount.minor_units,
        currency=amount.currency,
        reason=reason,
        created_at=clock.now(),
    )
    await scribe.insert(refund)
    stream, facts = outbox.booking_stream(payment.booking_id), payload(refund, payment)
    await transitions.begin(scribe, REFUND, refund.id, stream, "refund.requested", facts, cause)
    await ledger.post(scribe, PostingKind.OWED, payment.booking_id, refund.id, amount)
    return refund


def payload(refund: Refund, payment: Payment) -> dict[str, object]:
    """What a fact says of a refund beside its status. Amounts are minor units."""
    return {
        "refund": str(refund.id),
        "payment": str(payment.id),
        "booking": str(payment.booking_id),
        "amount": refund.amount,
        "currency": refund.currency,
    }


async def settle(db: Database, gateways: Gateways, booking_id: UUID) -> bool:
    """Ask the gateway for every refund of a booking that has not failed, and write what it says; whether all are done.

    Raises GatewayUnavailable once all were asked for: a gateway that is away keeps no other's refunds waiting. Asked
    again it goes on with the same keys. A refund that its gateway has had, and does not tell of now, stays as it is: it
    is logged, and the others are asked for.
    """
    async with db.transaction() as session:
        rows = await session.execute(
            select(Refund, Payment)
            .join(Payment, Payment.id == Refund.payment_id)
            .where(Payment.booking_id == booking_id, Refund.status != RefundStatus.FAILED)
            .order_by(Refund.id)
        )
        due = [(refund, payment) for refund, payment in rows]
    done, away = True, dict[str, GatewayUnavailable]()
    for refund, payment in due:
        if payment.gateway in away:
            continue
        try:
            answer = await ask(gateways, refund, payment)
        except GatewayUnavailable as error:
            away[payment.gateway] = error
            continue
        except GatewayRefused as error:
            log.error("refund.unknown", refund=str(refund.id), code=error.code)
            done = False
            continue
        done = done and status_of(answer) is not None
        async with db.transaction() as session:
            await write(session, booking_id, refund.id, answer)
    for first in away.values():
        raise first
    return done


async def ask(gateways: Gateways, refund: Refund, payment: Payment) -> RefundAnswer | None:
    """Where a refund stands at its gateway; it is asked for where it was not yet. None where it was refused.

    One that may have been asked for longer ago than gateways remember keys is looked for first. Raises GatewayRefused
    where the gateway has had it and does not tell of it now.
    """
    gateway = gateways.named(payment.gateway)
    if refund.gateway_id is not None:
        return await gateway.fetch_refund(refund.gateway_id)
    if payment.gateway_id is None:
        raise RuntimeError(f"payment {payment.id} was captured without a gateway")
    try:
        if clock.now() - refund.created_at > FRESH:
            found = await gateway.find_refund(payment.gateway_id, str(refund.id))
            if found is not None:
                return found
        return await gateway.refund(payment.gateway_id, Money(refund.amount, refund.currency), str(refund.id))
    except GatewayRefused as error:
        log.error("refund.refused", refund=str(refund.id), code=error.code)
        return None


async def write(session: Session, booking_id: UUID, refund_id: UUID, answer: RefundAnswer | None) -> None:
    """Write what the gateway says of a refund, and what that makes of its payment. Locks booking, payment, refund."""
    await session.execute(select(Booking.id).where(Booking.id == booking_id).with_for_update())
    payment_id = select(Refund.payment_id).where(Refund.id == refund_id).scalar_subquery()
    found = select(Payment).where(Payment.id == payment_id).with_for_update().execution_options(populate_existing=True)
    payment: Payment = (await session.execute(found)).scalar_one()
    refund = await session.get_one(Refund, refund_id, with_for_update=True, populate_existing=True)
    if answer is not None:
        refund.gateway_id = answer.gateway_id
        refund.to_card = refund.to_card if answer.to_card is None else answer.to_card
    to = status_of(answer)
    if to is None or to is refund.status or not REFUND.allows(refund.status, to):
        return
    stream, facts = outbox.booking_stream(booking_id), payload(refund, payment)
    posting = posting_of(refund.status, to)
    await transitions.advance(session, REFUND, refund, refund.id, to, stream, f"refund.{to.lower()}", facts, GATEWAY)
    await notices.of_refund(session, refund, payment)
    if posting is not None:
        await ledger.post(session, posting, booking_id, refund.id, Money(refund.amount, refund.currency))
    await recount(session, payment)


def status_of(answer: RefundAnswer | None) -> RefundStatus | None:
    """The status that an answer gives a refund; None where there is nothing to say yet."""
    if answer is None or answer.outcome is RefundOutcome.FAILED:
        return RefundStatus.FAILED
    return RefundStatus.SUCCEEDED if answer.outcome is RefundOutcome.SUCCEEDED else None


def posting_of(came_from: RefundStatus, to: RefundStatus) -> PostingKind | None:
    """What a refund's change moves; None where no money moved: a refund that was refused is owed as before."""
    if to is RefundStatus.SUCCEEDED:
        return PostingKind.REFUNDED
    return PostingKind.RETURNED if came_from is RefundStatus.SUCCEEDED else None


async def recount(session: Session, payment: Payment) -> None:
    """Give a locked payment the sum of its refunds that succeeded, and the status that goes with it; it is told."""
    await session.flush()
    total = select(func.coalesce(func.sum(Refund.amount), 0)).where(
        Refund.payment_id == payment.id, Refund.status == RefundStatus.SUCCEEDED
    )
    before, payment.refunded = payment.refunded, int((await session.execute(total)).scalar_one())
    if payment.refunded == payment.captured:
        to = PaymentStatus.REFUNDED
    else:
        to = PaymentStatus.PARTIALLY_REFUNDED if payment.refunded else PaymentStatus.CAPTURED
    fact = "payment.refund_returned" if to is PaymentStatus.CAPTURED else "payment.refunded"
    if to is not payment.status:
        await payments.move(session, payment, to, fact, GATEWAY)
    elif payment.refunded != before:
        await payments.tell(session, payment, fact, GATEWAY)
