"""Stripe, through its official SDK: PaymentIntents that are authorised first and captured by hand.

Follows API version 2026-10-28.endive, which SDK 16.1 speaks. The sandbox of a laptop speaks it too: only the address
differs. Time-outs, 409 and 5xx are tried again by the SDK with the same idempotency key; whatever it then still has no
answer to is `GatewayUnavailable`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import stripe
from stripe.params import PaymentIntentCreateParams, PaymentIntentListParamsCreated

from core.errors import Forbidden
from core.log import logger
from core.money import Money
from services.gateways.protocol import (
    UNKNOWN_RISK,
    Authorised,
    Captured,
    Concern,
    Declined,
    GatewayEvent,
    GatewayRefused,
    GatewayUnavailable,
    ListedDispute,
    ListedPayment,
    ListedRefund,
    NeedsAction,
    Order,
    Outcome,
    Processing,
    RefundAnswer,
    RefundOutcome,
    Risk,
    Voided,
)
from services.gateways.stripe_risk import card_key, risk_of

TIMEOUT = 4.0
RETRIES = 2
TOLERANCE_SECONDS = 300
SKEW = timedelta(minutes=1)
"""How far Stripe's clock and ours may be apart."""

REACH = timedelta(minutes=17)
"""How long after its row was written a payment can still have been sent: a hold's longest time, the SDK's patience."""

CONCERNS = {
    "payment_intent.amount_capturable_updated": Concern.PAYMENT,
    "payment_intent.canceled": Concern.PAYMENT,
    "payment_intent.payment_failed": Concern.PAYMENT,
    "payment_intent.processing": Concern.PAYMENT,
    "payment_intent.succeeded": Concern.PAYMENT,
    "refund.failed": Concern.REFUND,
    "refund.updated": Concern.REFUND,
}
"""Events that something may wait for. What Stripe tells of our own calls beside these, we know from their answers."""

REFUNDS = {
    "succeeded": RefundOutcome.SUCCEEDED,
    "failed": RefundOutcome.FAILED,
    "canceled": RefundOutcome.FAILED,
    "pending": RefundOutcome.PENDING,
    "requires_action": RefundOutcome.PENDING,
}

log = logger("stripe")


class Stripe:
    """The gateway `stripe`: Stripe itself, or a server that speaks as it does at `api_base`."""

    name = "stripe"

    def __init__(self, api_key: str, webhook_secret: str, api_base: str) -> None:
        self._http = stripe.HTTPXClient(timeout=TIMEOUT)
        self._webhook_secret = webhook_secret
        self._card_key = card_key(api_key)
        self._client = stripe.StripeClient(
            api_key,
            base_addresses={"api": api_base},
            http_client=self._http,
            max_network_retries=RETRIES,
        )
        self._intents = self._client.v1.payment_intents
        self._refunds = self._client.v1.refunds

    async def authorise(self, order: Order) -> Outcome:
        """Create and confirm a PaymentIntent; the same order again is answered from Stripe's memory."""
        try:
            with answered():
                intent = await self._intents.create_async(
                    creation(order), {"idempotency_key": f"{order.payment_id}:authorise"}
                )
        except (stripe.CardError, stripe.InvalidRequestError) as error:
            return decline_of(error, self._card_key)
        return outcome_of(intent, risk_of(intent, self._card_key))

    async def fetch(self, gateway_id: str) -> Outcome:
        """The PaymentIntent as it is now."""
        with answered():
            intent = await self._intents.retrieve_async(gateway_id, {"expand": ["latest_charge"]})
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
                yield ListedDispute(
                    gateway_id=dispute.id,
                    payment=str(dispute.payment_intent),
                    amount=from_stripe(dispute.amount, dispute.currency.upper()),
                    reason=dispute.reason,
                    status=dispute.status,
                )

    def verify_webhook(self, body: bytes, signature: str) -> GatewayEvent:
        """Check `Stripe-Signature` (scheme v1) and its age, at most 300 seconds."""
        try:
            # The check of `construct_event` without the tree of objects that it builds.
            stripe.WebhookSignature.verify_header(body.decode(), signature, self._webhook_secret, TOLERANCE_SECONDS)
            payload = orjson.loads(body)
        except (ValueError, stripe.SignatureVerificationError) as error:
            raise Forbidden("This webhook is not signed by the gateway.") from error
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


