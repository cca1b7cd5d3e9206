"""Notices: what whoever has booked is told, what staff tell the passengers of a flight, and what nobody else sees."""

from __future__ import annotations

from typing import Any

import pytest

from models import Role
from tests.fakes.clients import Client, Watcher, key
from tests.fakes.people import Person, database_of, somebody
from tests.fakes.servers import Server
from tests.fakes.streams import DOCUMENTS, refused, streaming
from tests.stories.journeys import Choice, book, choose, hold, in_days, pay

EVENTS, BOOKING, LIST, READ, ALERT = "NoticeFeed", "BookingProgress", "Notices", "MarkNoticesRead", "AlertPassengers"
"""Operations of the contract."""

NODE = "query ($id: ID!) { node(id: $id) { id } }"


async def booked(url: str, token: str | None, day: int, on: str | None = None) -> tuple[Choice, Any]:
    """A booking that is paid, on a flight that nobody else is on, or on that one."""
    async with Client(url, token) as client:
        choice = await choose(client, in_days(day), alone=on is None, on=on)
        booking = await book(client, choice, await hold(client, choice), ("Ada", "Lovelace"))
        assert (await pay(client, booking))["status"] == "CAPTURED"
        return choice, booking


async def ask(server: Server, person: Person | None, operation: str, **variables: Any) -> Any:
    """The data of one of the contract's operations."""
    async with Client(server.url, person.token if person else None) as client:
        answer = await client.post(DOCUMENTS, variables, operation)
    assert "errors" not in answer, answer
    (data,) = answer["data"].values()
    return data


async def alert(server: Server, person: Person | None, flight_id: str, **more: str) -> Any:
    asked = {"flightId": flight_id, "message": "Boarding begins late.", "idempotencyKey": key(), **more}
    return await ask(server, person, ALERT, input=asked)


async def test_an_owner_is_told_reads_the_list_and_says_so(server: Server) -> None:
    ada, bob = await somebody(server), await somebody(server)
    async with streaming(server.url, EVENTS, ada.token) as watcher:
        nothing = await watcher.next()
        _, booking = await booked(server.url, ada.token, 20)
        told = await watcher.next()
        (notice,) = told["notices"]
        listed = await ask(server, ada, LIST)
        read = await ask(server, ada, READ, input={"ids": [notice["id"]]})
        after = await watcher.next()
    assert (nothing["reset"], nothing["unreadCount"], nothing["notices"]) == (False, 0, [])
    assert (told["unreadCount"], notice["kind"], notice["booking"]["pnr"]) == (1, "BOOKING_CONFIRMED", booking["pnr"])
    assert notice["readAt"] is None
    assert (listed["totalCount"], listed["unreadCount"]) == (1, 1)
    assert [edge["node"]["id"] for edge in listed["edges"]] == [notice["id"]]
    assert (read["__typename"], read["unreadCount"]) == ("NoticesRead", 0)
    assert (after["unreadCount"], [one["readAt"] for one in after["notices"]]) == (0, [read["notices"][0]["readAt"]])
    assert (await ask(server, ada, LIST, unreadOnly=True))["edges"] == []
    async with streaming(server.url, EVENTS, ada.token, after=nothing["cursor"]) as again:
        missed = await again.next()
    assert (missed["reset"], [one["id"] for one in missed["notices"]]) == (False, [notice["id"]])
    await nobody_else(server, notice["id"], ada, bob)


async def nobody_else(server: Server, notice_id: str, ada: Person, bob: Person) -> None:
    """Another sees nothing of a notice and changes nothing of it; a guest is told to sign in."""
    assert (await ask(server, bob, LIST))["totalCount"] == 0
    for person, found in ((bob, None), (None, None), (ada, {"id": notice_id})):
        async with Client(server.url, person.token if person else None) as client:
            assert (await client.post(NODE, {"id": notice_id}))["data"] == {"node": found}
    assert (await ask(server, bob, READ, input={"ids": [notice_id]}))["code"] == "NOT_FOUND"
    assert (await ask(server, bob, READ, input={"ids": []}))["code"] == "INVALID_INPUT"
    assert (await ask(server, None, READ, input={}))["code"] == "UNAUTHENTICATED"
    assert await refused(server.url, EVENTS) == "UNAUTHENTICATED"
    async with Client(server.url) as guest:
        (error,) = (await guest.post(DOCUMENTS, operation=LIST))["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"


async def alerted(watcher: Watcher) -> Any:
    """The event that brings an alert. What they were told of before may have been on its way still."""
    while True:
        event = await watcher.next()
        if event["notices"] and event["notices"][-1]["kind"] == "ALERT":
            return event


async def test_staff_tell_everybody_booked_on_a_flight(server: Server) -> None:
    staff, ada = await somebody(server, Role.STAFF), await somebody(server)
    choice, hers = await booked(server.url, ada.token, 21)
    _, a_guests = await booked(server.url, None, 21, on=choice.flight_id)
    watched = {"bookingId": a_guests["id"], "token": a_guests["accessToken"]}
    async with streaming(server.url, BOOKING, **watched) as guest, streaming(server.url, EVENTS, ada.token) as owner:
        await guest.next()
        await owner.next()
        again = key()
        sent = await alert(server, staff, choice.flight_id, idempotencyKey=again)
        told, hears = await alerted(guest), await alerted(owner)
    assert (sent["__typename"], sent["message"], sent["flight"]["id"]) == (
        "FlightAlert",
        "Boarding begins late.",
        choice.flight_id,
    )
    notice = told["notices"][-1]
    assert (told["happened"][-1:], notice["kind"], notice["message"], notice["flight"]["id"]) == (
        ["booking.notified"],
        "ALERT",
        "Boarding begins late.",
        choice.flight_id,
    )
    assert hears["notices"][-1]["booking"]["pnr"] == hers["pnr"]
    same = await alert(server, staff, choice.flight_id, idempotencyKey=again)
    assert (same["id"], same["reached"], same["toldAt"] is not None) == (sent["id"], 2, True)


@pytest.mark.parametrize(
    ("role", "more", "code"),
    [
        (None, {}, "UNAUTHENTICATED"),
        (Role.CUSTOMER, {}, "FORBIDDEN"),
        (Role.STAFF, {"message": " "}, "INVALID_INPUT"),
        (Role.STAFF, {"message": "x" * 501}, "INVALID_INPUT"),
        (Role.STAFF, {"flightId": "RmxpZ2h0Ojk5OTk5OTk5OTk5"}, "NOT_FOUND"),
    ],
)
async def test_nobody_else_does_and_not_so(server: Server, role: Role | None, more: dict[str, str], code: str) -> None:
    person = await somebody(server, role) if role else None
    async with Client(server.url) as guest:
        flight_id = (await choose(guest, in_days(22))).flight_id
    before = await alerts(server)
    assert (await alert(server, person, flight_id, **more))["code"] == code
    assert await alerts(server) == before


async def alerts(server: Server) -> int:
    """How many alerts there are."""
    async with database_of(server) as connection:
        return int(await connection.fetchval("SELECT count(*) FROM flight_alerts"))
