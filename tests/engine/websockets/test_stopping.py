"""A server that stops: clients are told to connect again, one after the other."""

from __future__ import annotations

import asyncio

import pytest
from websockets.exceptions import InvalidStatus

from engine.websockets import evenly
from tests.engine.websockets.talk import closing, greet, hear, opened, say, still_serves, subscribe, until_empty
from tests.engine.websockets.toy import served, toy

RESTART = (1012, "This server stops: connect again")


async def test_every_socket_is_told_to_connect_again() -> None:
    standing = toy()
    with served(standing, spread=0.05) as serving:
        sockets = [await opened(serving) for _ in range(5)]
        for socket in sockets:
            await greet(socket)
            await subscribe(socket, "subscription { forever }")
            await hear(socket)
        serving.server.should_exit = True
        assert {await closing(socket) for socket in sockets} == {RESTART}
        await until_empty(standing)
    assert (standing.watch.closed, standing.watch.faults) == (5, [])


async def test_they_are_closed_one_after_the_other_the_oldest_first_and_no_others_are_let_in() -> None:
    standing = toy()
    with served(standing) as serving:
        async with opened(serving) as first, opened(serving) as second:
            await greet(first)
            await greet(second)
            assert serving.loop is not None
            draining = asyncio.run_coroutine_threadsafe(standing.app.drain(lambda _: [0.0, 3600.0]), serving.loop)
            assert await closing(first) == RESTART
            with pytest.raises(InvalidStatus) as refused:
                await opened(serving)
            assert refused.value.response.status_code == 503
            await still_serves(second)
            draining.cancel()


async def test_a_second_signal_does_not_wait() -> None:
    standing = toy()
    with served(standing, spread=3600.0) as serving:
        async with opened(serving) as first, opened(serving) as second:
            await greet(first)
            await greet(second)
            serving.server.should_exit = True
            assert await closing(first) == RESTART
            serving.server.force_exit = True
            code, _ = await closing(second)
            assert code == 1012


async def test_nobody_has_to_be_there() -> None:
    standing = toy()
    with served(standing, spread=3600.0) as serving:
        async with opened(serving) as socket:
            await say(socket, type="ping")
            await hear(socket)


def test_evenly_is_evenly() -> None:
    assert list(evenly(8.0)(4)) == [0.0, 2.0, 4.0, 6.0]
    assert list(evenly(8.0)(0)) == []
