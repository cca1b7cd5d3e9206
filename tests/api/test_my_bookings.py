"""Whoever signed in finds their bookings again over HTTP, with what happened to each; nobody else does."""

from __future__ import annotations

from typing import Any

from tests.api.test_staff import signed_in
from tests.fakes.clients import Client
from tests.fakes.servers import Server
from tests.stories.journeys import book, choose, hold, in_days, pay

MINE = """
    query ($status: [BookingStatus!], $first: Int, $after: String) {
        me {
            bookings(status: $status, first: $first, after: $after) {
                totalCount
                edges { cursor node { id pnr status expiresAt timeline { subject cameFrom to actor } } }
                pageInfo { hasNextPage endCursor hasPreviousPage }
            }
        }
    }
"""
BY_PNR = """
    query ($pnr: String!, $lastName: String!) { bookingByPnr(pnr: $pnr, lastName: $lastName) { pnr timeline { to } } }
"""


async def mine(client: Client, **variables: Any) -> Any:
    """The page of the viewer's bookings."""
    answer = await client.post(MINE, variables)
    assert "errors" not in answer, answer
    return answer["data"]["me"]["bookings"]


async def test_a_customer_finds_what_was_booked(server: Server) -> None:
    async with Client(server.url, await signed_in(server, "CUSTOMER")) as ada:
        assert await mine(ada) == {
            "totalCount": 0,
            "edges": [],
            "pageInfo": {"hasNextPage": False, "endCursor": None, "hasPreviousPage": False},
        }
        made = []
        for days in (19, 20):
            choice = await choose(ada, in_days(days))
            made.append(await book(ada, choice, await hold(ada, choice), ("Ada", "Lovelace")))
        assert (await pay(ada, made[0]))["status"] == "CAPTURED"

        page = await mine(ada, first=1)
        assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (2, True)
        (newest,) = page["edges"]
        assert (newest["node"]["id"], newest["node"]["status"]) == (made[1]["id"], "SEATS_LOCKED")
        assert newest["node"]["expiresAt"] == made[1]["expiresAt"]

        rest = await mine(ada, first=1, after=page["pageInfo"]["endCursor"])
        (oldest,) = rest["edges"]
        assert (oldest["node"]["id"], rest["pageInfo"]["hasNextPage"]) == (made[0]["id"], False)
        assert oldest["node"]["timeline"][0] == {
            "subject": "BOOKING",
            "cameFrom": None,
            "to": "INITIATED",
            "actor": "OWNER",
        }
        confirmed = await mine(ada, status=["CONFIRMED"])
        assert [edge["node"]["id"] for edge in confirmed["edges"]] == [made[0]["id"]]

        refused = await ada.post(MINE, {"after": "nonsense"})
        assert [one["extensions"]["code"] for one in refused["errors"]] == ["INVALID_CURSOR"]

    async with Client(server.url) as stranger:
        # By record locator and name a booking is found, but not what happened to it.
        found = await stranger.post(BY_PNR, {"pnr": made[0]["pnr"], "lastName": "Lovelace"})
        assert found["data"]["bookingByPnr"] == {"pnr": made[0]["pnr"], "timeline": None}
        assert (await stranger.post(MINE))["data"] == {"me": None}
    async with Client(server.url, await signed_in(server, "CUSTOMER")) as bob:
        assert (await mine(bob))["totalCount"] == 0
