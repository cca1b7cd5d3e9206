"""Every step: nothing that axe calls serious or critical; and the seats, by keyboard alone."""

from __future__ import annotations

import importlib.resources
import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.shopper import NewShopper, Shopper

pytestmark = pytest.mark.browser

AXE = next(
    path for path in importlib.resources.files("axe_core_python").iterdir() if path.name == "axe.min.js"
).read_text()
GRAVE = {"serious", "critical"}
WIDE = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


async def violations(page: Page) -> list[str]:
    """What axe finds grave on the page as it stands, once nothing moves any more."""
    await page.evaluate("Promise.allSettled(document.getAnimations().map(({ finished }) => finished))")
    await page.evaluate(AXE)
    report: dict[str, Any] = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{rule['id']}: {node['html'][:160]} — {node['failureSummary']}"
        for rule in report["violations"]
        if rule["impact"] in GRAVE
        for node in rule["nodes"][:5]
    ]


async def check(shopper: Shopper) -> None:
    """Fails with the list of what is wrong here."""
    assert await violations(shopper.page) == []


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "viewport", [{"width": 1280, "height": 900}, {"width": 390, "height": 844}], ids=["wide", "phone"]
)
async def test_the_whole_journey(new_shopper: NewShopper, color_scheme: str, viewport: dict[str, int]) -> None:
    ada = await new_shopper(color_scheme=color_scheme, viewport=viewport)
    await ada.open()
    await check(ada)
    await ada.page.get_by_role("combobox", name="From", exact=True).fill("New")
    await expect(ada.page.get_by_role("option").first).to_be_visible()
    await check(ada)

    await ada.search(adults=2)
    await check(ada)
    await ada.choose_flight()
    await check(ada)
    await ada.hold(await ada.free_seats(2))
    await check(ada)
    await ada.name_passengers([("Ada", "Lovelace"), ("Grace", "Hopper")])
    await check(ada)
    await ada.pay_with("pm_card_visa_chargeDeclined")
    await expect(ada.page.locator("[data-problem='PaymentDeclined']")).to_be_visible()
    await check(ada)
    await ada.pay_with("pm_card_visa")
    await ada.confirmed()
    await check(ada)
    await ada.page.get_by_role("button", name="Cancel this booking…").click()
    await expect(ada.page.get_by_test_id("refund")).to_be_visible()
    await check(ada)


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/#/find", "/#/account", "/#/board/JFK"])
async def test_the_other_views(new_shopper: NewShopper, path: str, color_scheme: str) -> None:
    ada = await new_shopper(color_scheme=color_scheme)
    await ada.open(path)
    await check(ada)


async def test_seats_by_keyboard_alone(new_shopper: NewShopper) -> None:
    ada = await new_shopper()
    await ada.search()
    await ada.page.get_by_role("button", name=re.compile("^Choose")).first.focus()
    await ada.page.keyboard.press("Enter")
    await expect(ada.page.locator("svg.seat-map")).to_be_visible()

    # One Tab stop leads into the grid; from there arrows walk, without leaving it.
    for _ in range(20):
        await ada.page.keyboard.press("Tab")
        if await ada.page.evaluate("document.activeElement.getAttribute('role')") == "gridcell":
            break
    await ada.page.keyboard.press("Control+End")
    [target] = await ada.free_seats(1)
    for _ in range(400):
        focused = await ada.page.evaluate("document.activeElement.dataset.seat")
        if focused == target:
            break
        await ada.page.keyboard.press(await step_towards(ada.page, focused, target))
    await ada.page.keyboard.press("Space")
    await expect(ada.seat(target)).to_have_attribute("aria-selected", "true")
    await expect(ada.page.locator("#announcer")).to_contain_text(f"Seat {target} chosen")

    for _ in range(20):
        await ada.page.keyboard.press("Tab")
        if (await ada.page.evaluate("document.activeElement.textContent")).startswith("Hold this seat"):
            break
    await ada.page.keyboard.press("Enter")
    await expect(ada.page.get_by_role("heading", name="Who is flying?")).to_be_focused()
    await expect(ada.page.locator(".hold-bar")).to_contain_text(target)


async def step_towards(page: Page, focused: str, target: str) -> str:
    """The arrow key that leads from one seat towards another: rows first, then columns."""

    def split(seat: str) -> tuple[int, str]:
        found = re.fullmatch(r"(\d+)([A-Z])", seat)
        assert found is not None
        return int(found[1]), found[2]

    (row, column), (to_row, to_column) = split(focused), split(target)
    if row != to_row:
        return "ArrowDown" if row < to_row else "ArrowUp"
    return "ArrowRight" if column < to_column else "ArrowLeft"


async def test_the_list_beside_the_picture_chooses_the_same_seats(new_shopper: NewShopper) -> None:
    ada = await new_shopper()
    await ada.search()
    await ada.choose_flight()
    options = ada.page.get_by_role("listbox", name=re.compile("^Seats on")).get_by_role("option")
    await options.first.focus()
    await ada.page.keyboard.press("ArrowDown")
    await ada.page.keyboard.press("Space")
    number = await ada.page.evaluate("document.activeElement.dataset.seat")
    await expect(ada.seat(number)).to_have_attribute("data-look", "chosen")
    await ada.page.keyboard.press("Space")
    await expect(ada.seat(number)).to_have_attribute("data-look", "free")
