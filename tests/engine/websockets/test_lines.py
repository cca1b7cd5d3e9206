"""The two kinds of lines: a connection that the server gave away, and one of any ASGI server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engine.websockets.raw import frame, raw, said
from tests.engine.websockets.talk import closing, greet, hear, opened, say, still_serves, subscribe, until_empty
from tests.engine.websockets.toy import Serving, Toy, served, toy
from tests.fakes.waiting import eventually

PLAIN = "websockets-sansio"
"""uvicorn's own protocol, which gives nothing away."""


@pytest.fixture(scope="module")
def other() -> Toy:
    """A transport that is served by that."""
    return toy(init_seconds=60.0)


@pytest.fixture(scope="module")
def plain(other: Toy) -> Iterator[Serving]:
    """Its server."""
    with served(other, protocol=PLAIN) as serving:
        yield serving


async def test_any_server_will_do(plain: Serving, other: Toy) -> None:
    async with opened(plain) as socket:
        await greet(socket)
        await subscribe(socket, "subscription { forever }")
        assert (await hear(socket))["payload"] == {"data": {"forever": 1}}
        await still_serves(socket)
        await say(socket, type="complete", id="1")
        await still_serves(socket)
    await until_empty(other)


async def test_there_too_sockets_are_closed_with_a_reason(plain: Serving, other: Toy) -> None:
    async with opened(plain) as mine, opened(plain) as malformed:
        await greet(mine, payload={"authorization": "Bearer good-ida"})
        assert plain.call(lambda: other.app.revoke("user:ida")) == 1
        assert await closing(mine) == (4403, "The credentials were revoked")
        await malformed.send("7")
        assert await closing(malformed) == (4400, "A message is a JSON object")
    await until_empty(other)


async def test_a_connection_that_was_given_away_has_no_task(serving: Serving, standing: Toy) -> None:
    async with opened(serving) as socket:
        await greet(socket)

        async def is_given_away() -> bool:
            return serving.call(lambda: not serving.server.server_state.tasks)

        await eventually(is_given_away)
        await still_serves(socket)
    await until_empty(standing)


async def test_what_comes_with_the_handshake_or_in_pieces_is_heard(serving: Serving, standing: Toy) -> None:
    async with raw(serving) as client:
        whole = said(type="connection_init") + said(type="ping", payload={"at": 1})
        for place in range(len(whole)):
            client.send(whole[place : place + 1])
            await client.writer.drain()
        assert await client.hear() == {"type": "connection_ack"}
        assert await client.hear() == {"type": "pong", "payload": {"at": 1}}
        client.send(frame(b'{"type":', first=0x01) + frame(b'"ping"}', first=0x80))
        assert await client.hear() == {"type": "pong"}
    await until_empty(standing)


async def test_messages_that_come_too_quickly_are_read_later_all_of_them() -> None:
    standing = toy(messages_per_second=200.0, messages_burst=2)
    with served(standing) as serving:
        async with raw(serving) as client:
            client.send(said(type="connection_init") + said(type="ping") * 20)
            assert await client.hear() == {"type": "connection_ack"}
            assert [await client.hear() for _ in range(20)] == [{"type": "pong"}] * 20
        await until_empty(standing)


async def test_a_ping_of_websocket_itself_is_answered(serving: Serving, standing: Toy) -> None:
    async with raw(serving) as client:
        client.send(frame(b"alive?", first=0x89))
        assert await client.frame() == (10, b"alive?")
    await until_empty(standing)


async def test_whoever_answers_the_servers_pings_stays() -> None:
    standing = toy(init_seconds=60.0)
    with served(standing, ping=0.1) as serving:
        async with opened(serving) as socket, raw(serving) as client:
            await greet(socket)
            pings = [await client.frame() for _ in range(1)]
            assert pings == [(9, b"")]
            assert await client.ending() == (1011, "keepalive ping timeout")
            await still_serves(socket)
