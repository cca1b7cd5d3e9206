"""Addresses that gateways and their payers come to: nothing happens for whoever is not one."""

from __future__ import annotations

import httpx
import pytest

from core import ids
from tests.fakes.clients import Client

METHODS = "query($id: ID!, $token: String) { paymentMethods(bookingId: $id, bookingToken: $token) { kind } }"


@pytest.mark.parametrize(("gateway", "status"), [("stripe", 400), ("paypal", 400), ("razorpay", 404)])
async def test_webhooks_that_nobody_signed(server_url: str, gateway: str, status: int) -> None:
    async with httpx.AsyncClient(base_url=server_url, timeout=30) as client:
        answer = await client.post(f"/webhooks/{gateway}", json={"id": "evt_1", "type": "payment_intent.succeeded"})
    assert answer.status_code == status
    assert answer.json()["errors"][0]["extensions"]["code"] == ("NOT_FOUND" if status == 404 else "BAD_REQUEST")


@pytest.mark.parametrize("path", ["returned/x", "returned/a.b.c", "turned-back/x", "elsewhere/x"])
async def test_addresses_that_we_have_not_signed(server_url: str, path: str) -> None:
    async with httpx.AsyncClient(base_url=server_url, timeout=30) as client:
        assert (await client.get(f"/payments/{path}")).status_code == 404
        assert (await client.post(f"/payments/{path}")).status_code in (404, 405)


async def test_what_nobodys_booking_can_be_paid_with(server_url: str) -> None:
    async with Client(server_url) as client:
        nobody = ids.global_id("Booking", ids.uuid7())
        answer = await client.post(METHODS, {"id": nobody, "token": None})
    assert answer["data"] == {"paymentMethods": None}
    assert "errors" not in answer
