"""Ada and Bob fly to Los Angeles. Carol watches the same flight, and sees every step that concerns her."""

from __future__ import annotations

from tests.fakes.clients import Client, key, watching
from tests.stories.journeys import assert_growing, book, choose, hold, in_days, pay, seat_statuses


async def test_two_friends_fly_to_los_angeles(server_url: str) -> None:
    day = in_days(14)
    async with Client(server_url) as ada, Client(server_url) as carol:
        # Two weeks before: Ada finds two seats side by side. Carol is looking at the same flight.
        choice = await choose(ada, day, seats=2)
        left, right = choice.seats
        async with watching(server_url, "SeatMapEvents", flightId=choice.flight_id, after=None) as seen:
            first = await seen.next()
            assert first["__typename"] == "SeatMapSnapshot"
            assert first["reset"] is False
            assert {s["number"]: s["status"] for s in first["seats"]}[left] == "AVAILABLE"

            # Ada holds them. For Carol they turn grey, both in one event.
            held = await hold(ada, choice)
            assert held["__typename"] == "Hold"
            assert held["flights"] == [{"flight": {"id": choice.flight_id}, "seats": [left, right]}]
            locked = await seen.until(left, "LOCKED")
            assert {s["number"]: s["status"] for s in locked["seats"]} == {left: "LOCKED", right: "LOCKED"}

            # Carol tries all the same, and is told which.
            late = await hold(carol, choice)
            assert late["__typename"] == "SeatsTaken"
            assert late["taken"] == [{"flightId": choice.flight_id, "seats": [left, right]}]

            # The hold becomes a booking that waits for its money.
            booking = await book(ada, choice, held, ("Ada", "Lovelace"), ("Bob", "Ng"))
            assert booking["__typename"] == "Booking"
            assert booking["status"] == "SEATS_LOCKED"
            assert booking["total"] == choice.offer["total"]
            assert booking["expiresAt"] == held["expiresAt"]

            # Her first card is declined. Nothing is lost.
            declined = await pay(ada, booking, "pm_card_visa_chargeDeclinedInsufficientFunds")
            assert declined["__typename"] == "PaymentDeclined"
            assert (declined["declineCode"], declined["retryable"]) == ("insufficient_funds", True)

            # Her second card is good: tickets for both, and for Carol the seats are gone for good.
            paid = await pay(ada, booking)
            assert (paid["__typename"], paid["status"]) == ("Payment", "CAPTURED")
            confirmed = paid["booking"]
            assert confirmed["status"] == "CONFIRMED"
            assert confirmed["expiresAt"] is None
            tickets = [p["tickets"] for p in confirmed["passengers"]]
            assert [[ticket["status"] for ticket in mine] for mine in tickets] == [["OPEN"], ["OPEN"]]
            assert all(len(ticket["number"]) == 13 for mine in tickets for ticket in mine)
            booked = await seen.until(left, "BOOKED")

            # Paying twice is refused.
            again = await pay(ada, booking)
            assert (again["__typename"], again["code"]) == ("Conflict", "ALREADY_PAID")

            # A week before: Bob looks it up by locator and his name, in his own spelling.
            found = await carol.ask("BookingByPnr", pnr=booking["pnr"].lower(), lastName="NG")
            assert (found["id"], found["status"]) == (booking["id"], "CONFIRMED")
            assert await carol.ask("BookingByPnr", pnr=booking["pnr"], lastName="Nguyen") is None

            # They change their minds within a day: by law all of it comes back.
            quote = await ada.do("QuoteCancellation", bookingId=booking["id"], bookingToken=booking["accessToken"])
            assert quote["__typename"] == "CancellationQuote"
            assert quote["refund"] == booking["total"]
            assert quote["fee"]["minorUnits"] == 0
            spent = {"quoteId": quote["id"], "bookingToken": booking["accessToken"]}
            cancelled = await ada.do("CancelBooking", **spent, idempotencyKey=key())
            assert cancelled["status"] == "CANCELLED"
            assert [payment["status"] for payment in cancelled["payments"]] == ["DECLINED", "REFUNDED"]
            assert (await ada.do("CancelBooking", **spent, idempotencyKey=key()))["__typename"] == "QuoteExpired"

            # Carol sees the seats come back. No seat's version ever went back.
            freed = await seen.until(left, "AVAILABLE")
            versions = [
                {s["number"]: s["version"] for s in event["seats"]}[left] for event in (first, locked, booked, freed)
            ]
            assert_growing(versions)
        after = seat_statuses(await carol.ask("SeatMap", flightId=choice.flight_id))
        assert (after[left], after[right]) == ("AVAILABLE", "AVAILABLE")
