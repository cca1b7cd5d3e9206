"""PayPal, through its REST API: orders that the payer agrees to on PayPal's own page.

Another shape than Stripe's: an order is made, the payer is sent to its page, comes back to an address of ours, and only
then is their money authorised, by our own call (`confirm`); it is captured and refunded by calls of their own
(https://developer.paypal.com/docs/api/orders/v2/ and payments/v2). An order that nobody agreed to promises nothing, and
ends by itself. Each call that changes something carries a `PayPal-Request-Id`: the same again is answered with what
came of it. The id of a payment here is its order's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from core.errors import Forbidden
from core.money import Money
from services.gateways.bodies import storable
from services.gateways.paypal_line import Line, Refused
from services.gateways.paypal_signing import Seal
from services.gateways.paypal_words import (
    CONCERNS,
    DISPUTED_STATES,
    answer_of,
    approval,
    authorisation_in,
    code_of,
    creation,
    from_paypal,
    is_payable,
    money_in,
    names_in,
    outcome_of,
    parts_in,
    written,
)
from services.gateways.protocol import (
    Capture,
    Captured,
    Concern,
    Declined,
    GatewayEvent,
    GatewayRefused,
    GatewayUnavailable,
    ListedDispute,
    ListedPayment,
    ListedRefund,
    Means,
    NeedsAction,
    Order,
    Outcome,
    Processing,
    RefundAnswer,
    Voided,
    our_id,
)

Callback = Callable[[UUID], str]
"""The address of ours that the payer of a payment comes back to; the same for the same payment."""

STEP = timedelta(days=30)
"""The longest stretch that a list of transactions may be of is 31 days."""

GONE = frozenset({"INVALID_RESOURCE_ID", "RESOURCE_NOT_FOUND"})
"""How PayPal says that it has no such thing."""


class PayPal:
    """The gateway `paypal`: PayPal itself, or a server that speaks as it does at `api_base`."""

    name = "paypal"
    methods = ("paypal",)
    lists_after = timedelta(hours=3)

    def __init__(
        self, client_id: str, secret: str, webhook_id: str, api_base: str, returned: Callback, turned_back: Callback
    ) -> None:
        self._line = Line(client_id, secret, api_base)
        self._seal = Seal(self._line, webhook_id, api_base)
        self._returned = returned
        self._turned_back = turned_back

    def means(self, amount: Money) -> Sequence[Means]:
        """PayPal itself, for the currencies that it keeps accounts in."""
        return (Means(kind="paypal", capture=Capture.SEPARATE, redirects=True),) if is_payable(amount) else ()

    async def authorise(self, order: Order) -> Outcome:
        """Make the order, for the payer to agree to."""
        if not is_payable(order.amount):
            return Declined(gateway_id=None, code="amount_not_supported")
        back, away = self._returned(order.payment_id), self._turned_back(order.payment_id)
        try:
            made = await self._line.post(
                "/v2/checkout/orders", creation(order, back, away), f"{order.payment_id}:authorise"
            )
        except Refused as refusal:
            return Declined(gateway_id=None, code=code_of(refusal.issue))
        return outcome_of(made)

    async def confirm(self, gateway_id: str, key: str) -> Outcome:
        """Authorise the order that the payer has agreed to."""
        try:
            return outcome_of(await self._line.post(f"/v2/checkout/orders/{gateway_id}/authorize", {}, key))
        except Refused as refusal:
            if refusal.issue in ("ORDER_ALREADY_AUTHORIZED", "ORDER_NOT_APPROVED"):
                return await self.fetch(gateway_id)
            if refusal.issue == "PAYER_ACTION_REQUIRED":
                page = approval(await self._order(gateway_id))
                return NeedsAction(gateway_id=gateway_id, client_secret=None, redirect_url=page)
            return Declined(gateway_id=gateway_id, code=code_of(refusal.issue))

    async def ask_again(self, gateway_id: str, order: Order, key: str) -> Outcome:
        """The order as it is now: whoever pays with PayPal is there."""
        return await self.fetch(gateway_id)

    async def fetch(self, gateway_id: str) -> Outcome:
        """The order as it is now. One that is gone promises nothing: PayPal forgets what nobody agreed to."""
        order = await self._kept(gateway_id)
        return Voided(gateway_id=gateway_id) if order is None else outcome_of(order)

    async def find(self, order: Order) -> Outcome | None:
        """Ask again with the same request id: PayPal lists no orders. One that is made only now promises nothing."""
        return await self.authorise(order)

    async def capture(self, gateway_id: str, amount: Money, key: str) -> Captured:
        """Capture the order's authorisation; one that was captured before is answered as it is."""
        order = await self._order(gateway_id)
        if not money_in(order):
            authorisation = authorisation_in(order)
            if authorisation is None:
                raise GatewayRefused("not_authorised", f"order {gateway_id} is {order['status']}")
            try:
                path = f"/v2/payments/authorizations/{authorisation['id']}/capture"
                await self._line.post(path, {"amount": written(amount), "final_capture": True}, key)
            except Refused as refusal:
                raise GatewayRefused(refusal.issue, refusal.description) from refusal
            order = await self._order(gateway_id)
        match outcome_of(order):
            case Captured() as taken:
                return taken
            case Processing():
                raise GatewayUnavailable("PayPal looks at this payment first. Send the same request again.")
            case _:
                raise GatewayRefused("capture_denied", f"order {gateway_id} could not be captured")

    async def void(self, gateway_id: str) -> None:
        """Void the order's authorisation. Without one nothing was promised, and nobody but us asks for one."""
        order = await self._kept(gateway_id)
        if order is None:
            return
        if money_in(order):
            raise GatewayRefused("captured", f"order {gateway_id} was captured")
        authorisation = authorisation_in(order)
        if authorisation is None or authorisation["status"] not in ("CREATED", "PENDING"):
            return
        try:
            await self._line.post(f"/v2/payments/authorizations/{authorisation['id']}/void", {}, None)
        except Refused as refusal:
            if refusal.issue != "PREVIOUSLY_VOIDED":
                raise GatewayRefused(refusal.issue, refusal.description) from refusal

    async def refund(self, gateway_id: str, amount: Money, key: str) -> RefundAnswer:
        """Refund the order's capture, in whole or in part."""
        taken = money_in(await self._order(gateway_id))
        if not taken:
            raise GatewayRefused("not_captured", f"order {gateway_id} has no capture")
        try:
            path = f"/v2/payments/captures/{taken[0]['id']}/refund"
            return answer_of(await self._line.post(path, {"amount": written(amount), "custom_id": key}, key))
        except Refused as refusal:
            raise GatewayRefused(refusal.issue, refusal.description) from refusal

    async def find_refund(self, gateway_id: str, key: str) -> RefundAnswer | None:
        """Look for the key among the refunds that stand in the order."""
        made = parts_in(await self._order(gateway_id), "refunds")
        return next((answer_of(one) for one in made if one.get("custom_id") == key), None)

    async def fetch_refund(self, gateway_id: str) -> RefundAnswer:
        """The refund as it is now."""
        return answer_of(await self._line.get(f"/v2/payments/refunds/{gateway_id}"))

    async def payments_between(self, since: datetime, until: datetime) -> AsyncIterator[ListedPayment]:
        """Walk the transactions; each order that they name is then asked for itself.

        The search lags behind by up to `lists_after`. Orders that nobody agreed to are in no list.
        """
        seen: set[str] = set()
        async for one in self._transactions(since, until):
            order_id = await self._order_behind(one)
            if order_id is None or order_id in seen:
                continue
            seen.add(order_id)
            order = await self._order(order_id)
            payment_id, booking_id = names_in(order)
            if payment_id is not None:
                yield ListedPayment(payment_id=payment_id, booking_id=booking_id, outcome=outcome_of(order))

    async def refunds_between(self, since: datetime, until: datetime) -> AsyncIterator[ListedRefund]:
        """Walk the transactions that gave money back."""
        async for one in self._transactions(since, until):
            if one["transaction_event_code"].startswith("T11"):
                capture = await self._line.get(f"/v2/payments/captures/{one['paypal_reference_id']}")
                refund = await self._line.get(f"/v2/payments/refunds/{one['transaction_id']}")
                yield ListedRefund(
                    gateway_id=refund["id"],
                    payment=capture["supplementary_data"]["related_ids"]["order_id"],
                    key=refund.get("custom_id"),
                    amount=from_paypal(refund["amount"]),
                    outcome=answer_of(refund).outcome,
                )

    async def disputes_between(self, since: datetime, until: datetime) -> AsyncIterator[ListedDispute]:
        """Walk the disputes."""
        page = await self._line.get("/v1/customer/disputes", {"start_time": moment(since)})
        for one in page.get("items", []):
            if datetime.fromisoformat(one["create_time"]) > until:
                continue
            about = one["disputed_transactions"][0]["seller_transaction_id"]
            capture = await self._line.get(f"/v2/payments/captures/{about}")
            yield ListedDispute(
                gateway_id=one["dispute_id"],
                payment=capture["supplementary_data"]["related_ids"]["order_id"],
                amount=from_paypal(one["dispute_amount"]),
                reason=one["reason"],
                status=DISPUTED_STATES.get(one["status"], one["status"]),
            )

    async def verify_webhook(self, body: bytes, headers: Mapping[str, str]) -> GatewayEvent:
        """Check PayPal's signature over the body, and its age, at most five minutes."""
        await self._seal.check(body, headers)
        try:
            return self.read_event(orjson.loads(storable(body)))
        except (ValueError, LookupError, TypeError) as error:
            raise Forbidden("This webhook is no event.") from error

    def read_event(self, payload: Mapping[str, Any]) -> GatewayEvent:
        """An event of PayPal's: about an order, or about something that stands in one."""
        kind: str = payload["event_type"]
        about = payload["resource"]
        related = (about.get("supplementary_data") or {}).get("related_ids") or {}
        is_order = payload.get("resource_type") == "checkout-order"
        # A refund carries its own key as custom id, and the payment's as that of the invoice.
        ours = names_in(about)[0] if is_order else our_id(about.get("invoice_id"))
        return GatewayEvent(
            event_id=payload["id"],
            kind=kind,
            payload=payload,
            concern=CONCERNS.get(kind, Concern.NOTHING),
            gateway_id=about["id"] if is_order else related.get("order_id"),
            payment_id=ours,
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._line.close()

    async def _order(self, gateway_id: str) -> dict[str, Any]:
        order = await self._kept(gateway_id)
        if order is None:
            raise GatewayRefused("gone", f"PayPal has no order {gateway_id}")
        return order

    async def _kept(self, gateway_id: str) -> dict[str, Any] | None:
        """The order; None where PayPal has it no more."""
        try:
            return await self._line.get(f"/v2/checkout/orders/{gateway_id}")
        except Refused as refusal:
            if refusal.issue in GONE:
                return None
            raise GatewayRefused(refusal.issue, refusal.description) from refusal

    async def _order_behind(self, transaction: Mapping[str, Any]) -> str | None:
        """The order that an authorisation or a capture belongs to; None for any other transaction."""
        code, id = transaction["transaction_event_code"], transaction["transaction_id"]
        if transaction.get("paypal_reference_id_type") == "ODR":
            return str(transaction["paypal_reference_id"])
        if code != "T0006":
            return None
        capture = await self._line.get(f"/v2/payments/captures/{id}")
        order_id: str | None = (capture.get("supplementary_data") or {}).get("related_ids", {}).get("order_id")
        return order_id

    async def _transactions(self, since: datetime, until: datetime) -> AsyncIterator[dict[str, Any]]:
        """Every transaction of a stretch, authorisations as well, page by page."""
        while since < until:
            end, page, pages = min(since + STEP, until), 1, 1
            while page <= pages:
                query = {
                    "start_date": moment(since),
                    "end_date": moment(end),
                    "balance_affecting_records_only": "N",
                    "fields": "transaction_info",
                    "page_size": "100",
                    "page": str(page),
                }
                listed = await self._line.get("/v1/reporting/transactions", query)
                for one in listed["transaction_details"]:
                    yield one["transaction_info"]
                page, pages = page + 1, listed["total_pages"]
            since = end


def moment(time: datetime) -> str:
    """Internet date and time (RFC 3339) in UTC, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
