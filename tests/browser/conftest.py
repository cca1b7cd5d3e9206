"""Chromium for each test, and shoppers who use the page in it.

Where there is no Chromium and none can be installed (scripts/chromium.py) the tests are skipped, and the summary says
so in a section of its own; with `CI=true` or `JETWAY_BROWSER=required` its absence is a failure.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import Browser, Request, async_playwright

from scripts import chromium
from tests.browser.shopper import PATIENCE_MS, ROUTE, NewShopper, Shopper

LOADING_SECONDS = 120
NEXT_DEPARTURES = """
    query Next($airport: String!, $from: DateTime) {
      departures(airport: $airport, from: $from, first: 100) { departsAt destination { iataCode } }
    }
"""
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
ABSENT = pytest.StashKey[str]()

# Without these, Chromium calls its maker at every start; a sandbox of its own it cannot have as root.
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium_path(request: pytest.FixtureRequest) -> str:
    """The path of a Chromium that can be started."""
    if chromium.find() is None:
        chromium.install()
    path = chromium.find()
    if path is not None:
        return path
    reason = "Chromium is not installed and could not be: apt-get install chromium"
    if chromium.required() or os.environ.get("CI") == "true":
        pytest.fail(reason)
    request.config.stash[ABSENT] = reason
    pytest.skip(reason)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says loudly that the browser tests did not run."""
    reason = terminalreporter.config.stash.get(ABSENT, None)
    if reason:
        terminalreporter.section("THE BROWSER TESTS DID NOT RUN", red=True, bold=True)
        terminalreporter.line(reason, red=True)


@pytest.fixture
async def browser(chromium_path: str) -> AsyncIterator[Browser]:
    """A fresh browser for one test."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=chromium_path, args=CHROMIUM_ARGS)
        yield started
        await started.close()


@pytest.fixture(scope="session")
def travel_date(server_url: str) -> str:
    """The local date of the first departure on the route of these tests, two days from now or later.

    The server answers while its schedule is still being loaded: it is asked until the flight is there.
    """
    start = (dt.datetime.now(dt.UTC) + dt.timedelta(days=2)).isoformat(timespec="seconds")
    variables = {"airport": ROUTE[0], "from": start}
    with httpx.Client(base_url=server_url, timeout=20) as client:
        for _ in range(LOADING_SECONDS):
            answer = client.post("/graphql", json={"query": NEXT_DEPARTURES, "variables": variables}).json()
            for flight in (answer.get("data") or {}).get("departures") or ():
                if flight["destination"]["iataCode"] == ROUTE[1]:
                    return str(flight["departsAt"][:10])
            time.sleep(1)
    raise AssertionError(f"the demo schedule has no flight from {ROUTE[0]} to {ROUTE[1]} after {start}")


@pytest.fixture
async def new_shopper(browser: Browser, server_url: str, travel_date: str) -> AsyncIterator[NewShopper]:
    """Makes shoppers. At the end none of them may have seen a script error or asked anything of another host."""
    shoppers: list[Shopper] = []

    async def make(**context_options: object) -> Shopper:
        context = await browser.new_context(**context_options)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE_MS)
        page = await context.new_page()
        shopper = Shopper(page, server_url, travel_date)

        def watch(request: Request) -> None:
            parts = urlsplit(request.url)
            if parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname not in LOOPBACK:
                shopper.faults.append(f"asked for {request.url}")

        page.on("pageerror", lambda error: shopper.faults.append(f"script error: {error}"))
        page.on("request", watch)
        page.on("console", lambda message: watch_policy(shopper, message.text))
        shoppers.append(shopper)
        return shopper

    yield make
    assert [shopper.faults for shopper in shoppers if shopper.faults] == []


def watch_policy(shopper: Shopper, text: str) -> None:
    """What the content security policy blocks is told on the console only."""
    if "Content Security Policy" in text:
        shopper.faults.append(text)
