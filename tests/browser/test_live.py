"""The live connection: when it breaks it is made again, and goes on from the last cursor."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.async_api import WebSocketRoute, expect

from tests.browser.shopper import NewShopper

pytestmark = pytest.mark.browser


async def test_a_broken_socket_is_resumed_from_the_last_cursor(new_shopper: NewShopper) -> None:
    ada = await new_shopper()
    grace = await new_shopper()
    asked: list[dict[str, Any]] = []
    cursors: list[str] = []
    sockets: list[WebSocketRoute] = []

    async def relay(page_side: WebSocketRoute) -> None:
        server_side = page_side.connect_to_server()
        sockets.append(page_side)

        def from_page(message: str | bytes) -> None:
            frame = json.loads(message)
            if frame["type"] == "subscribe":
                asked.append(frame["payload"]["variables"])
            server_side.send(message)

        def from_server(message: str | bytes) -> None:
            frame = json.loads(message)
            if frame["type"] == "next":
                cursors.append(frame["payload"]["data"]["seatMapEvents"]["cursor"])
            page_side.send(message)

        page_side.on_message(from_page)
        server_side.on_message(from_server)

    await grace.page.route_web_socket(re.compile("/graphql$"), relay)
    await ada.search()
    flight = await ada.choose_flight()
    await grace.search()
    await grace.choose_flight(flight)
    first, second = await ada.free_seats(2)

    await ada.hold([first])
    await expect(grace.seat(first)).to_have_attribute("data-look", "taken")
    seen = cursors[-1]
    await sockets[0].close(code=1001, reason="going away")

    # What happens while Grace is away reaches her when she is back.
    charles = await new_shopper()
    await charles.search()
    await charles.choose_flight(flight)
    await charles.hold([second])
    await expect(grace.seat(second)).to_have_attribute("data-look", "taken")
    await expect(grace.seat(first)).to_have_attribute("data-look", "taken")
    assert [variables["after"] for variables in asked[1:]] == [seen]
    assert len(sockets) == 2
