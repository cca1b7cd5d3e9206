"""Addresses that gateways and their payers come to: nothing happens for whoever is not one."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from core import ids, log
from core.db import Database
from core.keys import Keyring
from schema import http, returning
from services.gateways import RETURNED, Gateways
from services.gateways.routing import signing
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


async def test_back_while_the_database_is_away(keyring: Keyring, gateways: Gateways) -> None:
    nowhere = Database("postgresql+asyncpg://nobody@127.0.0.1:9/nothing", pool_size=1)
    app = Starlette(routes=[Route("/payments/returned/{token}", returning.returned(RETURNED))])
    app.state.application = SimpleNamespace(database=nowhere, gateways=gateways, keyring=keyring)
    token = keyring.sign(signing(RETURNED), ids.uuid7().bytes)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://jetway.example") as client:
        answer = await client.get(f"/payments/returned/{token}")
        looked = await client.head(f"/payments/returned/{token}")
    await nowhere.close()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert (looked.status_code, looked.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize("path", ["returned/{}", "turned-back/{}", "returned/{}/", "elsewhere/{}", "returned/x/{}"])
async def test_the_log_has_no_token(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[dict[str, Any]] = []

    def keep(name: str, event: str, lines: Iterable[dict[str, Any]]) -> None:
        written.extend(lines)

    monkeypatch.setattr(log, "write_lines", keep)
    journal = http.Journal()
    for called in (f"/payments/{path.format('secret')}", "/static/index.html"):
        journal.write("GET", called, "none", 200, 1.0)
    journal.flush()
    assert [line["path"] for line in written] == [f"/payments/{path.partition('/')[0]}/{{token}}", "/static/index.html"]


async def test_what_nobodys_booking_can_be_paid_with(server_url: str) -> None:
    async with Client(server_url) as client:
        nobody = ids.global_id("Booking", ids.uuid7())
        answer = await client.post(METHODS, {"id": nobody, "token": None})
    assert answer["data"] == {"paymentMethods": None}
    assert "errors" not in answer
