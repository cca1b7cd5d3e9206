"""Python's gql, in each of its transports, against a whole Jetway: the contract's documents, live seats, refusals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any

import httpx
import pytest
from gql import Client, GraphQLRequest
from gql.client import AsyncClientSession
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.aiohttp_websockets import AIOHTTPWebsocketsTransport
from gql.transport.async_transport import AsyncTransport
from gql.transport.exceptions import TransportQueryError, TransportServerError
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.requests import RequestsHTTPTransport
from gql.transport.websockets import WebsocketsTransport
from graphql import print_ast

from tests.fakes.clients import DOCUMENTS, key
from tests.stories.journeys import in_days, seat_statuses

PATIENCE = 30


def request(operation: str, **variables: Any) -> GraphQLRequest:
    """One of the contract's operations."""
    return GraphQLRequest(DOCUMENTS, operation_name=operation, variable_values=variables)


def search(first: int = 2) -> GraphQLRequest:
    """A search for one adult."""
    slices = [{"origin": "JFK", "destination": "LAX", "date": in_days(20).isoformat()}]
    return request("SearchFlights", input={"slices": slices, "passengers": {"adults": 1}}, first=first)


def aiohttp_(url: str) -> AsyncTransport:
    return AIOHTTPTransport(url, timeout=PATIENCE)


def httpx_(url: str) -> AsyncTransport:
    return HTTPXAsyncTransport(url, timeout=PATIENCE)


def websockets_(url: str) -> AsyncTransport:
    return WebsocketsTransport(url.replace("http:", "ws:"), ack_timeout=PATIENCE)


def aiohttp_websockets(url: str) -> AsyncTransport:
    return AIOHTTPWebsocketsTransport(url.replace("http:", "ws:"), ack_timeout=PATIENCE)


SOCKETS = [websockets_, aiohttp_websockets]


@asynccontextmanager
async def session(transport: AsyncTransport, **options: Any) -> AsyncIterator[AsyncClientSession]:
    """A client of that transport."""
    async with Client(transport=transport, execute_timeout=PATIENCE, **options) as opened:
        yield opened


async def seats_of(client: AsyncClientSession) -> tuple[str, list[str]]:
    """A flight, and its free seats."""
    found = await client.execute(search(1))
    flight_id = found["flightSearch"]["edges"][0]["node"]["slices"][0]["segments"][0]["flight"]["id"]
    statuses = seat_statuses((await client.execute(request("SeatMap", flightId=flight_id)))["flight"])
    return flight_id, [number for number, status in statuses.items() if status == "AVAILABLE"]


@pytest.mark.parametrize("transport", [aiohttp_, httpx_, *SOCKETS])
async def test_a_shopper_searches_holds_and_is_refused(server_url: str, transport: Any) -> None:
    async with session(transport(f"{server_url}/graphql")) as client:
        flight_id, free = await seats_of(client)
        wanted = {"flights": [{"flightId": flight_id, "seats": free[-1:]}]}
        held = await client.execute(request("HoldSeats", input={**wanted, "idempotencyKey": key()}))
        taken = await client.execute(request("HoldSeats", input={**wanted, "idempotencyKey": key()}))
        mine = {"holdId": held["holdSeats"]["id"], "token": held["holdSeats"]["token"]}
        freed = await client.execute(request("ReleaseHold", input=mine))
        with pytest.raises(TransportQueryError) as refusal:
            await client.execute(search(0))
    assert taken["holdSeats"]["taken"] == [{"flightId": flight_id, "seats": free[-1:]}]
    assert freed == {"releaseHold": {"__typename": "HoldReleased", "holdId": mine["holdId"]}}
    (error,) = refusal.value.errors or []
    assert (error["extensions"]["code"], error["extensions"]["field"]) == ("INVALID_INPUT", "first")


@pytest.mark.parametrize("transport", SOCKETS)
async def test_a_socket_tells_what_happens_to_a_seat(server_url: str, transport: Any) -> None:
    async with session(transport(f"{server_url}/graphql")) as client:
        flight_id, free = await seats_of(client)
        wanted = {"flights": [{"flightId": flight_id, "seats": free[:1]}], "idempotencyKey": key()}
        events = client.subscribe(request("SeatMapEvents", flightId=flight_id))
        snapshot = (await anext(events))["seatMapEvents"]
        assert (snapshot["__typename"], snapshot["reset"]) == ("SeatMapSnapshot", False)
        held = (await client.execute(request("HoldSeats", input=wanted)))["holdSeats"]
        async with asyncio.timeout(PATIENCE):
            async for event in events:
                changed = {seat["number"]: seat["status"] for seat in event["seatMapEvents"]["seats"]}
                if changed.get(free[0]) == "LOCKED":
                    break
        await events.aclose()
        mine = {"holdId": held["id"], "token": held["token"]}
        assert (await client.execute(request("ReleaseHold", input=mine)))["releaseHold"]["__typename"] == "HoldReleased"


async def test_it_checks_documents_by_the_schema_that_it_asks_for(server_url: str) -> None:
    async with session(aiohttp_(f"{server_url}/graphql"), fetch_schema_from_transport=True) as client:
        found = await client.execute(search(1), parse_result=True)
        with pytest.raises(Exception, match="Cannot query field 'nothing'"):
            await client.execute(GraphQLRequest("{ nothing }"))
    assert len(found["flightSearch"]["edges"]) == 1


def test_it_asks_without_a_loop(server_url: str) -> None:
    transport = RequestsHTTPTransport(f"{server_url}/graphql", timeout=PATIENCE)
    with Client(transport=transport) as client:
        assert len(client.execute(search(3))["flightSearch"]["edges"]) == 3


async def test_what_it_names_by_a_hash_is_known_by_it_from_then_on(server_url: str) -> None:
    asked = search(1)
    hashed = {"persistedQuery": {"version": 1, "sha256Hash": sha256(print_ast(asked.document).encode()).hexdigest()}}
    named = GraphQLRequest(asked.document, operation_name=asked.operation_name, extensions=hashed,
                           variable_values=asked.variable_values)  # fmt: skip
    async with session(httpx_(f"{server_url}/graphql")) as client:
        in_full = await client.execute(named)
    body = {"operationName": asked.operation_name, "variables": asked.variable_values, "extensions": hashed}
    async with httpx.AsyncClient() as plain:
        by_hash = (await plain.post(f"{server_url}/graphql", json=body, timeout=PATIENCE)).json()
    assert by_hash["data"]["flightSearch"]["totalCount"] == in_full["flightSearch"]["totalCount"]


async def test_its_multipart_stream_is_refused_plainly(server_url: str) -> None:
    """A third protocol for what sockets and server-sent events do; nobody is left waiting for it."""
    async with session(aiohttp_(f"{server_url}/graphql")) as client:
        with pytest.raises(TransportServerError) as refusal:
            await anext(client.subscribe(request("FlightStatusEvents", flightIds=[])))
    assert refusal.value.code == 406
