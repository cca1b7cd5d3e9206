"""Payments whose payer is not there: a bank that says no for a reason that may pass is asked again, while seats last.

The method is one that the payer has stored, and whoever pays has asked for it. The bank is asked three times at most,
two minutes apart and then four, because card networks charge for repeated attempts and forbid them after some reasons.
A bank that wants to see its customer is asked once more as if they were there: then they have a page to go to, and the
payment waits for them as any other.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from models import PaymentStatus
from services import holds, payments
from services.bookings.purposes import Stage
from services.bookings.situation import Attempt, Situation, unchanged
from services.gateways import Declined, Outcome
from services.transitions import Cause

SOFT = frozenset(
    {
        "do_not_honor",
        "insufficient_funds",
        "issuer_not_available",
        "processing_error",
        "reenter_transaction",
        "try_again_later",
    }
)
"""Declines that may pass by themselves (https://docs.stripe.com/declines/codes)."""

WANTS_PAYER = "authentication_required"
MOST = 3
PAUSE = timedelta(minutes=2)
"""Before the second time; twice that before the third."""


def pause(asked: int) -> timedelta:
    """How long to wait when a bank was asked so often."""
    return PAUSE * (1 << (asked - 1))


def may_pass(seen: Situation, one: Attempt, declined: Declined) -> bool:
    """Whether the bank is to be asked again later, when the seats will still be kept."""
    alive = seen.stage is Stage.OPEN and not seen.standing.dead and pause(one.asked) < seen.standing.left
    asked_for = one.order.off_session and declined.gateway_id is not None and one.asked < MOST
    return asked_for and alive and declined.code in SOFT


def wants_payer(seen: Situation, one: Attempt, declined: Declined) -> bool:
    """Whether the payer has to come to their bank, and has an address to come back to."""
    alive = seen.stage is Stage.OPEN and not seen.standing.dead
    absent = one.order.off_session and one.status is not PaymentStatus.REQUIRES_ACTION
    return absent and alive and declined.code == WANTS_PAYER and one.order.return_url is not None


async def ask_payer(one: Attempt, gateway_id: str) -> Outcome:
    """Ask the bank once more, as for a payer who is there."""
    present = replace(one.order, off_session=False)
    return await one.gateway.ask_again(gateway_id, present, one.key("present"))


async def ask_again(one: Attempt) -> Outcome:
    """Ask the bank again, once for each time that it was put off."""
    return await one.gateway.ask_again(one.known_to_gateway, one.order, one.key(f"again:{one.asked}"))


async def put_off(seen: Situation, one: Attempt, declined: Declined) -> bool:
    """Write that the bank is to be asked again, and when; the payment is PROCESSING until then."""
    async with seen.db.transaction() as session:
        await seen.purpose.lock(session)
        payment, _ = await unchanged(session, seen, one)
        if payment is None or payment.attempts != one.asked:
            return True
        payment.gateway_id = declined.gateway_id
        payment.retry_at = await holds.now(session) + pause(one.asked)
        payment.attempts += 1
        if payment.status is not PaymentStatus.PROCESSING:
            cause = Cause(actor="saga", reason=f"declined: {declined.code}; the bank is asked again")
            await payments.move(session, payment, PaymentStatus.PROCESSING, "payment.processing", cause)
    return True
