"""One key, one payment."""

import asyncio
from collections.abc import Callable
from uuid import uuid4

import httpx
import pytest
import stripe

from tests.sandbox.conftest import Process
from tests.sandbox.orders import order

ORDER = {
    "amount": "3000",
    "currency": "usd",
    "confirm": "true",
    "payment_method": "pm_card_visa",
    "allowed_payment_method_types[]": "card",
}


async def _create(http: httpx.AsyncClient, key: str, **change: str) -> httpx.Response:
    return await http.post("/v1/payment_intents", data=ORDER | change, headers={"Idempotency-Key": key})


async def test_the_same_again_is_answered_the_same(http: httpx.AsyncClient) -> None:
    key = str(uuid4())
    first, second = await _create(http, key), await _create(http, key)
    assert first.content == second.content
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["original-request"] == first.headers["request-id"]


async def test_a_decline_is_replayed_too(http: httpx.AsyncClient) -> None:
    key = str(uuid4())
    first = await _create(http, key, payment_method="pm_card_chargeDeclined")
    second = await _create(http, key, payment_method="pm_card_chargeDeclined")
    assert (first.status_code, second.status_code) == (402, 402)
    assert first.content == second.content


async def test_other_parameters_are_refused(http: httpx.AsyncClient, pay: stripe.StripeClient) -> None:
    key = str(uuid4())
    await _create(http, key)
    newest = (await pay.v1.payment_intents.list_async({"limit": 1})).data
    answer = await _create(http, key, amount="3001")
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "idempotency_error")
    assert (await pay.v1.payment_intents.list_async({"limit": 1})).data == newest


async def test_a_malformed_request_leaves_its_key_free(http: httpx.AsyncClient) -> None:
    key = str(uuid4())
    assert (await _create(http, key, amount="free")).status_code == 400
    assert (await _create(http, key)).status_code == 200


async def test_two_at_once_are_one_payment(http: httpx.AsyncClient) -> None:
    await http.post("/sandbox/faults", json={"kind": "slow", "seconds": 0.3, "path": "/v1/payment_intents"})
    key = str(uuid4())
    answers = await asyncio.gather(_create(http, key), _create(http, key))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    [refused] = [answer for answer in answers if answer.status_code == 409]
    assert refused.json()["error"]["code"] == "idempotency_key_in_use"


async def test_a_cut_connection_is_healed_by_the_sdks_retry(
    sandbox: Process, http: httpx.AsyncClient, connect: Callable[..., stripe.StripeClient]
) -> None:
    await http.post("/sandbox/faults", json={"kind": "reset", "path": "/v1/payment_intents"})
    intent = await connect(sandbox.url, retries=2).v1.payment_intents.create_async(order())
    charges = await http.get("/v1/charges", params={"payment_intent": intent.id})
    assert (intent.status, len(charges.json()["data"])) == ("succeeded", 1)
    assert (await http.get("/sandbox/faults")).json()["data"] == []


@pytest.mark.parametrize("key", ["sk_test_wrong", ""])
async def test_strangers_are_refused(sandbox: Process, key: str) -> None:
    async with httpx.AsyncClient(base_url=sandbox.url, trust_env=False) as stranger:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        answer = await stranger.post("/v1/payment_intents", data=ORDER, headers=headers)
        control = await stranger.get("/sandbox/faults", headers=headers)
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "invalid_request_error")
    assert control.status_code == 401
