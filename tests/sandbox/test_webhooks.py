"""Signed, repeated until accepted, and spoiled on demand."""

import socket
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
import stripe
from stripe.params import PaymentIntentCreateParams

from tests.sandbox.conftest import KEY, Process
from tests.sandbox.receiver import Receiver

ORDER: PaymentIntentCreateParams = {"amount": 2000, "currency": "usd"}


@pytest.fixture
def refusing(receiver: Receiver) -> Iterator[Receiver]:
    receiver.refuse = 500
    yield receiver
    receiver.refuse = None


async def test_the_event_is_the_object_as_it_was(pay: stripe.StripeClient, receiver: Receiver) -> None:
    intent = await pay.v1.payment_intents.create_async(ORDER, {"idempotency_key": f"key-{time.monotonic_ns()}"})
    [event] = receiver.wait(intent.id, "payment_intent.created")
    assert event.data.object.to_dict() == intent.to_dict()
    assert event.request is not None
    assert event.request.idempotency_key is not None
    assert (await pay.v1.events.retrieve_async(event.id)).data.object.to_dict() == intent.to_dict()
    assert receiver.forged == []


async def test_refused_events_come_again(pay: stripe.StripeClient, http: httpx.AsyncClient, refusing: Receiver) -> None:
    intent = await pay.v1.payment_intents.create_async(ORDER)
    [first, second] = refusing.wait_refused(intent.id, "payment_intent.created", times=2)[:2]
    assert first.id == second.id
    waiting = (await http.get("/sandbox/webhooks")).json()["data"]
    assert first.id in [delivery["event"] for delivery in waiting]
    refusing.refuse = None
    await http.post("/sandbox/webhooks/retry")
    [accepted] = refusing.wait(intent.id, "payment_intent.created")
    assert accepted.id == first.id


async def test_a_receiver_that_is_not_there_is_tried_again(
    start: Callable[..., Process], connect: Callable[..., stripe.StripeClient]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    sandbox = start(webhook_url=nobody)
    await connect(sandbox.url).v1.payment_intents.create_async(ORDER)
    async with httpx.AsyncClient(base_url=sandbox.url, headers={"Authorization": f"Bearer {KEY}"}) as http:
        while True:
            [delivery] = (await http.get("/sandbox/webhooks")).json()["data"]
            if delivery["attempts"] >= 2:
                break
    assert "ConnectionRefusedError" in delivery["last_error"]


async def test_duplicated(pay: stripe.StripeClient, http: httpx.AsyncClient, receiver: Receiver) -> None:
    await http.post("/sandbox/faults", json={"kind": "webhook_duplicate", "event": "payment_intent.created"})
    intent = await pay.v1.payment_intents.create_async(ORDER)
    events = receiver.wait(intent.id, "payment_intent.created", times=2)
    assert events[0].id == events[1].id


async def test_delayed(pay: stripe.StripeClient, http: httpx.AsyncClient, receiver: Receiver) -> None:
    await http.post("/sandbox/faults", json={"kind": "webhook_delay", "seconds": 600})
    intent = await pay.v1.payment_intents.create_async(ORDER)
    await pay.v1.payment_intents.cancel_async(intent.id)
    receiver.wait(intent.id, "payment_intent.canceled")
    assert receiver.about(intent.id) == ["payment_intent.canceled"]
    await http.post("/sandbox/clock", json={"advance": 600})
    receiver.wait(intent.id, "payment_intent.created")


async def test_dropped_then_redelivered(pay: stripe.StripeClient, http: httpx.AsyncClient, receiver: Receiver) -> None:
    await http.post("/sandbox/faults", json={"kind": "webhook_drop", "event": "payment_intent.created"})
    intent = await pay.v1.payment_intents.create_async(ORDER)
    await pay.v1.payment_intents.cancel_async(intent.id)
    receiver.wait(intent.id, "payment_intent.canceled")
    assert receiver.about(intent.id) == ["payment_intent.canceled"]
    events = await pay.v1.events.list_async({"type": "payment_intent.created", "limit": 1})
    await http.post(f"/sandbox/events/{events.data[0].id}/redeliver")
    receiver.wait(intent.id, "payment_intent.created")
