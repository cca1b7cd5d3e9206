"""Having a gateway let go of a payment: what it promised is freed, what it took is sent back."""

from __future__ import annotations

from uuid import UUID

from core.log import logger
from services.gateways import Captured, Gateway, GatewayRefused, Voided

log = logger("bookings")


async def called_off(gateway: Gateway, gateway_id: str, payment_id: UUID) -> bool:
    """Have a payment called off; False where the gateway can't yet, because a bank is at work on it: ask again later.

    Money that was taken meanwhile is sent back. Raises GatewayUnavailable.
    """
    try:
        await gateway.void(gateway_id)
    except GatewayRefused as refusal:
        outcome = await gateway.fetch(gateway_id)
        found = type(outcome).__name__
        log.warning("void.refused", payment=str(payment_id), code=refusal.code, found=found)
        if not isinstance(outcome, Captured):
            return isinstance(outcome, Voided)
        await gateway.refund(gateway_id, outcome.amount, f"{payment_id}:refund")
    return True
