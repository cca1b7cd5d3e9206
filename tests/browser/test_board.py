"""The departures board shows what `departures` answers, and changes with what `flightStatusEvents` says."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest
from playwright.async_api import WebSocketRoute, expect

from tests.browser.shopper import NewShopper

pytestmark = pytest.mark.browser

DEPARTURES = "query Board($airport: String!) { departures(airport: $airport, first: 30) { id designator } }"


async def test_the_board_lists_the_departures_of_the_airport_chosen(new_shopper: NewShopper, server_url: str) -> None:
    ada = await new_shopper()
    await ada.open("/#/board/JFK")
    rows = ada.page.locator(".board tbody tr[data-flight]")
    await expect(rows.first).to_be_visible()

    await ada.page.get_by_role("link", name="EWR").click()
    await expect(ada.page.get_by_role("link", name="EWR")).to_have_attribute("aria-current", "page")
    await expect(rows.first).to_be_visible()
    async with httpx.AsyncClient(base_url=server_url) as client:
        answer = await client.post("/graphql", json={"query": DEPARTURES, "variables": {"airport": "EWR"}})
    expected = [flight["designator"] for flight in answer.json()["data"]["departures"]]
    shown: list[str] = await rows.evaluate_all("rows => rows.map((row) => row.dataset.designator)")
    # A flight may leave the board between the two looks; the others stay in their order.
    assert len(set(shown) ^ set(expected)) <= 2
    assert [name for name in shown if name in expected] == [name for name in expected if name in shown]


async def test_a_status_change_turns_the_row(new_shopper: NewShopper) -> None:
    """Real changes come when the day brings them: here the server's own event is told again, as a delay."""
    ada = await new_shopper()
    sent: list[str] = []

    async def relay(page_side: WebSocketRoute) -> None:
        server_side = page_side.connect_to_server()

        def from_server(message: str | bytes) -> None:
            page_side.send(message)
            frame: dict[str, Any] = json.loads(message)
            if frame["type"] != "next" or sent:
                return
            event = frame["payload"]["data"]["flightStatusEvents"]
            sent.append(event["flight"]["id"])
            event["flight"] |= {"status": "DIVERTED", "departureGate": "Z99"}
            page_side.send(json.dumps(frame))

        server_side.on_message(from_server)

    await ada.page.route_web_socket(re.compile("/graphql$"), relay)
    await ada.open("/#/board/JFK")
    row = ada.page.locator(".board tbody tr", has_text="Z99")
    await expect(row).to_contain_text("Diverted")
    assert await row.get_attribute("data-flight") == sent[0]
    await expect(ada.page.locator("#announcer")).to_contain_text("Diverted")
