"""Stripe, through its official SDK: PaymentIntents whose cards are authorised first and captured by hand.

What the account has switched on in Stripe's dashboard can be paid with (`automatic_payment_methods`). Methods that know
no separate capture are taken when the payer agrees, or when their bank says so days later.

Follows API version 2026-10-28.endive, which SDK 16.1 speaks. The sandbox of a laptop speaks it too: only the address
differs. Time-outs, 409 and 5xx are tried again by the SDK with the same idempotency key; whatever it then still has no
answer to is `GatewayUnavailable`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
import stripe

from core.errors import Forbidden
from core.money import Money
from services.gateways.bodies import storable
from services.gateways.protocol import (
    Captured,
    Concern,
    Declined,
    GatewayEvent,
    ListedDispute,
    ListedPayment,
    ListedRefund,
    Means,
    Order,
    Outcome,
    RefundAnswer,
    our_id,
)
from services.gateways.stripe_line import REFUSED, StripeLine, path_to, refused
from services.gateways.stripe_risk import card_key, risk_of
from services.gateways.stripe_words import (
    BY_CURRENCY,
    CONCERNS,
    EVERYWHERE,
    EXPANDED,
    again,
    answer_of,
    between,
    confirmation,
    creation,
    decline_of,
    dispute_of,
    is_chargeable,
    named_in,
    outcome_of,
    received_by,
    refund_of,
    status_in,
    to_stripe,
)

INTENTS, REFUNDS, DISPUTES = "payment_intents", "refunds", "disputes"
TOLERANCE_SECONDS = 300
SKEW = timedelta(minutes=1)
"""How far Stripe's clock and ours may be apart."""

REACH = timedelta(minutes=17)
"""How long after its row was written a payment can still have been sent: a hold's longest time, the SDK's patience."""


