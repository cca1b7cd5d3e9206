"""Clients that people use, against a real server: a query, a mutation, errors, a subscription, and leaving one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from engine.websockets.app import STOPPING
from tests.engine.websockets.talk import until_empty
from tests.engine.websockets.toy import served, toy
from tests.fakes.waiting import eventually


@pytest.mark.parametrize("client", ["ws", "ws-apollo", "ws-urql"])
async def test_a_client_works(peer: Callable[[str, str], Any], client: str) -> None:
    standing = toy(init_seconds=60.0)
    with served(standing) as serving:
        assert peer(f"{client}.mjs", serving.url) == {
            "query": "hello Ada",
            "mutation": 2,
            "partial": ["hello world", "NOT_FOUND"],
            "invalid": "GRAPHQL_VALIDATION_FAILED",
            "subscription": [1, 2, 3],
            "first": 1,
        }
        await until_empty(standing)
    assert (standing.watch.opened, standing.watch.closed, standing.watch.faults) == (1, 1, [])


async def test_a_client_comes_back_when_its_server_stops(peer: Callable[[str, str], Any]) -> None:
    standing = toy(init_seconds=60.0)
    with served(standing) as serving:
        peering = asyncio.create_task(asyncio.to_thread(peer, "ws-again.mjs", serving.url))

        async def is_watching() -> bool:
            return standing.watch.opened == 1

        await eventually(is_watching)
        (socket,) = standing.app.census.sockets
        serving.call(lambda: socket.close(STOPPING))
        assert await peering == {"first": 1012, "seen": 2}
        await until_empty(standing)
