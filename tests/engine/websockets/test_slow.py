"""Clients that do not take what they asked for."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from engine.operations import Engine, Prepared
from engine.websockets import Subscriber
from tests.engine.websockets.raw import raw, said
from tests.engine.websockets.talk import ending, greet, hear, opened, say, still_serves, subscribe, until_empty
from tests.engine.websockets.toy import served, toy
from tests.fakes.waiting import eventually

FLOOD = said(type="subscribe", id="1", payload={"query": "subscription { flood }"})
SLOW = (4413, "You take what you asked for too slowly")


async def test_for_a_client_that_does_not_read_little_is_made_and_then_it_is_cut_off() -> None:
    standing = toy(patience=0.2, closing_seconds=0.1, outgoing_bytes=256 * 1024)
    with served(standing) as serving:
        async with opened(serving) as other, raw(serving, buffer=8192) as client:
            await greet(other)
            client.send(said(type="connection_init"))
            await client.hear()
            client.send(FLOOD)
            await still_serves(other)
            await other.close()
            await until_empty(standing)  # while it still does not read
            assert standing.watch.closed == 1
            assert standing.watch.faults == []
            # What the kernel holds for one connection, and what waits here, is all that was ever made.
            assert standing.watch.produced * 65_536 < 16 * 1024 * 1024
            await cut_off(client.reader)


async def cut_off(reader: asyncio.StreamReader) -> None:
    """Read what is left, and find that there is no more."""
    try:
        while await reader.read(1 << 20):
            pass
    except ConnectionResetError:
        return


async def test_a_client_that_begins_to_read_again_is_told_why() -> None:
    standing = toy(patience=0.2, closing_seconds=60.0)
    with served(standing) as serving:
        async with raw(serving, buffer=8192) as client:
            client.send(said(type="connection_init"))
            await client.hear()
            client.send(FLOOD)

            async def is_given_up() -> bool:
                return serving.call(lambda: any(socket.outbox.closing for socket in standing.app.census.sockets))

            await eventually(is_given_up)
            assert await client.ending() == SLOW
        await until_empty(standing)


async def test_a_client_that_shows_no_sign_of_life_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.websockets.serving.CLOSING_SECONDS", 0.05)
    standing = toy(patience=3600.0)
    with served(standing, ping=0.2) as serving:
        async with raw(serving, buffer=8192) as client:
            client.send(said(type="connection_init"))
            await client.hear()
            client.send(FLOOD)
            await until_empty(standing)
    assert (standing.watch.closed, standing.watch.faults) == (1, [])


async def test_operations_that_wait_for_room_have_it_in_turn() -> None:
    standing = toy(outgoing_bytes=100_000)
    with served(standing) as serving:
        async with opened(serving) as socket:
            await greet(socket)
            for name in "abc":
                await subscribe(socket, "subscription { flood }", name)
            heard: Counter[str] = Counter()
            while min(heard[name] for name in "abc") < 3:
                heard[(await hear(socket))["id"]] += 1
            socket.transport.abort()  # it would not read on to the server's answer, were it to close


async def test_whoever_is_sent_more_than_may_wait_is_closed_with_4413() -> None:
    async def shout(engine: Engine, prepared: Prepared, context: Any, request_id: str, subscriber: Subscriber) -> None:
        for _ in range(100):
            subscriber.next(b'{"data":"' + b"x" * 65_536 + b'"}')
        await asyncio.Event().wait()

    standing = toy(stream=shout)
    with served(standing) as serving:
        async with opened(serving) as socket:
            await greet(socket)
            await subscribe(socket, "subscription { forever }")
            assert await ending(socket) == SLOW
        await until_empty(standing)


async def test_many_are_sent_the_same_bytes_each_with_its_own_id() -> None:
    members: list[Subscriber] = []

    async def join(engine: Engine, prepared: Prepared, context: Any, request_id: str, subscriber: Subscriber) -> None:
        members.append(subscriber)
        subscriber.next(b'{"data":"welcome"}')
        try:
            await asyncio.Event().wait()
        finally:
            members.remove(subscriber)

    def tell() -> None:
        for member in members:
            member.next(b'{"data":7}')

    standing = toy(stream=join)
    with served(standing) as serving:
        async with opened(serving) as one, opened(serving) as two:
            for socket, name in ((one, "a"), (two, 'b"')):
                await greet(socket)
                await subscribe(socket, "subscription { forever }", name)
                assert (await hear(socket))["payload"] == {"data": "welcome"}
            serving.call(tell)
            assert await hear(one) == {"id": "a", "type": "next", "payload": {"data": 7}}
            assert await hear(two) == {"id": 'b"', "type": "next", "payload": {"data": 7}}
        await until_empty(standing)
        assert members == []


async def test_what_is_left_is_told_nothing_more_even_while_it_is_being_closed() -> None:
    members: list[Subscriber] = []
    left = asyncio.Event()

    async def join(engine: Engine, prepared: Prepared, context: Any, request_id: str, subscriber: Subscriber) -> None:
        members.append(subscriber)
        subscriber.next(b'{"data":"welcome"}')
        try:
            await asyncio.Event().wait()
        finally:
            await left.wait()

    standing = toy(stream=join)
    with served(standing) as serving:
        async with opened(serving) as socket:
            await greet(socket)
            await subscribe(socket, "subscription { forever }")
            await hear(socket)
            await say(socket, type="complete", id="1")
            await say(socket, type="ping")
            assert await hear(socket) == {"type": "pong"}
            serving.call(lambda: members[0].next(b'{"data":7}'))
            serving.call(left.set)
            await still_serves(socket)
