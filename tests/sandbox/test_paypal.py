"""PayPal's shape over plain HTTP: orders that are agreed to on a page, ids of requests, refusals with issues."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.sandbox.conftest import Process

ORDERS = "/v2/checkout/orders"


@pytest.fixture
async def paypal(sandbox: Process) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a token."""
    async with httpx.AsyncClient(base_url=f"{sandbox.url}/paypal", timeout=10, trust_env=False) as client:
        answer = await client.post("/v1/oauth2/token", auth=("paypal_sandbox", "paypal_sandbox_secret"))
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield client


def wish(value: str = "125.00", currency: str = "EUR", **change: Any) -> dict[str, Any]:
    """An order to authorise; `change` overrides."""
    context = {"return_url": "https://shop.example/paid?trip=1", "cancel_url": "https://shop.example/away"}
    unit = {"custom_id": "c1", "amount": {"currency_code": currency, "value": value}}
    source = {"paypal": {"experience_context": context}}
    return {"intent": "AUTHORIZE", "purchase_units": [unit], "payment_source": source, **change}


async def ordered(paypal: httpx.AsyncClient, outcome: str = "approve", **change: Any) -> tuple[str, httpx.Response]:
    """An order and what its payer is answered who chose `outcome`."""
    order = (await paypal.post(ORDERS, json=wish(**change))).json()
    [page] = [link["href"] for link in order["links"] if link["rel"] == "payer-action"]
    return order["id"], await paypal.post(page, data={"outcome": outcome})


async def authorized(paypal: httpx.AsyncClient, outcome: str = "approve") -> tuple[str, str]:
    """An order and its authorization."""
    id, _ = await ordered(paypal, outcome)
    made = (await paypal.post(f"{ORDERS}/{id}/authorize", json={})).json()
    return id, made["purchase_units"][0]["payments"]["authorizations"][0]["id"]


async def captured(paypal: httpx.AsyncClient) -> tuple[str, str]:
    """An order and its capture."""
    id, authorization = await authorized(paypal)
    return id, (await paypal.post(f"/v2/payments/authorizations/{authorization}/capture", json={})).json()["id"]


def issue(answer: httpx.Response) -> tuple[int, str]:
    """How a request was refused."""
    return answer.status_code, answer.json()["details"][0]["issue"]


async def test_from_order_to_refund(paypal: httpx.AsyncClient) -> None:
    answer = await paypal.post(ORDERS, json=wish())
    assert (answer.status_code, answer.json()["status"]) == (201, "PAYER_ACTION_REQUIRED")
    id, gone_back = await ordered(paypal)
    assert gone_back.status_code == 303
    assert gone_back.headers["location"] == f"https://shop.example/paid?trip=1&token={id}&PayerID=SANDBOXPAYER1"
    assert (await paypal.get(f"{ORDERS}/{id}")).json()["status"] == "APPROVED"
    made = await paypal.post(f"{ORDERS}/{id}/authorize", json={})
    [authorization] = made.json()["purchase_units"][0]["payments"]["authorizations"]
    assert (made.status_code, made.json()["status"], authorization["status"]) == (201, "COMPLETED", "CREATED")
    part = {"amount": {"currency_code": "EUR", "value": "100.00"}, "final_capture": True}
    taken = (await paypal.post(f"/v2/payments/authorizations/{authorization['id']}/capture", json=part)).json()
    assert (taken["status"], taken["amount"], taken["custom_id"]) == ("COMPLETED", part["amount"], "c1")
    back = (await paypal.post(f"/v2/payments/captures/{taken['id']}/refund", json={})).json()
    assert (back["status"], back["amount"]["value"]) == ("COMPLETED", "100.00")
    assert (await paypal.get(f"/v2/payments/captures/{taken['id']}")).json()["status"] == "REFUNDED"
    assert (await paypal.get(f"/v2/payments/refunds/{back['id']}")).json() == back


async def test_turned_back(paypal: httpx.AsyncClient) -> None:
    id, gone_back = await ordered(paypal, "cancel")
    assert gone_back.headers["location"] == f"https://shop.example/away?token={id}"
    assert issue(await paypal.post(f"{ORDERS}/{id}/authorize", json={})) == (422, "ORDER_NOT_APPROVED")


async def test_the_same_request_is_done_once(paypal: httpx.AsyncClient) -> None:
    named = {"PayPal-Request-Id": str(uuid4())}
    first, again = [await paypal.post(ORDERS, json=wish(), headers=named) for _ in range(2)]
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
    other = await paypal.post(ORDERS, json=wish("126.00"), headers=named)
    assert issue(other) == (422, "DUPLICATE_REQUEST_ID")
    _, capture = await captured(paypal)
    named = {"PayPal-Request-Id": str(uuid4())}
    part = {"amount": {"currency_code": "EUR", "value": "100.00"}}
    refunds = [await paypal.post(f"/v2/payments/captures/{capture}/refund", json=part, headers=named) for _ in range(2)]
    assert refunds[0].json() == refunds[1].json()


