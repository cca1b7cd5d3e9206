"""Two people look at one flight: what the first takes, the second sees go."""

from __future__ import annotations

import re
from urllib.parse import urljoin

import pytest
from playwright.async_api import expect

from tests.browser.shopper import NewShopper

pytestmark = pytest.mark.browser

TICKET = re.compile(r"^\d{3} \d{10}$")


async def test_ada_books_two_seats_and_grace_sees_them_turn(new_shopper: NewShopper) -> None:
    ada = await new_shopper()
    grace = await new_shopper()

    # Ada searches as a person does: a city typed, a suggestion taken by keyboard, a code typed.
    await ada.open()
    await ada.page.get_by_role("combobox", name="From", exact=True).press_sequentially("New Yor")
    await expect(ada.page.get_by_role("option").filter(has_text="JFK")).to_be_visible()
    await ada.page.get_by_role("combobox", name="From", exact=True).fill("JFK")
    await ada.page.get_by_role("combobox", name="To", exact=True).fill("LAX")
    await ada.page.get_by_label("Date").fill(ada.date)
    await ada.page.get_by_label("Adults").select_option("2")
    await ada.page.get_by_role("button", name="Search flights").click()
    await expect(ada.page.locator(".flight-card").first).to_be_visible()
    flight = await ada.choose_flight()

    await grace.search()
    await grace.choose_flight(flight)
    seats = await ada.free_seats(2)
    for number in seats:
        await expect(grace.seat(number)).to_have_attribute("data-look", "free")
    # Grace has set her eye on one of them, and has not held it.
    await grace.seat(seats[0]).click()
    await expect(grace.seat(seats[0])).to_have_attribute("data-look", "chosen")

    await ada.hold(seats)
    for number in seats:
        await expect(grace.seat(number)).to_have_attribute("data-look", "taken")
        await expect(grace.seat(number)).to_have_attribute("aria-label", re.compile("being booked by somebody else"))
    await expect(grace.page.locator("[data-problem='SeatsTaken']")).to_contain_text(seats[0])

    await ada.name_passengers([("Ada", "Lovelace"), ("Charles", "Babbage")])
    await ada.pay_with("pm_card_visa")
    pnr = await ada.confirmed()

    assert re.fullmatch(r"[A-HJ-KM-NP-Z2-9]{6}", pnr)
    await expect(ada.page.locator(".booking")).to_have_attribute("data-status", "CONFIRMED")
    assert sorted(await ada.page.locator(".seat-cell b").all_inner_texts()) == sorted(seats)
    tickets = await ada.page.locator(".ticket").all_inner_texts()
    assert len(set(tickets)) == 2
    assert all(TICKET.match(ticket) for ticket in tickets)
    await expect(ada.page.locator(".papers a")).to_have_text(["E-ticket (PDF)", "Receipt (PDF)"])
    for paper in await ada.page.locator(".papers a").all():
        answer = await ada.page.request.get(urljoin(ada.page.url, await paper.get_attribute("href") or ""))
        assert (answer.status, (await answer.body())[:5]) == (200, b"%PDF-")
    for number in seats:
        await expect(grace.seat(number)).to_have_attribute("data-look", "taken")
        await expect(grace.seat(number)).to_have_attribute("aria-label", re.compile("taken$"))

    # Found again by anybody who knows the reference and the name, and by nobody else.
    await grace.open("/#/find")
    await grace.page.get_by_label("Booking reference").fill(pnr)
    await grace.page.get_by_label("Last name").fill("Nobody")
    await grace.page.get_by_role("button", name="Find").click()
    await expect(grace.page.locator("[data-problem='NotFound']")).to_be_visible()
    await grace.page.get_by_label("Last name").fill("lovelace")
    await grace.page.get_by_role("button", name="Find").click()
    await expect(grace.page.get_by_test_id("pnr")).to_have_text(pnr)


async def test_a_cancelled_booking_gives_its_seats_back(new_shopper: NewShopper) -> None:
    ada = await new_shopper()
    seats = await ada.to_payment([("Ada", "Lovelace")])
    await ada.pay_with("pm_card_visa")
    await ada.confirmed()

    await ada.page.get_by_role("button", name="Cancel this booking…").click()
    await expect(ada.page.get_by_test_id("refund")).to_have_text(re.compile(r"^\$[\d,]+\.\d\d$"))
    await ada.page.get_by_role("button", name="Cancel the booking").click()
    await expect(ada.page.locator(".booking")).to_have_attribute("data-status", "CANCELLED")

    grace = await new_shopper()
    await grace.search()
    await grace.choose_flight()
    await expect(grace.seat(seats[0])).to_have_attribute("data-look", "free")
