"""Grace's bank wants to hear from her before it pays: 3-D Secure, once passed and once failed."""

from __future__ import annotations

from typing import Any

import httpx

from tests.fakes.clients import Client, key
from tests.stories.journeys import book, choose, hold, in_days, pay

CARD = "pm_card_threeDSecure2Required"


async def test_a_bank_asks_first_and_is_satisfied(server_url: str) -> None:
    async with Client(server_url) as grace, httpx.AsyncClient(timeout=30) as bank:
        choice = await choose(grace, in_days(15), seats=1)
        booking = await book(grace, choice, await hold(grace, choice), ("Grace", "Hopper"))

        # The payment stops where the bank has to ask.
        same = key()
        waiting = await pay(grace, booking, CARD, same)
        assert waiting["status"] == "REQUIRES_ACTION"
        assert waiting["booking"]["status"] == "PAYMENT_PENDING"
        page = await redirect_url(grace, booking)

        # She says yes at the bank's own page, comes back, and goes on with the same request.
        await bank.post(page, data={"outcome": "complete"})
        paid = await pay(grace, booking, CARD, same)
        assert (paid["id"], paid["status"]) == (waiting["id"], "CAPTURED")
        assert paid["booking"]["status"] == "CONFIRMED"


async def test_a_bank_asks_first_and_is_not_satisfied(server_url: str) -> None:
    async with Client(server_url) as grace, httpx.AsyncClient(timeout=30) as bank:
        choice = await choose(grace, in_days(15), seats=1, skip=1)
        held = await hold(grace, choice)
        booking = await book(grace, choice, held, ("Grace", "Hopper"))
        same = key()
        assert (await pay(grace, booking, CARD, same))["status"] == "REQUIRES_ACTION"
        await bank.post(await redirect_url(grace, booking), data={"outcome": "fail"})

        # Declined; the seats are still hers, with the deadline they had before.
        declined = await pay(grace, booking, CARD, same)
        assert declined["__typename"] == "PaymentDeclined"
        found = await grace.ask("BookingByPnr", pnr=booking["pnr"], lastName="Hopper")
        assert (found["status"], found["expiresAt"]) == ("SEATS_LOCKED", held["expiresAt"])

        # Another card ends it well.
        assert (await pay(grace, booking))["status"] == "CAPTURED"


async def redirect_url(client: Client, booking: Any) -> str:
    """Where the payer's bank asks, which is told to whoever owns the booking."""
    answer = await client.post(
        "query($id: ID!, $token: String) { booking(id: $id, token: $token) { payments { redirectUrl } } }",
        {"id": booking["id"], "token": booking["accessToken"]},
    )
    (payment,) = answer["data"]["booking"]["payments"]
    return str(payment["redirectUrl"])
