"""Payers who come back from their gateway's page, by an address of ours that only they and the gateway know.

What they agreed to is asked of the gateway; that they have turned back only they can tell, for at the gateway their
payment goes on waiting. Coming back again changes nothing.

The address is good for ever, but not as a way to the page that whoever paid named: what is signed by us must not lead
strangers there a year later.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select

from core.db import Database
from core.errors import NotFound
from core.log import logger
from models import Payment
from services import payments
from services.bookings import steps
from services.bookings.saga import work_off
from services.bookings.situation import look
from services.gateways import Declined, Gateways, GatewayUnavailable, NeedsAction

SENT_ON = timedelta(hours=1)
"""For how long after it was begun a payment that waits no more sends its payer on."""

log = logger("bookings")


async def payer_returned(db: Database, gateways: Gateways, payment_id: UUID, *, agreed: bool) -> str | None:
    """Move a payment on whose payer is back; where they are to be sent now.

    None where they named no address, and where the payment has long been over. A gateway that is away keeps nobody
    waiting: the job behind the booking goes on. Raises NotFound.
    """
    is_new = Payment.created_at > select(func.jetway_now()).scalar_subquery() - SENT_ON
    async with db.reading(primary=True) as session:
        found = (await session.execute(select(Payment, is_new).where(Payment.id == payment_id))).one_or_none()
    if found is None:
        raise NotFound("There is no such payment.")
    payment, new = found
    if payment.status not in payments.WAITING:
        return payment.return_url if new else None
    try:
        if not agreed:
            await turn_back(db, gateways, payment)
        await work_off(db, gateways, payment.booking_id)
    except GatewayUnavailable as error:
        log.warning("payer.returned_too_early", payment=str(payment_id), error=error.message)
    return payment.return_url


async def turn_back(db: Database, gateways: Gateways, payment: Payment) -> None:
    """Give a payment up whose payer has not agreed; one that they have agreed to meanwhile, by another tab, goes on.

    Raises GatewayUnavailable.
    """
    seen = await look(db, gateways, payment.booking_id)
    for situation in seen.situations:
        for one in situation.attempts:
            if one.id == payment.id and one.status in payments.WAITING:
                found = await one.gateway.fetch(one.known_to_gateway)
                if isinstance(found, NeedsAction):
                    await steps.write(situation, one, Declined(gateway_id=found.gateway_id, code="cancelled"))
