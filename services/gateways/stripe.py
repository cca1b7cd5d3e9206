"""Stripe, through its official SDK: PaymentIntents whose cards are authorised first and captured by hand.

What the account has switched on in Stripe's dashboard can be paid with (`automatic_payment_methods`). Methods that know
no separate capture are taken when the payer agrees, or when their bank says so days later.

Follows API version 2026-10-28.endive, which SDK 16.1 speaks. The sandbox of a laptop speaks it too: only the address
differs. Time-outs, 409 and 5xx are tried again by the SDK with the same idempotency key; whatever it then still has no
answer to is `GatewayUnavailable`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import orjson
import stripe

from core.errors import Forbidden
from core.log import logger
from core.money import Money
from services.gateways.protocol import (
    Captured,
    Concern,
    Declined,
    GatewayEvent,
    GatewayUnavailable,
    ListedDispute,
    ListedPayment,
    ListedRefund,
    Means,
    Order,
    Outcome,
    RefundAnswer,
)
from services.gateways.stripe_line import StripeLine
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
    from_stripe,
    is_chargeable,
    our_id,
    outcome_of,
    refused,
    status_in,
    to_stripe,
)

TIMEOUT = 4.0
RETRIES = 2
TOLERANCE_SECONDS = 300
SKEW = timedelta(minutes=1)
"""How far Stripe's clock and ours may be apart."""

REACH = timedelta(minutes=17)
"""How long after its row was written a payment can still have been sent: a hold's longest time, the SDK's patience."""

log = logger("stripe")


