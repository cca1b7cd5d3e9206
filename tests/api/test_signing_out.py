"""Whoever signs out is out everywhere: sockets and streams end, and a token that has not expired is worth nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
import websockets
from websockets.asyncio.client import ClientConnection
from websockets.typing import Subprotocol

from tests.fakes.clients import Client

PATIENCE = 20.0
PROTOCOL = Subprotocol("graphql-transport-ws")
REGISTER = (
    "mutation($input: RegisterInput!) { register(input: $input) { ... on SignedIn { accessToken refreshToken } } }"
)
SIGN_OUT = "mutation($input: SignOutInput!) { signOut(input: $input) { __typename } }"

WATCH = "subscription($id: ID!) { seatMapEvents(flightId: $id) { __typename } }"


async def registered(client: Client) -> dict[str, str]:
    """The tokens of somebody new."""
    person = {"email": f"{uuid4().hex}@example.org", "password": "a long enough secret", "name": "Ada"}
    told = await client.post(REGISTER, {"input": person})
    tokens: dict[str, str] = told["data"]["register"]
    return tokens


async def hear(socket: ClientConnection) -> Any:
    return json.loads(await asyncio.wait_for(socket.recv(), PATIENCE))


@pytest.mark.parametrize("everywhere", [False, True])
async def test_signing_out_closes_sockets_and_ends_tokens(server_url: str, everywhere: bool) -> None:
    async with Client(server_url) as guest:
        ada, other = await registered(guest), await registered(guest)
        url = f"{server_url.replace('http', 'ws', 1)}/graphql"
        async with (
            websockets.connect(url, subprotocols=[PROTOCOL]) as hers,
            websockets.connect(url, subprotocols=[PROTOCOL]) as theirs,
        ):
            for socket, tokens in ((hers, ada), (theirs, other)):
                credentials = {"authorization": f"Bearer {tokens['accessToken']}"}
                await socket.send(json.dumps({"type": "connection_init", "payload": credentials}))
                assert (await hear(socket))["type"] == "connection_ack"
            await guest.post(SIGN_OUT, {"input": {"refreshToken": ada["refreshToken"], "everywhere": everywhere}})
            await asyncio.wait_for(hers.wait_closed(), PATIENCE)
            assert (hers.close_code, hers.close_reason) == (4403, "The credentials were revoked")
            await theirs.send(json.dumps({"type": "ping"}))
            assert await hear(theirs) == {"type": "pong"}
        async with (
            Client(server_url, ada["accessToken"]) as signed_out,
            Client(server_url, other["accessToken"]) as in_,
        ):
            refused = await signed_out.post("{ me { name } }")
            assert [error["extensions"]["code"] for error in refused["errors"]] == ["UNAUTHENTICATED"]
            assert (await in_.post("{ me { name } }"))["data"] == {"me": {"name": "Ada"}}


async def test_signing_out_ends_server_sent_events(server_url: str) -> None:
    async with Client(server_url) as guest, httpx.AsyncClient(base_url=server_url, timeout=PATIENCE) as http:
        ada = await registered(guest)
        board = await guest.post('{ departures(airport: "JFK", first: 1) { id } }')
        request = {"query": WATCH, "variables": {"id": board["data"]["departures"][0]["id"]}}
        headers = {"accept": "text/event-stream", "authorization": f"Bearer {ada['accessToken']}"}
        async with http.stream("POST", "/graphql", json=request, headers=headers) as stream:
            lines = stream.aiter_lines()
            seen = [line async for line in until_data(lines)]
            assert '"seatMapEvents"' in seen[-1]
            await guest.post(SIGN_OUT, {"input": {"refreshToken": ada["refreshToken"]}})
            rest = [line async for line in lines if line.startswith(("data: ", "event: "))]
        assert '"code":"UNAUTHENTICATED"' in rest[-2]
        assert rest[-1] == "event: complete"


async def until_data(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    """The lines up to the first event's data."""
    async for line in lines:
        yield line
        if line.startswith("data: "):
            return
