"""What one socket, one client and all of them together may have."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.requests import HTTPConnection
from websockets.exceptions import InvalidStatus

from engine.websockets.pace import Pace
from tests.engine.websockets.talk import (
    closing,
    greet,
    hear,
    opened,
    refused,
    say,
    still_serves,
    subscribe,
    until_empty,
)
from tests.engine.websockets.toy import Serving, Toy, served, toy
from tests.fakes.waiting import eventually

FOREVER = "subscription { forever }"


async def turned_away(serving: Serving, **more: Any) -> tuple[int, str, str]:
    """The status, the code and Retry-After of a handshake that is refused."""
    with pytest.raises(InvalidStatus) as refused:
        await opened(serving, **more)
    response = refused.value.response
    (error,) = json.loads(response.body)["errors"]
    assert str(error["extensions"]["retryAfter"]) == response.headers["retry-after"]
    return response.status_code, error["extensions"]["code"], response.headers["retry-after"]


@pytest.mark.parametrize("size", [256 * 1024 + 1, 600 * 1024])
async def test_a_message_too_large_closes_with_1009(serving: Serving, size: int) -> None:
    """The first is too large for the application, the second for the server."""
    async with opened(serving) as socket:
        await greet(socket)
        await socket.send("x" * size)
        assert (await closing(socket))[0] == 1009


async def test_a_message_in_fragments_is_as_large_as_all_of_them(serving: Serving) -> None:
    async with opened(serving) as socket:
        await greet(socket)
        await socket.send(["x" * 100_000] * 3)
        assert (await closing(socket))[0] == 1009


async def test_a_message_of_just_that_size_is_read(serving: Serving) -> None:
    async with opened(serving) as socket:
        message = '{"type":"pong","x":"%s"}'
        await socket.send(message % ("x" * (256 * 1024 - len(message) + 2)))
        await greet(socket)
        await still_serves(socket)


async def test_a_socket_has_so_many_operations_and_no_more() -> None:
    standing = toy(operations=3)
    with served(standing) as serving:
        async with opened(serving) as socket:
            await greet(socket)
            for name in "abc":
                await subscribe(socket, FOREVER, name)
                await hear(socket)
            await subscribe(socket, FOREVER, "d")
            assert (await refused(socket, "d"))[0] == "TOO_MANY_OPERATIONS"
            await say(socket, type="complete", id="a")

            async def is_closed() -> bool:
                return standing.watch.closed == 1

            await eventually(is_closed)
            await still_serves(socket)


async def test_operations_start_at_a_pace() -> None:
    with served(toy(operations_burst=2, operations_per_second=0.001)) as serving:
        async with opened(serving) as socket:
            await greet(socket)
            for _ in range(2):
                await still_serves(socket)
            await subscribe(socket, "{ hello }")
            message = await hear(socket)
            extensions = message["payload"][0]["extensions"]
            assert (message["type"], extensions["code"]) == ("error", "RATE_LIMITED")
            assert 900 < extensions["retryAfter"] <= 1000
            await say(socket, type="ping")
            assert await hear(socket) == {"type": "pong"}
        async with opened(serving) as another:
            await greet(another)
            await still_serves(another)


async def test_messages_of_any_kind_are_read_at_a_pace_and_none_is_lost() -> None:
    with served(toy(messages_burst=2, messages_per_second=200)) as serving:
        async with opened(serving) as socket:
            await greet(socket)
            for number in range(20):
                await say(socket, type="ping", payload={"number": number})
            assert [(await hear(socket))["payload"]["number"] for _ in range(20)] == list(range(20))


def test_a_pace_is_so_many_at_once_and_then_so_many_a_second() -> None:
    pace = Pace(per_second=10, burst=3)
    assert [pace.take(100.0) for _ in range(3)] == [0, 0, 0]
    assert pace.take(100.0) == pytest.approx(0.1)
    assert pace.take(100.04) == pytest.approx(0.06)
    assert pace.take(100.11) == 0
    assert pace.take(100.11) > 0
    assert [pace.take(200.0) for _ in range(3)] == [0, 0, 0]
    assert pace.take(200.0) > 0


async def test_a_client_has_so_many_sockets_and_others_have_theirs() -> None:
    def client_of(connection: HTTPConnection) -> str | None:
        return connection.headers.get("x-client")

    standing = toy(sockets_per_client=2, client_of=client_of)
    with served(standing) as serving:
        ada = {"additional_headers": {"X-Client": "ada"}}
        async with opened(serving, **ada) as first:
            async with opened(serving, **ada):
                assert (await turned_away(serving, **ada))[:2] == (429, "RATE_LIMITED")
                for other in ({"additional_headers": {"X-Client": "bob"}}, {}, {}, {}):
                    async with opened(serving, **other) as socket:
                        await greet(socket)

            async def has_left() -> bool:
                return standing.app.census.clients == {"ada": 1}

            await eventually(has_left)
            async with opened(serving, **ada) as third:
                await greet(third)
            await greet(first)
        await until_empty(standing)


async def test_a_process_has_so_many_sockets() -> None:
    standing = toy(sockets=2)
    with served(standing) as serving:
        async with opened(serving) as first, opened(serving):
            assert await turned_away(serving) == (503, "UNAVAILABLE", "5")
            await greet(first)
            await still_serves(first)
        await until_empty(standing)
        async with opened(serving) as socket:
            await greet(socket)


async def test_sockets_that_never_greet_take_no_more_than_their_share() -> None:
    standing = toy(silent_sockets=2, init_seconds=60.0)
    with served(standing) as serving:
        async with opened(serving) as talker:
            await greet(talker)
            async with opened(serving) as silent, opened(serving):
                assert await turned_away(serving) == (503, "UNAVAILABLE", "5")
                await still_serves(talker)
                await greet(silent)
                async with opened(serving) as another:
                    await say(another, type="ping")
                    assert await hear(another) == {"type": "pong"}
        await until_empty(standing)


async def test_sockets_that_never_greet_are_gone_in_time() -> None:
    standing = toy(silent_sockets=5, init_seconds=0.05)
    with served(standing) as serving:
        for _ in range(2):
            sockets = [await opened(serving) for _ in range(5)]
            assert {(await closing(socket))[0] for socket in sockets} == {4408}
            await until_empty(standing)


@pytest.mark.parametrize("ways", ["close", "abort", "half"])
async def test_clients_that_leave_have_their_streams_closed_at_once(serving: Serving, standing: Toy, ways: str) -> None:
    await until_empty(standing)
    opened_before, faults = standing.watch.opened, len(standing.watch.faults)
    for _ in range(5):
        socket = await opened(serving)
        await greet(socket)
        for name in "ab":
            await subscribe(socket, FOREVER, name)
            await hear(socket)
        if ways == "close":
            await socket.close()
        elif ways == "abort":
            socket.transport.abort()
        else:
            await socket.send('{"type":"ping"}')
            socket.transport.write_eof()
    await until_empty(standing)
    assert standing.watch.opened == opened_before + 10
    assert len(standing.watch.faults) == faults