def between(since: datetime, until: datetime) -> PaymentIntentListParamsCreated:
    """A window of a list, in whole seconds, both ends included."""
    return {"gte": int(since.timestamp()), "lte": int(until.timestamp())}


def creation(order: Order) -> PaymentIntentCreateParams:
    """The parameters for an order: the same order gives the same parameters, as its idempotency key demands."""
    params: PaymentIntentCreateParams = {
        "amount": to_stripe(order.amount),
        "currency": order.amount.currency.lower(),
        "payment_method": order.method,
        "capture_method": "manual",
        "confirm": True,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "always" if order.return_url else "never"},
        "description": f"Booking {order.pnr}",
        "metadata": {"payment": str(order.payment_id), "booking": str(order.booking_id), "pnr": order.pnr},
        "expand": ["latest_charge"],
    }
    if order.return_url is not None:
        params["return_url"] = order.return_url
    return params


def outcome_of(intent: stripe.PaymentIntent, risk: Risk = UNKNOWN_RISK) -> Outcome:
    """Where a PaymentIntent stands, in our words."""
    match intent.status:
        case "requires_capture":
            return Authorised(gateway_id=intent.id, client_secret=intent.client_secret, risk=risk)
        case "requires_action":
            page = getattr(intent.next_action, "redirect_to_url", None)
            return NeedsAction(
                gateway_id=intent.id, client_secret=intent.client_secret, redirect_url=page.url if page else None
            )
        case "processing":
            return Processing(gateway_id=intent.id, client_secret=intent.client_secret)
        case "succeeded":
            received = from_stripe(intent.amount_received, intent.currency.upper())
            return Captured(gateway_id=intent.id, amount=received, risk=risk)
        case "canceled" if intent.last_payment_error is None:
            return Voided(gateway_id=intent.id)
        case _:
            return Declined(gateway_id=intent.id, code=code_of(intent.last_payment_error), risk=risk)


def decline_of(error: stripe.CardError | stripe.InvalidRequestError, card_key: bytes) -> Declined:
    """What a refused creation is: the bank's no, a method that cannot be used, or a request that Stripe won't have."""
    intent = getattr(error.error, "payment_intent", None)
    gateway_id = intent.id if intent is not None else None
    if isinstance(error, stripe.CardError):
        risk = UNKNOWN_RISK if intent is None else risk_of(intent, card_key)
        return Declined(gateway_id=gateway_id, code=code_of(error.error), risk=risk)
    if error.code == "payment_intent_incompatible_payment_method":
        return Declined(gateway_id=gateway_id, code="method_not_supported")
    if error.param == "payment_method":
        return Declined(gateway_id=gateway_id, code="unknown_method")
    log.error("stripe.refused", code=error.code, param=error.param, request_id=error.request_id)
    return Declined(gateway_id=gateway_id, code="gateway_refused")


def code_of(error: Any) -> str:
    """The decline code of an error object; its error code where the bank gave none."""
    code: str | None = getattr(error, "decline_code", None) or getattr(error, "code", None)
    if code == "payment_intent_authentication_failure":
        return "authentication_failed"
    return code or "generic_decline"


def status_in(error: stripe.StripeError) -> str | None:
    """The status of the PaymentIntent that a refusal was about."""
    intent = getattr(error.error, "payment_intent", None)
    return None if intent is None else intent.status


def refused(error: stripe.StripeError) -> GatewayRefused:
    """A refusal for good."""
    return GatewayRefused(error.code or "refused", error.user_message or "no reason was given")


def answer_of(refund: stripe.Refund) -> RefundAnswer:
    """Where a Refund stands, in our words."""
    return RefundAnswer(gateway_id=refund.id, outcome=REFUNDS[refund.status or "pending"])


def our_id(text: str | None) -> UUID | None:
    """The key of our payment that metadata names; None for what another system wrote there."""
    try:
        return None if text is None else UUID(text)
    except ValueError:
        return None


def to_stripe(money: Money) -> int:
    """The amount as Stripe counts it: minor units, and the króna still in hundredths, though it has none."""
    return money.minor_units * 100 if money.currency == "ISK" else money.minor_units


def from_stripe(amount: int, currency: str) -> Money:
    """The inverse of `to_stripe`."""
    return Money(amount // 100 if currency == "ISK" else amount, currency)
