"""The papers of a booking over HTTP: for whoever booked, for a while, and as things are when they are fetched."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from core import clock
from core.embedded import EmbeddedValkey
from core.keys import Keyring
from resolvers import papers
from services import limits
from services.papers import PaperKind
from tests.api.test_staff import signed_in
from tests.fakes.clients import Client
from tests.fakes.given import GivenValkey
from tests.fakes.servers import Server
from tests.fakes.toy_server import toy_server, toy_settings
from tests.stories.journeys import book, choose, hold, in_days, pay

SECRETS = (b"s" * 32,)
PAPERS = "query ($id: ID!) { node(id: $id) { ... on Booking { papers { kind url expiresAt } } } }"
BY_PNR = 'query ($pnr: String!) { bookingByPnr(pnr: $pnr, lastName: "Lovelace") { papers { kind } } }'


async def papers_of(client: Client, booking: Any) -> Any:
    """What there is to print of a booking."""
    return (await client.post(PAPERS, {"id": booking["id"]}))["data"]["node"]["papers"]


async def test_the_owner_prints_e_ticket_and_receipt(server: Server) -> None:
    async with Client(server.url, await signed_in(server, "CUSTOMER")) as ada, httpx.AsyncClient() as browser:
        choice = await choose(ada, in_days(12))
        booking = await book(ada, choice, await hold(ada, choice), ("Ada", "Lovelace"))
        assert await papers_of(ada, booking) == []
        assert (await pay(ada, booking))["status"] == "CAPTURED"
        found = await papers_of(ada, booking)
        assert [one["kind"] for one in found] == ["E_TICKET", "RECEIPT"]
        for one, name in zip(found, ("e-ticket", "receipt"), strict=True):
            answer = await browser.get(server.url + one["url"])
            assert (answer.status_code, answer.content[:5]) == (200, b"%PDF-")
            assert answer.headers["content-type"] == "application/pdf"
            assert answer.headers["cache-control"] == "private, no-store"
            assert answer.headers["content-disposition"] == f'inline; filename="{booking["pnr"]}-{name}.pdf"'
        changed = await browser.get(server.url + found[0]["url"] + "A")
        assert (changed.status_code, changed.json()["errors"][0]["extensions"]["code"]) == (404, "NOT_FOUND")
        assert (await browser.get(f"{server.url}/papers")).status_code == 404
    async with Client(server.url) as stranger:
        answer = await stranger.post(BY_PNR, {"pnr": booking["pnr"]})
        assert answer["data"] == {"bookingByPnr": {"papers": None}}


@pytest.mark.parametrize(("left", "why"), [(timedelta(), "This address is over."), (timedelta(minutes=1), "no such")])
def test_an_address_that_is_over_or_leads_nowhere_is_refused(
    module_database_url: str, valkey: EmbeddedValkey | GivenValkey, left: timedelta, why: str
) -> None:
    token = papers.sign(Keyring(SECRETS), PaperKind.RECEIPT, UUID(int=1), clock.now() + left)
    with toy_server(toy_settings(module_database_url, valkey.url, *SECRETS)) as url:
        answer = httpx.get(f"{url}/papers", params={"token": token})
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["extensions"]["code"]) == (404, "NOT_FOUND")
    assert why in error["message"]


def test_one_address_may_not_have_papers_drawn_without_end(
    module_database_url: str, valkey: EmbeddedValkey | GivenValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PAPERS", limits.limit(f"papers-{uuid4()}", "2/hour"))
    token = papers.sign(Keyring(SECRETS), PaperKind.RECEIPT, UUID(int=1), clock.now() + timedelta(minutes=1))
    with toy_server(toy_settings(module_database_url, valkey.url, *SECRETS)) as url:
        answers = [httpx.get(f"{url}/papers", params={"token": token}) for _ in range(3)]
    assert [one.status_code for one in answers] == [404, 404, 429]
    assert int(answers[-1].headers["retry-after"]) > 0
