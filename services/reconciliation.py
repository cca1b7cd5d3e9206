"""Reconciliation: gateways' own lists are walked, and held against what we have.

It finds what every other way has missed: an answer that was lost for good, a webhook that never came, a hand at the
gateway's own dashboard. What the saga can put right it is given a job for; the rest is noted as a `Discrepancy`, once,
for a person to settle. Walked are ten minutes at a time, from where the last walk ended up to an hour ago, because a
payment that is younger may still be under way; where a gateway's lists are slower than that, up to as long ago.

Minutes are those of the gateway's clock, and each is walked once: what it made in the minutes between two walks is in
neither of them twice. What we wrote down in some minutes and the gateway made in later ones, or not at all, is asked
for by its id: that is what crosses the edge, a second's worth of payments for ten minutes. Walking the same minutes
again changes nothing, so a walk that was killed is begun again. Owns its short transactions: no list is read inside of
one.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from core import clock
from core.db import Database, ReadSession, Session
from core.log import logger
from models import DiscrepancyKind, Payment, PaymentStatus, Posting, PostingKind, Refund, Walk
from services import jobs, payments, refunds
from services.discrepancies import note, note_dispute, ours
from services.gateways import (
    Authorised,
    Captured,
    Gateway,
    GatewayRefused,
    Gateways,
    ListedPayment,
    ListedRefund,
    NeedsAction,
    Outcome,
    Processing,
    RefundAnswer,
)

PERIOD = timedelta(minutes=5)
"""How often lists are walked."""

SETTLED = timedelta(hours=1)
"""How old a payment is before its gateway and we must agree: holds, banks and the saga have long been done with it."""

WINDOW = timedelta(minutes=10)
SKEW = timedelta(minutes=5)
"""How far behind ours a gateway's clock may be: by that much earlier its first minutes begin."""

HUNDRED = 100
"""Payments or refunds that are compared at once: a page of Stripe's lists."""

BUDGET = 20.0
"""Seconds after which one walk leaves the rest to the next."""

AT_STAKE = (Authorised, Captured, NeedsAction, Processing)
"""Outcomes with which a payer's money is, or may yet be, taken."""

Listed = TypeVar("Listed", ListedPayment, ListedRefund)

log = logger("reconciliation")


@dataclass(frozen=True)
class Stretch:
    """From when to when a gateway's lists are to be walked next."""

    since: datetime
    until: datetime


async def reconcile(db: Database, gateways: Gateways, *, settled: timedelta = SETTLED) -> timedelta:
    """Walk the lists of every gateway up to `settled` ago; after how long to go on.

    Raises GatewayUnavailable: what was walked by then is written down.
    """
    began, now = time.monotonic(), clock.now()
    for name in gateways.names:
        gateway = gateways.named(name)
        until = now - max(settled, gateway.lists_after)
        while (stretch := await next_stretch(db, name, until)) is not None:
            await walk(db, gateway, stretch)
            if time.monotonic() - began > BUDGET:
                return timedelta(seconds=1)
    return PERIOD


async def next_stretch(db: Database, gateway: str, until: datetime) -> Stretch | None:
    """The next minutes to walk; None where there are none. A gateway's first begin with our first payment there."""
    async with db.transaction() as session:
        known = await session.get(Walk, gateway)
        first = None if known else await first_payment(session, gateway)
    since = known.walked_to if known else first - SKEW if first else None
    if since is None or since >= until:
        return None
    return Stretch(since, min(since + WINDOW, until))


async def first_payment(session: ReadSession, gateway: str) -> datetime | None:
    """When our first payment with a gateway was written down."""
    first: datetime | None = await session.scalar(
        select(func.min(Payment.created_at)).where(Payment.gateway == gateway)
    )
    return first


