"""GraphiQL at /graphiql works on a machine that reaches nothing but itself."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.shopper import NewShopper

pytestmark = pytest.mark.browser

ELSEWHERE = re.compile(r"^(https?|wss?)://(?!localhost[:/]|127\.0\.0\.1[:/]|\[::1\][:/])")
ANSWER = ".graphiql-response"
A_FLIGHT = """async () => {
  const query = 'query { departures(airport: "JFK", first: 1) { id } }';
  const headers = { "content-type": "application/json" };
  const answer = await fetch("/graphql", { method: "POST", headers, body: JSON.stringify({ query }) });
  return (await answer.json()).data.departures[0].id;
}"""
SET_VARIABLES = """(text) => {
  for (const { CodeMirror } of document.querySelectorAll(".CodeMirror")) {
    if (CodeMirror.getValue().includes("a flight's id")) CodeMirror.setValue(text);
  }
}"""


async def open_graphiql(page: Page, url: str) -> list[str]:
    """Opens GraphiQL with every other host cut off; answers the list of what was asked of them."""
    refused: list[str] = []

    async def refuse(route: Route) -> None:
        refused.append(route.request.url)
        await route.abort()

    await page.route(ELSEWHERE, refuse)
    await page.goto(f"{url}/graphiql")
    await expect(page.get_by_role("button", name=re.compile("Execute query"))).to_be_visible()
    return refused


async def test_it_opens_and_runs_a_query_offline(new_shopper: NewShopper, server_url: str) -> None:
    ada = await new_shopper()
    refused = await open_graphiql(ada.page, server_url)
    await ada.page.get_by_role("button", name=re.compile("Execute query")).click()
    await expect(ada.page.locator(ANSWER)).to_contain_text('"totalCount":')
    assert refused == []


async def test_it_follows_a_subscription(new_shopper: NewShopper, server_url: str) -> None:
    ada = await new_shopper()
    refused = await open_graphiql(ada.page, server_url)
    await ada.page.get_by_role("tab", name="SeatMapEvents").click()
    flight_id = await ada.page.evaluate(A_FLIGHT)
    await ada.page.evaluate(SET_VARIABLES, f'{{"flightId": "{flight_id}"}}')
    await ada.page.get_by_role("button", name=re.compile("Execute query")).click()
    await expect(ada.page.locator(ANSWER)).to_contain_text('"SeatMapSnapshot"')
    assert refused == []