class Stripe:
    """The gateway `stripe`: Stripe itself, or a server that speaks as it does at `api_base`."""

    name = "stripe"
    methods = ("pm_*", "card_*", "src_*")
    lists_after = timedelta()

    def __init__(self, api_key: str, webhook_secret: str, api_base: str) -> None:
        self._line = StripeLine(api_key, api_base)
        self._webhook_secret = webhook_secret
        self._live = "_live_" in api_key
        self._card_key = card_key(api_key)

    def means(self, amount: Money) -> Sequence[Means]:
        """Cards, and what Stripe has for the currency; which of these the account has, its dashboard says."""
        return (*EVERYWHERE, *BY_CURRENCY.get(amount.currency, ())) if is_chargeable(amount) else ()

    async def authorise(self, order: Order) -> Outcome:
        """Create and confirm a PaymentIntent; the same order again is answered from Stripe's memory."""
        if not is_chargeable(order.amount):
            return Declined(gateway_id=None, code="amount_not_supported")
        return await self._asked(path_to(INTENTS), creation(order), f"{order.payment_id}:authorise")

    async def confirm(self, gateway_id: str, key: str) -> Outcome:
        """Confirm a PaymentIntent whose method was given to it in the payer's browser."""
        return await self._asked(path_to(INTENTS, gateway_id, "confirm"), confirmation(), key)

    async def ask_again(self, gateway_id: str, order: Order, key: str) -> Outcome:
        """Confirm a PaymentIntent that was declined once more, with the same method."""
        return await self._asked(path_to(INTENTS, gateway_id, "confirm"), again(order), key)

    async def fetch(self, gateway_id: str) -> Outcome:
        """The PaymentIntent as it is now."""
        return self._told(await self._line.get(path_to(INTENTS, gateway_id), {"expand": EXPANDED}))

    async def find(self, order: Order) -> Outcome | None:
        """Walk the PaymentIntents of the order's minutes; a list is complete at once, unlike Stripe's search."""
        window = between(order.created_at - SKEW, order.created_at + REACH + SKEW)
        expanded = [f"data.{name}" for name in EXPANDED]
        async for intent in self._line.walk(path_to(INTENTS), {"created": window, "expand": expanded}):
            if named_in(intent, "payment") == str(order.payment_id):
                return self._told(intent)
        return None

    async def capture(self, gateway_id: str, amount: Money, key: str) -> Captured:
        """Capture a PaymentIntent; one that was captured before is answered as it is."""
        asked = {"amount_to_capture": to_stripe(amount)}
        try:
            intent = await self._line.post(path_to(INTENTS, gateway_id, "capture"), asked, key)
        except REFUSED as error:
            if status_in(error) != "succeeded":
                raise refused(error) from error
            intent = await self._line.get(path_to(INTENTS, gateway_id))
        return Captured(gateway_id=gateway_id, amount=received_by(intent))

    async def void(self, gateway_id: str) -> None:
        """Cancel a PaymentIntent, which frees what it had authorised."""
        try:
            await self._line.post(path_to(INTENTS, gateway_id, "cancel"), {})
        except REFUSED as error:
            if status_in(error) != "canceled":
                raise refused(error) from error

    async def refund(self, gateway_id: str, amount: Money, key: str) -> RefundAnswer:
        """Refund a captured PaymentIntent, in whole or in part."""
        asked = {"payment_intent": gateway_id, "amount": to_stripe(amount), "metadata": {"refund": key}}
        try:
            return answer_of(await self._line.post(path_to(REFUNDS), asked, key))
        except REFUSED as error:
            raise refused(error) from error

    async def find_refund(self, gateway_id: str, key: str) -> RefundAnswer | None:
        """Walk the refunds of a PaymentIntent for the one whose metadata has the key."""
        async for refund in self._line.walk(path_to(REFUNDS), {"payment_intent": gateway_id}):
            if named_in(refund, "refund") == key:
                return answer_of(refund)
        return None

    async def fetch_refund(self, gateway_id: str) -> RefundAnswer:
        """The Refund as it is now."""
        return answer_of(await self._line.get(path_to(REFUNDS, gateway_id)))

    async def payments_between(self, since: datetime, until: datetime) -> AsyncIterator[ListedPayment]:
        """Walk the PaymentIntents; those without our metadata are somebody else's."""
        async for intent in self._line.walk(path_to(INTENTS), {"created": between(since, until)}):
            ours = our_id(named_in(intent, "payment"))
            if ours is not None:
                booking_id = our_id(named_in(intent, "booking"))
                yield ListedPayment(payment_id=ours, booking_id=booking_id, outcome=outcome_of(intent))

    async def refunds_between(self, since: datetime, until: datetime) -> AsyncIterator[ListedRefund]:
        """Walk the Refunds."""
        async for refund in self._line.walk(path_to(REFUNDS), {"created": between(since, until)}):
            yield refund_of(refund)

    async def disputes_between(self, since: datetime, until: datetime) -> AsyncIterator[ListedDispute]:
        """Walk the Disputes."""
        async for dispute in self._line.walk(path_to(DISPUTES), {"created": between(since, until)}):
            yield dispute_of(dispute)

    async def verify_webhook(self, body: bytes, headers: Mapping[str, str]) -> GatewayEvent:
        """Check `Stripe-Signature` (scheme v1), its age, at most 300 seconds, and that the account is ours.

        An account's secret signs nobody else's events but those of accounts connected to it, which name theirs.
        """
        signature = headers.get("stripe-signature", "")
        try:
            # The check of `construct_event` without the tree of objects that it builds.
            stripe.WebhookSignature.verify_header(body.decode(), signature, self._webhook_secret, TOLERANCE_SECONDS)
            payload = orjson.loads(storable(body))
        except (ValueError, stripe.SignatureVerificationError) as error:
            raise Forbidden("This webhook is not signed by the gateway.") from error
        if payload.get("account") is not None or payload.get("livemode", self._live) is not self._live:
            raise Forbidden("This webhook is about another account.")
        return self.read_event(payload)

    def read_event(self, payload: Mapping[str, Any]) -> GatewayEvent:
        """An event of Stripe's: about a PaymentIntent, or about something that names one."""
        kind: str = payload["type"]
        about = payload["data"]["object"]
        is_intent = about.get("object") == "payment_intent"
        return GatewayEvent(
            event_id=payload["id"],
            kind=kind,
            payload=payload,
            concern=CONCERNS.get(kind, Concern.NOTHING),
            gateway_id=about["id"] if is_intent else about.get("payment_intent"),
            payment_id=our_id(named_in(about, "payment")) if is_intent else None,
            dispute=dispute_of(about) if about.get("object") == "dispute" else None,
        )

    async def close(self) -> None:
        """Close the SDK's connections."""
        await self._line.close()

    async def _asked(self, path: str, params: Mapping[str, Any], key: str) -> Outcome:
        try:
            return self._told(await self._line.post(path, params, key))
        except REFUSED as error:
            return decline_of(error, self._card_key)

    def _told(self, intent: Mapping[str, Any]) -> Outcome:
        return outcome_of(intent, risk_of(intent, self._card_key))
