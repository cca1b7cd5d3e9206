"""A shopper who uses the page: what they do, in the words of the page."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

from playwright.async_api import Locator, Page, expect

PATIENCE_MS = 20_000
ROUTE = ("JFK", "LAX")

expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Shopper:
    """Somebody with a browser of their own. `faults` gathers what went wrong unseen."""

    page: Page
    url: str
    date: str
    faults: list[str] = field(default_factory=list)

    async def open(self, path: str = "/") -> None:
        """Opens a path of the server, and waits for the view's heading."""
        await self.page.goto(self.url + path)
        await expect(self.page.locator("main h1")).to_be_visible()

    async def search(self, adults: int = 1) -> None:
        """Finds flights by a link that carries the search."""
        search = {"origin": ROUTE[0], "destination": ROUTE[1], "date": self.date, "adults": adults}
        await self.open(f"/#/?{urlencode(search)}")
        await expect(self.page.locator(".flight-card").first).to_be_visible()

    async def choose_flight(self, designators: str | None = None) -> str:
        """Takes the first fare of the flight named, or of the first; answers the flight's designator."""
        cards = self.page.locator(".flight-card")
        card = cards.first if designators is None else self.page.locator(f".flight-card[data-flights='{designators}']")
        name = await card.get_attribute("data-flights")
        assert name is not None
        await card.get_by_role("button", name="Choose").first.click()
        await expect(self.page.locator("svg.seat-map")).to_be_visible()
        await expect(self.page.locator(".live-badge")).to_have_attribute("data-state", "live")
        return name

    def seat(self, number: str) -> Locator:
        """A seat in the picture."""
        return self.page.locator(f"svg.seat-map [data-seat='{number}']")

    async def free_seats(self, count: int) -> list[str]:
        """Numbers of free seats, from the back of the cabin, where nobody has paid for legroom."""
        free = self.page.locator("svg.seat-map [data-look='free']")
        numbers: list[str] = await free.evaluate_all("cells => cells.map((cell) => cell.dataset.seat)")
        assert len(numbers) >= count, f"only {len(numbers)} free seats"
        return numbers[-count:]

    async def hold(self, numbers: list[str]) -> None:
        """Chooses the seats in the picture and holds them."""
        for number in numbers:
            await self.seat(number).click()
            await expect(self.seat(number)).to_have_attribute("data-look", "chosen")
        await self.page.get_by_role("button", name=re.compile("^Hold th")).click()
        await expect(self.page.get_by_role("heading", name="Who is flying?")).to_be_visible()

    async def name_passengers(self, names: list[tuple[str, str]]) -> None:
        """Fills in the passengers and the contact, and books."""
        for index, (first, last) in enumerate(names):
            await self.page.locator(f"[name='passengers.{index}.firstName']").fill(first)
            await self.page.locator(f"[name='passengers.{index}.lastName']").fill(last)
            await self.page.locator(f"[name='passengers.{index}.dateOfBirth']").fill("1990-12-10")
        await self.page.get_by_label("E-mail").fill("ada@example.org")
        await self.page.get_by_role("button", name="Continue to payment").click()
        await expect(self.page.get_by_role("heading", name="Payment", exact=True)).to_be_visible()

    async def pay_with(self, method: str) -> None:
        """Chooses a test card by its token and presses Pay."""
        await self.page.locator(f"input[value='{method}']").check()
        await self.page.get_by_role("button", name=re.compile("^Pay ")).click()

    async def confirmed(self) -> str:
        """Waits for the confirmation; answers the booking reference."""
        await expect(self.page.get_by_role("heading", name="You are going!")).to_be_visible()
        return await self.page.get_by_test_id("pnr").inner_text()

    async def to_payment(self, names: list[tuple[str, str]]) -> list[str]:
        """From nothing to the payment step, on the first flight; answers the seats."""
        await self.search(adults=len(names))
        await self.choose_flight()
        seats = await self.free_seats(len(names))
        await self.hold(seats)
        await self.name_passengers(names)
        return seats


NewShopper = Callable[..., Awaitable[Shopper]]