async def test_one_that_is_in_flight(paypal: httpx.AsyncClient, http: httpx.AsyncClient) -> None:
    named = {"PayPal-Request-Id": str(uuid4())}
    await http.post("/sandbox/faults", json={"kind": "slow", "seconds": 2, "path": f"/paypal{ORDERS}"})
    slow = asyncio.create_task(paypal.post(ORDERS, json=wish(), headers=named))
    while (await http.get("/sandbox/faults")).json()["data"]:
        continue
    assert issue(await paypal.post(ORDERS, json=wish(), headers=named)) == (409, "PREVIOUS_REQUEST_IN_PROGRESS")
    assert (await slow).status_code == 201


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        (wish("0.00"), (422, "CANNOT_BE_ZERO_OR_NEGATIVE")),
        (wish("1.005"), (422, "DECIMAL_PRECISION")),
        (wish("100.50", "HUF"), (422, "DECIMAL_PRECISION")),
        (wish("100.00", "INR"), (422, "CURRENCY_NOT_SUPPORTED")),
        (wish("ten"), (400, "INVALID_PARAMETER_SYNTAX")),
        (wish(intent="SALE"), (400, "INVALID_PARAMETER_VALUE")),
        (wish(purchase_units=[]), (422, "MAX_NUMBER_OF_PURCHASE_UNITS_EXCEEDED")),
        ([], (400, "MALFORMED_REQUEST_JSON")),
    ],
)
async def test_bad_orders_are_refused(paypal: httpx.AsyncClient, body: Any, refused: tuple[int, str]) -> None:
    assert issue(await paypal.post(ORDERS, json=body)) == refused


async def test_what_is_over_cannot_be_done_again(paypal: httpx.AsyncClient) -> None:
    id, authorization = await authorized(paypal)
    assert issue(await paypal.post(f"{ORDERS}/{id}/authorize", json={})) == (422, "ORDER_ALREADY_AUTHORIZED")
    voided = f"/v2/payments/authorizations/{authorization}"
    assert (await paypal.post(f"{voided}/void")).status_code == 204
    assert issue(await paypal.post(f"{voided}/void")) == (422, "PREVIOUSLY_VOIDED")
    assert issue(await paypal.post(f"{voided}/capture", json={})) == (422, "AUTHORIZATION_VOIDED")
    _, capture = await captured(paypal)
    refund = f"/v2/payments/captures/{capture}/refund"
    too_much = {"amount": {"currency_code": "EUR", "value": "125.01"}}
    assert issue(await paypal.post(refund, json=too_much)) == (422, "REFUND_AMOUNT_EXCEEDED")
    await paypal.post(refund, json={})
    assert issue(await paypal.post(refund, json={})) == (422, "CAPTURE_FULLY_REFUNDED")


async def test_declined_when_it_is_asked_for(paypal: httpx.AsyncClient) -> None:
    id, _ = await ordered(paypal, "decline")
    assert issue(await paypal.post(f"{ORDERS}/{id}/authorize", json={})) == (422, "INSTRUMENT_DECLINED")


async def test_looked_at_until_the_clock_says_so(paypal: httpx.AsyncClient, http: httpx.AsyncClient) -> None:
    _, authorization = await authorized(paypal, "pending")
    path = f"/v2/payments/authorizations/{authorization}"
    assert (await paypal.get(path)).json()["status"] == "PENDING"
    assert issue(await paypal.post(f"{path}/capture", json={})) == (422, "AUTHORIZATION_DENIED")
    await http.post("/sandbox/clock", json={"advance": 3600})
    while (await http.get("/sandbox/health")).json()["due_timers"]:
        continue
    assert (await paypal.get(path)).json()["status"] == "CREATED"


async def test_nobody_without_a_token(paypal: httpx.AsyncClient) -> None:
    for given in ("Bearer A21AA1.x", "Bearer A21AA99999999999.x", ""):
        assert (await paypal.post(ORDERS, json=wish(), headers={"Authorization": given})).status_code == 401
    assert (await paypal.post("/v1/oauth2/token", auth=("paypal_sandbox", "guess"))).status_code == 401


async def test_what_there_is_not(paypal: httpx.AsyncClient) -> None:
    for path in (f"{ORDERS}/NOBODY", "/v2/payments/captures/NOBODY", "/v3/nothing"):
        assert issue(await paypal.get(path)) == (404, "INVALID_RESOURCE_ID")
    assert (await paypal.get("/checkoutnow?token=NOBODY")).status_code == 404
