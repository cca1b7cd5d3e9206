"""The way of a booking from payment to ticket, and every way back: one step at a time, each safe to take again.

    authorise -> confirm seats and issue tickets, in one transaction -> capture -> CONFIRMED

What has been done is what the rows say: whoever calls `advance`, in whatever state the booking is (the request that
began it, a webhook's job, the job after a crash), takes the step that is due. Between two steps nothing is locked, and
no step calls the gateway inside a transaction. Two callers at once ask the gateway with the same key, and the second to
write finds that the first has gone on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from core.db import Database
from core.log import logger
from models import BookingStatus, PaymentStatus, PostingKind, TicketStatus
from services import holds, jobs, ledger, payments, refunds, tickets
from services.bookings import reading, rows
from services.bookings.calling_off import BUSY, called_off, drop_orphan
from services.bookings.situation import Situation, look, unchanged, unchanged_with_hold
from services.gateways import (
    Approved,
    Authorised,
    Captured,
    Declined,
    GatewayRefused,
    Gateways,
    NeedsAction,
    Outcome,
    Processing,
    Voided,
    explain,
)
from services.holds import HoldExpired, SalesClosed
from services.transitions import Cause

Step = Callable[[Situation], Awaitable[bool]]
"""Takes one step; whether there may be another at once."""

AFTER_DEADLINE = timedelta(seconds=1)

REFUNDING = timedelta(hours=1)
"""When a gateway is asked again about a refund that it has accepted; its webhook comes first as a rule."""

log = logger("bookings")


async def advance(db: Database, gateways: Gateways, booking_id: UUID) -> timedelta | None:
    """Take every step that can be taken now; returns None when there is nothing left to do.

    A booking that waits for somebody is to be looked at again after the time returned: the job behind it sees to that.
    Owns its short transactions. Raises NotFound, and GatewayUnavailable where the gateway does not answer: nothing is
    lost then, and calling again goes on.
    """
    while (seen := await look(db, gateways, booking_id)) is not None:
        if seen.booking is BookingStatus.CANCELLED:
            return None if await refunds.settle(db, gateways, booking_id) else REFUNDING
        step = due(seen)
        if step is None:
            return None
        if not await step(seen):
            in_time = seen.payment in payments.WAITING and not seen.dead
            return seen.left + AFTER_DEADLINE if in_time else BUSY
    return None


def due(seen: Situation) -> Step | None:
    """The step that a situation asks for; None where there is none."""
    if seen.booking is not BookingStatus.PAYMENT_PENDING:
        return None
    match seen.payment:
        case PaymentStatus.INITIATED:
            return find if seen.dead else authorise
        case PaymentStatus.REQUIRES_ACTION | PaymentStatus.PROCESSING:
            return ask
        case PaymentStatus.AUTHORIZED:
            return capture if seen.sold else sell
        case _:
            return None


async def authorise(seen: Situation) -> bool:
    """Have the money promised."""
    return await write(seen, await seen.gateway.authorise(seen.order))


async def find(seen: Situation) -> bool:
    """The seats are gone and nobody knows whether the payment ever reached the gateway: look for it there."""
    outcome = await seen.gateway.find(seen.order)
    if outcome is None:
        return await put_back(seen, None, "the gateway never heard of it")
    return await write(seen, outcome)


async def ask(seen: Situation) -> bool:
    """Has the payer, or the gateway, done what we wait for? Once the seats are gone, the payment is called off."""
    outcome = await seen.gateway.fetch(seen.known_to_gateway)
    if isinstance(outcome, NeedsAction | Processing) and seen.dead:
        return await call_off(seen, "nobody confirmed it in time")
    return await write(seen, outcome)


async def write(seen: Situation, outcome: Outcome) -> bool:
    """Write what the gateway says of a payment that is not authorised yet."""
    match outcome:
        case Approved():
            return await confirm(seen, outcome)
        case NeedsAction():
            return await note(seen, PaymentStatus.REQUIRES_ACTION, outcome)
        case Processing():
            return await note(seen, PaymentStatus.PROCESSING, outcome)
        case Authorised() | Captured():
            # Captured by somebody else than us: our own capture, the step after the next, is told so.
            return await note(seen, PaymentStatus.AUTHORIZED, outcome)
        case Declined():
            # So that nobody confirms it later with its client secret, and pays for a booking that is not waiting.
            if outcome.gateway_id and not await called_off(seen.db, seen.gateway, outcome.gateway_id, seen.payment_id):
                return False
            return await put_back(seen, outcome, f"declined: {outcome.code}")
        case Voided():
            return await put_back(seen, outcome, "called off at the gateway")


async def confirm(seen: Situation, approved: Approved) -> bool:
    """The payer has agreed: have the money promised, unless the seats are gone."""
    if seen.dead:
        if not await called_off(seen.db, seen.gateway, approved.gateway_id, seen.payment_id):
            return False
        return await put_back(seen, Voided(gateway_id=approved.gateway_id), "its seats were gone when the payer agreed")
    outcome = await seen.gateway.confirm(approved.gateway_id, seen.key("confirm"))
    return not isinstance(outcome, Approved) and await write(seen, outcome)


async def note(seen: Situation, to: PaymentStatus, outcome: NeedsAction | Processing | Authorised | Captured) -> bool:
    """Write that a payment came further."""
    if to is seen.payment:
        return False
    async with seen.db.transaction() as session:
        found = await unchanged(session, seen)
        if found is not None:
            payment = found[1]
            payment.gateway_id = outcome.gateway_id
            payment.client_secret = getattr(outcome, "client_secret", payment.client_secret)
            payment.redirect_url = getattr(outcome, "redirect_url", None)
            cause = Cause(actor="gateway", reason=f"the gateway answered {type(outcome).__name__}")
            await payments.move(session, payment, to, f"payment.{to.lower()}", cause)
    if found is None:
        await drop_orphan(seen, outcome.gateway_id)
    return True


async def sell(seen: Situation) -> bool:
    """In one transaction: the seats are sold and every ticket is issued.

    Seats that are lost, or that nobody may sell any more, send the money back.
    """
    try:
        async with seen.db.transaction() as session:
            found = await unchanged_with_hold(session, seen)
            if found is not None:
                *_, hold = found
                await holds.check_on_sale(session, seen.hold_id)
                cause = Cause(actor="saga", reason="the payment is authorised")
                await tickets.issue(session, seen.booking_id, cause)
                await holds.sell(session, hold, cause)
    except HoldExpired:
        return await call_off(seen, "its seats were somebody else's by then")
    except SalesClosed:
        return await call_off(seen, "its flight was not sold any more by then")
    return True


async def capture(seen: Situation) -> bool:
    """Take the money, and confirm the booking with it."""
    try:
        taken = await seen.gateway.capture(seen.known_to_gateway, seen.order.amount, seen.key("capture"))
    except GatewayRefused as refusal:
        log.warning("capture.refused", payment=str(seen.payment_id), code=refusal.code)
        if not await called_off(seen.db, seen.gateway, seen.known_to_gateway, seen.payment_id):
            return False
        return await undo(seen, refusal.code)
    async with seen.db.transaction() as session:
        found = await unchanged(session, seen)
        if found is not None:
            booking, payment = found
            payment.captured = taken.amount.minor_units
            cause = Cause(actor="saga", reason="the money is there")
            await payments.move(session, payment, PaymentStatus.CAPTURED, "payment.captured", cause)
            await ledger.post(session, PostingKind.CAPTURED, booking.id, payment.id, taken.amount)
            await rows.move(session, booking, BookingStatus.CONFIRMED, cause)
    return True


async def call_off(seen: Situation, reason: str) -> bool:
    """Have the gateway let go of the payment, then give it up; once it can, where it cannot yet."""
    if not await called_off(seen.db, seen.gateway, seen.known_to_gateway, seen.payment_id):
        return False
    return await put_back(seen, None, reason)


async def put_back(seen: Situation, outcome: Declined | Voided | None, reason: str) -> bool:
    """Give a payment up of which nothing is promised any more, and give the hold its old deadline back.

    The booking may be paid anew while the hold lives. `outcome` None: it was us who called the payment off, because the
    seats cannot be sold. A booking that ends is EXPIRED where its time was over, FAILED where it was not, and takes its
    hold with it.
    """
    async with seen.db.transaction() as session:
        found = await unchanged_with_hold(session, seen)
        if found is None:
            return True
        booking, payment, _ = found
        in_time = await holds.payment_failed(session, seen.hold_id)
        alive = in_time and outcome is not None
        payment.gateway_id = payment.gateway_id or (outcome.gateway_id if outcome else None)
        payment.redirect_url = None
        if outcome is None and payment.gateway_id is None:
            await jobs.drop_payment(session, payment.id, BUSY)
        to, fact = PaymentStatus.VOIDED, "payment.voided"
        if isinstance(outcome, Declined):
            to, fact = PaymentStatus.DECLINED, "payment.declined"
        if isinstance(outcome, Declined) or alive:
            why = explain(outcome.code if isinstance(outcome, Declined) else "cancelled")
            payment.decline_code, payment.decline_message = why.code, why.message
        cause = Cause(actor="saga", reason=reason)
        await payments.move(session, payment, to, fact, cause)
        ended = BookingStatus.FAILED if in_time else BookingStatus.EXPIRED
        await rows.move(session, booking, BookingStatus.SEATS_LOCKED if alive else ended, cause)
        if not alive:
            await holds.abandon(session, seen.hold_id, cause)
    return True


async def undo(seen: Situation, code: str) -> bool:
    """The money cannot be had: void the tickets and the payment, give the seats back, end the booking."""
    async with seen.db.transaction() as session:
        found = await unchanged_with_hold(session, seen)
        if found is not None:
            booking, payment, _ = found
            cause = Cause(actor="saga", reason=f"capture refused: {code}")
            await payments.move(session, payment, PaymentStatus.VOIDED, "payment.voided", cause)
            await rows.move(session, booking, BookingStatus.FAILED, cause)
            await tickets.close(session, seen.booking_id, TicketStatus.VOID, cause)
            places = await reading.places_of(session, seen.booking_id)
            await holds.give_back(session, seen.hold_id, places.seats, places.unseated)
    return True
