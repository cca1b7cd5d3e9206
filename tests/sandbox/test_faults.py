"""Trouble on demand: before the work, nothing happened; after it, everything did."""

from collections.abc import Callable
from uuid import uuid4

import httpx
import pytest
import stripe

from tests.sandbox.conftest import Process
from tests.sandbox.orders import order


async def _payments(pay: stripe.StripeClient, booking: str) -> list[str]:
    newest = await pay.v1.payment_intents.list_async({"limit": 10})
    return [intent.status for intent in newest.data if intent.metadata.to_dict().get("booking") == booking]


@pytest.mark.parametrize(("when", "left"), [("before", []), ("after", ["succeeded"])])
async def test_an_error(pay: stripe.StripeClient, http: httpx.AsyncClient, when: str, left: list[str]) -> None:
    booking = str(uuid4())
    await http.post("/sandbox/faults", json={"kind": "error", "when": when, "status": 503})
    with pytest.raises(stripe.APIError) as broken:
        await pay.v1.payment_intents.create_async(order(metadata={"booking": booking}))
    assert broken.value.http_status == 503
    assert await _payments(pay, booking) == left


@pytest.mark.parametrize(("when", "left"), [("before", []), ("after", ["succeeded"])])
async def test_a_reset(pay: stripe.StripeClient, http: httpx.AsyncClient, when: str, left: list[str]) -> None:
    booking = str(uuid4())
    await http.post("/sandbox/faults", json={"kind": "reset", "when": when, "path": "/v1/payment_intents"})
    with pytest.raises(stripe.APIConnectionError):
        await pay.v1.payment_intents.create_async(order(metadata={"booking": booking}))
    assert await _payments(pay, booking) == left


async def test_too_slow_for_the_client(
    sandbox: Process, http: httpx.AsyncClient, connect: Callable[..., stripe.StripeClient], pay: stripe.StripeClient
) -> None:
    booking = str(uuid4())
    await http.post("/sandbox/faults", json={"kind": "slow", "seconds": 1})
    with pytest.raises(stripe.APIConnectionError):
        await connect(sandbox.url, timeout=0.2).v1.payment_intents.create_async(order(metadata={"booking": booking}))
    assert await _payments(pay, booking) == ["succeeded"]


async def test_a_sticky_error_is_replayed(http: httpx.AsyncClient) -> None:
    await http.post("/sandbox/faults", json={"kind": "error", "sticky": True})
    form = {"amount": "2000", "currency": "usd"}
    headers = {"Idempotency-Key": str(uuid4())}
    answers = [await http.post("/v1/payment_intents", data=form, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [500, 500]
    assert answers[1].headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize(
    "wish",
    [{"kind": "fire"}, {"kind": "slow", "seconds": -1}, {"kind": "error", "status": 200}, {"kind": "slow", "x": 1}],
)
async def test_nonsense_is_refused(http: httpx.AsyncClient, wish: dict[str, object]) -> None:
    assert (await http.post("/sandbox/faults", json=wish)).status_code == 400
    assert (await http.get("/sandbox/faults")).json()["data"] == []


async def test_faults_can_be_called_off(http: httpx.AsyncClient) -> None:
    first = (await http.post("/sandbox/faults", json={"kind": "slow"})).json()
    await http.post("/sandbox/faults", json={"kind": "error", "times": 5})
    assert (await http.delete(f"/sandbox/faults/{first['id']}")).json() == {"cleared": 1}
    assert (await http.delete("/sandbox/faults")).json() == {"cleared": 1}
