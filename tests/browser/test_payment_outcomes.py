"""Paying: a declined card loses nothing, and 3-D Secure comes back to where it left."""

from __future__ import annotations

import json
import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.shopper import NewShopper

pytestmark = pytest.mark.browser

DECLINED = "pm_card_visa_chargeDeclined"
VISA = "pm_card_visa"
THREE_D_SECURE = "pm_card_threeDSecure2Required"

FORGET_BOOKING = """() => {
  const { hold, booking, ...trip } = JSON.parse(sessionStorage.getItem("jetway.trip"));
  sessionStorage.setItem("jetway.trip", JSON.stringify(trip));
}"""
"""What the hold bar does when the time of a booking is over, without waiting for it."""


def bank_button(page: Page, words: str) -> Locator:
    """A button of the sandbox's 3-D Secure page, inside the frame."""
    return page.frame_locator("iframe.challenge").get_by_role("button", name=re.compile(words, re.IGNORECASE))


async def test_a_declined_card_then_a_good_one(new_shopper: NewShopper) -> None:
    ada = await new_shopper()
    seats = await ada.to_payment([("Ada", "Lovelace")])

    await ada.pay_with(DECLINED)
    await expect(ada.page.locator("[data-problem='PaymentDeclined']")).to_contain_text("Nothing was charged")
    await expect(ada.page.locator(".hold-bar")).to_contain_text(seats[0])

    await ada.pay_with(VISA)
    await ada.confirmed()
    assert await ada.page.locator(".seat-cell b").all_inner_texts() == seats


async def test_three_d_secure_passed(new_shopper: NewShopper) -> None:
    ada = await new_shopper()
    seats = await ada.to_payment([("Grace", "Hopper")])

    await ada.pay_with(THREE_D_SECURE)
    await expect(ada.page.get_by_role("dialog")).to_contain_text("Your bank wants to be sure it is you")
    await bank_button(ada.page, "complete|approve|authori[sz]e").click()

    await ada.confirmed()
    assert await ada.page.locator(".seat-cell b").all_inner_texts() == seats


async def test_three_d_secure_failed_then_another_card(new_shopper: NewShopper) -> None:
    ada = await new_shopper()
    await ada.to_payment([("Grace", "Hopper")])

    await ada.pay_with(THREE_D_SECURE)
    await bank_button(ada.page, "fail|decline|reject").click()
    await expect(ada.page.locator("[data-problem='PaymentDeclined']")).to_be_visible()

    await ada.pay_with(VISA)
    await ada.confirmed()


async def test_leaving_the_banks_page_and_coming_back_to_it(new_shopper: NewShopper) -> None:
    ada = await new_shopper()
    await ada.to_payment([("Grace", "Hopper")])

    await ada.pay_with(THREE_D_SECURE)
    await ada.page.get_by_role("dialog").get_by_role("button", name="Close").click()
    await expect(ada.page.get_by_role("alert")).to_contain_text("is not finished")

    await ada.pay_with(THREE_D_SECURE)
    await bank_button(ada.page, "complete|approve|authori[sz]e").click()
    await ada.confirmed()


async def at_paypal(page: Page) -> None:
    """Waits until the tab itself is on PayPal's page, which lets nobody frame it."""
    await page.wait_for_url(re.compile("/paypal/checkoutnow"))


async def test_paypal_is_gone_to_and_come_back_from(new_shopper: NewShopper) -> None:
    ada = await new_shopper()
    seats = await ada.to_payment([("Ada", "Lovelace")])

    await ada.pay_with("paypal")
    await at_paypal(ada.page)
    await ada.page.get_by_role("button", name="Pay now", exact=True).click()

    await ada.confirmed()
    assert await ada.page.locator(".seat-cell b").all_inner_texts() == seats


async def test_who_turns_back_at_paypal_pays_by_card(new_shopper: NewShopper) -> None:
    ada = await new_shopper()
    seats = await ada.to_payment([("Ada", "Lovelace")])

    await ada.pay_with("paypal")
    await at_paypal(ada.page)
    await ada.page.locator("button[value='cancel']").click()
    await expect(ada.page.locator("[data-problem='PaymentDeclined']")).to_contain_text("Nothing was charged")
    await expect(ada.page.locator(".hold-bar")).to_contain_text(seats[0])

    await ada.pay_with(VISA)
    await ada.confirmed()


async def test_who_leaves_paypal_by_the_browsers_button_goes_on_there(new_shopper: NewShopper) -> None:
    ada = await new_shopper()
    await ada.to_payment([("Ada", "Lovelace")])

    await ada.pay_with("paypal")
    await at_paypal(ada.page)
    await ada.page.go_back()
    await expect(ada.page.get_by_role("alert")).to_contain_text("is not finished")
    await expect(ada.page.locator("input[value='paypal']")).to_be_checked()

    await ada.pay_with(VISA)
    await expect(ada.page.get_by_role("alert")).to_contain_text("payment for this booking is under way")

    await ada.pay_with("paypal")
    await at_paypal(ada.page)
    await ada.page.get_by_role("button", name="Pay now", exact=True).click()
    await ada.confirmed()


async def test_a_method_left_with_starts_no_payment_of_the_next_booking(new_shopper: NewShopper) -> None:
    ada = await new_shopper()
    await ada.to_payment([("Ada", "Lovelace")])
    await ada.pay_with("paypal")
    await at_paypal(ada.page)

    await ada.open("/#/board")
    await ada.page.evaluate(FORGET_BOOKING)
    await ada.open("/#/seats")
    await expect(ada.page.locator("svg.seat-map")).to_be_visible()
    await ada.hold(await ada.free_seats(1))
    sent: list[str] = []
    ada.page.on("request", lambda request: sent.append(request.post_data or ""))
    await ada.name_passengers([("Ada", "Lovelace")])
    await expect(ada.page.get_by_role("button", name=re.compile("^Pay "))).to_be_enabled()

    await ada.pay_with(VISA)
    await ada.confirmed()
    paid = [json.loads(body)["variables"]["input"] for body in sent if "PayBooking" in body]
    assert {one["paymentMethod"] for one in paid} == {VISA}
