"""Answers that are kept, on the whole of Jetway: quick for everybody, and never behind what was told."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from engine.caching import Sharing
from resolvers.context import IMPERSONAL, Context, Viewer, shared
from tests.fakes.clients import DOCUMENTS, Client, key, watching
from tests.fakes.waiting import eventually
from tests.stories.journeys import Choice, choose, in_days

ELSEWHERE = {"x-forwarded-for": "198.51.100.7"}
"""Somebody who has written nothing: whoever wrote is shown nothing that was read before."""


@pytest.fixture
async def choice(server_url: str) -> Choice:
    """A flight with free seats."""
    async with Client(server_url) as guest:
        return await choose(guest, in_days(21), seats=2)


def answer(url: str, operation: str, **variables: Any) -> httpx.Response:
    """The answer to somebody elsewhere, straight."""
    body = {"query": DOCUMENTS, "operationName": operation, "variables": variables}
    return httpx.post(f"{url}/graphql", json=body, headers=ELSEWHERE)


def statuses(shown: httpx.Response) -> dict[str, str]:
    """The status of each seat."""
    cabins = shown.json()["data"]["flight"]["seatMap"]["cabins"]
    return {seat["number"]: seat["status"] for cabin in cabins for row in cabin["rows"] for seat in row["seats"]}


async def kept(url: str, flight_id: str) -> httpx.Response:
    """The seat map, once it is kept."""
    shown: list[httpx.Response] = []

    async def is_kept() -> bool:
        shown.append(answer(url, "SeatMap", flightId=flight_id))
        return "age" in shown[-1].headers

    await eventually(is_kept)
    return shown[-1]


async def test_a_seat_map_that_is_kept_ends_with_what_is_told_of_the_flight(server_url: str, choice: Choice) -> None:
    before = statuses(await kept(server_url, choice.flight_id))
    assert {before[seat] for seat in choice.seats} == {"AVAILABLE"}
    async with Client(server_url) as guest, watching(server_url, "SeatMapEvents", flightId=choice.flight_id) as events:
        await events.next()
        held = await guest.do(
            "HoldSeats",
            flights=[{"flightId": choice.flight_id, "seats": list(choice.seats)}],
            minutes=15,
            idempotencyKey=key(),
        )
        assert held["__typename"] == "Hold"
        own = await guest.ask("SeatMap", flightId=choice.flight_id)
        assert "LOCKED" in str(own), "whoever wrote sees what was written"
        await events.next()

        async def all_see_it() -> bool:
            seen = statuses(answer(server_url, "SeatMap", flightId=choice.flight_id))
            return {seen[seat] for seat in choice.seats} == {"LOCKED"}

        await eventually(all_see_it)


def test_a_search_says_when_it_was_priced_and_how_old_it_is(server_url: str) -> None:
    slices = [{"origin": "JFK", "destination": "LAX", "date": in_days(22).isoformat()}]
    search = {"slices": slices, "passengers": {"adults": 1}, "cabin": "ECONOMY"}
    first, second = (answer(server_url, "SearchFlights", input=search, first=3) for _ in range(2))
    assert first.json() == second.json()
    assert (first.headers.get("age"), int(second.headers["age"]) < 10) == ("0", True)


def test_what_is_somebodys_own_has_no_age(server_url: str) -> None:
    for query in ("{ me { id } }", '{ hold(id: "SG9sZDox") { id } }', "{ __typename }"):
        shown = [httpx.post(f"{server_url}/graphql", json={"query": query}) for _ in range(2)]
        assert ["age" in one.headers for one in shown] == [False, False]


async def test_a_context_that_is_shared_knows_the_viewer_but_tells_on_whoever_looks() -> None:
    """By construction: every name that a context has, now or later, is personal unless it is declared not to be."""
    viewer = Viewer(user_id=UUID(int=7), session_id=uuid4(), role="CUSTOMER")
    context = Context(app=None, viewer=viewer, request_id="trip-7", ip="192.0.2.1")  # type: ignore[arg-type]
    names = {name for name in dir(context) if not name.startswith("_")}
    assert names >= IMPERSONAL - {"sharing"}
    for name in names:
        sharing = Sharing()
        one = shared(context, sharing)
        try:
            getattr(one, name)
        except AttributeError:
            assert name in ("loaders", "reader", "reading", "transaction"), "there is no application here to read from"
        assert (sharing.spoilt is None) == (name in IMPERSONAL), name
    assert shared(context, Sharing()).actor == context.actor == f"user:{UUID(int=7)}"


def test_what_ends_by_facts_is_read_from_the_primary() -> None:
    context = Context(app=None, viewer=Viewer(), request_id="", ip="")  # type: ignore[arg-type]
    assert not shared(context, Sharing()).reads_primary
    assert shared(context, Sharing(ends_by_facts=True)).reads_primary


async def test_whoever_wrote_over_a_socket_is_shown_what_was_written(server_url: str, choice: Choice) -> None:
    await kept(server_url, choice.flight_id)
    address = f"{server_url.replace('http', 'ws', 1)}/graphql"
    protocol = Subprotocol("graphql-transport-ws")
    flights = [{"flightId": choice.flight_id, "seats": list(choice.seats)}]
    asked = {
        "query": DOCUMENTS,
        "operationName": "HoldSeats",
        "variables": {"input": {"flights": flights, "minutes": 15, "idempotencyKey": key()}},
    }
    async with connect(address, subprotocols=[protocol], additional_headers=ELSEWHERE) as socket:
        for message in ({"type": "connection_init"}, {"type": "subscribe", "id": "1", "payload": asked}):
            await socket.send(json.dumps(message))
        answers = [json.loads(await socket.recv()) for _ in range(2)]
    assert answers[1]["payload"]["data"]["holdSeats"]["__typename"] == "Hold"
    own = statuses(answer(server_url, "SeatMap", flightId=choice.flight_id))
    assert {own[seat] for seat in choice.seats} == {"LOCKED"}