async def walk(db: Database, gateway: Gateway, stretch: Stretch) -> None:
    """Walk the lists of some minutes, and write down that they were."""
    since, until = stretch.since, stretch.until
    seen: set[UUID] = set()
    async for some in by_the_hundred(gateway.payments_between(since, until)):
        seen |= {payment.payment_id for payment in some}
        await compare_payments(db, gateway.name, some)
    async for refunded in by_the_hundred(gateway.refunds_between(since, until)):
        await compare_refunds(db, gateway.name, refunded)
    async for dispute in gateway.disputes_between(since, until):
        async with db.transaction() as session:
            await note_dispute(session, gateway.name, dispute)
    for payment in await not_listed(db, gateway.name, stretch, seen):
        await ask_for(db, gateway, payment)
    async with db.transaction() as session:
        walked = insert(Walk).values(gateway=gateway.name, walked_to=stretch.until)
        await session.execute(
            walked.on_conflict_do_update(
                index_elements=[Walk.gateway],
                set_={"walked_to": func.greatest(Walk.walked_to, walked.excluded.walked_to)},
            )
        )


async def ask_for(db: Database, gateway: Gateway, payment: Payment) -> None:
    """Compare one of our payments that was not listed, once its gateway has said by its id where it stands."""
    if payment.gateway_id is None:
        raise RuntimeError(f"payment {payment.id} is {payment.status} without an id of the gateway's")
    try:
        outcome = await gateway.fetch(payment.gateway_id)
    except GatewayRefused:
        async with db.transaction() as session:
            await note(session, payment, DiscrepancyKind.MISSING_PAYMENT, payment.gateway_id, ours(payment))
        return
    listed = ListedPayment(payment_id=payment.id, booking_id=payment.booking_id, outcome=outcome)
    await compare_payments(db, gateway.name, [listed])


async def by_the_hundred(listed: AsyncIterator[Listed]) -> AsyncIterator[list[Listed]]:
    """A list in parts, each of which is compared in one transaction."""
    part: list[Listed] = []
    async for one in listed:
        part.append(one)
        if len(part) == HUNDRED:
            yield part
            part = []
    if part:
        yield part


async def compare_payments(db: Database, gateway: str, some: Sequence[ListedPayment]) -> None:
    """Give the saga, or a person, what listed payments call for; nothing where they are as we have them."""
    async with db.transaction() as session:
        chosen = select(Payment).where(Payment.id.in_([one.payment_id for one in some]))
        known = {payment.id: payment for payment in await session.scalars(chosen)}
        for listed in some:
            await compare_payment(session, gateway, listed, known.get(listed.payment_id))


async def compare_payment(session: Session, gateway: str, listed: ListedPayment, payment: Payment | None) -> None:
    """The same for one of them, beside ours where we have it."""
    outcome = listed.outcome
    if payment is None:
        if isinstance(outcome, AT_STAKE):
            details = {"payment": str(listed.payment_id), "outcome": type(outcome).__name__}
            await note(session, gateway, DiscrepancyKind.UNKNOWN_PAYMENT, str(outcome.gateway_id), details)
    elif payment.gateway_id not in (None, outcome.gateway_id):
        await drop_stray(session, payment, outcome)
    elif payment.status in payments.OVER:
        if isinstance(outcome, AT_STAKE) and not await was_sent_back(session, payment.id):
            log.warning("payment.left_at_gateway", payment=str(payment.id), found=type(outcome).__name__)
            await jobs.drop_payment(session, payment.id, timedelta())
    elif payment.status not in payments.TAKEN:
        await jobs.look_after(session, payment.booking_id, timedelta())
    elif not isinstance(outcome, Captured) or outcome.amount.minor_units != payment.captured:
        details = ours(payment) | {"outcome": type(outcome).__name__, "taken": taken_of(outcome)}
        await note(session, payment, DiscrepancyKind.OTHER_AMOUNT, str(outcome.gateway_id), details)


