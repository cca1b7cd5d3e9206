"""The hold: its clock is the server's, it outlives a reload, and it can be given back."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from playwright.async_api import expect

from tests.browser.shopper import NewShopper

pytestmark = pytest.mark.browser

ABOUT_FIFTEEN_MINUTES = re.compile(r"^(15:00|1[34]:\d\d)$")


async def test_the_clock_is_right_in_a_browser_whose_clock_is_wrong(new_shopper: NewShopper) -> None:
    ada = await new_shopper()
    wrong = dt.datetime.now(dt.UTC) + dt.timedelta(hours=3)
    await ada.page.clock.install(time=wrong)
    await ada.page.clock.resume()
    await ada.search()
    await ada.choose_flight()
    await ada.hold(await ada.free_seats(1))
    await expect(ada.page.get_by_role("timer")).to_have_text(ABOUT_FIFTEEN_MINUTES)


async def test_a_reload_finds_the_hold_and_the_step_again(new_shopper: NewShopper) -> None:
    ada = await new_shopper()
    await ada.search()
    await ada.choose_flight()
    [seat] = await ada.free_seats(1)
    await ada.hold([seat])

    await ada.page.reload()
    await expect(ada.page.get_by_role("heading", name="Who is flying?")).to_be_visible()
    await expect(ada.page.locator(".hold-bar")).to_contain_text(seat)

    await ada.open("/#/seats")
    await expect(ada.seat(seat)).to_have_attribute("data-look", "mine")


async def test_extending_twice_is_all(new_shopper: NewShopper) -> None:
    ada = await new_shopper()
    await ada.search()
    await ada.choose_flight()
    await ada.hold(await ada.free_seats(1))

    bar = ada.page.locator(".hold-bar")
    await bar.get_by_role("button", name="Extend (2 left)").click()
    await bar.get_by_role("button", name="Extend (1 left)").click()
    await expect(bar.get_by_role("button", name=re.compile("Extend"))).to_be_hidden()


async def test_released_seats_are_free_for_others_at_once(new_shopper: NewShopper) -> None:
    ada = await new_shopper()
    grace = await new_shopper()
    await ada.search()
    flight = await ada.choose_flight()
    await grace.search()
    await grace.choose_flight(flight)
    [seat] = await ada.free_seats(1)
    await ada.hold([seat])
    await expect(grace.seat(seat)).to_have_attribute("data-look", "taken")

    await ada.page.get_by_role("button", name="Release").click()
    await expect(ada.page.locator(".hold-bar")).to_be_hidden()
    await expect(grace.seat(seat)).to_have_attribute("data-look", "free")
