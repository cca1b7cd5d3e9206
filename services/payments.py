"""Payments: their states, and what gateways tell of them.

A payment belongs to a booking, and moves with it: `services/bookings/saga.py` takes the steps. Here is what may follow
what, how a decline is told, and how a webhook becomes the saga's next step: stored first, then worked off by a job.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import and_, or_, select

from core import clock
from core.db import Database, ReadSession
from core.detached import Detached
from core.errors import Conflict, NotFound
from core.gathering import Gathering
from core.rows import Reader, Scribe
from core.states import Machine
from models import Payment, PaymentStatus, WebhookEvent
from services import discrepancies, jobs, notices, outbox, transitions
from services.gateways import Concern, GatewayEvent, Gateways, explain, storable
from services.transitions import Cause

PAYMENT = Machine(
    "payment",
    PaymentStatus,
    PaymentStatus.INITIATED,
    {
        PaymentStatus.INITIATED: frozenset(
            {
                PaymentStatus.REQUIRES_ACTION,
                PaymentStatus.PROCESSING,
                PaymentStatus.AUTHORIZED,
                PaymentStatus.REVIEW,
                PaymentStatus.DECLINED,
                PaymentStatus.VOIDED,
            }
        ),
        PaymentStatus.REQUIRES_ACTION: frozenset(
            {
                PaymentStatus.PROCESSING,
                PaymentStatus.AUTHORIZED,
                PaymentStatus.REVIEW,
                PaymentStatus.DECLINED,
                PaymentStatus.VOIDED,
            }
        ),
        PaymentStatus.PROCESSING: frozenset(
            {
                PaymentStatus.REQUIRES_ACTION,
                PaymentStatus.AUTHORIZED,
                PaymentStatus.REVIEW,
                PaymentStatus.DECLINED,
                PaymentStatus.VOIDED,
            }
        ),
        PaymentStatus.REVIEW: frozenset({PaymentStatus.AUTHORIZED, PaymentStatus.VOIDED}),
        PaymentStatus.AUTHORIZED: frozenset({PaymentStatus.CAPTURED, PaymentStatus.VOIDED}),
        PaymentStatus.CAPTURED: frozenset({PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.REFUNDED}),
        PaymentStatus.PARTIALLY_REFUNDED: frozenset({PaymentStatus.REFUNDED, PaymentStatus.CAPTURED}),
        PaymentStatus.REFUNDED: frozenset({PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.CAPTURED}),
        PaymentStatus.DECLINED: frozenset(),
        PaymentStatus.VOIDED: frozenset(),
    },
)
"""A refund that came back (the card's account was closed) takes its payment back to what it was before."""

OVER = frozenset({PaymentStatus.DECLINED, PaymentStatus.VOIDED})
"""No money is promised or taken; the booking may be paid anew."""

WAITING = frozenset({PaymentStatus.REQUIRES_ACTION, PaymentStatus.PROCESSING})
"""The next step is the payer's or the gateway's."""

RESCUE = timedelta(seconds=15)
"""When a job looks whether whoever began a payment or a refund has got to its end: the gateway's patience is less."""

TAKEN = frozenset({PaymentStatus.CAPTURED, PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.REFUNDED})

CONCERNED: Mapping[Concern, frozenset[PaymentStatus]] = {
    Concern.PAYMENT: WAITING,
    Concern.REFUND: TAKEN,
    Concern.DISPUTE: frozenset(),
    Concern.NOTHING: frozenset(),
}
"""In which states a payment waits for what an event tells."""

EVENT = "INSERT INTO webhook_events (event_id, kind, payload, received_at, gateway, handled_at)"
TOLD = """
    SELECT event_id, kind, payload::jsonb, moment, gateway,
           disputed OR EXISTS (
               SELECT FROM payments
               WHERE payments.gateway = told.gateway
                 AND (payments.gateway_id = told.gateway_id OR payments.id = told.payment_id)
                 AND payments.status = ANY (string_to_array(waits, ',')))
    FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::varchar[], $6::varchar[], $7::uuid[],
                $8::text[], $9::boolean[])
         AS told (event_id, kind, payload, moment, gateway, gateway_id, payment_id, waits, disputed)
    ORDER BY gateway, event_id
"""
"""Events, and whether each is news to somebody: most tell what the answer to our own call has told. They are in one
order, so that processes which store the same ones do not wait for each other in a circle."""

FILE = f"""
    WITH told (event_id, kind, payload, moment, gateway, is_news) AS ({TOLD})
    {EVENT} SELECT event_id, kind, payload, moment, gateway, moment FROM told WHERE NOT is_news
    ON CONFLICT DO NOTHING RETURNING gateway, event_id
"""  # noqa: S608 - our own words
"""Stores events that are no news, and nothing is to be done about them."""

STORE = f"""
    WITH told (event_id, kind, payload, moment, gateway, is_news) AS ({TOLD})
    {EVENT} SELECT event_id, kind, payload, moment, gateway, CASE WHEN NOT is_news THEN moment END FROM told
    ON CONFLICT DO NOTHING RETURNING handled_at IS NULL
"""  # noqa: S608 - our own words
"""Stores any event, and tells whether it is news."""


Told = tuple[str, str, str, datetime, str, str | None, UUID | None, str, bool]
"""An event as `TOLD` takes it: its key, kind, body, moment and gateway, the payment that it is about by both names, the
states in which that payment waits for it, divided by commas, and whether it is a dispute."""


class PaymentDeclined(Conflict):
    """No money was promised or taken. `retryable` tells whether the same card again, or another, may do."""

    default_code = "PAYMENT_DECLINED"

    def __init__(self, decline_code: str) -> None:
        decline = explain(decline_code)
        super().__init__(decline.message)
        self.decline_code = decline.code
        self.retryable = decline.retryable


async def begin(session: Scribe, payment: Payment, cause: Cause) -> None:
    """Write a new payment of a locked booking, INITIATED."""
    payment.status = PAYMENT.initial
    await session.insert(payment)
    stream, facts = outbox.booking_stream(payment.booking_id), payload(payment)
    await transitions.begin(session, PAYMENT, payment.id, stream, "payment.initiated", facts, cause)


async def move(session: Scribe, payment: Payment, to: PaymentStatus, fact: str, cause: Cause) -> None:
    """Move a locked payment of a locked booking; raises WrongState."""
    stream, facts = outbox.booking_stream(payment.booking_id), payload(payment)
    await transitions.advance(session, PAYMENT, payment, payment.id, to, stream, fact, facts, cause)
    await notices.of_payment(session, payment)


async def tell(session: Scribe, payment: Payment, fact: str, cause: Cause) -> None:
    """Tell what has changed of a locked payment of a locked booking, but not its status."""
    facts = {"status": payment.status, "from": payment.status, "actor": cause.actor, "reason": cause.reason}
    await outbox.record(session, fact, outbox.booking_stream(payment.booking_id), facts | payload(payment))


def payload(payment: Payment) -> dict[str, Any]:
    """What a fact says of the payment beside its status. Amounts are minor units; nothing here is secret."""
    return {
        "payment": str(payment.id),
        "booking": str(payment.booking_id),
        "amendment": str(payment.amendment_id) if payment.amendment_id else None,
        "share": str(payment.share_id) if payment.share_id else None,
        "gateway": payment.gateway,
        "gateway_id": payment.gateway_id,
        "amount": payment.amount,
        "captured": payment.captured,
        "refunded": payment.refunded,
        "currency": payment.currency,
        "decline_code": payment.decline_code,
    }


def stray_id(payment_id: UUID, gateway_id: str) -> UUID:
    """How the ledger names a second payment at a gateway that was made for one of ours; the same at every call."""
    return uuid5(payment_id, gateway_id)


PAYMENTS = Detached(Payment)
LOCK_LIVE = f"""
    SELECT {PAYMENTS.columns} FROM payments
    WHERE booking_id = $1 AND amendment_id IS NOT DISTINCT FROM $2 AND status <> ALL ($3::text[])
    ORDER BY id FOR UPDATE
"""  # noqa: S608 - our own words


async def by_id(reader: Reader, payment_id: UUID) -> Payment:
    """A payment as it stands, for whoever only looks; raises NotFound."""
    found = await PAYMENTS.find(reader, payment_id)
    if found is None:
        raise NotFound("There is no such payment.")
    return found


async def lock_live(session: Scribe, booking_id: UUID, amendment_id: UUID | None) -> list[Payment]:
    """The payments of a locked booking for one purpose that are under way or taken, locked, the oldest first."""
    found = await session.fetch(LOCK_LIVE, booking_id, amendment_id, list(OVER))
    return [PAYMENTS.known(session, columns) for columns in found]


async def receive(db: Database, gateways: Gateways, name: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Store what a gateway tells, and have a job act on it where it is news; the same event again changes nothing.

    Once this has returned the gateway may be told that it was heard. Raises NotFound for a gateway that is not ours,
    and Forbidden for what it did not sign within the last five minutes; nothing is stored then.
    """
    if name not in gateways.names:
        raise NotFound("There is no such gateway.")
    gateway = gateways.named(name)
    event = await gateway.verify_webhook(body, headers)
    waits, disputed = ",".join(CONCERNED[event.concern]), event.concern is Concern.DISPUTE
    about = gateway.name, event.gateway_id, event.payment_id, waits, disputed
    told: Told = event.event_id, event.kind, storable(body), clock.now(), *about
    if await FILING.one(db.writer(), told):
        return
    async with db.writing() as writer:
        if any(is_news for (is_news,) in await writer.fetch(STORE, *columns([told]))):
            await jobs.handle_webhook(writer, gateway.name, event.event_id)


def columns(events: Sequence[Told]) -> list[list[object]]:
    """What `TOLD` is given."""
    return [list(column) for column in zip(*events, strict=True)]


async def file(writer: Reader, events: Sequence[Told]) -> list[bool]:
    """Store by one statement, a transaction of its own, those events that are no news; whether each was.

    What was stored before, or is news, was not.
    """
    filed = {(gateway, event_id) for gateway, event_id in await writer.fetch(FILE, *columns(events))}
    return [(gateway, event_id) in filed for event_id, _, _, _, gateway, *_ in events]


FILING = Gathering(file)


async def handle_event(db: Database, gateways: Gateways, gateway: str, event_id: str) -> None:
    """Act on a stored event, once: where its booking waits for such news, the saga is given its next step.

    What the event claims is not believed: the saga asks the gateway. So events may come twice and in any order. A
    payment that waits for nobody has a request or a job at work on it, which finds out by itself. A dispute is noted
    for a person at once.
    """
    async with db.transaction() as session:
        row = await session.get_one(WebhookEvent, (gateway, event_id), with_for_update=True)
        if row.handled_at is not None:
            return
        event = gateways.named(gateway).read_event(row.payload)
        if event.dispute is not None:
            await discrepancies.note_dispute(session, gateway, event.dispute)
        payment = await concerned(session, gateway, event)
        if payment is not None and is_news(event, payment):
            await jobs.advance_booking(session, payment.booking_id)
        row.handled_at = clock.now()


async def concerned(session: ReadSession, gateway: str, event: GatewayEvent) -> Payment | None:
    """The payment that an event is about; None for one that is not ours."""
    payment: Payment | None = await session.scalar(
        select(Payment).where(
            Payment.gateway == gateway,
            or_(
                Payment.id == event.payment_id,
                # A payment that has no id at its gateway yet is not what an event without one is about.
                and_(Payment.gateway_id.is_not(None), Payment.gateway_id == event.gateway_id),
            ),
        )
    )
    return payment


def is_news(event: GatewayEvent, payment: Payment) -> bool:
    """Whether a payment waits for what such an event tells."""
    return payment.status in CONCERNED[event.concern]
