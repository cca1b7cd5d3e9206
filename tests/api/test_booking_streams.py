"""A booking and its payments, live, for their owner and nobody else: over WebSocket, and as server-sent events."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.fakes.clients import Client
from tests.fakes.people import Person, all_told, database_of, somebody
from tests.fakes.servers import Server
from tests.fakes.streams import refused, sent, streaming
from tests.fakes.waiting import eventually
from tests.stories.journeys import book, choose, hold, in_days, pay

BOOKING, PAYMENTS = "BookingProgress", "PaymentProgress"
"""Operations of the contract."""

PAID = ("payment.captured", "ticket.issued", "booking.confirmed")
"""What is told of a booking that is paid. Its status is seen earlier: events show a booking as it is by then."""


async def booked(url: str, token: str | None = None, day: int = 12) -> Any:
    """A booking that waits for its money."""
    async with Client(url, token) as client:
        choice = await choose(client, in_days(day))
        return await book(client, choice, await hold(client, choice), ("Ada", "Lovelace"))


async def paid(url: str, booking: Any, token: str | None = None, method: str = "pm_card_visa") -> None:
    async with Client(url, token) as client:
        await pay(client, booking, method)


async def test_a_guest_sees_the_booking_become_paid_and_ticketed(server_url: str) -> None:
    booking = await booked(server_url)
    mine = {"bookingId": booking["id"], "token": booking["accessToken"]}
    async with streaming(server_url, BOOKING, **mine) as watcher, streaming(server_url, PAYMENTS, **mine) as payments:
        first, none = await watcher.next(), await payments.next()
        await paid(server_url, booking)
        event = await watcher.told(*PAID)
        while "CAPTURED" not in [one["status"] for one in none["payments"]]:
            none = await payments.next()
    assert (first["reset"], first["happened"], first["booking"]["status"]) == (False, [], "SEATS_LOCKED")
    assert [len(one["tickets"]) for one in event["booking"]["passengers"]] == [1]
    async with streaming(server_url, BOOKING, **mine, after=first["cursor"]) as again:
        missed = await again.next()
    assert (missed["reset"], missed["booking"]["status"]) == (False, "CONFIRMED")
    assert set(missed["happened"]) >= set(PAID)


async def test_the_same_as_server_sent_events_which_go_on_after_the_last(server_url: str) -> None:
    booking = await booked(server_url, day=13)
    mine = {"bookingId": booking["id"], "token": booking["accessToken"]}
    async with sent(server_url, BOOKING, **mine) as events:
        first = await anext(events)
    await paid(server_url, booking, method="pm_card_chargeDeclined")
    async with sent(server_url, BOOKING, first.id, **mine) as events:
        missed = (await anext(events)).data["data"]["bookingEvents"]
        while "payment.declined" not in missed["happened"]:
            missed = (await anext(events)).data["data"]["bookingEvents"]
    assert first.data["data"]["bookingEvents"]["cursor"] == first.id
    assert missed["reset"] is False
    assert missed["booking"]["status"] == "SEATS_LOCKED"


@pytest.mark.parametrize("operation", [BOOKING, PAYMENTS])
async def test_nobody_sees_anothers(server: Server, operation: str) -> None:
    ada, bob = await somebody(server), await somebody(server)
    hers, a_guests = await booked(server.url, ada.token, 14), await booked(server.url, None, 15)
    wrong = {"bookingId": hers["id"], "token": a_guests["accessToken"]}
    assert await refused(server.url, operation, bob.token, bookingId=hers["id"]) == "NOT_FOUND"
    assert await refused(server.url, operation, bookingId=hers["id"]) == "NOT_FOUND"
    assert await refused(server.url, operation, bookingId=a_guests["id"]) == "NOT_FOUND"
    assert await refused(server.url, operation, **wrong) == "WRONG_TOKEN"
    assert await refused(server.url, operation, ada.token, bookingId=hers["id"], after="x") == "INVALID_CURSOR"


async def test_whoever_owns_it_no_longer_learns_no_more(server: Server) -> None:
    ada, bob = await somebody(server), await somebody(server)
    booking = await booked(server.url, ada.token, 16)
    await all_told(server)
    async with streaming(server.url, BOOKING, ada.token, bookingId=booking["id"]) as watcher:
        await watcher.next()
        async with database_of(server) as connection:
            moved = "UPDATE bookings SET owner_id = $1 WHERE pnr = $2"
            await connection.execute(moved, bob.user_id, booking["pnr"])
        await paid(server.url, booking, bob.token)
        (error,) = await watcher.refusal()
    assert error["extensions"]["code"] == "NOT_FOUND"


async def test_whose_sign_in_has_ended_learns_no_more_even_where_nobody_was_told(server: Server) -> None:
    ada = await somebody(server)
    booking = await booked(server.url, ada.token, 17)
    await all_told(server)
    async with streaming(server.url, BOOKING, ada.token, bookingId=booking["id"]) as watcher:
        await watcher.next()
        await end_silently(server, ada)
        await paid(server.url, booking, ada.token)
        (error,) = await watcher.refusal()
    assert error["extensions"]["code"] == "UNAUTHENTICATED"


async def end_silently(server: Server, person: Person) -> None:
    """End a person's sign-ins without the fact that says so: the news of it may be late."""
    async with database_of(server) as connection:
        await connection.execute("UPDATE user_sessions SET revoked_at = now() WHERE user_id = $1", person.user_id)


async def test_one_person_watches_so_many_bookings_at_once(server: Server) -> None:
    ada = await somebody(server)
    booking = await booked(server.url, ada.token, 18)
    async with AsyncExitStack() as stack:
        for _ in range(20):
            watcher = await stack.enter_async_context(
                streaming(server.url, BOOKING, ada.token, bookingId=booking["id"])
            )
            await watcher.next()
        assert await refused(server.url, BOOKING, ada.token, bookingId=booking["id"]) == "RATE_LIMITED"

    async def has_room() -> bool:
        async with streaming(server.url, BOOKING, ada.token, bookingId=booking["id"]) as watcher:
            return "errors" not in (await watcher.message())["payload"]

    await eventually(has_room)
