"""kill -9 and restart: what was answered stays, and what was not delivered still comes."""

import os
from collections.abc import Callable

import httpx
import pytest
import stripe

from tests.sandbox.conftest import KEY, Process
from tests.sandbox.orders import order
from tests.sandbox.receiver import Receiver


async def test_kill_and_restart(
    start: Callable[..., Process], connect: Callable[..., stripe.StripeClient], receiver: Receiver
) -> None:
    first = start()
    receiver.refuse = 503
    paid = await connect(first.url).v1.payment_intents.create_async(order(), {"idempotency_key": "booking-1"})
    receiver.wait_refused(paid.id, "payment_intent.succeeded")
    first.kill()
    receiver.refuse = None
    assert receiver.about(paid.id) == []

    second = start()
    pay = connect(second.url)
    replayed = await pay.v1.payment_intents.create_async(order(), {"idempotency_key": "booking-1"})
    assert replayed.to_dict() == paid.to_dict()
    receiver.wait(paid.id, "payment_intent.succeeded")
    assert (await pay.v1.refunds.create_async({"payment_intent": paid.id})).amount == 12_500


async def test_the_clock_and_the_faults_outlive_a_restart(start: Callable[..., Process]) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    first = start()
    async with httpx.AsyncClient(base_url=first.url, headers=headers, trust_env=False) as http:
        told = (await http.post("/sandbox/clock", json={"advance": 10**7})).json()["time"]
        fault = (await http.post("/sandbox/faults", json={"kind": "slow"})).json()
    first.kill()
    second = start()
    async with httpx.AsyncClient(base_url=second.url, headers=headers, trust_env=False) as http:
        assert (await http.get("/sandbox/clock")).json()["time"] >= told
        assert (await http.get("/sandbox/faults")).json()["data"] == [fault]


@pytest.mark.skipif(os.name == "nt", reason="file descriptors are not inherited there")
def test_ends_with_its_parent(start: Callable[..., Process]) -> None:
    reading, writing = os.pipe()
    process = start(env={"JETWAY_LIFELINE": str(reading)}, pass_fds=(reading,))
    os.close(reading)
    os.close(writing)
    assert process.wait() == 0
