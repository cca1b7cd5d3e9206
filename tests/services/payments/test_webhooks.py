"""A webhook is checked, stored, then acted on: once, whatever the order, and only by asking the gateway."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest
import stripe
from sqlalchemy import select, text

from core.db import Database
from core.errors import Forbidden
from models import Booking, Payment, PaymentStatus, WebhookEvent
from services import bookings, discrepancies, payments
from services.gateways import Gateways, storable
from tests.factories.bookings import GUEST, Desk, key, snapshot
from tests.fakes.sandbox import SECRET, Sandbox
from tests.fakes.waiting import eventually

BACK = "https://shop.example/paid"


def signed(event: dict[str, Any] | bytes, *, secret: str = SECRET, age: int = 0) -> tuple[bytes, dict[str, str]]:
    """An event's body and the headers that the gateway would send with it."""
    body = event if isinstance(event, bytes) else orjson.dumps(event)
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, int(time.time()) - age)
    return body, {"stripe-signature": header}


async def waiting(desk: Desk, gateways: Gateways) -> tuple[Booking, Payment]:
    """A booking whose payer is at their bank."""
    booking = await desk.booked("3A")
    method = "pm_card_threeDSecure2Required"
    return booking, await bookings.pay(desk.database, gateways, booking.id, method, BACK, GUEST, key())