class Stripe:
    """The gateway `stripe`: Stripe itself, or a server that speaks as it does at `api_base`."""

    name = "stripe"
    methods = ("pm_*", "card_*", "src_*")
    lists_after = timedelta()

    def __init__(self, api_key: str, webhook_secret: str, api_base: str) -> None:
        self._http = StripeLine(api_base, TIMEOUT)
        self._webhook_secret = webhook_secret
        self._live = "_live_" in api_key
        self._card_key = card_key(api_key)
        self._client = stripe.StripeClient(
            api_key,
            base_addresses={"api": api_base},
            http_client=self._http,
            max_network_retries=RETRIES,
        )
        self._intents = self._client.v1.payment_intents
        self._refunds = self._client.v1.refunds

    def means(self, amount: Money) -> Sequence[Means]:
        """Cards, and what Stripe has for the currency; which of these the account has, its dashboard says."""
        return (*EVERYWHERE, *BY_CURRENCY.get(amount.currency, ())) if is_chargeable(amount) else ()

    async def authorise(self, order: Order) -> Outcome:
        """Create and confirm a PaymentIntent; the same order again is answered from Stripe's memory."""
        if not is_chargeable(order.amount):
            return Declined(gateway_id=None, code="amount_not_supported")
        try:
            with answered():
                intent = await self._intents.create_async(
                    creation(order), {"idempotency_key": f"{order.payment_id}:authorise"}
                )
        except (stripe.CardError, stripe.InvalidRequestError) as error:
            return decline_of(error, self._card_key)
        return outcome_of(intent, risk_of(intent, self._card_key))

    async def confirm(self, gateway_id: str, key: str) -> Outcome:
        """Confirm a PaymentIntent whose method was given to it in the payer's browser."""
        try:
            with answered():
                intent = await self._intents.confirm_async(gateway_id, confirmation(), {"idempotency_key": key})
        except (stripe.CardError, stripe.InvalidRequestError) as error:
            return decline_of(error, self._card_key)
        return outcome_of(intent, risk_of(intent, self._card_key))

    async def ask_again(self, gateway_id: str, order: Order, key: str) -> Outcome:
        """Confirm a PaymentIntent that was declined once more, with the same method."""
        try:
            with answered():
                intent = await self._intents.confirm_async(gateway_id, again(order), {"idempotency_key": key})
        except (stripe.CardError, stripe.InvalidRequestError) as error:
            return decline_of(error, self._card_key)
        return outcome_of(intent, risk_of(intent, self._card_key))

    async def fetch(self, gateway_id: str) -> Outcome:
        """The PaymentIntent as it is now."""
        try:
            with answered():
                intent = await self._intents.retrieve_async(gateway_id, {"expand": EXPANDED})
        except stripe.InvalidRequestError as error:
            raise refused(error) from error
        return outcome_of(intent, risk_of(intent, self._card_key))

    async def find(self, order: Order) -> Outcome | None:
        """Walk the PaymentIntents of the order's minutes; a list is complete at once, unlike Stripe's search."""
        window = between(order.created_at - SKEW, order.created_at + REACH + SKEW)
        with answered():
            page = await self._intents.list_async({"created": window, "limit": 100, "expand": ["data.latest_charge"]})
            async for intent in page.auto_paging_iter():
                if getattr(intent.metadata, "payment", None) == str(order.payment_id):
                    return outcome_of(intent, risk_of(intent, self._card_key))
        return None

    async def capture(self, gateway_id: str, amount: Money, key: str) -> Captured:
        """Capture a PaymentIntent; one that was captured before is answered as it is."""
        try:
            with answered():
                intent = await self._intents.capture_async(
                    gateway_id, {"amount_to_capture": to_stripe(amount)}, {"idempotency_key": key}
                )
        except (stripe.CardError, stripe.InvalidRequestError) as error:
            if status_in(error) != "succeeded":
                raise refused(error) from error
            with answered():
                intent = await self._intents.retrieve_async(gateway_id)
        return Captured(gateway_id=gateway_id, amount=from_stripe(intent.amount_received, amount.currency))

    async def void(self, gateway_id: str) -> None:
        """Cancel a PaymentIntent, which frees what it had authorised."""
        try:
            with answered():
                await self._intents.cancel_async(gateway_id)
        except stripe.InvalidRequestError as error:
            if status_in(error) != "canceled":
                raise refused(error) from error

    async def refund(self, gateway_id: str, amount: Money, key: str) -> RefundAnswer:
        """Refund a captured PaymentIntent, in whole or in part."""
        try:
            with answered():
                made = await self._refunds.create_async(
                    {"payment_intent": gateway_id, "amount": to_stripe(amount), "metadata": {"refund": key}},
                    {"idempotency_key": key},
                )
        except stripe.InvalidRequestError as error:
            raise refused(error) from error
        return answer_of(made)

    async def find_refund(self, gateway_id: str, key: str) -> RefundAnswer | None:
        """Walk the refunds of a PaymentIntent for the one whose metadata has the key."""
        with answered():
            page = await self._refunds.list_async({"payment_intent": gateway_id, "limit": 100})
            async for refund in page.auto_paging_iter():
                if getattr(refund.metadata, "refund", None) == key:
                    return answer_of(refund)
        return None

    async def fetch_refund(self, gateway_id: str) -> RefundAnswer:
        """The Refund as it is now."""
        with answered():
            return answer_of(await self._refunds.retrieve_async(gateway_id))

    async def payments_between(self, since: datetime, until: datetime) -> AsyncIterator[ListedPayment]:
        """Walk the PaymentIntents; those without our metadata are somebody else's."""
        with answered():
            page = await self._intents.list_async({"created": between(since, until), "limit": 100})
            async for intent in page.auto_paging_iter():
                ours = our_id(getattr(intent.metadata, "payment", None))
                if ours is not None:
                    booking_id = our_id(getattr(intent.metadata, "booking", None))
                    yield ListedPayment(payment_id=ours, booking_id=booking_id, outcome=outcome_of(intent))

    async def refunds_between(self, since: datetime, until: datetime) -> AsyncIterator[ListedRefund]:
        """Walk the Refunds."""
        with answered():
            page = await self._refunds.list_async({"created": between(since, until), "limit": 100})
            async for refund in page.auto_paging_iter():
                yield ListedRefund(
                    gateway_id=refund.id,
                    payment=str(refund.payment_intent),
                    key=getattr(refund.metadata, "refund", None),
                    amount=from_stripe(refund.amount, refund.currency.upper()),
                    outcome=answer_of(refund).outcome,
                )

    async def disputes_between(self, since: datetime, until: datetime) -> AsyncIterator[ListedDispute]:
        """Walk the Disputes."""
        with answered():
            page = await self._client.v1.disputes.list_async({"created": between(since, until), "limit": 100})
            async for dispute in page.auto_paging_iter():
                yield dispute_of(dispute.to_dict())

    async def verify_webhook(self, body: bytes, headers: Mapping[str, str]) -> GatewayEvent:
        """Check `Stripe-Signature` (scheme v1), its age, at most 300 seconds, and that the account is ours.

        An account's secret signs nobody else's events but those of accounts connected to it, which name theirs.
        """
        signature = headers.get("stripe-signature", "")
        try:
            # The check of `construct_event` without the tree of objects that it builds.
            stripe.WebhookSignature.verify_header(body.decode(), signature, self._webhook_secret, TOLERANCE_SECONDS)
            payload = orjson.loads(body)
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
            payment_id=our_id((about.get("metadata") or {}).get("payment")) if is_intent else None,
            dispute=dispute_of(about) if about.get("object") == "dispute" else None,
        )

    async def close(self) -> None:
        """Close the SDK's connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call]


@contextmanager
def answered() -> Iterator[None]:
    """Turns whatever leaves open what happened into GatewayUnavailable."""
    try:
        yield
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        log.error("stripe.key_refused", code=error.code, request_id=error.request_id)
        raise GatewayUnavailable("Payments cannot be taken just now.", retry_after=30) from error
    except (stripe.APIConnectionError, stripe.APIError, stripe.RateLimitError) as error:
        log.warning("stripe.no_answer", error=type(error).__name__, code=error.code, request_id=error.request_id)
        raise GatewayUnavailable("The payment gateway does not answer. Send the same request again.") from error
