"""Whoever signs out is out everywhere: sockets close, and a token that has not expired is good for nothing."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import uuid4

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