async def drop_stray(session: Session, payment: Payment, outcome: Outcome) -> None:
    """Have a second payment at the gateway called off that was made for one of ours: one is kept, this is not it."""
    gateway_id = outcome.gateway_id
    if gateway_id is None or not isinstance(outcome, AT_STAKE):
        return
    if not await was_sent_back(session, payments.stray_id(payment.id, gateway_id)):
        log.warning("payment.stray", payment=str(payment.id), stray=gateway_id, found=type(outcome).__name__)
        await jobs.drop_payment(session, payment.id, timedelta(), gateway_id)


def taken_of(outcome: object) -> int:
    """The minor units that an outcome says were taken."""
    return outcome.amount.minor_units if isinstance(outcome, Captured) else 0


async def was_sent_back(session: ReadSession, payment_id: UUID) -> bool:
    """Whether money that was taken for a payment that is over has been sent back."""
    posted = select(Posting.id).where(Posting.subject == payment_id, Posting.kind == PostingKind.UNDUE_RETURNED)
    return await session.scalar(posted) is not None


async def compare_refunds(db: Database, gateway: str, some: Sequence[ListedRefund]) -> None:
    """The same for refunds; those of payments that are not ours are nothing to us."""
    async with db.transaction() as session:
        paid = select(Payment).where(Payment.gateway == gateway, Payment.gateway_id.in_([one.payment for one in some]))
        known = {payment.gateway_id: payment for payment in await session.scalars(paid)}
        keys = [key for key in (key_of(one) for one in some) if key is not None]
        asked = {refund.id: refund for refund in await session.scalars(select(Refund).where(Refund.id.in_(keys)))}
        for listed in some:
            payment, key = known.get(listed.payment), key_of(listed)
            # Money of a payment that is over is none of our refunds: `compare_payment` sees to that.
            if payment is not None and listed.key != f"{payment.id}:refund":
                await compare_refund(session, payment, listed, asked.get(key) if key else None)


async def compare_refund(session: Session, payment: Payment, listed: ListedRefund, refund: Refund | None) -> None:
    """The same for one of them, beside ours where we have it."""
    details = {"amount": listed.amount.minor_units, "outcome": listed.outcome, **ours(payment)}
    if refund is None or refund.payment_id != payment.id:
        await note(session, payment, DiscrepancyKind.UNKNOWN_REFUND, listed.gateway_id, details)
    elif refund.amount != listed.amount.minor_units:
        await note(session, payment, DiscrepancyKind.OTHER_AMOUNT, listed.gateway_id, details)
    elif (to := refunds.status_of(answer_of(listed))) not in (None, refund.status):
        if refunds.REFUND.allows(refund.status, to):
            await jobs.look_after(session, payment.booking_id, timedelta())
        else:
            await note(session, payment, DiscrepancyKind.UNKNOWN_REFUND, listed.gateway_id, details)


def answer_of(listed: ListedRefund) -> RefundAnswer:
    """A listed refund as the answer that it would be to asking for it."""
    return RefundAnswer(gateway_id=listed.gateway_id, outcome=listed.outcome)


def key_of(listed: ListedRefund) -> UUID | None:
    """The key of the refund of ours that was asked for so; None for what we did not ask for."""
    try:
        return None if listed.key is None else UUID(listed.key)
    except ValueError:
        return None


async def not_listed(db: Database, gateway: str, stretch: Stretch, seen: Collection[UUID]) -> Sequence[Payment]:
    """Our payments of those minutes that the gateway ought to have, and has not listed."""
    chosen = select(Payment).where(
        Payment.gateway == gateway,
        Payment.created_at >= stretch.since,
        Payment.created_at < stretch.until,
        Payment.status.in_(payments.TAKEN | {PaymentStatus.AUTHORIZED, PaymentStatus.REVIEW}),
    )
    async with db.reading(primary=True) as session:
        found = await session.scalars(chosen.order_by(Payment.id))
        return [payment for payment in found if payment.id not in seen]
