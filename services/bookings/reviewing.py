"""What verdicts of fraud mean for a booking: a payment that is refused before it begins, or that waits for staff.

A payment in REVIEW is promised and not taken, and its seats are kept by its hold, not sold. So a review lasts as long
as the hold does: REVIEW_TIME from when it begins where the hold's cap allows that, and at least what the hold had
still. Approved, the payment is AUTHORIZED and the saga goes on at once. Rejected, what is paid for is forsaken: the
seats are everybody's again at once, every payment of it is called off, and it ends as failed. Undecided, it ends by
time.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from core.db import Database, Session
from core.errors import NotFound
from core.rows import Reader, Scribe
from models import FraudVerdict, Payment, PaymentStatus, ReviewDecision
from services import fraud, jobs, payments
from services.bookings import rows
from services.bookings.calling_off import drop_orphan
from services.bookings.purposes import Purpose, Stage, of_amendment
from services.bookings.sale import Sale
from services.bookings.situation import Attempt, Situation, unchanged
from services.fraud import Payer, ReviewOver, reviews
from services.gateways import Authorised, Captured, explain
from services.transitions import Cause

REVIEW_TIME = timedelta(minutes=30)
"""How long staff have, where the hold lasts so long."""


async def begin(scribe: Scribe, payment: Payment, payer: Payer, cause: Cause) -> bool:
    """Write a new payment of a locked booking, whose hold is locked, and screen it; whether its gateway may be asked.

    One that may not is to be `refuse`d, once what it pays for waits for it as for any other. Only rows that are locked
    already, or new, may be written after this.
    """
    await payments.begin(scribe, payment, cause)
    return await fraud.screen(scribe, payment, payer) is not FraudVerdict.BLOCK


async def refuse(scribe: Scribe, payment: Payment, *, last: bool) -> None:
    """Decline a payment whose gateway may not be asked: the same lines and facts as where its bank says no.

    `last`: what it pays for waits for no other payment, and is put back. All that this locks is locked already.
    """
    purpose = await purpose_of(scribe, payment)
    await purpose.lock_all(scribe)
    told = explain(fraud.BLOCKED)
    payment.decline_code, payment.decline_message = told.code, told.message
    blocked = Cause(actor="saga", reason=f"declined: {fraud.BLOCKED}")
    await payments.move(scribe, payment, PaymentStatus.DECLINED, "payment.declined", blocked)
    if last:
        await purpose.put_back(scribe, blocked)


async def hold_back(seen: Situation, one: Attempt, outcome: Authorised | Captured) -> bool:
    """Have staff look at a payment that is promised, and keep its seats for them as long as its hold may."""
    async with seen.db.transaction() as session:
        stage = await seen.purpose.lock_all(session)
        payment, _ = await unchanged(session, seen, one)
        if payment is not None and stage is Stage.OPEN:
            deadline = await seen.purpose.linger(session, REVIEW_TIME)
            payment.gateway_id = outcome.gateway_id
            payment.client_secret = getattr(outcome, "client_secret", payment.client_secret)
            payment.redirect_url = None
            cause = Cause(actor="saga", reason="staff have to look at it")
            await payments.move(session, payment, PaymentStatus.REVIEW, "payment.review", cause)
            await reviews.begin(session, payment, deadline)
    if payment is None:
        await drop_orphan(seen.db, one, outcome.gateway_id)
    return True


async def approve(db: Database, payment_id: UUID, cause: Cause) -> UUID:
    """Let a payment go on, for staff; the booking whose saga has its next step now.

    Raises NotFound, and ReviewOver where it does not wait for a decision any more; nothing has changed then.
    """
    async with db.transaction() as session:
        found = await reviewed(session, payment_id)
        await rows.locked(session, found.booking_id)
        payment = await payment_of(session, found)
        await reviews.decide(session, payment, ReviewDecision.APPROVED, cause)
        await payments.move(session, payment, PaymentStatus.AUTHORIZED, "payment.authorized", cause)
        await jobs.look_after(session, payment.booking_id, timedelta())
    return found.booking_id


async def reject(db: Database, payment_id: UUID, cause: Cause) -> UUID:
    """End what a payment is for, for staff; the booking whose saga calls its payments off now. Raises as `approve`."""
    async with db.transaction() as session:
        found = await reviewed(session, payment_id)
        purpose = await purpose_of(session, found)
        stage = await purpose.lock_all(session)
        payment = await payment_of(session, found)
        if stage is not Stage.OPEN:
            raise ReviewOver
        await reviews.decide(session, payment, ReviewDecision.REJECTED, cause)
        await purpose.forsake(session, cause)
        await jobs.look_after(session, payment.booking_id, timedelta())
    return found.booking_id


async def reviewed(session: Session, payment_id: UUID) -> Payment:
    """A payment that is, or was, before staff; raises NotFound."""
    if not await reviews.of_payments(session, [payment_id]):
        raise NotFound("There is no such payment, or nobody has to look at it.")
    return await session.get_one(Payment, payment_id)


async def payment_of(session: Session, found: Payment) -> Payment:
    """The same as it is now that its booking is locked, locked itself."""
    return await session.get_one(Payment, found.id, with_for_update=True, populate_existing=True)


async def purpose_of(reader: Reader, payment: Payment) -> Purpose:
    """What a payment is for."""
    if payment.amendment_id is not None:
        return of_amendment(payment.booking_id, payment.amendment_id)
    return Sale(payment.booking_id, await rows.hold_of(reader, payment.booking_id))