async def confirmed(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> tuple[Booking, Payment, dict[str, Any]]:
    """The same, once the payer has passed; and the event that tells it."""
    booking, payment = await waiting(desk, gateways)
    await sandbox.answer_challenge(str(payment.redirect_url), "complete")
    (event,) = await sandbox.events("payment_intent.amount_capturable_updated", str(payment.gateway_id))
    return booking, payment, event


async def jobs(database: Database) -> list[str]:
    """The jobs that are due at once, without those that wait for a deadline."""
    async with database.reading() as session:
        rows = await session.scalars(
            text("SELECT entrypoint FROM pgqueuer WHERE execute_after <= clock_timestamp() ORDER BY id")
        )
        return list(rows)


async def stored(database: Database) -> list[dict[str, Any]]:
    """What is kept of the events that came."""
    async with database.reading() as session:
        return list(await session.scalars(select(WebhookEvent.payload)))


async def status(database: Database, payment: Payment) -> PaymentStatus:
    async with database.reading() as session:
        return (await session.get_one(Payment, payment.id)).status


async def test_news_of_a_payment_that_waits_moves_its_booking_on(
    desk: Desk, gateways: Gateways, sandbox: Sandbox
) -> None:
    booking, payment, event = await confirmed(desk, gateways, sandbox)
    body, header = signed(event)
    for _ in range(2):
        await payments.receive(desk.database, gateways, "stripe", body, header)
    assert await jobs(desk.database) == ["handle_webhook"]
    for _ in range(2):
        await payments.handle_event(desk.database, gateways, "stripe", event["id"])
    assert await jobs(desk.database) == ["handle_webhook", "advance_booking"]
    await bookings.advance(desk.database, gateways, booking.id)
    assert await status(desk.database, payment) is PaymentStatus.CAPTURED


async def test_an_event_that_comes_late_changes_nothing(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    booking, payment, event = await confirmed(desk, gateways, sandbox)
    await bookings.advance(desk.database, gateways, booking.id)
    await payments.receive(desk.database, gateways, "stripe", *signed(event))
    await payments.handle_event(desk.database, gateways, "stripe", event["id"])
    assert await jobs(desk.database) == []
    assert await status(desk.database, payment) is PaymentStatus.CAPTURED


async def test_what_an_event_claims_is_not_believed(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    booking, payment = await waiting(desk, gateways)
    claim = {
        "id": "evt_claim",
        "object": "event",
        "type": "payment_intent.succeeded",
        "data": {"object": {"id": payment.gateway_id, "object": "payment_intent", "status": "succeeded"}},
    }
    await payments.receive(desk.database, gateways, "stripe", *signed(claim))
    await payments.handle_event(desk.database, gateways, "stripe", "evt_claim")
    await bookings.advance(desk.database, gateways, booking.id)
    assert await status(desk.database, payment) is PaymentStatus.REQUIRES_ACTION


async def test_an_event_about_nobody_of_ours_is_put_away(desk: Desk, gateways: Gateways) -> None:
    stranger = {
        "id": "evt_stranger",
        "object": "event",
        "type": "payment_intent.succeeded",
        "data": {"object": {"id": "pi_x", "object": "payment_intent", "metadata": {"payment": "not a key"}}},
    }
    await payments.receive(desk.database, gateways, "stripe", *signed(stranger))
    await payments.handle_event(desk.database, gateways, "stripe", "evt_stranger")
    async with desk.database.reading() as session:
        assert (await session.execute(text("SELECT handled_at IS NOT NULL FROM webhook_events"))).scalar_one()
    assert await jobs(desk.database) == []


@pytest.mark.parametrize("letters", [r"\u0000", r"\ud83d", r"\uDE00"])
async def test_letters_that_the_database_does_not_know_keep_no_event_from_being_stored(
    desk: Desk, gateways: Gateways, sandbox: Sandbox, letters: str
) -> None:
    booking, payment, event = await confirmed(desk, gateways, sandbox)
    event["data"]["object"]["description"] = "LETTERS"
    body, header = signed(orjson.dumps(event).replace(b"LETTERS", f"a{letters}b".encode()))
    with pytest.raises(Forbidden):
        await payments.receive(desk.database, gateways, "stripe", storable(body).encode(), header)
    for _ in range(2):
        await payments.receive(desk.database, gateways, "stripe", body, header)
    event["data"]["object"]["description"] = "a\N{REPLACEMENT CHARACTER}b"
    assert await stored(desk.database) == [event]
    await payments.handle_event(desk.database, gateways, "stripe", event["id"])
    await bookings.advance(desk.database, gateways, booking.id)
    assert await status(desk.database, payment) is PaymentStatus.CAPTURED


async def test_nor_those_that_name_nobody_of_ours(desk: Desk, gateways: Gateways) -> None:
    about = {"id": "pi_\0", "object": "payment_intent", "metadata": {"payment": "\0"}}
    stranger = {"id": "evt_\0", "object": "event", "type": "charge.\0", "data": {"object": about}}
    for _ in range(2):
        await payments.receive(desk.database, gateways, "stripe", *signed(stranger))
    text_ = orjson.dumps(stranger).replace(rb"\u0000", rb"\ufffd")
    assert await stored(desk.database) == [orjson.loads(text_)]
    assert await jobs(desk.database) == []


async def test_a_dispute_is_noted_as_soon_as_it_is_told_and_once(
    desk: Desk, gateways: Gateways, sandbox: Sandbox
) -> None:
    booking = await desk.booked("3A")
    payment = await bookings.pay(desk.database, gateways, booking.id, "pm_card_createDispute", None, GUEST, key())
    told: list[dict[str, Any]] = []

    async def disputed() -> bool:
        for kind in ("created", "funds_withdrawn"):
            told.extend(await sandbox.events(f"charge.dispute.{kind}", str(payment.gateway_id)))
        return len(told) >= 2

    await eventually(disputed)
    for event in told:
        await payments.receive(desk.database, gateways, "stripe", *signed(event))
        await payments.handle_event(desk.database, gateways, "stripe", event["id"])
    async with desk.database.reading() as session:
        (noted,) = await discrepancies.found(session, settled=False, first=10, after=None)
    dispute = told[0]["data"]["object"]
    assert (noted.kind, noted.subject, noted.booking_id) == ("DISPUTED", dispute["id"], booking.id)
    assert (noted.details["amount"], noted.details["reason"]) == (booking.total, "fraudulent")
    assert set(await jobs(desk.database)) == {"handle_webhook"}


async def test_a_dispute_about_nobody_of_ours_is_put_away(desk: Desk, gateways: Gateways) -> None:
    dispute = {"id": "du_x", "object": "dispute", "payment_intent": "pi_x", "amount": 1, "currency": "usd"}
    stranger = {
        "id": "evt_stranger",
        "object": "event",
        "type": "charge.dispute.created",
        "data": {"object": dispute | {"reason": "fraudulent", "status": "needs_response"}},
    }
    await payments.receive(desk.database, gateways, "stripe", *signed(stranger))
    await payments.handle_event(desk.database, gateways, "stripe", "evt_stranger")
    async with desk.database.reading() as session:
        assert await discrepancies.found(session, settled=False, first=10, after=None) == []


EVENT = {"id": "evt_1", "object": "event", "type": "charge.updated", "data": {"object": {"id": "ch_1"}}}


@pytest.mark.parametrize(
    ("body", "header"),
    [
        signed(EVENT, secret="whsec_other"),
        signed(EVENT, age=301),
        (signed(EVENT)[0] + b" ", signed(EVENT)[1]),
        (signed(EVENT)[0], {}),
        (signed(EVENT)[0], {"stripe-signature": "t=now,v1=abc"}),
        (b"\xff\xfe", signed(EVENT)[1]),
        signed(EVENT | {"account": "acct_other"}),
        signed(EVENT | {"livemode": True}),
    ],
    ids=["another secret", "too old", "changed", "unsigned", "nonsense", "no text", "another account", "real money"],
)
async def test_refused_with_nothing_stored(desk: Desk, gateways: Gateways, body: bytes, header: dict[str, str]) -> None:
    before = await snapshot(desk.database)
    with pytest.raises(Forbidden):
        await payments.receive(desk.database, gateways, "stripe", body, header)
    assert await snapshot(desk.database) == before
