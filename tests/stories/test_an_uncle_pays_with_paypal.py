"""Uncle Alan has no card, but PayPal: he changes his mind on its page once, comes back, and pays on the second try."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from tests.fakes.clients import Client
from tests.stories.journeys import book, choose, hold, in_days, pay

DOCUMENTS = (Path(__file__).parents[2] / "docs" / "contract" / "payments.graphql").read_text()


async def test_an_uncle_pays_with_paypal(server_url: str) -> None:
    async with Client(server_url) as alan, httpx.AsyncClient(timeout=30) as browser:
        choice = await choose(alan, in_days(18), seats=1)
        booking = await book(alan, choice, await hold(alan, choice), ("Alan", "Turing"))

        # He is told what he can pay with; what nobody takes is refused by its name.
        methods = (await ask(alan, "PaymentMethods", booking))["paymentMethods"]
        assert {"gateway": "paypal", "kind": "paypal", "paymentMethod": "paypal"} | {
            "capture": "SEPARATE",
            "redirects": True,
            "deadline": None,
        } in methods
        assert {one["kind"] for one in methods} == {"card", "alipay", "us_bank_account", "paypal"}
        refused = await pay(alan, booking, "cash")
        assert (refused["__typename"], refused["code"]) == ("InvalidInput", "INVALID_INPUT")

        # On PayPal's page he turns back. His seat is still his, and he is where he came from.
        assert (await pay(alan, booking, "paypal"))["status"] == "REQUIRES_ACTION"
        callback = await leave(browser, await page(alan, booking), "cancel")
        assert callback.startswith(f"{server_url}/payments/turned-back/")
        assert (await browser.head(callback)).status_code == 405
        assert (await ask(alan, "BookingPayments", booking))["booking"]["payments"][0]["status"] == "REQUIRES_ACTION"
        for _ in range(2):
            assert await follow(browser, callback) == f"{server_url}/static/returned.html"
        shown = (await ask(alan, "BookingPayments", booking))["booking"]
        assert shown["status"] == "SEATS_LOCKED"
        assert [(one["status"], one["declineCode"]) for one in shown["payments"]] == [("DECLINED", "cancelled")]

        # He tries again and agrees. Addresses that we have not signed lead nowhere.
        assert (await pay(alan, booking, "paypal"))["status"] == "REQUIRES_ACTION"
        callback = await leave(browser, await page(alan, booking), "approve")
        for forged in (swapped(callback), callback.replace("/returned/", "/turned-back/")):
            assert (await browser.get(forged)).status_code == 404
        for _ in range(2):
            assert await follow(browser, callback) == f"{server_url}/static/returned.html"
        found = await alan.ask("BookingByPnr", pnr=booking["pnr"], lastName="Turing")
        assert found["status"] == "CONFIRMED"


async def ask(client: Client, operation: str, booking: Any) -> Any:
    """A query about a booking, by whoever has its token."""
    answer = await client.post(DOCUMENTS, {"id": booking["id"], "token": booking["accessToken"]}, operation)
    return answer["data"]


async def page(client: Client, booking: Any) -> str:
    """PayPal's page of the payment that waits for its payer."""
    payments = (await ask(client, "BookingPayments", booking))["booking"]["payments"]
    return str(next(one["redirectUrl"] for one in payments if one["status"] == "REQUIRES_ACTION"))


async def leave(browser: httpx.AsyncClient, page: str, outcome: str) -> str:
    """Press a button on PayPal's page; the address that it sends the payer to."""
    assert (await browser.get(page)).status_code == 200
    return await follow(browser, page, outcome)


async def follow(browser: httpx.AsyncClient, url: str, outcome: str | None = None) -> str:
    """Where an address leads to."""
    answer = await (browser.get(url) if outcome is None else browser.post(url, data={"outcome": outcome}))
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def swapped(url: str) -> str:
    """The same with one letter of its signature otherwise."""
    path, question, query = url.partition("?")
    other = "A" if path[-2] != "A" else "B"
    return f"{path[:-2]}{other}{path[-1]}{question}{query}"
